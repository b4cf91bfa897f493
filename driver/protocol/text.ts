/**
 * STRING ⇄ JavaScript string. A STRING is any bytes, by convention UTF-8. What is not UTF-8 is carried as lone
 * surrogates U+DC80..U+DCFF, one per byte (as Python's `surrogateescape`), so that decoding and encoding again gives
 * the same bytes.
 */
import { isUtf8 } from 'node:buffer';
import { WincError } from './errors.js';

const ESCAPE = 0xdc00;

/** Length of the UTF-8 sequence at `at`, or 0 if there is none (RFC 3629, section 4). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1];
  if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return 0;
  if ((lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return 0;
  return length;
}

/** Bytes of a STRING as text; never throws. */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  let text = '';
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += buffer.toString('utf8', start, at) + String.fromCharCode(ESCAPE | bytes[at]);
    start = ++at;
  }
  return text + buffer.toString('utf8', start);
}

/** A surrogate that belongs to no pair. */
const LONE = /(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])/;
const LONES = new RegExp(LONE, 'g');
const isByte = (lone: string): boolean => lone >= '\udc80' && lone <= '\udcff';

/** @throws WincError `WINC_ARGUMENT` for a lone surrogate that stands for no byte */
export function encodeText(text: string): Uint8Array {
  if (!LONE.test(text)) return Buffer.from(text, 'utf8');
  const parts: Uint8Array[] = [];
  let start = 0;
  for (const { 0: lone, index } of text.matchAll(LONES)) {
    if (!isByte(lone)) {
      throw new WincError('WINC_ARGUMENT', 'a text holds half a surrogate pair and stands for no bytes');
    }
    parts.push(Buffer.from(text.slice(start, index), 'utf8'), Uint8Array.of(lone.charCodeAt(0) - ESCAPE));
    start = index + 1;
  }
  parts.push(Buffer.from(text.slice(start), 'utf8'));
  return Buffer.concat(parts);
}

/** Bytes `encodeText` would answer; undefined where it would throw. */
export function textLength(text: string): number | undefined {
  if (!LONE.test(text)) return Buffer.byteLength(text, 'utf8');
  return text.match(LONES)?.every(isByte) ? encodeText(text).length : undefined;
}
