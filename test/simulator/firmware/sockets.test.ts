import { expect } from 'chai';
import { Bench } from './support/bench.js';
import type { FakeUdpSocket } from './support/fake-stack.js';

const setup = () => {
  const bench = Bench.joined();
  return { bench, ...bench.connect() };
};

describe('socket ids', () => {
  it('are 16 bits, grow, and depend on the seed alone', () => {
    const ids = (seed: number) => {
      const bench = Bench.booted({ seed });
      return Array.from({ length: 3 }, () => Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=1'))?.[1]));
    };
    const first = ids(7);
    expect(ids(7)).to.deep.equal(first);
    expect(ids(8)).to.not.deep.equal(first);
    expect(first[1]).to.equal(first[0] + 1);
    for (const id of first) expect(id).to.be.within(1, 0xffff);
  });

  it('are limited to ten sockets of a protocol; closed ones do not count', () => {
    const bench = Bench.joined();
    const first = bench.connect();
    for (let i = 1; i < 10; i++) expect(bench.command('AT+SOCKO=2')).to.contain('OK');
    expect(bench.command('AT+SOCKO=2')).to.equal('ERROR:14.2,"No Free Sockets"\r\n');
    first.connection.end();
    first.connection.fail('none');
    expect(bench.take()).to.equal(`\r+SOCKCL:${first.id}\r\n`);
    expect(bench.command('AT+SOCKO=2')).to.contain('OK');
    expect(bench.command(`AT+SOCKCL=${first.id}`)).to.equal(`+SOCKCL:${first.id}\r\nOK\r\n`);
    expect(bench.command(`AT+SOCKCL=${first.id}`)).to.equal('ERROR:14.0,"Socket ID Not Found"\r\n');
  });
});

describe('reading: polled', () => {
  it('announces the total whenever it grows, and after a partial read only when more has come', () => {
    const { bench, id, connection } = setup();
    connection.deliver('x'.repeat(1460));
    connection.deliver('x'.repeat(1460));
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id},1460\r\n\r+SOCKRXT:${id},2920\r\n`);
    expect(bench.command(`AT+SOCKRD=${id},1,1000`)).to.match(/"x{1000}"\r\nOK\r\n$/);
    connection.deliver('yy');
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id},1922\r\n`);
  });

  it('announces nothing while the host reads in band, until it has read everything', () => {
    const { bench, id, connection } = setup();
    connection.deliver('abcdef');
    bench.take();
    expect(bench.command(`AT+SOCKRD=${id},3,2`)).to.equal(`+SOCKRD:${id},2,4,"ab"\r\nOK\r\n`);
    connection.deliver('gh');
    expect(bench.take()).to.equal('');
    expect(bench.command(`AT+SOCKRD=${id},3,6`)).to.equal(`+SOCKRD:${id},6,0,"cdefgh"\r\nOK\r\n`);
    connection.deliver('i');
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id},1\r\n`);
  });

  it('tells the end of the stream after everything was read', () => {
    const { bench, id, connection } = setup();
    connection.deliver('last words');
    connection.end();
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id},10\r\n`);
    expect(bench.command(`AT+SOCKRD=${id},1,4`)).to.equal(`+SOCKRD:${id},4,"last"\r\nOK\r\n`);
    expect(bench.command(`AT+SOCKRD=${id},1,6`)).to.equal(
      `+SOCKRD:${id},6," words"\r\nOK\r\n\r+SOCKCL:${id}\r\n`,
    );
  });

  it('lets a host read what came before a reset', () => {
    const { bench, id, connection } = setup();
    connection.deliver('kept');
    connection.fail('reset');
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id},4\r\n`);
    expect(bench.command(`AT+SOCKRD=${id},1,4`)).to.equal(
      `+SOCKRD:${id},4,"kept"\r\nOK\r\n\r+SOCKCL:${id}\r\n`,
    );
  });

  it('announces again what a slow host was not told, in one number', () => {
    const { bench, id, connection } = setup();
    bench.hostWaiting = 100_000;
    connection.deliver('abc');
    connection.deliver('def');
    expect(bench.wait(1000)).to.equal('');
    bench.hostWaiting = 0;
    expect(bench.wait(10)).to.equal(`\r+SOCKRXT:${id},6\r\n`);
  });
});

describe('reading: pushed', () => {
  it('cuts frames of at most ASYNC_MAX_FRM_SZ', () => {
    const { bench, id, connection } = setup();
    bench.command(`AT+SOCKC=${id},102,4`);
    connection.deliver('abcdefghij');
    expect(bench.take()).to.equal(
      `\r+SOCKRXT:${id},4,"abcd"\r\n\r+SOCKRXT:${id},4,"efgh"\r\n\r+SOCKRXT:${id},2,"ij"\r\n`,
    );
  });

  it('sends what is there already, after the status of the setting', () => {
    const { bench, id, connection } = setup();
    connection.deliver('early');
    bench.take();
    expect(bench.command(`AT+SOCKC=${id},102,1500`)).to.equal(`OK\r\n\r+SOCKRXT:${id},5,"early"\r\n`);
  });

  it('stops for a slow host and loses nothing', () => {
    const { bench, id, connection } = setup();
    bench.command(`AT+SOCKC=${id},102,1460`);
    bench.hostWaiting = 100_000;
    connection.deliver('z'.repeat(3000));
    expect(bench.wait(100)).to.equal('');
    expect(connection.readable).to.equal(3000);
    bench.hostWaiting = 0;
    expect(bench.wait(10).match(/z/g)).to.have.length(3000);
  });

  it('keeps within the window, counted modulo 2^16', () => {
    const { bench, id, connection } = setup();
    bench.command(`AT+SOCKC=${id},101,7500`);
    bench.command(`AT+SOCKC=${id},102,1498`);
    let received = 0;
    let acknowledged = 0;
    for (let round = 0; round < 20; round++) {
      connection.deliver('w'.repeat(6000));
      for (;;) {
        const text = bench.take();
        if (!text.includes('+SOCKRXT')) break;
        for (const [, length, seq] of text.matchAll(/\+SOCKRXT:\d+,(\d+),(\d+),"w+"/g)) {
          expect(Number(seq)).to.equal(received % 0x1_0000);
          expect(Number(length)).to.be.at.most(1498);
          received += Number(length);
        }
        expect(received - acknowledged).to.be.at.most(7500);
        acknowledged = received;
        bench.type(`AT+SOCKC=${id},100,${acknowledged % 0x1_0000}\r\n`);
      }
    }
    expect(received).to.equal(120_000);
  });

  it('takes each ASYNC_NEXT_SN as it stands, late and skipping', () => {
    const { bench, id, connection } = setup();
    bench.command(`AT+SOCKC=${id},101,8`);
    bench.command(`AT+SOCKC=${id},102,4`);
    connection.deliver('abcdefghijklmnop');
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id},4,0,"abcd"\r\n\r+SOCKRXT:${id},4,4,"efgh"\r\n`);
    expect(bench.command(`AT+SOCKC=${id},100,2`)).to.equal(`OK\r\n\r+SOCKRXT:${id},2,8,"ij"\r\n`);
    expect(bench.command(`AT+SOCKC=${id},100,10`)).to.equal(
      `OK\r\n\r+SOCKRXT:${id},4,10,"klmn"\r\n\r+SOCKRXT:${id},2,14,"op"\r\n`,
    );
  });

  it('tells the end of the stream after the last frame', () => {
    const { bench, id, connection } = setup();
    bench.command(`AT+SOCKC=${id},101,4`);
    bench.command(`AT+SOCKC=${id},102,100`);
    connection.deliver('abcdef');
    connection.end();
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id},4,0,"abcd"\r\n`);
    expect(bench.command(`AT+SOCKC=${id},100,4`)).to.equal(
      `OK\r\n\r+SOCKRXT:${id},2,4,"ef"\r\n\r+SOCKCL:${id}\r\n`,
    );
  });
});

describe('writing', () => {
  it('takes all or nothing', () => {
    const { bench, id, connection } = setup();
    connection.room = 9;
    expect(bench.command(`AT+SOCKWR=${id},10,"0123456789"`)).to.equal('ERROR:14.12,"Socket Not Ready"\r\n');
    expect(connection.written).to.have.length(0);
    expect(bench.command(`AT+SOCKWR=${id},9,"012345678"`)).to.equal('OK\r\n');
  });

  it('refuses every write behind a refused one until it is repeated, cut differently or not', () => {
    const { bench, id, connection } = setup();
    const write = (seq: number, data: string) =>
      bench.command(`AT+SOCKWR=${id},${data.length},${seq},"${data}"`);
    expect(write(0, 'abcd')).to.equal('OK\r\n');
    connection.room = 2;
    expect(write(4, 'efgh')).to.equal('ERROR:14.12,"Socket Not Ready"\r\n');
    connection.room = 100;
    expect(write(8, 'ijkl')).to.equal('ERROR:14.13,"Socket Sequence Error"\r\n');
    expect(write(12, 'mnop')).to.equal('ERROR:14.13,"Socket Sequence Error"\r\n');
    expect(write(4, 'efghij')).to.equal('OK\r\n');
    expect(write(10, 'klmnop')).to.equal('OK\r\n');
    expect(connection.written.toString()).to.equal('abcdefghijklmnop');
  });

  it('counts sequence numbers modulo 2^16', () => {
    const { bench, id, connection } = setup();
    connection.room = 1 << 20;
    let seq = 0;
    for (let i = 0; i < 50; i++) {
      expect(bench.command(`AT+SOCKWR=${id},1460,${seq},[${'00'.repeat(1460)}]`)).to.equal('OK\r\n');
      seq = (seq + 1460) % 0x1_0000;
    }
    expect(connection.written).to.have.length(73_000);
  });

  it('goes on after the peer has closed its side, and fails after a reset', () => {
    const { bench, id, connection } = setup();
    connection.end();
    bench.take();
    expect(bench.command(`AT+SOCKWR=${id},3,"bye"`)).to.equal('OK\r\n');
    connection.fail('reset');
    expect(bench.command(`AT+SOCKWR=${id},3,"bye"`)).to.equal('ERROR:14.8,"Socket Send Failed"\r\n');
  });
});

describe('connecting', () => {
  it('gives up after ten seconds, and may try again', () => {
    const bench = Bench.joined();
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
    expect(bench.command(`AT+SOCKBR=${id},"10.9.9.9",80`)).to.equal('OK\r\n');
    expect(bench.wait(9_990)).to.equal('');
    expect(bench.wait(20)).to.equal(`\r+SOCKERR:${id},14.7,"Socket Connect Failed"\r\n`);
    expect(bench.stack.connections[0].aborted).to.equal(true);
    bench.stack.onConnect = (connection) => connection.establish();
    bench.command(`AT+SOCKBR=${id},"10.9.9.8",80`);
    expect(bench.wait(10)).to.contain(`+SOCKIND:${id},`);
  });

  it('takes an address as text, as bytes and as a number', () => {
    const bench = Bench.joined();
    for (const written of ['"10.0.2.2"', '[0A000202]', '0x0A000202']) {
      const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
      expect(bench.command(`AT+SOCKBR=${id},${written},80`)).to.equal('OK\r\n');
      expect(bench.stack.connections.at(-1)?.remote).to.deep.equal({ address: '10.0.2.2', port: 80 });
    }
  });

  it('needs a network', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
    expect(bench.command(`AT+SOCKBR=${id},"10.0.0.1",80`)).to.equal('ERROR:9.0,"Network interface down"\r\n');
  });

  it('fails at once when the network goes', () => {
    const { bench, id, connection } = setup();
    expect(bench.command('AT+WSTA=0')).to.contain(`\r+SOCKERR:${id},9.0,"Network interface down"\r\n`);
    expect(connection.aborted).to.equal(true);
    expect(bench.command(`AT+SOCKCL=${id}`)).to.contain('OK');
  });

  it('hands its options to the connection, before and after', () => {
    const bench = Bench.joined();
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
    for (const [option, value] of [
      [2, 1],
      [3, 5000],
      [4, 2920],
      [5, 4380],
      [32, 16],
    ]) {
      expect(bench.command(`AT+SOCKC=${id},${option},${value}`)).to.equal('OK\r\n');
    }
    bench.stack.onConnect = (connection) => connection.establish();
    bench.command(`AT+SOCKBR=${id},"10.0.0.1",80`);
    bench.wait(10);
    const { options } = bench.stack.connections[0];
    expect(options).to.deep.equal({
      noDelay: true,
      keepAlive: 5000,
      receiveBuffer: 2920,
      sendBuffer: 4380,
      trafficClass: 16,
    });
    bench.command(`AT+SOCKC=${id},2,0`);
    expect(options.noDelay).to.equal(false);
  });

  it('lists sockets with their ends', () => {
    const { bench, id } = setup();
    expect(bench.command('AT+SOCKLST')).to.equal(`+SOCKLST:${id},2,"192.168.0.195",6666,49152\r\nOK\r\n`);
    expect(bench.command(`AT+SOCKLST=${id}`)).to.contain(`+SOCKLST:${id}`);
    expect(bench.command('AT+SOCKLST=1')).to.equal('ERROR:14.0,"Socket ID Not Found"\r\n');
  });

  it('throws away what comes after the host has closed', () => {
    const { bench, id, connection } = setup();
    expect(bench.command(`AT+SOCKCL=${id}`)).to.equal(`+SOCKCL:${id}\r\nOK\r\n`);
    expect(connection.state).to.equal('FIN-WAIT-1');
    connection.deliver('too late');
    expect(connection.readable).to.equal(0);
    expect(bench.wait(60_000)).to.equal('');
    expect(connection.aborted).to.equal(true);
  });
});

describe('listening', () => {
  it('gives every client a socket configured as the listener', () => {
    const bench = Bench.joined();
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2,4'))?.[1]);
    bench.command(`AT+SOCKC=${id},101,100`);
    bench.command(`AT+SOCKC=${id},102,50`);
    expect(bench.command(`AT+SOCKBL=${id},80,2`)).to.equal('OK\r\n');
    const child = bench.stack.arrive(80, { address: '192.168.0.9', port: 4000 });
    expect(bench.take()).to.equal(`\r+SOCKIND:${id + 1},"192.168.0.20",80,"192.168.0.9",4000\r\n`);
    child?.deliver('hello');
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id + 1},5,0,"hello"\r\n`);
    bench.command(`AT+SOCKCL=${id}`);
    expect(bench.stack.listeners.has(80)).to.equal(false);
    expect(bench.command(`AT+SOCKWR=${id + 1},2,"ok"`)).to.equal('OK\r\n');
  });

  it('turns clients away when there is no socket left', () => {
    const bench = Bench.joined();
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
    bench.command(`AT+SOCKBL=${id},80`);
    const clients = Array.from({ length: 12 }, (_, at) =>
      bench.stack.arrive(80, { address: '10.0.0.1', port: at + 1 }),
    );
    expect(clients.filter((client) => client !== undefined)).to.have.length(9);
  });
});

