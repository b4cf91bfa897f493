/** One chip-select window under construction, and what came back in it. */
import { WincError } from '../../protocol/errors.js';
import { crc16, DataResponse, SdioCommand, writeCommand } from '../../protocol/sdio/index.js';
import type { SpiTransport } from '../../transport/transport.js';

/** Where a CMD53 goes. */
export interface ExtendedTarget {
  readonly fn: number;
  readonly address: number;
  readonly increment: boolean;
}

/** A CMD53, ready to be sent. */
export interface Extended {
  readonly argument: number;
  /** Bytes of one block. */
  readonly block: number;
  /** The token before each written block. */
  readonly token: number;
}

/** One way of cutting accesses into windows. All throw WincError `WINC_BUS`. */
export interface Accesses {
  /** CMD52s in a row; the last one's value. */
  direct(commands: readonly number[]): Promise<number>;
  /** CMD52s and a CMD53 read; the first CMD52's value. */
  read(before: readonly number[], command: Extended, into: Uint8Array): Promise<number>;
  write(before: readonly number[], command: Extended, bytes: Uint8Array): Promise<void>;
}

export interface BusCounters {
  /** Chip-select windows. */
  windows: number;
  /** Bytes clocked. */
  bytes: number;
  /** Windows that became necessary because the module took longer than foreseen. */
  extraWindows: number;
}

/** Offsets in a command's window: byte 0 is a lead-in, 1 to 6 the command, 7 a gap. */
export const R1_AT = 8;
export const VALUE_AT = 9;
/** A CMD52 or CMD53 with its answer. */
export const ACCESS_BYTES = 10;
/** Longest window: the default buffer of Linux' spidev. */
export const MAX_WINDOW = 4096;

export const busError = (message: string) => new WincError('WINC_BUS', message);
export const hex = (value: number, digits = 2) => value.toString(16).padStart(digits, '0');

export class Window {
  readonly counters: BusCounters = { windows: 0, bytes: 0, extraWindows: 0 };
  /** Whether both ends compute and check CRC7 and CRC16. */
  checked = false;
  /** Bytes put in so far. */
  length = 0;

  readonly #bus: SpiTransport;
  readonly #out = new Uint8Array(MAX_WINDOW);
  readonly #ones = new Uint8Array(MAX_WINDOW).fill(0xff);
  readonly #answers = new Uint8Array(MAX_WINDOW);

  constructor(bus: SpiTransport) {
    this.#bus = bus;
  }

  begin(): this {
    this.length = 0;
    return this;
  }

  /** A lead-in and a command. Its answer is to be found from `R1_AT` behind the returned offset. */
  command(index: number, argument: number): number {
    const start = this.length;
    this.#out[start] = 0xff;
    writeCommand(this.#out, start + 1, index, argument, this.checked);
    this.length = start + 7;
    return start;
  }

  /** A command with the {@link ACCESS_BYTES} up to the end of its answer. */
  access(index: number, argument: number): number {
    const start = this.command(index, argument);
    this.ones(ACCESS_BYTES - 7);
    return start;
  }

  ones(count: number): this {
    this.#out.fill(0xff, this.length, this.length + count);
    this.length += count;
    return this;
  }

  byte(value: number): this {
    this.#out[this.length++] = value;
    return this;
  }

  bytes(source: Uint8Array, from: number, count: number): this {
    for (let at = 0; at < count; at++) this.#out[this.length + at] = source[from + at];
    this.length += count;
    return this;
  }

  /** The checksum of a block, or zeros where nobody looks at it. */
  crc(source: Uint8Array, from: number, count: number): this {
    const crc = this.checked ? crc16(source, from, count) : 0;
    return this.byte(crc >> 8).byte(crc & 0xff);
  }

  /** Clocks it out. The answer is valid until the next window. */
  send(): Promise<Uint8Array> {
    return this.#transfer(this.#out.subarray(0, this.length));
  }

  /**
   * Clocks out what was put in as several windows, in one go where the bus can.
   * @param ends where each window ends; the last one at `length`
   * @returns all the answers, one behind the other
   */
  async sendAll(ends: readonly number[]): Promise<Uint8Array> {
    const windows = ends.map((end, at) => this.#out.subarray(ends[at - 1] ?? 0, end));
    const answers = this.#answers.subarray(0, this.length);
    if (this.#bus.transferAll === undefined) {
      for (const [at, window] of windows.entries())
        answers.set(await this.#transfer(window), ends[at - 1] ?? 0);
      return answers;
    }
    this.counters.windows += windows.length;
    this.counters.bytes += this.length;
    for (const [at, answer] of (await this.#bus.transferAll(windows)).entries())
      answers.set(answer, ends[at - 1] ?? 0);
    return answers;
  }

  /** A window of filler, at most {@link MAX_WINDOW} long. */
  filler(count: number): Promise<Uint8Array> {
    return this.#transfer(this.#ones.subarray(0, Math.min(count, MAX_WINDOW)));
  }

  #transfer(mosi: Uint8Array): Promise<Uint8Array> {
    this.counters.windows++;
    this.counters.bytes += mosi.length;
    return this.#bus.transfer(mosi);
  }
}

/** @throws WincError `WINC_BUS` unless a CMD52 succeeded; else its value */
export function directValue(argument: number, miso: Uint8Array, start: number): number {
  const r1 = miso[start + R1_AT];
  if (r1 !== 0) throw refused(SdioCommand.IO_RW_DIRECT, argument, r1);
  return miso[start + VALUE_AT];
}

/** @throws WincError `WINC_BUS` unless a CMD53 was accepted */
export function checkExtended(argument: number, miso: Uint8Array, start: number): void {
  const r1 = miso[start + R1_AT] | miso[start + VALUE_AT];
  if (r1 !== 0) throw refused(SdioCommand.IO_RW_EXTENDED, argument, r1);
}

/** @throws WincError `WINC_BUS` unless a written block was accepted */
export function checkDataResponse(byte: number): void {
  if ((byte & DataResponse.MASK) === DataResponse.ACCEPTED) return;
  const why = (byte & DataResponse.MASK) === DataResponse.CRC_ERROR ? 'damaged (CRC)' : hex(byte);
  throw busError(`a written block was not accepted: ${why}`);
}

function refused(index: number, argument: number, r1: number): WincError {
  const why = r1 === 0xff ? 'no answer' : `R1 = ${hex(r1)}`;
  return busError(`CMD${index} ${hex(argument, 8)}: ${why}`);
}

/** @throws WincError `WINC_BUS` if checksums are checked and this one is wrong */
export function checkCrc(window: Window, bytes: Uint8Array, from: number, count: number, crc: number): void {
  if (window.checked && crc16(bytes, from, count) !== crc) throw busError('a block arrived damaged (CRC)');
}
