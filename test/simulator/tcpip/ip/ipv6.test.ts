import { expect } from 'chai';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { memoryPipe, onClock, VirtualSwitch } from '../../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { createStack } from '../../../../simulator/tcpip/stack.js';
import { Host, makeFrame, PEER_MAC, udpPayload } from '../host.js';

const US = 'fd00::1';
const PEER = 'fd00::2';

function host(): Host {
  const one = new Host();
  one.stack.addAddress(US, 64);
  one.clock.advance(3000);
  one.stack.setNeighbor(PEER, PEER_MAC);
  one.take();
  return one;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const groupMac = [0x33, 0x33, 0, 0, 0, 1];

/** An extension header of `kind` bytes, all options given padded to 8. */
function extension(next: number, options: readonly number[]): Uint8Array {
  const length = Math.ceil((2 + options.length) / 8) * 8;
  const bytes = new Uint8Array(length);
  bytes[0] = next;
  bytes[1] = length / 8 - 1;
  bytes.set(options, 2);
  const pad = length - 2 - options.length;
  if (pad === 1) bytes[2 + options.length] = 0;
  else if (pad > 1) bytes.set([1, pad - 2], 2 + options.length);
  return bytes;
}

/** A UDP datagram to port 9 behind extension headers. The checksum is that of the datagram alone. */
function behind(
  headers: readonly { kind: number; options?: readonly number[]; raw?: readonly number[] }[],
): Uint8Array {
  const plain = makeFrame({
    from: PEER,
    to: US,
    protocol: 17,
    payload: udpPayload(1, 9, Buffer.from('x')),
    checksumAt: 6,
  });
  const parts: Uint8Array[] = headers.map(({ options = [], raw }, i) => {
    const next = headers[i + 1]?.kind ?? 17;
    return raw === undefined ? extension(next, options) : Uint8Array.from([next, ...raw]);
  });
  const payload = Buffer.concat([...parts, plain.subarray(54)]);
  return makeFrame({ from: PEER, to: US, protocol: headers[0]?.kind ?? 17, payload });
}

describe('IPv6 input (RFC 8200)', () => {
  function receive(frame: Uint8Array): { got: number; errors: number[][] } {
    const one = host();
    let got = 0;
    one.stack.udpBind({ port: 9 }, { message: () => got++ });
    one.receive(frame);
    return { got, errors: one.take(0x86dd).map((sent) => [sent[54], sent[55], sent[61]]) };
  }

  it('walks through hop-by-hop, destination and routing headers', () => {
    const frame = behind([{ kind: 0 }, { kind: 60 }, { kind: 43, raw: [0, 4, 0, 0, 0, 0, 0] }, { kind: 60 }]);
    expect(receive(frame)).to.deep.equal({ got: 1, errors: [] });
  });

  it('4.2: unknown options by their two highest bits', () => {
    expect(receive(behind([{ kind: 60, options: [0x1e, 2, 0, 0] }]))).to.deep.equal({ got: 1, errors: [] });
    expect(receive(behind([{ kind: 60, options: [0x5e, 2, 0, 0] }]))).to.deep.equal({ got: 0, errors: [] });
    expect(receive(behind([{ kind: 60, options: [0x9e, 2, 0, 0] }]))).to.deep.equal({
      got: 0,
      errors: [[4, 2, 42]],
    });
    expect(receive(behind([{ kind: 60, options: [0xde, 2, 0, 0] }]))).to.deep.equal({
      got: 0,
      errors: [[4, 2, 42]],
    });
  });

  it('4.1: hop-by-hop options anywhere but first are an error', () => {
    expect(receive(behind([{ kind: 60 }, { kind: 0 }]))).to.deep.equal({ got: 0, errors: [[4, 1, 40]] });
  });

  it('RFC 5095: routing header type 0 is refused', () => {
    const frame = behind([{ kind: 43, raw: [0, 0, 1, 0, 0, 0, 0] }]);
    expect(receive(frame)).to.deep.equal({ got: 0, errors: [[4, 0, 42]] });
  });

  it('RFC 8504 5.3: a chain without end is dropped', () => {
    expect(receive(behind(Array.from({ length: 12 }, () => ({ kind: 60 }))))).to.deep.equal({
      got: 0,
      errors: [],
    });
  });

  it('RFC 6946: an atomic fragment is no fragment', () => {
    expect(receive(behind([{ kind: 44, raw: [0, 0, 0, 1, 2, 3, 4] }]))).to.deep.equal({ got: 1, errors: [] });
  });

  it('an unknown next header is reported where it stands', () => {
    const frame = makeFrame({ from: PEER, to: US, protocol: 99, payload: new Uint8Array(8) });
    expect(receive(frame)).to.deep.equal({ got: 0, errors: [[4, 1, 6]] });
  });

  it('RFC 8200 8.1: a UDP checksum of zero is refused', () => {
    const frame = makeFrame({
      from: PEER,
      to: US,
      protocol: 17,
      payload: udpPayload(1, 9, Buffer.from('x')),
    });
    expect(receive(frame)).to.deep.equal({ got: 0, errors: [] });
  });

  it('RFC 4291 2.5.5.2: mapped addresses never come in a packet', () => {
    const one = host();
    const frame = makeFrame({
      from: PEER,
      to: US,
      protocol: 17,
      payload: udpPayload(1, 9, Buffer.from('x')),
      checksumAt: 6,
    });
    frame.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 2], 22);
    one.receive(frame);
    expect(one.stack.stats.badSources).to.equal(1);
  });

  it('RFC 5722: overlapping fragments throw the datagram away; others come together', () => {
    for (const [second, expected] of [
      [16, 1],
      [8, 0],
    ]) {
      const one = host();
      let got = 0;
      one.stack.udpBind({ port: 9 }, { message: () => got++ });
      const whole = makeFrame({
        from: PEER,
        to: US,
        protocol: 17,
        payload: udpPayload(1, 9, new Uint8Array(24)),
        checksumAt: 6,
      }).subarray(54);
      const piece = (start: number, end: number): Uint8Array => {
        const header = [17, 0, start >> 8, (start & 0xf8) | (end < whole.length ? 1 : 0), 0, 0, 0, 9];
        return makeFrame({
          from: PEER,
          to: US,
          protocol: 44,
          payload: Buffer.concat([Buffer.from(header), whole.subarray(start, end)]),
        });
      };
      one.receive(piece(0, 16));
      one.receive(piece(second, whole.length));
      expect(got).to.equal(expected);
    }
  });
});

