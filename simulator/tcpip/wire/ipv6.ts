import { Address } from '../core/address.js';
import { read16, read32, write16, write32 } from './bytes.js';

/** IPv6 (RFC 8200). */
export const IPV6_HEADER = 40;
export const NEXT_HOP_BY_HOP = 0;
export const NEXT_ROUTING = 43;
export const NEXT_FRAGMENT = 44;
export const NEXT_NONE = 59;
export const NEXT_DESTINATION = 60;
export const NEXT_ICMPV6 = 58;

export const ipv6Version = (bytes: Uint8Array, at: number): number => bytes[at] >>> 4;
export const ipv6TrafficClass = (bytes: Uint8Array, at: number): number => (read16(bytes, at) >>> 4) & 0xff;
export const ipv6PayloadLength = (bytes: Uint8Array, at: number): number => read16(bytes, at + 4);
export const ipv6NextHeader = (bytes: Uint8Array, at: number): number => bytes[at + 6];
export const ipv6HopLimit = (bytes: Uint8Array, at: number): number => bytes[at + 7];

export interface Ipv6Header {
  readonly trafficClass: number;
  /** 20 bits. */
  readonly flowLabel: number;
  readonly payloadLength: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Address;
  readonly destination: Address;
}

export function parseIpv6(bytes: Uint8Array, at: number, length: number): Ipv6Header | undefined {
  if (length < IPV6_HEADER || ipv6Version(bytes, at) !== 6) return undefined;
  if (IPV6_HEADER + ipv6PayloadLength(bytes, at) > length) return undefined;
  const source = new Address();
  source.readV6(bytes, at + 8);
  const destination = new Address();
  destination.readV6(bytes, at + 24);
  return {
    trafficClass: ipv6TrafficClass(bytes, at),
    flowLabel: read32(bytes, at) & 0xfffff,
    payloadLength: ipv6PayloadLength(bytes, at),
    nextHeader: ipv6NextHeader(bytes, at),
    hopLimit: ipv6HopLimit(bytes, at),
    source,
    destination,
  };
}

export function emitIpv6(header: Ipv6Header, bytes: Uint8Array, at: number): number {
  writeIpv6(
    bytes,
    at,
    header.trafficClass,
    header.flowLabel,
    header.payloadLength,
    header.nextHeader,
    header.hopLimit,
    header.source,
    header.destination,
  );
  return IPV6_HEADER;
}

export function writeIpv6(
  bytes: Uint8Array,
  at: number,
  trafficClass: number,
  flowLabel: number,
  payloadLength: number,
  nextHeader: number,
  hopLimit: number,
  source: Address,
  destination: Address,
): void {
  write32(bytes, at, (6 << 28) | (trafficClass << 20) | flowLabel);
  write16(bytes, at + 4, payloadLength);
  bytes[at + 6] = nextHeader;
  bytes[at + 7] = hopLimit;
  source.writeV6(bytes, at + 8);
  destination.writeV6(bytes, at + 24);
}

export interface FragmentHeader {
  readonly nextHeader: number;
  /** Bytes, a multiple of 8. */
  readonly offset: number;
  readonly more: boolean;
  readonly identification: number;
}

export const FRAGMENT_HEADER = 8;

/** The fragment extension header (RFC 8200 4.5). */
export function parseFragment(bytes: Uint8Array, at: number, length: number): FragmentHeader | undefined {
  if (length < FRAGMENT_HEADER) return undefined;
  const field = read16(bytes, at + 2);
  return {
    nextHeader: bytes[at],
    offset: field & 0xfff8,
    more: (field & 1) !== 0,
    identification: read32(bytes, at + 4),
  };
}

export function emitFragment(header: FragmentHeader, bytes: Uint8Array, at: number): number {
  bytes[at] = header.nextHeader;
  bytes[at + 1] = 0;
  write16(bytes, at + 2, header.offset | (header.more ? 1 : 0));
  write32(bytes, at + 4, header.identification);
  return FRAGMENT_HEADER;
}
