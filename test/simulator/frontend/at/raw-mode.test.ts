import { expect } from 'chai';
import { Bench } from '../../firmware/support/bench.js';

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, value) => value);

describe('AT wire: raw mode', () => {
  it('sends # and nothing else, takes exactly so many bytes, then OK', () => {
    const bench = Bench.joined();
    const { id, connection } = bench.connect();
    expect(bench.command(`AT+SOCKWR=${id},256`)).to.equal('#');
    bench.type(ALL_BYTES.subarray(0, 255));
    expect(bench.take()).to.equal('');
    bench.type(ALL_BYTES.subarray(255));
    expect(bench.take()).to.equal('OK\r\n');
    expect(connection.written).to.deep.equal(Buffer.from(ALL_BYTES));
  });

  it('echoes nothing in between, and prompts after the status', () => {
    const bench = Bench.joined();
    const { id } = bench.connect();
    bench.command('ATE1');
    const line = `AT+SOCKWR=${id},5`;
    expect(bench.command(line)).to.equal(`${line}\r\n#`);
    bench.type('hello');
    expect(bench.take()).to.equal('OK\r\n>');
  });

  it('counts everything, +++ included, and takes what follows as the next line', () => {
    const bench = Bench.joined();
    const { id, connection } = bench.connect();
    bench.type(`AT+SOCKWR=${id},5\r\nab+++AT+GMM\r\n`);
    expect(bench.take()).to.equal('#OK\r\n+GMM:"RNWF02"\r\nOK\r\n');
    expect(connection.written.toString()).to.equal('ab+++');
  });

  it('holds events back until the status is out', () => {
    const bench = Bench.joined();
    const { id, connection } = bench.connect();
    bench.command(`AT+SOCKWR=${id},5`);
    bench.type('he');
    connection.deliver('data');
    expect(bench.take()).to.equal('');
    bench.type('llo');
    expect(bench.take()).to.equal(`OK\r\n\r+SOCKRXT:${id},4\r\n`);
  });

  it('refuses before a byte is sent', () => {
    const bench = Bench.joined();
    const { id, connection } = bench.connect();
    expect(bench.command('AT+SOCKWR=9,5')).to.equal('ERROR:14.0,"Socket ID Not Found"\r\n');
    expect(bench.command(`AT+SOCKWR=${id},1461`)).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
    connection.room = 4;
    expect(bench.command(`AT+SOCKWR=${id},5`)).to.equal('ERROR:14.12,"Socket Not Ready"\r\n');
  });

  it('reads raw: #, the bytes, OK, and only what is there', () => {
    const bench = Bench.joined();
    const { id, connection } = bench.connect();
    connection.deliver(ALL_BYTES);
    bench.take();
    expect(bench.command(`AT+SOCKRD=${id},2,256`)).to.equal(
      `#${Buffer.from(ALL_BYTES).toString('latin1')}OK\r\n`,
    );
    connection.deliver('five');
    bench.take();
    expect(bench.command(`AT+SOCKRD=${id},2,100`)).to.equal('#fiveOK\r\n');
  });

  it('gives at most 1460 bytes per read', () => {
    const bench = Bench.joined();
    const { id, connection } = bench.connect();
    connection.deliver('x'.repeat(2920));
    bench.take();
    expect(bench.command(`AT+SOCKRD=${id},2,2920`)).to.equal(`#${'x'.repeat(1460)}OK\r\n`);
  });

  describe('without a length', () => {
    const opened = () => {
      const bench = Bench.joined();
      const { id, connection } = bench.connect();
      expect(bench.command(`AT+SOCKWR=${id},0`)).to.equal('#');
      return { bench, id, connection };
    };

    it('sends until +++ and more than a second of silence', () => {
      const { bench, connection } = opened();
      bench.type('some data');
      expect(bench.wait(20)).to.equal('');
      expect(connection.written.toString()).to.equal('some data');
      bench.type('+++');
      expect(bench.wait(1000)).to.equal('');
      expect(bench.wait(1)).to.equal('OK\r\n');
      expect(connection.written.toString()).to.equal('some data');
      expect(bench.command('AT')).to.equal('OK\r\n');
    });

    it('takes pluses as data if they come slowly, or four, or with something after them', () => {
      const { bench, connection } = opened();
      bench.type('+');
      bench.wait(300);
      bench.type('++');
      bench.wait(300);
      expect(connection.written.toString()).to.equal('+++');
      bench.type('++++');
      bench.wait(2000);
      bench.type('+++');
      bench.wait(500);
      bench.type('x');
      bench.wait(2000);
      expect(connection.written.toString()).to.equal('++++++++++x');
      expect(bench.take()).to.equal('');
    });

    it('waits while the socket takes nothing', () => {
      const { bench, connection } = opened();
      connection.room = 0;
      bench.type('y'.repeat(3000));
      bench.wait(100);
      expect(connection.written).to.have.length(0);
      connection.room = 8192;
      bench.wait(100);
      expect(connection.written).to.have.length(3000);
    });

    it('tells in the end that data was lost', () => {
      const { bench, connection } = opened();
      connection.fail('reset');
      bench.type('gone');
      bench.wait(20);
      bench.type('+++');
      expect(bench.wait(1100)).to.match(/^ERROR:14\.8,"Socket Send Failed"\r\n\r\+SOCKCL:\d+\r\n$/);
    });

    it('reads until +++ and silence, and tells nothing twice', () => {
      const bench = Bench.joined();
      const { id, connection } = bench.connect();
      connection.deliver('first ');
      bench.take();
      expect(bench.command(`AT+SOCKRD=${id},2,0`)).to.equal('#first ');
      connection.deliver('second');
      expect(bench.take()).to.equal('second');
      bench.type('+++');
      expect(bench.wait(1001)).to.equal('OK\r\n');
    });
  });
});
