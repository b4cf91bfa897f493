import { expect } from 'chai';
import fc from 'fast-check';
import { Address } from '../../../../simulator/tcpip/core/address.js';
import { emitArp, parseArp } from '../../../../simulator/tcpip/wire/arp.js';
import * as groups from '../../../../simulator/tcpip/wire/group-membership.js';
import { emitIpv4, parseIpv4 } from '../../../../simulator/tcpip/wire/ipv4.js';
import { emitFragment, emitIpv6, parseFragment, parseIpv6 } from '../../../../simulator/tcpip/wire/ipv6.js';
import * as ndp from '../../../../simulator/tcpip/wire/ndp.js';
import { emitTcp, MAX_SACK_BLOCKS, parseTcp, Segment, SYN } from '../../../../simulator/tcpip/wire/tcp.js';
import { emitUdp, parseUdp } from '../../../../simulator/tcpip/wire/udp.js';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.nat(0xffffffff);
const uint16 = fc.nat(0xffff);
const uint8 = fc.nat(0xff);
const v4 = int32.map((bits) => new Address(0, 0, 0xffff, bits));
const v6 = fc.tuple(int32, int32, int32, int32).map(([a, b, c, d]) => new Address(a, b, c, d));
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });

const AT = 7;
const room = (): Uint8Array => new Uint8Array(400).fill(0xaa);

/** parse(emit(x)) = x, and every shorter piece of it is either refused or still parses without reading on. */
function roundTrips<T>(
  values: fc.Arbitrary<T>,
  emit: (value: T, bytes: Uint8Array, at: number) => number,
  parse: (bytes: Uint8Array, at: number, length: number) => unknown,
  trailing = (_value: T): number => 0,
): void {
  fc.assert(
    fc.property(values, (value) => {
      const bytes = room();
      const length = emit(value, bytes, AT) + trailing(value);
      expect(parse(bytes, AT, length)).to.deep.equal(value);
      for (let short = 0; short < length; short++) parse(bytes.slice(0, AT + short), AT, short);
    }),
    { numRuns: 300 },
  );
}

describe('wire: parse(emit(x)) = x', () => {
  it('ARP', () => {
    roundTrips(
      fc.record({ operation: uint16, senderMac: mac, sender: v4, targetMac: mac, target: v4 }),
      emitArp,
      parseArp,
    );
  });

  it('IPv4', () => {
    roundTrips(
      fc.record({
        trafficClass: uint8,
        identification: uint16,
        dontFragment: fc.boolean(),
        moreFragments: fc.boolean(),
        fragmentOffset: fc.nat(0x1fff).map((units) => units * 8),
        ttl: uint8,
        protocol: uint8,
        source: v4,
        destination: v4,
        options: fc.nat(10).chain((words) => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words })),
        payloadLength: fc.nat(200),
      }),
      emitIpv4,
      parseIpv4,
      (header) => header.payloadLength,
    );
  });

  it('IPv4 refuses a header whose checksum does not fit', () => {
    fc.assert(
      fc.property(fc.nat(159), (bit) => {
        const bytes = room();
        const header = {
          trafficClass: 0,
          identification: 1,
          dontFragment: true,
          moreFragments: false,
          fragmentOffset: 0,
          ttl: 64,
          protocol: 6,
          source: new Address(0, 0, 0xffff, 1),
          destination: new Address(0, 0, 0xffff, 2),
          options: new Uint8Array(),
          payloadLength: 0,
        };
        const length = emitIpv4(header, bytes, AT);
        bytes[AT + (bit >> 3)] ^= 1 << (bit & 7);
        expect(parseIpv4(bytes, AT, length)).to.equal(undefined);
      }),
    );
  });

  it('IPv6 and its fragment header', () => {
    roundTrips(
      fc.record({
        trafficClass: uint8,
        flowLabel: fc.nat(0xfffff),
        payloadLength: fc.nat(200),
        nextHeader: uint8,
        hopLimit: uint8,
        source: v6,
        destination: v6,
      }),
      emitIpv6,
      parseIpv6,
      (header) => header.payloadLength,
    );
    roundTrips(
      fc.record({
        nextHeader: uint8,
        offset: fc.nat(0x1fff).map((units) => units * 8),
        more: fc.boolean(),
        identification: int32,
      }),
      emitFragment,
      parseFragment,
    );
  });

  it('UDP', () => {
    roundTrips(
      fc.record({ sourcePort: uint16, destinationPort: uint16, length: fc.nat(200), checksum: uint16 }),
      emitUdp,
      parseUdp,
      (header) => header.length,
    );
  });

  it('router advertisements', () => {
    const prefix = fc.record({
      prefix: v6,
      length: fc.nat(128),
      onLink: fc.boolean(),
      autonomous: fc.boolean(),
      validLifetime: uint32,
      preferredLifetime: uint32,
    });
    const options = fc
      .record({
        linkAddress: fc.option(mac, { nil: undefined }),
        prefixes: fc.array(prefix, { maxLength: 3 }),
        mtu: fc.option(uint32, { nil: undefined }),
        dnsServers: fc.array(v6, { maxLength: 3 }),
        dnsLifetime: uint32,
      })
      .map((value) => (value.dnsServers.length === 0 ? { ...value, dnsLifetime: 0 } : value));
    roundTrips(
      fc.record({
        hopLimit: uint8,
        managed: fc.boolean(),
        otherConfiguration: fc.boolean(),
        routerLifetime: uint16,
        reachableMs: uint32,
        retransmitMs: uint32,
        options,
      }),
      ndp.emitRouterAdvertisement,
      ndp.parseRouterAdvertisement,
    );
  });

  it('group queries of every version', () => {
    const igmp = new Uint8Array(12);
    igmp.set([0x11, 100, 0, 0, 224, 1, 2, 3]);
    expect(groups.parseIgmpQuery(igmp, 0, 8)).to.include({ version: 2, maxResponseMs: 10_000 });
    igmp[1] = 0;
    expect(groups.parseIgmpQuery(igmp, 0, 8)).to.include({ version: 1, maxResponseMs: 10_000 });
    igmp[1] = 0x8f;
    expect(groups.parseIgmpQuery(igmp, 0, 12)).to.include({ version: 3, maxResponseMs: (31 << 3) * 100 });
    expect(groups.parseIgmpQuery(igmp, 0, 10)).to.equal(undefined);
    const mld = new Uint8Array(28);
    mld[0] = 130;
    mld[4] = 0x27;
    mld[5] = 0x10;
    expect(groups.parseMldQuery(mld, 0, 24)).to.include({ version: 2, maxResponseMs: 10_000 });
    expect(groups.parseMldQuery(mld, 0, 28)).to.include({ version: 3, maxResponseMs: 10_000 });
    expect(groups.parseMldQuery(mld, 0, 20)).to.equal(undefined);
  });
});

