import { expect } from 'chai';
import { Host, makeFrame, OUR_MAC, PEER_MAC, twoHosts, udpPayload } from '../host.js';

const US = '10.0.0.1';
const PEER = '10.0.0.2';
const MORE = 0x2000;

function host(): Host {
  const one = new Host();
  one.stack.addAddress(US, 24);
  one.stack.setNeighbor(PEER, PEER_MAC);
  one.take();
  return one;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Collects what reaches UDP port 9. */
function listenUdp(one: Host): Uint8Array[] {
  const got: Uint8Array[] = [];
  one.stack.udpBind({ port: 9 }, { message: (data) => got.push(data.slice()) });
  return got;
}

/** A datagram of `length` data bytes as fragments at `cuts` (multiples of 8, of the UDP packet). */
function fragments(length: number, cuts: readonly number[], identification = 7): Uint8Array[] {
  const data = Uint8Array.from({ length }, (_, i) => i & 0xff);
  const whole = makeFrame({
    from: PEER,
    to: US,
    protocol: 17,
    payload: udpPayload(1, 9, data),
    checksumAt: 6,
  }).subarray(34);
  const edges = [0, ...cuts, whole.length];
  return edges.slice(0, -1).map((start, i) => {
    const end = edges[i + 1];
    const fragment = (end < whole.length ? MORE : 0) | (start >> 3);
    return makeFrame({
      from: PEER,
      to: US,
      protocol: 17,
      payload: whole.subarray(start, end),
      fragment,
      identification,
    });
  });
}

describe('ARP', () => {
  it('asks once, queues meanwhile, sends what waited (RFC 826, RFC 1122 2.3.2)', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress(US, 24);
    b.addAddress(PEER, 24);
    const got: string[] = [];
    b.udpBind({ port: 9 }, { message: (data) => got.push(text(data)) });
    const socket = a.udpBind({}, { message: () => {} });
    for (const word of ['one', 'two', 'three']) socket.send(Buffer.from(word), { address: PEER, port: 9 });
    clock.advance(1);
    expect(got).to.deep.equal(['one', 'two', 'three']);
    expect([...a.neighbors()]).to.deep.include({ address: PEER, mac: PEER_MAC, state: 'reachable' });
  });

  it('gives up after three tries and tells the sender', () => {
    const one = new Host();
    one.stack.addAddress(US, 24);
    one.take();
    const unreachable: string[] = [];
    const socket = one.stack.udpBind(
      {},
      { message: () => {}, unreachable: (to) => unreachable.push(to.address) },
    );
    for (let i = 0; i < 40; i++) socket.send(Buffer.from('x'), { address: PEER, port: 9 });
    one.clock.advance(5000);
    expect(one.take(0x0806)).to.have.length(3);
    expect(unreachable).to.have.length(16);
    expect(one.stack.stats.neighborQueueDrops).to.equal(24);
  });

  it('answers for its own address only, and announces it (RFC 5227 2.3)', () => {
    const one = new Host();
    one.stack.addAddress(US, 24);
    expect(one.take(0x0806)).to.have.length(1);
    const ask = (last: number): Uint8Array =>
      Uint8Array.of(
        ...[255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
        ...[2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, last],
      );
    one.receive(ask(1));
    expect(one.take(0x0806)).to.have.length(1);
    one.receive(ask(3));
    expect(one.take()).to.have.length(0);
  });

  it('finds out that an address is taken, and that one is free (RFC 5227 2.1)', () => {
    const { clock, a, b } = twoHosts();
    b.addAddress(PEER, 24);
    const answers: boolean[] = [];
    a.probe(PEER, (taken) => answers.push(taken));
    clock.advance(2000);
    a.probe('10.0.0.77', (taken) => answers.push(taken));
    clock.advance(2000);
    expect(answers).to.deep.equal([true, false]);
  });

  it('probes a neighbour that has gone quiet, and forgets one that is gone (RFC 4861 7.3)', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress(US, 24);
    b.addAddress(PEER, 24);
    b.udpBind({ port: 9 }, { message: () => {} });
    const socket = a.udpBind({}, { message: () => {} });
    socket.send(Buffer.from('x'), { address: PEER, port: 9 });
    clock.advance(40_000);
    b.setLinkUp(false);
    socket.send(Buffer.from('x'), { address: PEER, port: 9 });
    clock.advance(20_000);
    expect([...a.neighbors()]).to.have.length(0);
  });
});

