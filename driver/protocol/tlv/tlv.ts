/**
 * Messages of the binary wire. Everything is big endian.
 *
 *     request   00 | command(2) | seq(2) | parameters(1) | length(2) | TLVs
 *     status    01 | command(2) | seq(2) | status(2)
 *     response  02 | command(2) | seq(2) | command(2) | length(2) | elements(1) | TLVs
 *     event     03 | as a response, with the event's id
 *     TLV       type(1) | flags(1) | length(2) | data | padding
 *
 * Bits 0 and 1 of the flags count the padding bytes; the length does not include them.
 */
import { WincError } from '../errors.js';
import { WireType, type WireTypeName } from '../messages.js';

export const MessageKind = { REQUEST: 0, STATUS: 1, RESPONSE: 2, EVENT: 3 } as const;
export const REQUEST_HEADER = 8;
export const STATUS_BYTES = 7;
export const RESPONSE_HEADER = 10;
/** What the vendor's driver has room for in a response or event. */
export const MAX_ELEMENTS = 12;
/** Longest message that is built, bytes: lengths have 16 bits. */
const MAX_MESSAGE = 65_536;

const typeNames: readonly (WireTypeName | undefined)[] = (() => {
  const names: WireTypeName[] = [];
  for (const [name, code] of Object.entries(WireType)) names[code] = name as WireTypeName;
  return names;
})();

/** Builds one message after another in the same memory. */
export class TlvWriter {
  #bytes = new Uint8Array(256);
  #length = 0;
  /** TLVs written since `begin`. */
  count = 0;

  begin(): this {
    this.#length = 0;
    this.count = 0;
    return this;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next `begin`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >> 8).u8(value & 0xff);
  }

  /** Overwrites what is there already. */
  setU8(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  setU16(at: number, value: number): void {
    this.#bytes[at] = value >> 8;
    this.#bytes[at + 1] = value & 0xff;
  }

  /** An integer of `width` bytes; a negative one in two's complement. */
  integer(type: number, value: number, width: number): void {
    this.#header(type, width);
    for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) this.u8((value >>> shift) & 0xff);
    this.#pad(width);
  }

  data(type: number, data: Uint8Array): void {
    this.#header(type, data.length);
    this.#reserve(data.length);
    this.#bytes.set(data, this.#length);
    this.#length += data.length;
    this.#pad(data.length);
  }

  #header(type: number, length: number): void {
    this.count++;
    this.u8(type)
      .u8(-length & 3)
      .u16(length);
  }

  #pad(length: number): void {
    for (let left = -length & 3; left > 0; left--) this.u8(0);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    if (needed > MAX_MESSAGE)
      throw new WincError('WINC_ARGUMENT', 'the message would be longer than 65536 bytes');
    const larger = new Uint8Array(Math.min(MAX_MESSAGE, Math.max(needed, this.#bytes.length * 2)));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** The TLVs of one message, as places in its bytes; reused from message to message. */
export class TlvList {
  /** TLVs found. */
  count = 0;
  readonly #types = new Uint8Array(256);
  readonly #starts = new Uint32Array(256);
  readonly #lengths = new Uint16Array(256);
  #bytes: Uint8Array = new Uint8Array(0);

  /**
   * Finds `count` TLVs between `from` and `to`. `exact`: of known types, and the padding of the last one, which
   * otherwise may be missing, is there too.
   * @returns false if they do not fit in there
   */
  parse(bytes: Uint8Array, from: number, to: number, count: number, exact: boolean): boolean {
    this.#bytes = bytes;
    this.count = 0;
    let at = from;
    for (let index = 0; index < count; index++) {
      if (at + 4 > to) return false;
      const length = (bytes[at + 2] << 8) | bytes[at + 3];
      const end = at + 4 + length;
      if (end > to) return false;
      this.#types[index] = bytes[at];
      this.#starts[index] = at + 4;
      this.#lengths[index] = length;
      this.count++;
      at = end + (bytes[at + 1] & 3);
      if (at > to && (exact || index + 1 < count)) return false;
      if (exact && this.type(index) === undefined) return false;
    }
    return true;
  }

  /** Undefined for a type nobody knows. */
  type(index: number): WireTypeName | undefined {
    return typeNames[this.#types[index]];
  }

  length(index: number): number {
    return this.#lengths[index];
  }

  /** A view, not a copy. */
  data(index: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[index], this.#starts[index] + this.#lengths[index]);
  }

  /**
   * Any type that is a number on the wire, of 1 to 4 bytes; INTEGER is signed, the others are not.
   * Undefined for other types and widths.
   */
  integer(index: number): number | undefined {
    const length = this.#lengths[index];
    if (length < 1 || length > 4) return undefined;
    const start = this.#starts[index];
    let value = 0;
    for (let at = 0; at < length; at++) value = (value << 8) | this.#bytes[start + at];
    switch (this.#types[index]) {
      case WireType.INTEGER:
        return (value << (32 - 8 * length)) >> (32 - 8 * length);
      case WireType.INTEGER_UNSIGNED:
      case WireType.INTEGER_FRAC:
      case WireType.BOOL:
      case WireType.UTC_TIME:
      case WireType.STATUS:
        return value >>> 0;
      default:
        return undefined;
    }
  }
}
