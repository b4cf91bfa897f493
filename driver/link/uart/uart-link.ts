/**
 * Bytes of a UART to lines and raw blocks.
 *
 *   transport ──► terminal mode: CR, LF, prompts, NULs ──► ReadlineParser (latin1) ──► line
 *            └──► raw mode, after a `#` that was expected: exactly n bytes ─────────► raw
 *
 * Everything is delivered before `data` returns, in the order of the bytes; the port is never paused.
 */
import { ReadlineParser } from '@serialport/parser-readline';
import type { ByteTransport } from '../../transport/transport.js';

export interface UartLinkHandler {
  /**
   * A line, latin1, without its end and without prompts; never empty. `event`: it followed a carriage return, which is
   * how the module sets events apart.
   */
  line(text: string, event: boolean): void;
  /** The `#` of `expectMarker` came: the module now takes raw bytes. */
  marker(): void;
  /** The whole block of `expectRaw`. The bytes are the receiver's. */
  raw(bytes: Uint8Array): void;
  /** Skipped. `bytes` may be only the beginning of it; `length` counts all. */
  noise(reason: string, bytes: Uint8Array, length: number): void;
  closed(error?: Error): void;
}

export interface UartLinkOptions {
  /** A longer line is skipped and reported, bytes. */
  readonly maxLine?: number;
}

const [NUL, LF, CR, PROMPT, MARKER] = [0x00, 0x0a, 0x0d, 0x3e, 0x23];
const LINE_END = Buffer.from('\r\n', 'latin1');
const OK_LINE = Buffer.from('OK\r\n', 'latin1');
/** Of a skipped line, this much is kept for the report. */
const NOISE_SAMPLE = 64;

type Mode =
  | { readonly name: 'terminal' }
  | { readonly name: 'raw'; readonly block: Uint8Array; filled: number }
  | { readonly name: 'skip'; readonly sample: Uint8Array; length: number };
const TERMINAL: Mode = { name: 'terminal' };

export class UartLink {
  readonly transport: ByteTransport;
  readonly #handler: UartLinkHandler;
  readonly #maxLine: number;
  readonly #parser: ReadlineParser;
  #mode: Mode = TERMINAL;
  /** Bytes of the current line that the parser holds. 0: at the start of a line. */
  #lineLength = 0;
  /** The current line began after a CR. */
  #afterCr = false;
  #expected: 'nothing' | 'marker' | number = 'nothing';
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(transport: ByteTransport, handler: UartLinkHandler, options: UartLinkOptions = {}) {
    this.transport = transport;
    this.#handler = handler;
    this.#maxLine = options.maxLine ?? 16384;
    this.#parser = new ReadlineParser({ delimiter: '\r\n', encoding: 'latin1', readableObjectMode: true });
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  start(): void {
    this.transport.start({
      data: (bytes) => this.#data(bytes),
      closed: (error) => this.#handler.closed(error),
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#bytesOut += bytes.length;
    return this.transport.write(bytes);
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  /** The next `#` at the start of a line invites raw bytes from us. */
  expectMarker(): void {
    this.#expected = 'marker';
  }

  /** The next `#` at the start of a line begins a block of `length` raw bytes. */
  expectRaw(length: number): void {
    this.#expected = length;
  }

  /** Back to plain lines; what a raw block had collected is answered and reported as noise. */
  expectNothing(): Uint8Array {
    this.#expected = 'nothing';
    if (this.#mode.name !== 'raw') return new Uint8Array(0);
    const { block, filled } = this.#mode;
    this.#mode = TERMINAL;
    this.#handler.noise('RAW_ABANDONED', block.slice(0, Math.min(filled, NOISE_SAMPLE)), filled);
    return block.subarray(0, filled);
  }

  /** The current raw block so far; undefined outside one. */
  get rawReceived(): Uint8Array | undefined {
    return this.#mode.name === 'raw' ? this.#mode.block.subarray(0, this.#mode.filled) : undefined;
  }

  /**
   * A module with fewer bytes pending than asked for sends what it has and then its status, which looks like data. If
   * the block so far ends in `OK`, takes it so.
   */
  endRawShort(): boolean {
    if (this.#mode.name !== 'raw') return false;
    const { block, filled } = this.#mode;
    const length = filled - OK_LINE.length;
    if (length < 0 || !OK_LINE.equals(block.subarray(length, filled))) return false;
    this.#mode = TERMINAL;
    this.#handler.raw(block.slice(0, length));
    this.#handler.line('OK', false);
    return true;
  }

  #data(bytes: Uint8Array): void {
    this.#bytesIn += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      if (this.#mode.name === 'raw') at = this.#fillRaw(this.#mode, bytes, at);
      else if (this.#mode.name === 'skip') at = this.#skipLine(this.#mode, bytes, at);
      else if (this.#lineLength === 0) at = this.#lineStart(bytes, at);
      else at = this.#lineBody(bytes, at);
    }
  }

  #fillRaw(mode: Mode & { name: 'raw' }, bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + mode.block.length - mode.filled);
    mode.block.set(bytes.subarray(at, end), mode.filled);
    mode.filled += end - at;
    if (mode.filled === mode.block.length) {
      this.#mode = TERMINAL;
      this.#handler.raw(mode.block);
    }
    return end;
  }

  /** Passes over line ends, prompts and NULs, up to the first byte that means something. */
  #lineStart(bytes: Uint8Array, at: number): number {
    const byte = bytes[at];
    if (byte === LF || byte === CR) {
      this.#afterCr = byte === CR;
    } else if (byte === MARKER && this.#expected !== 'nothing') {
      const expected = this.#expected;
      this.#expected = 'nothing';
      this.#afterCr = false;
      if (expected === 'marker') this.#handler.marker();
      else this.#mode = { name: 'raw', block: new Uint8Array(expected), filled: 0 };
    } else if (byte !== PROMPT && byte !== NUL) {
      return this.#lineBody(bytes, at);
    }
    return at + 1;
  }

  #lineBody(bytes: Uint8Array, at: number): number {
    let end = at;
    while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end++;
    if (this.#lineLength + end - at > this.#maxLine) {
      const held = Buffer.from(this.#flushLine(), 'latin1');
      const sample = Buffer.concat([held, bytes.subarray(at, end)]).subarray(0, NOISE_SAMPLE);
      this.#mode = { name: 'skip', sample: Uint8Array.from(sample), length: held.length + end - at };
      return end;
    }
    if (end > at) {
      // The parser keeps what it is given, and these bytes are only lent.
      this.#parser.write(Buffer.from(bytes.subarray(at, end)));
      this.#lineLength += end - at;
    }
    if (end === bytes.length) return end;
    const event = this.#afterCr;
    this.#afterCr = bytes[end] === CR;
    const line = this.#flushLine();
    this.#handler.line(line, event);
    return end + 1;
  }

  #flushLine(): string {
    if (this.#lineLength === 0) return '';
    this.#lineLength = 0;
    this.#parser.write(LINE_END);
    return this.#parser.read() as string;
  }

  #skipLine(mode: Mode & { name: 'skip' }, bytes: Uint8Array, at: number): number {
    let end = at;
    while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end++;
    mode.length += end - at;
    if (end === bytes.length) return end;
    this.#mode = TERMINAL;
    this.#afterCr = bytes[end] === CR;
    this.#handler.noise('LINE_TOO_LONG', mode.sample, mode.length);
    return end + 1;
  }
}
