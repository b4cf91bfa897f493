import { Address } from '../core/address.js';
import { fold, sumBytes } from '../core/checksum.js';
import { read16, write16 } from './bytes.js';

/** IPv4 (RFC 791). */
export const IPV4_HEADER = 20;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_IGMP = 2;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

export const ipv4Version = (bytes: Uint8Array, at: number): number => bytes[at] >>> 4;
export const ipv4HeaderLength = (bytes: Uint8Array, at: number): number => (bytes[at] & 15) * 4;
export const ipv4TotalLength = (bytes: Uint8Array, at: number): number => read16(bytes, at + 2);
export const ipv4Identification = (bytes: Uint8Array, at: number): number => read16(bytes, at + 4);
export const ipv4DontFragment = (bytes: Uint8Array, at: number): boolean => (bytes[at + 6] & 0x40) !== 0;
export const ipv4MoreFragments = (bytes: Uint8Array, at: number): boolean => (bytes[at + 6] & 0x20) !== 0;
/** In bytes. */
export const ipv4FragmentOffset = (bytes: Uint8Array, at: number): number =>
  (read16(bytes, at + 6) & 0x1fff) * 8;

export interface Ipv4Header {
  readonly trafficClass: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Bytes, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  /** Header options, padded to a multiple of 4. */
  readonly options: Uint8Array;
  readonly payloadLength: number;
}

/** `undefined` for a header that RFC 1122 3.2.1 says to discard: version, lengths, checksum. */
export function parseIpv4(bytes: Uint8Array, at: number, length: number): Ipv4Header | undefined {
  if (length < IPV4_HEADER || ipv4Version(bytes, at) !== 4) return undefined;
  const header = ipv4HeaderLength(bytes, at);
  const total = ipv4TotalLength(bytes, at);
  if (header < IPV4_HEADER || header > total || total > length) return undefined;
  if (sumBytes(bytes, at, header) !== 0xffff) return undefined;
  const source = new Address();
  source.readV4(bytes, at + 12);
  const destination = new Address();
  destination.readV4(bytes, at + 16);
  return {
    trafficClass: bytes[at + 1],
    identification: ipv4Identification(bytes, at),
    dontFragment: ipv4DontFragment(bytes, at),
    moreFragments: ipv4MoreFragments(bytes, at),
    fragmentOffset: ipv4FragmentOffset(bytes, at),
    ttl: bytes[at + 8],
    protocol: bytes[at + 9],
    source,
    destination,
    options: bytes.slice(at + IPV4_HEADER, at + header),
    payloadLength: total - header,
  };
}

/** Answers the header's length; the payload goes behind it. */
export function emitIpv4(header: Ipv4Header, bytes: Uint8Array, at: number): number {
  const headerLength = IPV4_HEADER + header.options.length;
  const flags = (header.dontFragment ? DONT_FRAGMENT : 0) | (header.moreFragments ? MORE_FRAGMENTS : 0);
  bytes.set(header.options, at + IPV4_HEADER);
  writeIpv4(
    bytes,
    at,
    headerLength,
    headerLength + header.payloadLength,
    header.trafficClass,
    header.identification,
    flags | (header.fragmentOffset >>> 3),
    header.ttl,
    header.protocol,
    header.source,
    header.destination,
  );
  return headerLength;
}

export const ipv4FragmentField = (offset: number, more: boolean): number =>
  (more ? MORE_FRAGMENTS : 0) | (offset >>> 3);
export const IPV4_DONT_FRAGMENT = DONT_FRAGMENT;

/** The header in place, checksummed; options, if any, stand behind the first 20 bytes already. */
export function writeIpv4(
  bytes: Uint8Array,
  at: number,
  headerLength: number,
  totalLength: number,
  trafficClass: number,
  identification: number,
  fragment: number,
  ttl: number,
  protocol: number,
  source: Address,
  destination: Address,
): void {
  const s = source.d;
  const d = destination.d;
  bytes[at] = 0x40 | (headerLength >>> 2);
  bytes[at + 1] = trafficClass;
  write16(bytes, at + 2, totalLength);
  write16(bytes, at + 4, identification);
  write16(bytes, at + 6, fragment);
  bytes[at + 8] = ttl;
  bytes[at + 9] = protocol;
  source.writeV4(bytes, at + 12);
  destination.writeV4(bytes, at + 16);
  let sum =
    ((bytes[at] << 8) | trafficClass) +
    totalLength +
    identification +
    fragment +
    ((ttl << 8) | protocol) +
    (s >>> 16) +
    (s & 0xffff) +
    (d >>> 16) +
    (d & 0xffff);
  if (headerLength > IPV4_HEADER) sum += sumBytes(bytes, at + IPV4_HEADER, headerLength - IPV4_HEADER);
  write16(bytes, at + 10, ~fold(sum) & 0xffff);
}
