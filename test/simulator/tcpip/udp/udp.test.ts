import { expect } from 'chai';
import { Host, makeFrame, twoHosts, udpPayload } from '../host.js';

const US = '10.0.0.1';
const PEER = '10.0.0.2';
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function pair() {
  const hosts = twoHosts();
  hosts.a.addAddress(US, 24);
  hosts.b.addAddress(PEER, 24);
  return hosts;
}

describe('UDP', () => {
  it('carries empty and large datagrams, and tells who sent them to which address', () => {
    const { clock, a, b } = pair();
    const got: unknown[] = [];
    b.udpBind({ port: 9 }, { message: (data, from, to) => got.push([data.length, from, to]) });
    const socket = a.udpBind({ port: 1234 }, { message: () => {} });
    for (const length of [0, 1, 1472, 1473, 9000])
      socket.send(new Uint8Array(length), { address: PEER, port: 9 });
    clock.advance(10);
    const from = { address: US, port: 1234 };
    const to = { address: PEER, port: 9 };
    expect(got).to.deep.equal([0, 1, 1472, 1473, 9000].map((length) => [length, from, to]));
  });

  it('reports a port nobody listens on to the socket that sent (RFC 1122 4.1.3.3)', () => {
    const { clock, a } = pair();
    const unreachable: unknown[] = [];
    const socket = a.udpBind({}, { message: () => {}, unreachable: (to) => unreachable.push(to) });
    socket.send(Buffer.from('x'), { address: PEER, port: 9 });
    clock.advance(10);
    expect(unreachable).to.deep.equal([{ address: PEER, port: 9 }]);
  });

  it('a socket bound to an address wins over a general one', () => {
    const { clock, a, b } = pair();
    b.addAddress('10.0.0.3', 24);
    const got: string[] = [];
    b.udpBind({ port: 9 }, { message: (data) => got.push(`general ${text(data)}`) });
    b.udpBind({ port: 9, address: '10.0.0.3' }, { message: (data) => got.push(`bound ${text(data)}`) });
    const socket = a.udpBind({}, { message: () => {} });
    socket.send(Buffer.from('1'), { address: PEER, port: 9 });
    socket.send(Buffer.from('2'), { address: '10.0.0.3', port: 9 });
    clock.advance(10);
    expect(got).to.have.members(['general 1', 'bound 2']);
  });

  it('refuses what cannot be, with POSIX codes', () => {
    const { a } = pair();
    const handler = { message: () => {} };
    const socket = a.udpBind({ port: 9 }, handler);
    const code = (call: () => unknown, name: string): void => {
      expect(call).to.throw().with.property('code', name);
    };
    code(() => a.udpBind({ port: 9 }, handler), 'EADDRINUSE');
    code(() => a.udpBind({ port: 8, address: '192.0.2.1' }, handler), 'EADDRNOTAVAIL');
    code(() => a.udpBind({ port: 70_000 }, handler), 'EINVAL');
    code(() => a.udpBind({ address: 'nonsense' }, handler), 'EINVAL');
    code(() => socket.send(new Uint8Array(65_508), { address: PEER, port: 1 }), 'EMSGSIZE');
    code(() => socket.send(new Uint8Array(1), { address: '192.0.2.1', port: 1 }), 'ENETUNREACH');
    code(() => socket.send(new Uint8Array(1), { address: '255.255.255.255', port: 1 }), 'EACCES');
    code(() => socket.send(new Uint8Array(1), { address: '10.0.0.255', port: 1 }), 'EACCES');
    code(() => socket.send(new Uint8Array(1), { address: PEER, port: 0 }), 'EINVAL');
    socket.close();
    code(() => socket.send(new Uint8Array(1), { address: PEER, port: 1 }), 'EINVAL');
    a.udpBind({ port: 9 }, handler).close();
  });

  it('sends from 0.0.0.0 to 255.255.255.255 before there is an address, as DHCP must (RFC 2131 4.1)', () => {
    const one = new Host();
    const socket = one.stack.udpBind(
      { port: 68, address: '0.0.0.0' },
      { message: () => {} },
      { broadcast: true },
    );
    socket.send(Buffer.from('discover'), { address: '255.255.255.255', port: 67 });
    const [frame] = one.take(0x0800);
    expect([...frame.subarray(0, 6)]).to.deep.equal([255, 255, 255, 255, 255, 255]);
    expect([...frame.subarray(26, 34)]).to.deep.equal([0, 0, 0, 0, 255, 255, 255, 255]);
  });

  it('drops a wrong checksum, takes none at all over IPv4, and refuses lengths that lie', () => {
    const one = new Host();
    one.stack.addAddress(US, 24);
    let got = 0;
    one.stack.udpBind({ port: 9 }, { message: () => got++ });
    const payload = udpPayload(1, 9, Buffer.from('hello'));
    one.receive(makeFrame({ from: PEER, to: US, protocol: 17, payload }));
    expect(got).to.equal(1);
    const wrong = makeFrame({ from: PEER, to: US, protocol: 17, payload, checksumAt: 6 });
    wrong[wrong.length - 1] ^= 1;
    one.receive(wrong);
    const long = payload.slice();
    long[5] = 200;
    one.receive(makeFrame({ from: PEER, to: US, protocol: 17, payload: long }));
    const short = payload.slice();
    short[5] = 4;
    one.receive(makeFrame({ from: PEER, to: US, protocol: 17, payload: short }));
    expect(got).to.equal(1);
    expect(one.stack.stats.badUdpChecksums).to.equal(1);
    expect(one.stack.stats.malformedUdp).to.equal(2);
  });

  it('a forwarder gets what no socket takes, to any address, and answers from there', () => {
    const { clock, a, b } = pair();
    a.setGateway(PEER);
    b.udpForwarder = (data, from, to, reply) =>
      reply(Buffer.from(`${text(data)} from ${from.address} to ${to.address}`));
    const got: string[] = [];
    const socket = a.udpBind(
      {},
      { message: (data, from) => got.push(`${text(data)}; ${from.address}:${from.port}`) },
    );
    socket.send(Buffer.from('q'), { address: '192.0.2.7', port: 53 });
    clock.advance(10);
    expect(got).to.deep.equal(['q from 10.0.0.1 to 192.0.2.7; 192.0.2.7:53']);
  });
});

