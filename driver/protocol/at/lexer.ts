/**
 * Parameters of an AT line as tokens. AT reference, "Parameter Types". Both directions are written alike; what a
 * module reads from a host is held to the letter (`strict`), what a host reads from a module is not.
 */
import type { AtFormat } from './format.js';

export type Token =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'frac'; readonly int: number; readonly frac: number }
  /** `"escaped"` or `[hex]`: the same bytes either way. The bytes may be a view of the line. */
  | { readonly kind: 'text' | 'hex'; readonly bytes: Uint8Array };

export interface Lexed {
  readonly tokens: readonly Token[];
  /** `syntax`: no integer and no string; `range`: an integer beyond -2^31..2^32-1. The tokens before it are there. */
  readonly error?: 'syntax' | 'range';
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;

const UINT_LIMIT = 0x1_0000_0000;
const INT_LIMIT = 0x8000_0000;

/** The byte an escape letter stands for. AT reference, "Strings". */
export const escapes: ReadonlyMap<number, number> = new Map(
  Object.entries({ '0': 0, a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, e: 27, '"': 34, '\\': 92 }).map(
    ([letter, byte]) => [letter.charCodeAt(0), byte],
  ),
);

/** Value of a digit in any base up to 16; 16 and above if it is none. */
function digit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : 255;
}

class Lexer {
  readonly tokens: Token[] = [];
  error: Lexed['error'];
  private readonly line: Uint8Array;
  private at: number;
  private readonly format: AtFormat;
  private readonly strict: boolean;

  constructor(line: Uint8Array, at: number, format: AtFormat, strict: boolean) {
    this.line = line;
    this.at = at;
    this.format = format;
    this.strict = strict;
  }

  run(): void {
    if (this.at >= this.line.length) return;
    for (;;) {
      this.skipSpaces();
      const token = this.token();
      if (!token) {
        this.error ??= 'syntax';
        return;
      }
      this.tokens.push(token);
      if (this.at >= this.line.length) return;
      if (this.line[this.at++] !== COMMA) {
        this.error = 'syntax';
        return;
      }
    }
  }

  private skipSpaces(): void {
    while (this.line[this.at] === SPACE) this.at++;
  }

  private token(): Token | undefined {
    const byte = this.line[this.at];
    if (byte === QUOTE) return this.quoted();
    if (byte === OPEN) return this.bracketed();
    return this.number();
  }

  /** A string the end of the line closes is accepted (quirk unclosed-string). */
  private quoted(): Token | undefined {
    const { line, strict } = this;
    const start = ++this.at;
    let escaped = 0;
    for (; this.at < line.length; this.at++) {
      const byte = line[this.at];
      if (byte === QUOTE) break;
      if (strict && (byte < SPACE || byte >= 0x7f)) return undefined;
      if (byte !== BACKSLASH) continue;
      if (!escapes.has(line[++this.at])) return undefined;
      escaped++;
    }
    const source = line.subarray(start, this.at++);
    this.skipSpaces();
    return { kind: 'text', bytes: escaped === 0 ? source : resolveEscapes(source, escaped) };
  }

  private bracketed(): Token | undefined {
    const { line } = this;
    const start = ++this.at;
    let end = line.indexOf(CLOSE, start);
    if (end < 0) end = line.length;
    if ((end - start) % 2 !== 0) return undefined;
    const bytes = new Uint8Array((end - start) / 2);
    for (let i = 0; i < bytes.length; i++) {
      const high = digit(line[start + 2 * i]);
      const low = digit(line[start + 2 * i + 1]);
      if ((high | low) > 15) return undefined;
      bytes[i] = (high << 4) | low;
    }
    this.at = end + 1;
    this.skipSpaces();
    return { kind: 'hex', bytes };
  }

  private number(): Token | undefined {
    const { line, format } = this;
    const negative = line[this.at] === MINUS;
    if (negative) this.at++;
    const prefixed = negative || line[this.at] !== 0x30 ? 0 : basePrefix(line[this.at + 1]);
    // `0b1` is a number of its own where hexadecimal needs no prefix and prefixes are not understood.
    if (prefixed && format.bases && digit(line[this.at + 2]) < prefixed) {
      this.at += 2;
      return this.integer(prefixed, false);
    }
    const start = this.at;
    const token = this.integer(format.hexIntegers && !negative ? 16 : 10, negative);
    if (line[this.at] !== DOT) return token;
    // Fractional numbers are decimal whatever the default base.
    this.at = start;
    const whole = this.integer(10, negative);
    if (whole?.kind !== 'int' || line[this.at++] !== DOT) return undefined;
    const part = this.integer(10, false);
    return part?.kind === 'int' ? { kind: 'frac', int: whole.value, frac: part.value } : undefined;
  }

  private integer(base: number, negative: boolean): Token | undefined {
    const { line } = this;
    const start = this.at;
    const limit = negative ? INT_LIMIT : UINT_LIMIT - 1;
    let value = 0;
    for (let next = digit(line[this.at]); next < base; next = digit(line[++this.at])) {
      value = value * base + next;
      if (value > limit) {
        this.error = 'range';
        value = limit;
      }
    }
    if (this.at === start || this.error) return undefined;
    return { kind: 'int', value: negative && value !== 0 ? -value : value };
  }
}

function basePrefix(letter: number): number {
  const lower = letter | 0x20;
  return lower === 0x78 ? 16 : lower === 0x6f ? 8 : lower === 0x62 ? 2 : 0;
}

function resolveEscapes(source: Uint8Array, escaped: number): Uint8Array {
  const bytes = new Uint8Array(source.length - escaped);
  let at = 0;
  for (let i = 0; i < source.length; i++) {
    bytes[at++] = source[i] === BACKSLASH ? (escapes.get(source[++i]) ?? 0) : source[i];
  }
  return bytes;
}

/**
 * The parameters from `start` to the end of the line; none if nothing is there.
 *
 * @param strict as a module reads: printable ASCII only within quotes
 */
export function lexParameters(line: Uint8Array, start: number, format: AtFormat, strict = false): Lexed {
  const lexer = new Lexer(line, start, format, strict);
  lexer.run();
  return lexer.error ? { tokens: lexer.tokens, error: lexer.error } : { tokens: lexer.tokens };
}