describe('IPv4 fragments (RFC 791, 815, 1858, 5722, 8900)', () => {
  it('come together in any order', () => {
    const one = host();
    const got = listenUdp(one);
    const pieces = fragments(3000, [1000, 2000]);
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
      [2, 0, 1],
    ]) {
      for (const i of order) one.receive(pieces[i]);
    }
    expect(got).to.have.length(4);
    for (const data of got) expect(data).to.deep.equal(Uint8Array.from({ length: 3000 }, (_, i) => i & 0xff));
  });

  it('an exact duplicate is ignored', () => {
    const one = host();
    const got = listenUdp(one);
    const [first, second, third] = fragments(3000, [1000, 2000]);
    for (const piece of [first, first, second, second, third]) one.receive(piece);
    expect(got).to.have.length(1);
  });

  it('an overlap throws the whole datagram away', () => {
    const one = host();
    const got = listenUdp(one);
    const [first, , third] = fragments(3000, [1000, 2000]);
    const [, overlapping] = fragments(3000, [992, 2000]);
    for (const piece of [first, overlapping, third]) one.receive(piece);
    expect(got).to.have.length(0);
    expect(one.stack.stats.fragmentsRefused).to.equal(1);
  });

  it('a last fragment that moves the end is refused', () => {
    const one = host();
    const got = listenUdp(one);
    one.receive(fragments(3000, [1000, 2000])[2]);
    one.receive(fragments(2900, [1000, 2000])[2]);
    one.receive(fragments(3000, [1000, 2000])[0]);
    one.receive(fragments(3000, [1000, 2000])[1]);
    expect(got).to.have.length(0);
  });

  it('the ping of death: beyond 65535 bytes', () => {
    const one = host();
    const payload = new Uint8Array(1400);
    one.receive(makeFrame({ from: PEER, to: US, protocol: 1, payload, fragment: 0x1ff0 }));
    expect(one.stack.stats.fragmentsRefused).to.equal(1);
  });

  it('odd lengths in the middle and empty fragments are refused', () => {
    const one = host();
    for (const length of [13, 0]) {
      one.receive(
        makeFrame({ from: PEER, to: US, protocol: 17, payload: new Uint8Array(length), fragment: MORE }),
      );
    }
    expect(one.stack.stats.fragmentsRefused).to.equal(2);
  });

  it('time out, with an ICMP error if the first is there', () => {
    const one = host();
    const [first, second] = fragments(3000, [1000, 2000]);
    one.receive(first);
    one.clock.advance(31_000);
    const [error] = one.take(0x0800);
    expect([error[34], error[35]]).to.deep.equal([11, 1]);
    one.receive(second);
    one.clock.advance(31_000);
    expect(one.take(0x0800)).to.have.length(0);
    expect(one.stack.stats.reassemblyTimeouts).to.equal(2);
  });

  it('are bounded by number per source', () => {
    const one = host();
    for (let id = 0; id < 200; id++) one.receive(fragments(3000, [1000, 2000], id)[0]);
    expect(one.stack.stats.fragmentsRefused).to.equal(200 - 16);
  });

  it('of ours are right: two stacks exchange the largest datagram', () => {
    const { clock, a, b } = twoHosts({ mtu: 576 });
    a.addAddress(US, 24);
    b.addAddress(PEER, 24);
    let got = new Uint8Array();
    b.udpBind({ port: 9 }, { message: (data) => (got = data.slice()) });
    const data = Uint8Array.from({ length: 65_507 }, (_, i) => (i * 31) & 0xff);
    a.udpBind({}, { message: () => {} }).send(data, { address: PEER, port: 9 });
    a.udpBind({}, { message: () => {} }).send(Buffer.from('resolve'), { address: PEER, port: 9 });
    clock.advance(100);
    a.udpBind({}, { message: () => {} }).send(data, { address: PEER, port: 9 });
    clock.advance(100);
    expect(Buffer.compare(got, data)).to.equal(0);
  });
});

