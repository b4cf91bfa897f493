/** SDIO commands as they travel over SPI: six bytes out, one or more response bytes back. */
import { crc7 } from './crc.js';

/** Command indexes (SDIO Simplified Specification 3.00, section 2 and appendix "SPI mode"). */
export const SdioCommand = {
  GO_IDLE: 0,
  IO_SEND_OP_COND: 5,
  IO_RW_DIRECT: 52,
  IO_RW_EXTENDED: 53,
  CRC_ON_OFF: 59,
} as const;

/** Bits of the first response byte; 0 is success. */
export const R1 = {
  IDLE: 0x01,
  ILLEGAL_COMMAND: 0x04,
  CRC_ERROR: 0x08,
  FUNCTION_NUMBER: 0x10,
  ADDRESS: 0x20,
  PARAMETER: 0x40,
} as const;

/** The byte before a block of data: reads use START in both modes, writes name the mode. */
export const DataToken = { START: 0xfe, START_MULTIPLE: 0xfc } as const;

/** The byte after the CRC of written data, its low five bits. */
export const DataResponse = { ACCEPTED: 0x05, CRC_ERROR: 0x0b, WRITE_ERROR: 0x0d, MASK: 0x1f } as const;

/** Bit 31 of the operating conditions: the card has finished powering up. */
export const OCR_READY = 0x8000_0000;
/** The voltage window 3.3 V to 3.4 V, which the host asks for. */
export const OCR_3V3 = 0x0020_0000;

/** Length of a command frame. */
export const COMMAND_BYTES = 6;
/** A CMD53 in byte mode moves at most this many bytes, and a block is this long. */
export const BLOCK_BYTES = 512;

/** Argument of CMD52. `address` has 17 bits. */
export function directArgument(write: boolean, fn: number, address: number, value = 0): number {
  return ((write ? 0x8000_0000 : 0) | (fn << 28) | (address << 9) | value) >>> 0;
}

/** Argument of CMD53. `count` is in blocks in block mode, else in bytes, 1 to 512. */
export function extendedArgument(
  write: boolean,
  fn: number,
  address: number,
  count: number,
  blocks: boolean,
  increment: boolean,
): number {
  return (
    ((write ? 0x8000_0000 : 0) |
      (fn << 28) |
      (blocks ? 0x0800_0000 : 0) |
      (increment ? 0x0400_0000 : 0) |
      (address << 9) |
      (count & 0x1ff)) >>>
    0
  );
}

/** The fields of a CMD52 argument. */
export interface DirectAccess {
  readonly write: boolean;
  readonly fn: number;
  readonly address: number;
  readonly value: number;
}

export function parseDirect(argument: number): DirectAccess {
  return {
    write: argument >>> 31 === 1,
    fn: (argument >>> 28) & 7,
    address: (argument >>> 9) & 0x1ffff,
    value: argument & 0xff,
  };
}

/** The fields of a CMD53 argument; in byte mode `count` is already 1 to 512. */
export interface ExtendedAccess {
  readonly write: boolean;
  readonly fn: number;
  readonly address: number;
  readonly blocks: boolean;
  readonly increment: boolean;
  readonly count: number;
}

export function parseExtended(argument: number): ExtendedAccess {
  const blocks = (argument & 0x0800_0000) !== 0;
  const count = argument & 0x1ff;
  return {
    write: argument >>> 31 === 1,
    fn: (argument >>> 28) & 7,
    address: (argument >>> 9) & 0x1ffff,
    blocks,
    increment: (argument & 0x0400_0000) !== 0,
    count: blocks || count !== 0 ? count : BLOCK_BYTES,
  };
}

/**
 * Writes the six bytes of a command at `offset`. With `checked` the last byte carries the CRC7; without, it is 01,
 * except for CMD0, whose CRC a module checks before it has been told not to.
 */
export function writeCommand(
  out: Uint8Array,
  offset: number,
  index: number,
  argument: number,
  checked: boolean,
): void {
  out[offset] = 0x40 | index;
  out[offset + 1] = argument >>> 24;
  out[offset + 2] = argument >>> 16;
  out[offset + 3] = argument >>> 8;
  out[offset + 4] = argument;
  out[offset + 5] = checked || index === SdioCommand.GO_IDLE ? (crc7(out, offset, 5) << 1) | 1 : 0x01;
}
