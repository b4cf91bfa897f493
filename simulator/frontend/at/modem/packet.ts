/** Packets of XMODEM and YMODEM, as Forsberg's "XMODEM/YMODEM Protocol Reference" of 1988 has them. */
import { crc16 } from '../../../crc16.js';

export const SOH = 0x01;
export const STX = 0x02;
export const EOT = 0x04;
export const ACK = 0x06;
export const NAK = 0x15;
export const CAN = 0x18;
/** Fills the last packet. */
export const SUB = 0x1a;
/** `C`: the receiver asks for packets with CRC. */
export const CRC_REQUEST = 0x43;

export type Check = 'sum' | 'crc';

const HEADER = 3;

/** Bytes of data in a packet that starts so; undefined if none does. */
export const sizeOf = (first: number): number | undefined =>
  first === SOH ? 128 : first === STX ? 1024 : undefined;
/** Of the whole packet. */
export const lengthOf = (size: number, check: Check): number => HEADER + size + (check === 'crc' ? 2 : 1);

/** @param data at most `size` bytes; the rest is filled up */
export function encodePacket(
  number: number,
  data: Uint8Array,
  size: 128 | 1024,
  check: Check,
  fill: number,
): Uint8Array {
  const packet = new Uint8Array(lengthOf(size, check)).fill(fill, HEADER, HEADER + size);
  packet[0] = size === 128 ? SOH : STX;
  packet[1] = number;
  packet[2] = ~number;
  packet.set(data, HEADER);
  seal(packet, size, check);
  return packet;
}

function seal(packet: Uint8Array, size: number, check: Check): void {
  const value = checkOf(packet.subarray(HEADER, HEADER + size), check);
  if (check === 'crc') packet[HEADER + size] = value >>> 8;
  packet[packet.length - 1] = value;
}

function checkOf(data: Uint8Array, check: Check): number {
  if (check === 'crc') return crc16(data);
  let sum = 0;
  for (const byte of data) sum = (sum + byte) & 0xff;
  return sum;
}

/** Number and data of a whole packet, undefined if it was damaged. The data is a view of the packet. */
export function decodePacket(
  packet: Uint8Array,
  size: number,
  check: Check,
): { number: number; data: Uint8Array } | undefined {
  const data = packet.subarray(HEADER, HEADER + size);
  const end = packet.length;
  const sent = check === 'crc' ? (packet[end - 2] << 8) | packet[end - 1] : packet[end - 1];
  if ((packet[1] ^ packet[2]) !== 0xff || checkOf(data, check) !== sent) return undefined;
  return { number: packet[1], data };
}