describe('IPv4 input (RFC 1122 3.2)', () => {
  const udp = (fields: { from?: string; to?: string; destinationMac?: number[] }): Uint8Array =>
    makeFrame({
      from: PEER,
      to: US,
      protocol: 17,
      payload: udpPayload(1, 9, Buffer.from('x')),
      checksumAt: 6,
      ...fields,
    });

  it('drops impossible sources', () => {
    const one = host();
    const got = listenUdp(one);
    for (const from of ['224.0.0.1', '255.255.255.255', '240.0.0.1', '127.0.0.1', US])
      one.receive(udp({ from }));
    expect(got).to.have.length(0);
    expect(one.stack.stats.badSources).to.equal(5);
  });

  it('drops what is for others, at either layer', () => {
    const one = host();
    const got = listenUdp(one);
    one.receive(udp({ to: '10.0.0.9' }));
    one.receive(udp({ destinationMac: [2, 0, 0, 0, 0, 9] }));
    expect(got).to.have.length(0);
    expect(one.stack.stats.notForUs).to.equal(2);
  });

  it('takes broadcasts, and answers none of them with an error', () => {
    const one = host();
    const got = listenUdp(one);
    const destinationMac = [255, 255, 255, 255, 255, 255];
    for (const to of ['255.255.255.255', '10.0.0.255']) one.receive(udp({ to, destinationMac }));
    expect(got).to.have.length(2);
    one.receive(
      makeFrame({
        from: PEER,
        to: '10.0.0.255',
        protocol: 17,
        payload: udpPayload(1, 10, Buffer.from('x')),
        checksumAt: 6,
        destinationMac,
      }),
    );
    expect(one.take()).to.have.length(0);
  });

  it('refuses source routes (RFC 7126) and takes other options', () => {
    const one = host();
    const got = listenUdp(one);
    const plain = udp({});
    const withOptions = (options: readonly number[]): Uint8Array => {
      const frame = new Uint8Array(plain.length + options.length);
      frame.set(plain.subarray(0, 34));
      frame.set(options, 34);
      frame.set(plain.subarray(34), 34 + options.length);
      frame[14] = 0x40 | (5 + options.length / 4);
      frame[17] = frame.length - 14;
      frame[24] = 0;
      frame[25] = 0;
      let sum = 0;
      for (let i = 14; i < 34 + options.length; i += 2) sum += (frame[i] << 8) | frame[i + 1];
      while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
      frame[24] = (~sum >> 8) & 0xff;
      frame[25] = ~sum & 0xff;
      return frame;
    };
    one.receive(withOptions([0x83, 7, 4, 10, 0, 0, 9, 0]));
    one.receive(withOptions([0x89, 7, 4, 10, 0, 0, 9, 0]));
    expect(got).to.have.length(0);
    one.receive(withOptions([1, 1, 1, 1]));
    one.receive(withOptions([0x94, 4, 0, 0]));
    expect(got).to.have.length(2);
    one.receive(withOptions([7, 1, 0, 0]));
    expect(got).to.have.length(2);
    expect(one.take(0x0800).map((frame) => frame[34])).to.deep.equal([12]);
  });

  it('counts an unknown protocol and says so', () => {
    const one = host();
    one.receive(makeFrame({ from: PEER, to: US, protocol: 99, payload: new Uint8Array(20) }));
    const [error] = one.take(0x0800);
    expect([error[34], error[35]]).to.deep.equal([3, 2]);
  });
});