/** What a segment says, as plain data. Fields without their option are left out. */
function meaning(segment: Segment) {
  return {
    ports: [segment.sourcePort, segment.destinationPort],
    numbers: [segment.sequence, segment.acknowledgment],
    flags: segment.flags,
    window: segment.window,
    urgentPointer: segment.urgentPointer,
    mss: segment.mss,
    windowScale: segment.windowScale,
    sackPermitted: segment.sackPermitted,
    timestamps: segment.hasTimestamps ? [segment.timestampValue, segment.timestampEcho] : undefined,
    sack: [...segment.sack.subarray(0, 2 * segment.sackCount)],
    fastOpen:
      segment.fastOpenLength < 0
        ? undefined
        : [...segment.fastOpenCookie.subarray(0, segment.fastOpenLength)],
    userTimeout: segment.userTimeout,
  };
}

const segments = fc
  .record({
    ports: fc.tuple(uint16, uint16),
    numbers: fc.tuple(int32, int32),
    flags: uint8,
    window: uint16,
    urgentPointer: uint16,
    mss: uint16,
    windowScale: fc.integer({ min: -1, max: 14 }),
    sackPermitted: fc.boolean(),
    timestamps: fc.option(fc.tuple(int32, int32), { nil: undefined }),
    sack: fc.array(fc.tuple(int32, int32), { maxLength: MAX_SACK_BLOCKS }),
    cookie: fc.option(fc.constantFrom(0, 4, 8, 16), { nil: undefined }),
    userTimeout: fc.integer({ min: -1, max: 0x7fff }),
  })
  .map((value) => {
    const segment = new Segment();
    [segment.sourcePort, segment.destinationPort] = value.ports;
    [segment.sequence, segment.acknowledgment] = value.numbers;
    segment.flags = value.flags;
    segment.window = value.window;
    segment.urgentPointer = value.urgentPointer;
    if (value.timestamps !== undefined) {
      segment.hasTimestamps = true;
      [segment.timestampValue, segment.timestampEcho] = value.timestamps;
    }
    if (value.flags & SYN) {
      segment.mss = value.mss;
      segment.windowScale = value.windowScale;
      segment.sackPermitted = value.sackPermitted;
      if (value.cookie !== undefined) {
        segment.fastOpenLength = value.cookie;
        segment.fastOpenCookie.fill(0x5c, 0, value.cookie);
      }
    } else {
      const blocks = value.sack.slice(0, segment.hasTimestamps ? 2 : 3).flat();
      segment.sack.set(blocks);
      segment.sackCount = blocks.length / 2;
      segment.userTimeout = value.userTimeout;
    }
    return segment;
  });

describe('wire: TCP', () => {
  it('parse(emit(x)) = x with every option that fits', () => {
    fc.assert(
      fc.property(segments, (segment) => {
        const bytes = room();
        const length = emitTcp(segment, bytes, AT);
        expect(length % 4).to.equal(0);
        expect(length).to.be.at.most(60);
        const parsed = new Segment();
        expect(parseTcp(bytes, AT, length, parsed)).to.equal(true);
        expect(parsed.malformedOptions).to.equal(false);
        expect(meaning(parsed)).to.deep.equal(meaning(segment));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes any bytes without throwing, and never reads data outside the segment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const parsed = new Segment();
        if (!parseTcp(bytes, 0, bytes.length, parsed)) return;
        expect(parsed.dataAt + parsed.dataLength).to.equal(bytes.length);
        expect(parsed.sackCount).to.be.within(0, MAX_SACK_BLOCKS);
        expect(parsed.fastOpenLength).to.be.within(-1, 16);
      }),
      { numRuns: 2000 },
    );
  });
});