describe('datagrams', () => {
  const bound = () => {
    const bench = Bench.joined();
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=1'))?.[1]);
    bench.command(`AT+SOCKBL=${id},1234`);
    const [socket] = [...bench.stack.udp] as FakeUdpSocket[];
    return { bench, id, socket, from: { address: '10.0.0.7', port: 9 } };
  };

  it('announces one until the queue is read up in band', () => {
    const { bench, id, socket, from } = bound();
    socket.deliver('one', from);
    socket.deliver('three', from);
    expect(bench.take()).to.equal(`\r+SOCKRXU:${id},"10.0.0.7",9,3,1\r\n`);
    expect(bench.command(`AT+SOCKRD=${id},3,3`)).to.equal(`+SOCKRD:${id},3,5,1,"10.0.0.7",9,"one"\r\nOK\r\n`);
    expect(bench.command(`AT+SOCKRD=${id},3,5`)).to.equal(
      `+SOCKRD:${id},5,0,0,"10.0.0.7",9,"three"\r\nOK\r\n`,
    );
    socket.deliver('x', from);
    expect(bench.take()).to.equal(`\r+SOCKRXU:${id},"10.0.0.7",9,1,1\r\n`);
  });

  it('announces the next after a plain read, and loses the rest of a datagram read short', () => {
    const { bench, id, socket, from } = bound();
    socket.deliver('first', from);
    socket.deliver('second', from);
    bench.take();
    expect(bench.command(`AT+SOCKRD=${id},1,2`)).to.equal(
      `+SOCKRD:${id},2,"fi"\r\nOK\r\n\r+SOCKRXU:${id},"10.0.0.7",9,6,1\r\n`,
    );
    expect(bench.command(`AT+SOCKRD=${id},1,100`)).to.equal(`+SOCKRD:${id},6,"second"\r\nOK\r\n`);
  });

  it('pushes them with sequence numbers and within the window', () => {
    const { bench, id, socket, from } = bound();
    bench.command(`AT+SOCKC=${id},101,8`);
    bench.command(`AT+SOCKC=${id},102,5`);
    for (const text of ['abc', 'toolong', 'de']) socket.deliver(text, from);
    expect(bench.take()).to.equal(
      `\r+SOCKRXU:${id},"10.0.0.7",9,3,0,"abc"\r\n\r+SOCKRXU:${id},"10.0.0.7",9,5,3,"toolo"\r\n`,
    );
    expect(bench.command(`AT+SOCKC=${id},100,3`)).to.equal(
      `OK\r\n\r+SOCKRXU:${id},"10.0.0.7",9,2,8,"de"\r\n`,
    );
  });

  it('sends to a bound destination with sequence numbers', () => {
    const { bench, id, socket } = bound();
    expect(bench.command(`AT+SOCKBR=${id},"10.0.0.8",53`)).to.equal('OK\r\n');
    expect(bench.command(`AT+SOCKWR=${id},3,0,"abc"`)).to.equal('OK\r\n');
    expect(bench.command(`AT+SOCKWR=${id},3,0,"abc"`)).to.equal('ERROR:14.13,"Socket Sequence Error"\r\n');
    expect(bench.command(`AT+SOCKWRTO=${id},"10.0.0.9",54,2`)).to.equal('#');
    bench.type('de');
    expect(bench.take()).to.equal('OK\r\n');
    expect(socket.sent.map(({ data, to }) => [Buffer.from(data).toString(), to.address])).to.deep.equal([
      ['abc', '10.0.0.8'],
      ['de', '10.0.0.9'],
    ]);
  });

  it('keeps no more than SO_RCVBUF', () => {
    const { bench, id, socket, from } = bound();
    bench.command(`AT+SOCKC=${id},4,1460`);
    for (let i = 0; i < 5; i++) socket.deliver('x'.repeat(500), from);
    expect(bench.take()).to.contain(',500,1\r\n');
    expect(bench.command(`AT+SOCKRD=${id},3,500`)).to.contain(`+SOCKRD:${id},500,500,1,`);
  });
});