describe('ICMPv4', () => {
  const echo = (fields: { to?: string; destinationMac?: number[]; length?: number }): Uint8Array =>
    makeFrame({
      from: PEER,
      to: fields.to ?? US,
      protocol: 1,
      payload: Uint8Array.from({ length: fields.length ?? 40 }, (_, i) => (i === 0 ? 8 : i < 4 ? 0 : i)),
      checksumAt: 2,
      ...(fields.destinationMac === undefined ? {} : { destinationMac: fields.destinationMac }),
    });

  it('answers echo with the same data (RFC 792)', () => {
    const one = host();
    one.receive(echo({}));
    const [reply] = one.take(0x0800);
    expect(reply[34]).to.equal(0);
    expect(reply.subarray(38)).to.deep.equal(echo({}).subarray(38));
  });

  it('answers no broadcast echo (RFC 1122 3.2.2.6)', () => {
    const one = host();
    one.receive(echo({ to: '10.0.0.255', destinationMac: [255, 255, 255, 255, 255, 255] }));
    expect(one.take()).to.have.length(0);
  });

  it('drops a wrong checksum', () => {
    const one = host();
    const frame = echo({});
    frame[50] ^= 1;
    one.receive(frame);
    expect(one.take()).to.have.length(0);
    expect(one.stack.stats.badIcmpChecksums).to.equal(1);
  });

  it('limits its errors (RFC 1812 4.3.2.8)', () => {
    const one = host();
    for (let i = 0; i < 200; i++) {
      one.receive(
        makeFrame({
          from: PEER,
          to: US,
          protocol: 17,
          payload: udpPayload(1, 10, new Uint8Array(4)),
          checksumAt: 6,
        }),
      );
    }
    expect(one.take(0x0800)).to.have.length(50);
    expect(one.stack.stats.icmpLimited).to.equal(150);
  });

  it('never answers an error with an error', () => {
    const one = host();
    const payload = new Uint8Array(36);
    payload.set([3, 1, 0, 0, 0, 0, 0, 0, 0x45]);
    one.receive(makeFrame({ from: PEER, to: US, protocol: 1, payload, checksumAt: 2 }));
    expect(one.take()).to.have.length(0);
  });

  it('pings: answer, silence, nobody there', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress(US, 24);
    b.addAddress(PEER, 24);
    const results: unknown[] = [];
    a.ping(PEER, { bytes: 1000 }, (result) => results.push(result));
    clock.advance(1);
    expect(results.pop()).to.include({ ttl: 64, bytes: 1000 });
    a.ping('10.0.0.9', { timeoutMs: 10_000 }, (result) => results.push(result));
    clock.advance(10_000);
    expect(results.pop()).to.equal('EHOSTUNREACH');
    a.ping('192.0.2.1', {}, (result) => results.push(result));
    clock.advance(1);
    expect(results.pop()).to.equal('ENETUNREACH');
    b.setLinkUp(false);
    a.ping(PEER, { timeoutMs: 500 }, (result) => results.push(result));
    clock.advance(500);
    expect(results.pop()).to.equal('ETIMEDOUT');
  });

  it('lowers the path MTU for a segment really in flight only (RFC 1191, RFC 5927 7)', () => {
    const one = host();
    const c = one.stack.tcpConnect({ address: PEER, port: 80 }, {});
    const [syn] = one.take(0x0800);
    const needed = (quote: Uint8Array, mtu: number): void => {
      const payload = new Uint8Array(8 + quote.length);
      payload.set([3, 4, 0, 0, 0, 0, mtu >> 8, mtu & 0xff]);
      payload.set(quote, 8);
      one.receive(makeFrame({ from: '10.0.0.254', to: US, protocol: 1, payload, checksumAt: 2 }));
    };
    const forged = syn.slice(14, 42);
    forged[24] ^= 0x55;
    needed(forged, 600);
    expect(one.stack.stats.tcpPathMtuReductions).to.equal(0);
    needed(syn.slice(14, 42), 1000);
    expect(c.state).to.equal('SYN-SENT');
  });
});

describe('loopback', () => {
  it('carries TCP to 127.0.0.1 and to our own address', () => {
    const one = host();
    let got = '';
    one.stack.tcpListen({ port: 80 }, (c) => ({
      readable(): void {
        const into = new Uint8Array(100);
        got += text(into.subarray(0, c.read(into)));
        if (c.ended) c.shutdown();
      },
    }));
    for (const address of ['127.0.0.1', US]) {
      const c = one.stack.tcpConnect({ address, port: 80 }, {});
      c.write(Buffer.from(address));
      c.shutdown();
      one.clock.advance(100);
      expect(c.state).to.equal('TIME-WAIT');
    }
    expect(got).to.equal(`127.0.0.1${US}`);
    expect(one.take(0x0800)).to.have.length(0);
  });
});

describe('raw', () => {
  it('sends and receives a protocol of its own', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress(US, 24);
    b.addAddress(PEER, 24);
    const got: string[] = [];
    const remove = b.rawReceive(253, (payload, from, to) => got.push(`${text(payload)} ${from} ${to}`));
    a.rawSend(253, Buffer.from('raw'), PEER);
    clock.advance(10);
    expect(got).to.deep.equal([`raw ${US} ${PEER}`]);
    remove();
    a.rawSend(253, Buffer.from('raw'), PEER);
    clock.advance(10);
    expect(got).to.have.length(1);
    expect(b.stats.unknownProtocols).to.equal(1);
  });
});

describe('the stack as a whole', () => {
  it('leaves no timer behind on close', () => {
    const { clock, a, b } = twoHosts();
    a.addAddress(US, 24);
    b.addAddress(PEER, 24);
    b.tcpListen({ port: 80 }, () => ({}));
    const closed: string[] = [];
    a.tcpConnect({ address: PEER, port: 80 }, { closed: (failure) => closed.push(failure) });
    a.startIpv6();
    clock.advance(3000);
    a.close();
    b.close();
    clock.advance(0);
    expect(closed).to.deep.equal(['aborted']);
    expect(clock.pending).to.equal(0);
    expect(a.mac).to.equal(OUR_MAC);
  });
});
