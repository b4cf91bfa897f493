/** Values as AT text. AT reference, "Parameter Types", "Output" and `ATF`. */
import type { Fractional } from '../messages.js';
import { encodeText } from '../text.js';
import type { AtFormat } from './format.js';
import { escapes } from './lexer.js';

const PLAIN = 1;
const ESCAPED = 2;
/** Per byte: printable as it is, printable by an escape, or (0) not printable. */
const classes = new Uint8Array(256).fill(PLAIN, 0x20, 0x7f);
const escapeLetter = new Map<number, string>();
for (const [letter, byte] of escapes) {
  classes[byte] = ESCAPED;
  escapeLetter.set(byte, `\\${String.fromCharCode(letter)}`);
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
const hexDigits = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex').toUpperCase();
export const formatHex = (bytes: Uint8Array): string => `[${hexDigits(bytes)}]`;

/** `"…"`, with escapes where needed; undefined if a byte needs hex (or an escape, where none is wanted). */
function quote(bytes: Uint8Array, escaping: boolean): string | undefined {
  let special = false;
  for (const byte of bytes) {
    const kind = classes[byte];
    if (kind === PLAIN) continue;
    if (kind !== ESCAPED || !escaping) return undefined;
    special = true;
  }
  if (!special) return `"${latin1(bytes)}"`;
  let text = '"';
  for (const byte of bytes) text += escapeLetter.get(byte) ?? String.fromCharCode(byte);
  return `${text}"`;
}

/** A STRING or BYTE_ARRAY as a module prints it; empty is always `[]`. */
export function formatBytes(bytes: Uint8Array, isString: boolean, format: AtFormat): string {
  if (bytes.length === 0) return '[]';
  const quotes = format.strings === 3 || (isString && format.strings > 0);
  return (quotes ? quote(bytes, format.strings > 1) : undefined) ?? formatHex(bytes);
}

/**
 * A string as a host sends it: quoted if every byte is printable, else hex. So nothing in it can end the string or
 * the line, whatever escapes the firmware knows (quirk string-bytes).
 */
export function formatHostText(text: string | Uint8Array): string {
  const bytes = typeof text === 'string' ? encodeText(text) : text;
  for (const byte of bytes) if (byte < 0x20 || byte > 0x7e) return formatHex(bytes);
  return quote(bytes, true) ?? formatHex(bytes);
}

/**
 * @param digits print in hexadecimal with at least so many digits
 */
export function formatInteger(value: number, format: AtFormat, digits?: number): string {
  if (value < 0) return String(value);
  // Never padded: `0B10` could be read as binary.
  if (format.hexIntegers) return value.toString(16).toUpperCase();
  if (digits === undefined || !format.bases) return String(value);
  return `0x${value.toString(16).toUpperCase().padStart(digits, '0')}`;
}

export const formatFraction = ({ int, frac }: Fractional): string => `${int}.${frac}`;
/** `module.number` */
export const formatCode = (code: number): string => `${code >> 8}.${code & 0xff}`;
