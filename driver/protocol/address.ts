/**
 * Addresses as text and as bytes. Text is what the layers above see: dotted quad, RFC 5952 for IPv6, upper-case
 * colons for a MAC; with a mask `10.0.0.1/24` (or `/255.0.255.0` when it is no prefix), with a prefix length
 * `2001:db8::1/64`.
 */
import ipaddr from 'ipaddr.js';

const QUAD = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

export const isIpv4 = (text: string): boolean => QUAD.test(text);
/** Without zone: no element of the protocol carries one. */
export const isIpv6 = (text: string): boolean =>
  text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text);
export const isMac = (text: string): boolean => MAC.test(text);

function quad(text: string): Uint8Array | undefined {
  return isIpv4(text) ? Uint8Array.from(text.split('.', 4), Number) : undefined;
}

function maskOf(suffix: string): Uint8Array | undefined {
  if (!/^\d{1,2}$/.test(suffix)) return quad(suffix);
  const length = Number(suffix);
  if (length > 32) return undefined;
  const bits = length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
  return Uint8Array.of(bits >>> 24, bits >>> 16, bits >>> 8, bits);
}

/** 4 bytes, or 8 with a mask; undefined if `text` is no such address. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return quad(text);
  const address = quad(text.slice(0, slash));
  const mask = maskOf(text.slice(slash + 1));
  return address && mask && Uint8Array.of(...address, ...mask);
}

/** Of 4 bytes, or 8 with a mask. */
export function formatIpv4(bytes: Uint8Array): string {
  const address = `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (bytes.length < 8) return address;
  const mask = ((bytes[4] << 24) | (bytes[5] << 16) | (bytes[6] << 8) | bytes[7]) >>> 0;
  const length = Math.clz32(~mask);
  const contiguous = length === 32 || mask << length === 0;
  return `${address}/${contiguous ? length : bytes.subarray(4, 8).join('.')}`;
}

/** 16 bytes, or 17 with a prefix length; undefined if `text` is no such address. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  if (!isIpv6(address)) return undefined;
  const bytes = ipaddr.IPv6.parse(address).toByteArray();
  if (slash < 0) return Uint8Array.from(bytes);
  const suffix = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(suffix) || Number(suffix) > 128) return undefined;
  return Uint8Array.of(...bytes, Number(suffix));
}

/** Of 16 bytes, or 17 with a prefix length. */
export function formatIpv6(bytes: Uint8Array): string {
  const text = new ipaddr.IPv6(Array.from(bytes.subarray(0, 16))).toRFC5952String();
  return bytes.length > 16 ? `${text}/${bytes[16]}` : text;
}

export function parseMac(text: string): Uint8Array | undefined {
  return isMac(text) ? Uint8Array.from(text.split(':'), (digits) => Number.parseInt(digits, 16)) : undefined;
}

export const formatMac = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
