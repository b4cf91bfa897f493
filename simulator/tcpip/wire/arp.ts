import { type Address, v4Address } from '../core/address.js';
import { read16, read32, write16, write32 } from './bytes.js';

/** ARP for IPv4 over Ethernet (RFC 826). */
export const ARP_LENGTH = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

export interface Arp {
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly sender: Address;
  readonly targetMac: Uint8Array;
  readonly target: Address;
}

/** `undefined` unless it is Ethernet/IPv4 with the right lengths. MACs are copies. */
export function parseArp(bytes: Uint8Array, at: number, length: number): Arp | undefined {
  if (length < ARP_LENGTH) return undefined;
  if (read16(bytes, at) !== 1 || read16(bytes, at + 2) !== 0x0800) return undefined;
  if (bytes[at + 4] !== 6 || bytes[at + 5] !== 4) return undefined;
  return {
    operation: read16(bytes, at + 6),
    senderMac: bytes.slice(at + 8, at + 14),
    sender: v4Address(read32(bytes, at + 14)),
    targetMac: bytes.slice(at + 18, at + 24),
    target: v4Address(read32(bytes, at + 24)),
  };
}

export function emitArp(arp: Arp, bytes: Uint8Array, at: number): number {
  write16(bytes, at, 1);
  write16(bytes, at + 2, 0x0800);
  bytes[at + 4] = 6;
  bytes[at + 5] = 4;
  write16(bytes, at + 6, arp.operation);
  bytes.set(arp.senderMac, at + 8);
  write32(bytes, at + 14, arp.sender.d);
  bytes.set(arp.targetMac, at + 18);
  write32(bytes, at + 24, arp.target.d);
  return ARP_LENGTH;
}
