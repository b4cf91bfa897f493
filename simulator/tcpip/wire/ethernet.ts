import { Address } from '../core/address.js';
import { read16, write16 } from './bytes.js';

/** Ethernet II (IEEE 802.3): destination, source, type. */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

export const broadcastMac = new Uint8Array(6).fill(0xff);

export const etherType = (frame: Uint8Array): number => read16(frame, 12);

/** The group bit: broadcast or multicast. */
export const isGroupFrame = (frame: Uint8Array): boolean => (frame[0] & 1) !== 0;

export function sameMac(bytes: Uint8Array, at: number, mac: Uint8Array): boolean {
  return (
    bytes[at + 5] === mac[5] &&
    bytes[at + 4] === mac[4] &&
    bytes[at + 3] === mac[3] &&
    bytes[at + 2] === mac[2] &&
    bytes[at + 1] === mac[1] &&
    bytes[at] === mac[0]
  );
}

export function copyMac(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number): void {
  to[toAt] = from[fromAt];
  to[toAt + 1] = from[fromAt + 1];
  to[toAt + 2] = from[fromAt + 2];
  to[toAt + 3] = from[fromAt + 3];
  to[toAt + 4] = from[fromAt + 4];
  to[toAt + 5] = from[fromAt + 5];
}

export function emitEthernet(
  frame: Uint8Array,
  destination: Uint8Array,
  source: Uint8Array,
  type: number,
): void {
  copyMac(destination, 0, frame, 0);
  copyMac(source, 0, frame, 6);
  write16(frame, 12, type);
}

/** Where an IP multicast group lives on Ethernet: RFC 1112 6.4 and RFC 2464 7. */
export function multicastMac(group: Address): Uint8Array {
  const { d } = group;
  if (group.isV4) return Uint8Array.of(0x01, 0x00, 0x5e, (d >>> 16) & 0x7f, (d >>> 8) & 0xff, d & 0xff);
  return Uint8Array.of(0x33, 0x33, d >>> 24, (d >>> 16) & 0xff, (d >>> 8) & 0xff, d & 0xff);
}

/** `02:00:5e:10:00:01`, also with dashes. */
export function parseMac(text: string): Uint8Array | undefined {
  const parts = text.split(/[:-]/);
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-f]{2}$/i.test(part))) return undefined;
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}

export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');

/** fe80::/64 with the modified EUI-64 of the MAC (RFC 4291 appendix A). */
export function linkLocalFromMac(mac: Uint8Array): Address {
  return withInterfaceId(new Address(0xfe800000), mac);
}

/** The /64 of `prefix` with the modified EUI-64 of the MAC as interface identifier. */
export function withInterfaceId(prefix: Address, mac: Uint8Array): Address {
  const high = ((mac[0] ^ 2) << 24) | (mac[1] << 16) | (mac[2] << 8) | 0xff;
  const low = (0xfe << 24) | (mac[3] << 16) | (mac[4] << 8) | mac[5];
  return new Address(prefix.a, prefix.b, high, low);
}
