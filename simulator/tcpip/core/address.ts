import ipaddr from 'ipaddr.js';

/**
 * An IP address inside the engine: four 32-bit words, an IPv4 address in its IPv4-mapped form (RFC 4291 2.5.5.2),
 * so that tables, connections and comparisons know one kind only. Words are signed, which V8 keeps unboxed.
 *
 * Mutable only as a packet's scratch address; whoever keeps one takes a `clone`.
 */
export class Address {
  a: number;
  b: number;
  c: number;
  d: number;

  constructor(a = 0, b = 0, c = 0, d = 0) {
    this.a = a | 0;
    this.b = b | 0;
    this.c = c | 0;
    this.d = d | 0;
  }

  get isV4(): boolean {
    return this.c === 0xffff && this.a === 0 && this.b === 0;
  }

  clone(): Address {
    return new Address(this.a, this.b, this.c, this.d);
  }

  set(other: Address): void {
    this.a = other.a;
    this.b = other.b;
    this.c = other.c;
    this.d = other.d;
  }

  readV4(bytes: Uint8Array, at: number): void {
    this.a = 0;
    this.b = 0;
    this.c = 0xffff;
    this.d = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }

  readV6(bytes: Uint8Array, at: number): void {
    this.a = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    this.b = (bytes[at + 4] << 24) | (bytes[at + 5] << 16) | (bytes[at + 6] << 8) | bytes[at + 7];
    this.c = (bytes[at + 8] << 24) | (bytes[at + 9] << 16) | (bytes[at + 10] << 8) | bytes[at + 11];
    this.d = (bytes[at + 12] << 24) | (bytes[at + 13] << 16) | (bytes[at + 14] << 8) | bytes[at + 15];
  }

  /** 4 bytes of an IPv4 address. */
  writeV4(bytes: Uint8Array, at: number): void {
    write32(bytes, at, this.d);
  }

  writeV6(bytes: Uint8Array, at: number): void {
    write32(bytes, at, this.a);
    write32(bytes, at + 4, this.b);
    write32(bytes, at + 8, this.c);
    write32(bytes, at + 12, this.d);
  }

  toString(): string {
    return formatAddress(this);
  }
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export const v4Address = (bits: number): Address => new Address(0, 0, 0xffff, bits);
export const anyV4 = v4Address(0);
/** ff02::1 */
export const allNodes = new Address(0xff020000, 0, 0, 1);
/** ff02::2 */
export const allRouters = new Address(0xff020000, 0, 0, 2);

export const sameAddress = (x: Address, y: Address): boolean =>
  x.d === y.d && x.c === y.c && x.b === y.b && x.a === y.a;

/** Mixes the words; the same address gives the same number, for table lookups that need no secret. */
export function hashAddress(address: Address): number {
  let hash = Math.imul(address.d ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ address.c ^ (hash >>> 15), 0xc2b2ae35);
  hash = Math.imul(hash ^ address.b ^ (hash >>> 13), 0x27d4eb2f);
  hash = Math.imul(hash ^ address.a ^ (hash >>> 16), 0x165667b1);
  return hash ^ (hash >>> 15);
}

export const isUnspecified = (x: Address): boolean =>
  x.d === 0 && x.a === 0 && x.b === 0 && (x.c === 0 || x.c === 0xffff);

export const isMulticast = (x: Address): boolean => (x.isV4 ? x.d >>> 28 === 0xe : x.a >>> 24 === 0xff);

export const isLoopback = (x: Address): boolean =>
  x.isV4 ? x.d >>> 24 === 127 : x.a === 0 && x.b === 0 && x.c === 0 && x.d === 1;

/** 169.254/16 or fe80::/10. */
export const isLinkLocal = (x: Address): boolean => (x.isV4 ? x.d >>> 16 === 0xa9fe : x.a >>> 22 === 0x3fa);

/** Class E and 0/8, which no host has (RFC 1122 3.2.1.3). */
export const isReservedV4 = (x: Address): boolean => x.d >>> 28 === 0xf || x.d >>> 24 === 0;

const prefixMask = (bits: number): number => (bits <= 0 ? 0 : bits >= 32 ? -1 : ~(0xffffffff >>> bits));

/** `prefix` counts as written: 0..32 for IPv4, 0..128 for IPv6. */
export function inPrefix(address: Address, network: Address, prefix: number): boolean {
  if (address.isV4 !== network.isV4) return false;
  const bits = network.isV4 ? prefix + 96 : prefix;
  return (
    ((address.a ^ network.a) & prefixMask(bits)) === 0 &&
    ((address.b ^ network.b) & prefixMask(bits - 32)) === 0 &&
    ((address.c ^ network.c) & prefixMask(bits - 64)) === 0 &&
    ((address.d ^ network.d) & prefixMask(bits - 96)) === 0
  );
}

/** The directed broadcast address of an IPv4 network; networks of /31 and /32 have none (RFC 3021). */
export const isDirectedBroadcast = (address: Address, network: Address, prefix: number): boolean =>
  prefix < 31 && address.isV4 && network.isV4 && address.d === (network.d | ~prefixMask(prefix));

/** ff02::1:ffXX:XXXX (RFC 4291 2.7.1). */
export const solicitedNode = (x: Address): Address =>
  new Address(0xff020000, 0, 1, 0xff000000 | (x.d & 0xffffff));

/** Strict dotted decimal, or any RFC 4291 form; a scope after `%` is accepted and dropped: a stack has one link. */
export function parseAddress(text: string): Address | undefined {
  const scope = text.indexOf('%');
  const bare = scope < 0 ? text : text.slice(0, scope);
  if (bare.includes(':')) {
    if (!ipaddr.IPv6.isValid(bare)) return undefined;
    const address = new Address();
    address.readV6(Uint8Array.from(ipaddr.IPv6.parse(bare).toByteArray()), 0);
    return address;
  }
  if (scope >= 0 || !ipaddr.IPv4.isValidFourPartDecimal(bare)) return undefined;
  const address = new Address();
  address.readV4(Uint8Array.from(ipaddr.IPv4.parse(bare).octets), 0);
  return address;
}

/** Dotted decimal, or RFC 5952. */
export function formatAddress(address: Address): string {
  if (address.isV4) {
    const bits = address.d;
    return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
  }
  const bytes = new Uint8Array(16);
  address.writeV6(bytes, 0);
  return new ipaddr.IPv6([...bytes]).toRFC5952String();
}
