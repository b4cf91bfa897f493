/** Argument values in the one form a service works with, whatever wire and wire type they came by. */
import { formatIpv4, formatIpv6 } from '../../driver/protocol/address.js';
import type { Scalar, Value } from '../../driver/protocol/messages.js';
import { decodeText, encodeText } from '../../driver/protocol/text.js';
import { isTyped } from '../../driver/protocol/wiretype.js';

export const textOf = (value: string | Uint8Array): string =>
  typeof value === 'string' ? value : decodeText(value);

export const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === 'string' ? encodeText(value) : value;

/** 32 bits, most significant first, as dotted quad. */
export const ipv4Of = (value: number): string =>
  formatIpv4(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));

/** A host name or an address: text, raw bytes of an address, or an IPv4 address as a number. */
export function hostOf(value: Value): string {
  const plain: Scalar = isTyped(value) ? value.value : value;
  if (typeof plain === 'number') return ipv4Of(plain);
  if (!(plain instanceof Uint8Array)) return String(plain);
  if (plain.length === 4) return formatIpv4(plain);
  return plain.length === 16 ? formatIpv6(plain) : decodeText(plain);
}
