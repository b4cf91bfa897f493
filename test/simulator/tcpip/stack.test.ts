import { expect } from 'chai';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import { DhcpServer } from '../../../simulator/tcpip/dhcp/index.js';
import { onClock, VirtualSwitch } from '../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import { createStack } from '../../../simulator/tcpip/stack.js';
import { Host, makeFrame, PEER_MAC, twoHosts } from './host.js';

describe('a stack configured by DHCP', () => {
  it('gets address, gateway and name servers, keeps them by renewing, loses them with the server', () => {
    const clock = new VirtualClock();
    const network = new VirtualSwitch({ clock, dispatch: onClock(clock) });
    const router = createStack({ link: network.port(), clock, random: seededRandom(1) });
    router.addAddress('10.0.2.2', 24);
    const server = new DhcpServer(router, {
      clock,
      address: '10.0.2.2',
      prefix: 24,
      pool: ['10.0.2.15', '10.0.2.20'],
      leaseSeconds: 600,
    });
    const host = createStack({ link: network.port(), clock, random: seededRandom(2) });
    host.startDhcp({ hostname: 'tester' });
    clock.advance(20_000);
    expect(host.addresses).to.deep.equal([{ address: '10.0.2.15', prefix: 24, origin: 'dhcp' }]);
    expect(host.nameServers).to.deep.equal(['10.0.2.2']);
    router.udpForwarder = (data, _from, _to, reply) => reply(data);
    let echoed = 0;
    const socket = host.udpBind({}, { message: () => echoed++ });
    socket.send(Buffer.from('x'), { address: '192.0.2.1', port: 7 });
    clock.advance(100);
    expect(echoed).to.equal(1);
    clock.advance(3_600_000);
    expect(host.addresses).to.have.length(1);
    server.close();
    clock.advance(700_000);
    expect(host.addresses).to.have.length(0);
    expect(host.nameServers).to.deep.equal([]);
    host.close();
    router.close();
  });
});