describe('neighbour discovery (RFC 4861, 4862)', () => {
  it('takes a link-local address after checking it, then solicits routers three times', () => {
    const one = new Host();
    one.stack.startIpv6();
    expect(one.stack.addresses).to.deep.equal([]);
    one.clock.advance(20_000);
    expect(one.stack.addresses).to.deep.equal([
      { address: 'fe80::ff:fe00:1', prefix: 64, origin: 'link-local' },
    ]);
    const types = one.take(0x86dd).map((frame) => (frame[20] === 0 ? frame[62] : frame[54]));
    expect(types.filter((type) => type === 135)).to.have.length(1);
    expect(types.filter((type) => type === 133)).to.have.length(3);
  });

  it('gives up an address somebody else has (RFC 4862 5.4)', () => {
    const clock = new VirtualClock();
    const [left, right] = memoryPipe({ dispatch: onClock(clock) });
    const a = createStack({ link: left, clock, random: seededRandom(1) });
    const b = createStack({ link: right, clock, random: seededRandom(2) });
    a.addAddress(US, 64);
    clock.advance(3000);
    b.addAddress(US, 64);
    clock.advance(3000);
    expect(a.addresses).to.have.length(1);
    expect(b.addresses).to.have.length(0);
    expect(b.stats.addressConflicts).to.equal(1);
  });

  it('gives it up too if both ask at once', () => {
    const one = new Host();
    one.stack.addAddress(US, 64);
    one.clock.advance(1100);
    const payload = new Uint8Array(24);
    payload[0] = 135;
    payload.set([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 8);
    one.receive(
      makeFrame({
        from: '::',
        to: 'ff02::1:ff00:1',
        protocol: 58,
        payload,
        checksumAt: 2,
        hops: 255,
        destinationMac: [0x33, 0x33, 0xff, 0, 0, 1],
      }),
    );
    one.clock.advance(5000);
    expect(one.stack.addresses).to.deep.equal([]);
  });

  it('believes nothing that a router has passed on (RFC 4861 11.2)', () => {
    const one = host();
    const payload = new Uint8Array(24);
    payload[0] = 135;
    payload.set([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 8);
    const solicit = (hops: number): Uint8Array =>
      makeFrame({ from: PEER, to: US, protocol: 58, payload, checksumAt: 2, hops });
    one.receive(solicit(254));
    expect(one.take()).to.have.length(0);
    one.receive(solicit(255));
    expect(one.take().map((frame) => frame[54])).to.deep.equal([136]);
  });

  it('drops options of length zero (RFC 4861 4.6)', () => {
    const one = host();
    const payload = new Uint8Array(32);
    payload[0] = 135;
    payload.set([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 8);
    payload.set([1, 0], 24);
    one.receive(makeFrame({ from: PEER, to: US, protocol: 58, payload, checksumAt: 2, hops: 255 }));
    expect(one.take()).to.have.length(0);
    expect(one.stack.stats.malformedIcmp).to.equal(1);
  });

  it('configures itself from a router of the same engine: address, gateway, name server', () => {
    const clock = new VirtualClock();
    const network = new VirtualSwitch({ clock, dispatch: onClock(clock) });
    const router = createStack({
      link: network.port(),
      clock,
      random: seededRandom(1),
      mac: '02:00:00:00:00:aa',
    });
    const hosts = [2, 3].map((seed) =>
      createStack({
        link: network.port(),
        clock,
        random: seededRandom(seed),
        mac: `02:00:00:00:00:0${seed}`,
      }),
    );
    router.startIpv6();
    router.addAddress('2001:db8::1', 64);
    router.advertise({
      prefix: '2001:db8::',
      nameServers: ['2001:db8::1'],
      preferredLifetime: 600,
      validLifetime: 9000,
    });
    clock.advance(5000);
    let changes = 0;
    for (const one of hosts) {
      one.onAddressChange = () => changes++;
      one.startIpv6();
    }
    clock.advance(10_000);
    expect(
      hosts.map((one) => one.addresses.map(({ address, origin }) => `${address} ${origin}`)),
    ).to.deep.equal([
      ['fe80::ff:fe00:2 link-local', '2001:db8::ff:fe00:2 slaac'],
      ['fe80::ff:fe00:3 link-local', '2001:db8::ff:fe00:3 slaac'],
    ]);
    expect(hosts[0].nameServers).to.deep.equal(['2001:db8::1']);
    expect(changes).to.be.greaterThan(3);
    // Host to host, and to something behind the router.
    const got: string[] = [];
    hosts[1].udpBind({ port: 9 }, { message: (data, from) => got.push(`${text(data)} ${from.address}`) });
    router.udpForwarder = (data, _from, to, reply) => reply(Buffer.from(`${text(data)} via ${to.address}`));
    const socket = hosts[0].udpBind(
      {},
      { message: (data, from) => got.push(`${text(data)} ${from.address}`) },
    );
    socket.send(Buffer.from('hi'), { address: '2001:db8::ff:fe00:3', port: 9 });
    socket.send(Buffer.from('out'), { address: '2600::5', port: 9 });
    clock.advance(100);
    expect(got).to.have.members(['hi 2001:db8::ff:fe00:2', 'out via 2600::5 2600::5']);
    // Without the router the address is deprecated, then gone.
    router.advertise(undefined);
    router.close();
    clock.advance(1_800_000 + 8_000_000);
    expect(hosts[0].addresses.map(({ origin }) => origin)).to.deep.equal(['link-local']);
    const results: unknown[] = [];
    hosts[0].ping('2600::5', {}, (result) => results.push(result));
    clock.advance(10);
    expect(results).to.deep.equal(['ENETUNREACH']);
    for (const one of hosts) one.close();
    expect(clock.pending).to.be.at.most(1);
  });

  it('an advertisement cannot end an address at once (RFC 4862 5.5.3 e)', () => {
    const one = new Host();
    one.stack.startIpv6();
    one.clock.advance(3000);
    const advertise = (valid: number): Uint8Array => {
      const payload = new Uint8Array(48);
      payload.set([134, 0, 0, 0, 64, 0, 7, 8]);
      payload.set([3, 4, 64, 0xc0, valid >>> 24, valid >>> 16, valid >>> 8, valid, 0, 0, 0, 0], 16);
      payload.set([0x20, 1, 0xd, 0xb8], 32);
      return makeFrame({
        from: 'fe80::2',
        to: 'ff02::1',
        protocol: 58,
        payload,
        checksumAt: 2,
        hops: 255,
        destinationMac: groupMac,
      });
    };
    one.receive(advertise(86_400));
    one.clock.advance(3000);
    expect(one.stack.addresses).to.have.length(2);
    one.receive(advertise(1));
    one.clock.advance(7_000_000);
    expect(one.stack.addresses).to.have.length(2);
    one.clock.advance(300_000);
    expect(one.stack.addresses).to.have.length(1);
  });

  it('a flood of prefixes is bounded (RFC 6104)', () => {
    const one = new Host();
    one.stack.startIpv6();
    one.clock.advance(3000);
    for (let i = 0; i < 100; i++) {
      const payload = new Uint8Array(48);
      payload.set([134, 0, 0, 0, 64, 0, 7, 8]);
      payload.set([3, 4, 64, 0xc0, 0, 1, 0, 0, 0, 1, 0, 0], 16);
      payload.set([0x20, 1, 0xd, 0xb8, 0, i], 32);
      one.receive(
        makeFrame({
          from: `fe80::${i + 2}`,
          to: 'ff02::1',
          protocol: 58,
          payload,
          checksumAt: 2,
          hops: 255,
          destinationMac: groupMac,
        }),
      );
    }
    one.clock.advance(3000);
    expect(one.stack.addresses.length).to.be.at.most(17);
  });
});

describe('multicast', () => {
  const reports = (frames: Uint8Array[]): string[] =>
    frames.map((frame) => {
      const v4 = frame[12] === 8;
      const at = v4 ? 38 : 62;
      const type = frame[at];
      return `${type}${type === 0x22 || type === 143 ? `:${frame[at + 8]}` : ''}`;
    });
  const isReport = (frame: Uint8Array): boolean =>
    (frame[12] === 8 && frame[23] === 2) || (frame[12] === 0x86 && frame[20] === 0 && frame[62] !== 133);

  it('joins and leaves by IGMPv3, twice each (RFC 3376 5.1)', () => {
    const one = host();
    one.stack.addAddress('10.0.0.1', 24);
    one.take();
    const got: string[] = [];
    const socket = one.stack.udpBind(
      { port: 5353 },
      { message: (data, _from, to) => got.push(`${text(data)} ${to.address}`) },
    );
    const datagram = makeFrame({
      from: '10.0.0.2',
      to: '224.0.0.251',
      protocol: 17,
      payload: udpPayload(5353, 5353, Buffer.from('m')),
      checksumAt: 6,
      destinationMac: [1, 0, 0x5e, 0, 0, 0xfb],
    });
    one.receive(datagram);
    expect(got).to.deep.equal([]);
    socket.join('224.0.0.251');
    one.clock.advance(2000);
    expect(reports(one.take().filter(isReport))).to.deep.equal(['34:4', '34:4']);
    one.receive(datagram);
    expect(got).to.deep.equal(['m 224.0.0.251']);
    socket.leave('224.0.0.251');
    one.clock.advance(2000);
    expect(reports(one.take().filter(isReport))).to.deep.equal(['34:3', '34:3']);
    one.receive(datagram);
    expect(got).to.have.length(1);
    expect(() => socket.join('10.0.0.9'))
      .to.throw()
      .with.property('code', 'EINVAL');
  });

  it('answers queries, of older versions in their own (RFC 2236, 3376 7)', () => {
    const one = host();
    one.stack.addAddress('10.0.0.1', 24);
    one.stack.udpBind({ port: 1 }, { message: () => {} }).join('239.1.2.3');
    one.clock.advance(5000);
    one.take();
    const query = (payload: number[]): Uint8Array =>
      makeFrame({
        from: '10.0.0.2',
        to: '224.0.0.1',
        protocol: 2,
        payload: Uint8Array.from(payload),
        checksumAt: 2,
        hops: 1,
        destinationMac: [1, 0, 0x5e, 0, 0, 1],
      });
    one.receive(query([0x11, 10, 0, 0, 0, 0, 0, 0, 2, 20, 0, 0]));
    one.clock.advance(1100);
    expect(reports(one.take().filter(isReport))).to.deep.equal(['34:2']);
    one.receive(query([0x11, 10, 0, 0, 0, 0, 0, 0]));
    one.clock.advance(1100);
    expect(reports(one.take().filter(isReport))).to.deep.equal([`${0x16}`]);
    one.receive(query([0x11, 10, 0, 0, 239, 9, 9, 9]));
    one.clock.advance(1100);
    expect(one.take().filter(isReport)).to.have.length(0);
  });

  it('joins by MLDv2, with hop-by-hop router alert (RFC 3810)', () => {
    const one = host();
    one.stack.startIpv6();
    one.clock.advance(20_000);
    one.take();
    const socket = one.stack.udpBind({ port: 1 }, { message: () => {} });
    socket.join('ff02::fb');
    one.clock.advance(2000);
    const sent = one.take().filter(isReport);
    expect(reports(sent)).to.deep.equal(['143:4', '143:4']);
    expect([...sent[0].subarray(54, 62)]).to.deep.equal([58, 0, 5, 2, 0, 0, 1, 0]);
    expect(sent[0][21]).to.equal(1);
  });
});
