import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  type DhcpMessage,
  decodeMessage,
  encodeMessage,
  messageType,
} from '../../../../simulator/tcpip/dhcp/message.js';
import type { DhcpOptions } from '../../../../simulator/tcpip/dhcp/options.js';

const address = fc.ipV4();
const bytes = fc.uint8Array({ maxLength: 600 });
const u8 = fc.nat(255);
const u16 = fc.nat(65_535);
const u32 = fc.nat(0xffff_ffff);
const text = fc.string({ maxLength: 300, unit: 'grapheme' }).filter((value) => !value.endsWith('\0'));
const addresses = fc.array(address, { minLength: 1, maxLength: 70 });
const label = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const domains = fc.array(
  fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.')),
  { minLength: 1, maxLength: 8 },
);
const route = fc.tuple(address, fc.nat(32), address).map(([network, prefix, gateway]) => {
  const value = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const masked = prefix === 0 ? 0 : Math.floor(value / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(masked / 2 ** shift) % 256);
  return { network: parts.join('.'), prefix, gateway };
});
/** Codes that no name stands for and that are no framing. */
const otherCode = fc.constantFrom(2, 13, 33, 44, 62, 93, 116, 145, 200, 224, 254);

const options: fc.Arbitrary<DhcpOptions> = fc.record(
  {
    messageType: u8,
    serverId: address,
    requestedAddress: address,
    leaseSeconds: u32,
    renewSeconds: u32,
    rebindSeconds: u32,
    subnetMask: address,
    routers: addresses,
    nameServers: addresses,
    hostname: text,
    domain: text,
    mtu: u16,
    broadcast: address,
    timeServers: addresses,
    ntpServers: addresses,
    logServers: addresses,
    message: text,
    maximumSize: u16,
    parameterRequests: bytes,
    vendorClass: text,
    clientId: bytes,
    vendorSpecific: bytes,
    tftpServer: text,
    bootFile: text,
    userClass: bytes,
    rapidCommit: fc.constant(true as const),
    fqdn: bytes,
    searchDomains: domains,
    classlessRoutes: fc.array(route, { minLength: 1, maxLength: 40 }),
    captivePortal: text,
    relayAgent: bytes,
    other: fc
      .uniqueArray(fc.tuple(otherCode, bytes), { minLength: 1, selector: ([code]) => code })
      .map((list) => new Map(list)),
  },
  { requiredKeys: [] },
);

const field = (size: number) =>
  fc
    .array(fc.integer({ min: 1, max: 255 }), { maxLength: size })
    .map((codes) => String.fromCharCode(...codes));

const message: fc.Arbitrary<DhcpMessage> = fc.record({
  op: fc.constantFrom('request' as const, 'reply' as const),
  hardwareType: u8,
  hardwareAddress: fc.uint8Array({ maxLength: 16 }),
  hops: u8,
  transaction: u32,
  seconds: u16,
  broadcast: fc.boolean(),
  clientAddress: address,
  yourAddress: address,
  nextServer: address,
  relay: address,
  serverName: field(63),
  bootFileName: field(127),
  options,
});

const recorded = JSON.parse(readFileSync(new URL('./recorded.json', import.meta.url), 'utf8')) as readonly {
  readonly what: string;
  readonly hex: string;
}[];

const base: DhcpMessage = {
  op: 'reply',
  hardwareType: 1,
  hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 1),
  hops: 0,
  transaction: 7,
  seconds: 0,
  broadcast: false,
  clientAddress: '0.0.0.0',
  yourAddress: '0.0.0.0',
  nextServer: '0.0.0.0',
  relay: '0.0.0.0',
  serverName: '',
  bootFileName: '',
  options: {},
};