describe('TCP calls', () => {
  it('refuses what cannot be, with POSIX codes', () => {
    const { a } = twoHosts();
    a.addAddress('10.0.0.1', 24);
    const code = (call: () => unknown, name: string): void => {
      expect(call).to.throw().with.property('code', name);
    };
    const remote = { address: '10.0.0.2', port: 80 };
    a.tcpListen({ port: 80 }, () => ({}));
    code(() => a.tcpListen({ port: 80 }, () => ({})), 'EADDRINUSE');
    code(() => a.tcpListen({ port: 81, address: '10.0.0.9' }, () => ({})), 'EADDRNOTAVAIL');
    code(() => a.tcpConnect({ address: '192.0.2.1', port: 80 }, {}), 'ENETUNREACH');
    code(() => a.tcpConnect({ address: '10.0.0.255', port: 80 }, {}), 'ENETUNREACH');
    code(() => a.tcpConnect({ address: '224.0.0.1', port: 80 }, {}), 'ENETUNREACH');
    code(() => a.tcpConnect({ address: 'host', port: 80 }, {}), 'EINVAL');
    code(() => a.tcpConnect({ address: '10.0.0.2', port: 0 }, {}), 'EINVAL');
    code(() => a.tcpConnect(remote, {}, { local: { address: '10.0.0.7' } }), 'EADDRNOTAVAIL');
    a.tcpConnect(remote, {}, { local: { port: 5555 } });
    code(() => a.tcpConnect(remote, {}, { local: { port: 5555 } }), 'EADDRINUSE');
    code(() => a.addAddress('10.0.0.1', 33), 'EINVAL');
    code(() => a.addAddress('224.0.0.1', 24), 'EINVAL');
    code(() => a.removeAddress('10.0.0.8'), 'EADDRNOTAVAIL');
    code(() => a.setNeighbor('10.0.0.8', '01:00:00:00:00:01'), 'EINVAL');
  });

  it('calls no handler inside a call on the same connection', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress('10.0.0.1', 24);
    b.addAddress('10.0.0.2', 24);
    let inside = false;
    const watch = (): void => {
      expect(inside, 'inside a call').to.equal(false);
    };
    const handler = {
      connected: watch,
      readable: watch,
      writable: watch,
      acknowledged: watch,
      closed: watch,
    };
    b.tcpListen({ port: 80 }, () => handler);
    const guarded = (call: () => void): void => {
      inside = true;
      call();
      inside = false;
      clock.advance(5);
    };
    const c = a.tcpConnect({ address: '10.0.0.2', port: 80 }, handler);
    clock.advance(5);
    guarded(() => c.write(new Uint8Array(300_000)));
    guarded(() => c.shutdown());
    guarded(() => c.abort());
    expect(c.state).to.equal('CLOSED');
  });

  it('a handler that throws does not stop the stack', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress('10.0.0.1', 24);
    b.addAddress('10.0.0.2', 24);
    b.tcpListen({ port: 80 }, () => ({
      readable: () => {
        throw new Error('mine');
      },
    }));
    const c = a.tcpConnect({ address: '10.0.0.2', port: 80 }, {});
    clock.advance(5);
    c.write(new Uint8Array(10));
    expect(() => clock.advance(5)).to.throw('mine');
    clock.advance(100);
    expect(c.info().sendQueue).to.equal(0);
  });

  it('keeps connections while the link is down, even one that has not found its peer yet', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress('10.0.0.1', 24);
    b.addAddress('10.0.0.2', 24);
    b.tcpListen({ port: 80 }, () => ({}));
    const open = a.tcpConnect({ address: '10.0.0.2', port: 80 }, {});
    clock.advance(5);
    b.setLinkUp(false);
    const opening = a.tcpConnect({ address: '10.0.0.2', port: 80 }, {});
    a.setLinkUp(false);
    open.write(new Uint8Array(5000));
    clock.advance(2500);
    expect([open.state, opening.state]).to.deep.equal(['ESTABLISHED', 'SYN-SENT']);
    a.setLinkUp(true);
    b.setLinkUp(true);
    clock.advance(10_000);
    expect([open.state, opening.state]).to.deep.equal(['ESTABLISHED', 'ESTABLISHED']);
    expect(open.info().sendQueue).to.equal(0);
  });

  it('works in place: views, consume, reserve, commit, by reference', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress('10.0.0.1', 24);
    b.addAddress('10.0.0.2', 24);
    let text = '';
    b.tcpListen({ port: 80 }, (c) => ({
      readable(): void {
        for (const view of c.receiveViews()) text += Buffer.from(view).toString();
        c.consume(c.readable);
      },
    }));
    const totals: number[] = [];
    const c = a.tcpConnect(
      { address: '10.0.0.2', port: 80 },
      { acknowledged: (total) => totals.push(total) },
    );
    clock.advance(5);
    const [view] = c.reserveViews(5);
    view.set(Buffer.from('hello'));
    c.commit(5);
    c.writeReference(Buffer.from(' by reference'));
    clock.advance(500);
    expect(text).to.equal('hello by reference');
    expect(totals.at(-1)).to.equal(18);
  });

  it('receives into memory of the caller', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress('10.0.0.1', 24);
    b.addAddress('10.0.0.2', 24);
    const data = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) & 0xff);
    b.tcpListen({ port: 80 }, (c) => ({ connected: () => c.write(data) }));
    const receiveMemory = new Uint8Array(new SharedArrayBuffer(4096));
    const got: number[] = [];
    const c = a.tcpConnect(
      { address: '10.0.0.2', port: 80 },
      {
        readable(): void {
          for (const view of c.receiveViews()) {
            expect(view.buffer).to.equal(receiveMemory.buffer);
            got.push(...view);
          }
          c.consume(c.readable);
        },
      },
      { receiveMemory },
    );
    clock.advance(1000);
    expect(got).to.deep.equal([...data]);
  });

  it('port choice: successive to one peer, unrelated to another, none used twice (RFC 6056)', () => {
    const host = new Host();
    host.stack.addAddress('10.0.0.1', 24);
    const ports = (address: string): number[] =>
      Array.from({ length: 50 }, () => host.stack.tcpConnect({ address, port: 80 }, {}).local.port);
    const one = ports('10.0.0.2');
    const two = ports('10.0.0.3');
    expect(new Set(one).size).to.equal(50);
    expect(Math.abs(one[0] - two[0])).to.be.greaterThan(100);
    for (const port of [...one, ...two]) expect(port).to.be.at.least(32_768);
  });

  it('initial sequence numbers: unrelated between peers, growing for the same (RFC 6528)', () => {
    const host = new Host();
    host.stack.addAddress('10.0.0.1', 24);
    host.stack.setNeighbor('10.0.0.2', PEER_MAC);
    const numberFor = (port: number): number => {
      host.take();
      const options = { local: { port: 40_000 } };
      const c = host.stack.tcpConnect({ address: '10.0.0.2', port }, {}, options);
      const [syn] = host.take(0x0800);
      c.abort();
      host.clock.advance(1);
      return new DataView(syn.buffer).getUint32(38);
    };
    const first = numberFor(80);
    const other = numberFor(81);
    host.clock.advance(1000);
    const again = numberFor(80);
    expect((again - first) >>> 0).to.be.within(250_000, 260_000);
    expect(Math.abs(other - first)).to.be.greaterThan(100_000);
  });

  it('keeps at most so many connections, and answers a flood without keeping any', () => {
    const host = new Host({ tcp: { maxConnections: 10, backlog: 100, synCookies: false } });
    host.stack.addAddress('10.0.0.1', 24);
    host.stack.setNeighbor('10.0.0.2', PEER_MAC);
    host.stack.tcpListen({ port: 80 }, () => ({}));
    for (let port = 1; port <= 200; port++) {
      const syn = new Uint8Array(20);
      syn.set([port >> 8, port & 0xff, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff]);
      host.receive(
        makeFrame({ from: '10.0.0.2', to: '10.0.0.1', protocol: 6, payload: syn, checksumAt: 16 }),
      );
    }
    expect([...host.stack.connections()]).to.have.length(10);
    expect(host.stack.stats.tcpSynDrops).to.equal(190);
  });
});
