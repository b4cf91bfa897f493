import { Address } from '../core/address.js';
import { read16, write16 } from './bytes.js';

/** IGMPv2 (RFC 2236), IGMPv3 (RFC 3376), MLDv1 (RFC 2710), MLDv2 (RFC 3810): the messages a host hears and sends. */
export const IGMP_QUERY = 0x11;
export const IGMP_V1_REPORT = 0x12;
export const IGMP_V2_REPORT = 0x16;
export const IGMP_V2_LEAVE = 0x17;
export const IGMP_V3_REPORT = 0x22;

export const MLD_QUERY = 130;
export const MLD_REPORT = 131;
export const MLD_DONE = 132;
export const MLD_V2_REPORT = 143;

/** Group record types of IGMPv3 and MLDv2. */
export const MODE_IS_EXCLUDE = 2;
export const CHANGE_TO_INCLUDE = 3;
export const CHANGE_TO_EXCLUDE = 4;

export interface GroupQuery {
  readonly version: 1 | 2 | 3;
  /** Unspecified: a general query. */
  readonly group: Address;
  readonly maxResponseMs: number;
}

/** Floating-point of 8 bits (RFC 3376 4.1.1) or 16 (RFC 3810 5.1.3). */
const decode8 = (code: number): number =>
  code < 128 ? code : ((code & 15) | 16) << (((code >>> 4) & 7) + 3);
const decode16 = (code: number): number =>
  code < 32768 ? code : ((code & 0xfff) | 0x1000) << (((code >>> 12) & 7) + 3);

export function parseIgmpQuery(bytes: Uint8Array, at: number, length: number): GroupQuery | undefined {
  if (length < 8 || bytes[at] !== IGMP_QUERY) return undefined;
  const group = new Address();
  group.readV4(bytes, at + 4);
  if (length === 8) {
    const code = bytes[at + 1];
    // RFC 2236 2: zero marks version 1, whose response time is 10 s.
    return code === 0
      ? { version: 1, group, maxResponseMs: 10_000 }
      : { version: 2, group, maxResponseMs: code * 100 };
  }
  if (length < 12) return undefined;
  return { version: 3, group, maxResponseMs: decode8(bytes[at + 1]) * 100 };
}

/** `version` 2 is MLDv1 and 3 MLDv2, as their IGMP counterparts. */
export function parseMldQuery(bytes: Uint8Array, at: number, length: number): GroupQuery | undefined {
  if (length < 24 || bytes[at] !== MLD_QUERY) return undefined;
  const group = new Address();
  group.readV6(bytes, at + 8);
  const code = read16(bytes, at + 4);
  if (length < 28) return { version: 2, group, maxResponseMs: code };
  return { version: 3, group, maxResponseMs: decode16(code) };
}

/** A version 2 report or leave; the checksum field is left 0. */
export function emitIgmpV2(type: number, group: Address, bytes: Uint8Array, at: number): number {
  bytes.fill(0, at, at + 8);
  bytes[at] = type;
  group.writeV4(bytes, at + 4);
  return 8;
}

/** A version 3 report with one record without sources. */
export function emitIgmpV3(record: number, group: Address, bytes: Uint8Array, at: number): number {
  bytes.fill(0, at, at + 16);
  bytes[at] = IGMP_V3_REPORT;
  write16(bytes, at + 6, 1);
  bytes[at + 8] = record;
  group.writeV4(bytes, at + 12);
  return 16;
}

export function emitMldV1(type: number, group: Address, bytes: Uint8Array, at: number): number {
  bytes.fill(0, at, at + 24);
  bytes[at] = type;
  group.writeV6(bytes, at + 8);
  return 24;
}

export function emitMldV2(record: number, group: Address, bytes: Uint8Array, at: number): number {
  bytes.fill(0, at, at + 28);
  bytes[at] = MLD_V2_REPORT;
  write16(bytes, at + 6, 1);
  bytes[at + 8] = record;
  group.writeV6(bytes, at + 12);
  return 28;
}