describe('DHCPv4 message', () => {
  it('comes back from the wire as it went, every option, long ones in pieces (RFC 3396)', () => {
    fc.assert(
      fc.property(message, (value) => void expect(decodeMessage(encodeMessage(value))).to.deep.equal(value)),
    );
  });

  for (const { what, hex } of recorded) {
    it(`reads and writes without loss: ${what}`, () => {
      const wire = Buffer.from(hex, 'hex');
      const decoded = decodeMessage(wire);
      expect(decoded?.options.messageType).to.be.oneOf(Object.values(messageType));
      const again = Buffer.from(encodeMessage(decoded!));
      expect(again.length).to.equal(wire.length);
      expect(again.subarray(0, 240).equals(wire.subarray(0, 240))).to.equal(true);
      expect(decodeMessage(again)).to.deep.equal(decoded);
    });
  }

  it('reads what the recorded servers said', () => {
    const ack = recorded.find(({ what }) => what.endsWith('ack to dhclient'))!;
    const decoded = decodeMessage(Buffer.from(ack.hex, 'hex'))!;
    expect(decoded.yourAddress).to.equal('10.77.0.52');
    expect(decoded.options).to.deep.include({
      messageType: messageType.ack,
      serverId: '10.77.0.1',
      leaseSeconds: 3600,
      subnetMask: '255.255.255.0',
      hostname: 'vm',
      searchDomains: ['lab.example', 'example.org'],
      classlessRoutes: [{ network: '10.9.0.0', prefix: 16, gateway: '10.77.0.2' }],
      ntpServers: ['10.77.0.9'],
    });
  });

  it('follows options into the file and server name fields (RFC 2132 9.3)', () => {
    const wire = encodeMessage({ ...base, options: { messageType: 2 } });
    wire.set([53, 1, 2, 52, 1, 3, 255], 240);
    wire.set([3, 4, 10, 0, 0, 1, 12, 2, 0x61, 0x62, 255], 108);
    wire.set([12, 1, 0x63, 255], 44);
    const decoded = decodeMessage(wire)!;
    expect(decoded.options).to.deep.equal({ messageType: 2, routers: ['10.0.0.1'], hostname: 'abc' });
    expect([decoded.serverName, decoded.bootFileName]).to.deep.equal(['', '']);
  });

  it('keeps a known option of the wrong form as bytes', () => {
    const wire = encodeMessage(base);
    wire.set(
      [1, 3, 255, 255, 255, 3, 5, 1, 2, 3, 4, 5, 119, 2, 0xc0, 0x00, 12, 1, 0xff, 121, 1, 33, 255],
      240,
    );
    expect(decodeMessage(wire)?.options).to.deep.equal({
      other: new Map([
        [1, Uint8Array.of(255, 255, 255)],
        [3, Uint8Array.of(1, 2, 3, 4, 5)],
        [119, Uint8Array.of(0xc0, 0)],
        [12, Uint8Array.of(0xff)],
        [121, Uint8Array.of(33)],
      ]),
    });
  });

  it('reads compressed domain lists (RFC 3397)', () => {
    const wire = encodeMessage(base);
    const list = [
      3, 0x65, 0x6e, 0x67, 5, 0x61, 0x70, 0x70, 0x6c, 0x65, 0, 4, 0x6d, 0x61, 0x72, 0x6b, 0xc0, 4,
    ];
    wire.set([119, list.length, ...list, 255], 240);
    expect(decodeMessage(wire)?.options.searchDomains).to.deep.equal(['eng.apple', 'mark.apple']);
  });

  it('refuses what is no message, and what does not fit', () => {
    const wire = encodeMessage(base);
    expect(decodeMessage(wire.subarray(0, 239))).to.equal(undefined);
    expect(decodeMessage(Uint8Array.from([9, ...wire.subarray(1)]))).to.equal(undefined);
    const noCookie = wire.slice();
    noCookie[236] = 0;
    expect(decodeMessage(noCookie)).to.equal(undefined);
    const cutOff = wire.slice(0, 242);
    cutOff.set([12, 9], 240);
    expect(decodeMessage(cutOff)).to.equal(undefined);
    for (const bad of [
      { ...base, clientAddress: '10.0.0' },
      { ...base, serverName: 'x'.repeat(64) },
      { ...base, hardwareAddress: new Uint8Array(17) },
      { ...base, options: { leaseSeconds: -1 } },
      { ...base, options: { routers: [] } },
      { ...base, options: { searchDomains: ['a..b'] } },
      { ...base, options: { classlessRoutes: [{ network: '10.0.0.0', prefix: 33, gateway: '10.0.0.1' }] } },
    ]) {
      expect(() => encodeMessage(bad))
        .to.throw()
        .with.property('code', 'EINVAL');
    }
  });

  it('never throws, whatever the bytes', () => {
    const head = encodeMessage(base).subarray(0, 240);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, framed) => {
        const decoded = decodeMessage(framed ? Uint8Array.from([...head, ...noise]) : noise);
        if (decoded !== undefined) encodeMessage(decoded);
      }),
      { numRuns: 2000 },
    );
  });
});
