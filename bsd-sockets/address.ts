import ipaddr from 'ipaddr.js';
import { AF_INET, AF_INET6 } from './constants.js';
import { type ErrnoName, SocketError } from './errno.js';

export type Family = typeof AF_INET | typeof AF_INET6;

/** A `sockaddr_in` or `sockaddr_in6`. */
export interface SockAddr {
  readonly family: number;
  /** Text: `192.168.1.2`, `2001:db8::1`. A name, where the module resolves names (`connect`). */
  readonly address: string;
  /** In the host's byte order: 80 is 80. */
  readonly port: number;
}

export const INADDR_ANY = '0.0.0.0';
export const IN6ADDR_ANY = '::';

/** Network byte order on a little-endian C host swaps; these do as `htons` and `ntohl` of the vendor's header. */
export const htons = (n: number): number => ((n & 0xff) << 8) | ((n >> 8) & 0xff);
export const ntohs = htons;
export const htonl = (n: number): number =>
  (((n & 0xff) << 24) | ((n & 0xff00) << 8) | ((n >>> 8) & 0xff00) | (n >>> 24)) >>> 0;
export const ntohl = htonl;

const bytesOf: Readonly<Record<number, number>> = { [AF_INET]: 4, [AF_INET6]: 16 };

/**
 * Text to bytes in network order.
 * @returns 1 if `into` was filled, 0 if `text` is no address of that family
 * @throws SocketError `EAFNOSUPPORT`
 */
export function inetPton(family: number, text: string, into: Uint8Array): 0 | 1 {
  const length = bytesOf[family];
  if (length === undefined) throw new SocketError('EAFNOSUPPORT');
  if (!isAddress(family as Family, text)) return 0;
  into.set(ipaddr.parse(text).toByteArray());
  return 1;
}

/**
 * Bytes in network order to text.
 * @param size  room at the caller, bytes, the final NUL included
 * @throws SocketError `EAFNOSUPPORT`, `ENOSPC`
 */
export function inetNtop(family: number, bytes: Uint8Array, size: number): string {
  const length = bytesOf[family];
  if (length === undefined) throw new SocketError('EAFNOSUPPORT');
  const text = ipaddr.fromByteArray([...bytes.subarray(0, length)]).toString();
  if (text.length + 1 > size) throw new SocketError('ENOSPC');
  return text;
}

/** Four-part decimal for IPv4, nothing of what `inet_aton` takes besides. */
export function isAddress(family: Family, text: string): boolean {
  return family === AF_INET ? ipaddr.IPv4.isValidFourPartDecimal(text) : isIpv6(text);
}

const isIpv6 = (text: string): boolean => ipaddr.IPv6.isValid(text) && !text.includes('%');

export function isMulticast(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.parse(text).range() === 'multicast';
}

export const anyAddress = (family: Family): string => (family === AF_INET ? INADDR_ANY : IN6ADDR_ANY);

/**
 * Checks what a caller passed as an address.
 * @param names  a host name will do (the module resolves it)
 * @throws SocketError `EFAULT` (none), `EAFNOSUPPORT` (of another family), `EINVAL` (malformed)
 */
export function checkAddress(family: Family, address: SockAddr | undefined, names = false): SockAddr {
  if (address === undefined || address === null) throw new SocketError('EFAULT');
  const refuse = (errno: ErrnoName) => new SocketError(errno);
  if (address.family !== family) throw refuse('EAFNOSUPPORT');
  if (!Number.isInteger(address.port) || address.port < 0 || address.port > 65535) throw refuse('EINVAL');
  const text = address.address;
  if (typeof text !== 'string') throw refuse('EINVAL');
  if (isAddress(family, text)) return address;
  if (names && !ipaddr.isValid(text) && text.length > 0 && text.length <= 256) return address;
  throw refuse('EINVAL');
}

/** An address the module reported. */
export const addressOf = (address: string, port: number): SockAddr => ({
  family: address.includes(':') ? AF_INET6 : AF_INET,
  address,
  port,
});