describe('forwarding TCP and echo for the world', () => {
  it('a SYN to any address is a request; accepted it answers as that address', () => {
    const { clock, a, b } = pair();
    a.setGateway(PEER);
    const requests: string[] = [];
    b.tcpForwarder = (request) => {
      requests.push(`${request.remote.address} to ${request.local.address}:${request.local.port}`);
      if (request.local.port === 1) request.refuse();
      else if (request.local.port === 2) request.refuse('host-unreachable');
      else {
        const connection = request.accept({
          connected: () => connection.write(Buffer.from('welcome')),
        });
      }
    };
    const log: string[] = [];
    const connect = (port: number): void => {
      const c = a.tcpConnect(
        { address: '192.0.2.7', port },
        {
          readable: () => {
            const into = new Uint8Array(100);
            log.push(`${port} ${text(into.subarray(0, c.read(into)))}`);
          },
          closed: (failure) => log.push(`${port} ${failure}`),
        },
      );
    };
    for (const port of [1, 2, 3]) connect(port);
    clock.advance(10);
    expect(requests).to.have.length(3);
    expect(log).to.have.members(['1 refused', '2 unreachable', '3 welcome']);
  });

  it('an undecided request swallows the SYNs that come again, and is decided once', () => {
    const { clock, a, b } = pair();
    a.setGateway(PEER);
    let requests = 0;
    let decide = (): void => {};
    b.tcpForwarder = (request) => {
      requests++;
      decide = () => {
        request.accept({});
      };
    };
    const c = a.tcpConnect({ address: '192.0.2.7', port: 5 }, {});
    clock.advance(8000);
    expect(requests).to.equal(1);
    decide();
    clock.advance(10);
    expect(c.state).to.equal('ESTABLISHED');
    expect(decide).to.throw().with.property('code', 'EINVAL');
  });

  it('echo to any address', () => {
    const { clock, a, b } = pair();
    a.setGateway(PEER);
    b.icmpForwarder = (to, from, payload, reply) => {
      expect([to, from, payload.length]).to.deep.equal(['192.0.2.7', US, 56]);
      reply();
    };
    const results: unknown[] = [];
    a.ping('192.0.2.7', { bytes: 56 }, (result) => results.push(result));
    clock.advance(10);
    expect(results[0]).to.include({ bytes: 56 });
  });

  it('without forwarders nothing foreign is taken', () => {
    const { clock, a, b } = pair();
    a.setGateway(PEER);
    const failures: string[] = [];
    a.tcpConnect({ address: '192.0.2.7', port: 5 }, { closed: (failure) => failures.push(failure) });
    clock.advance(200_000);
    expect(failures).to.deep.equal(['timeout']);
    expect(b.stats.notForUs).to.be.greaterThan(3);
  });
});
