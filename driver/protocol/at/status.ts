/** Status lines: what ends a command, at every verbosity. AT reference, "Command Responses". */
import { statusByCode, statusByText } from '../catalogue/statuses.js';
import { decodeText, encodeText } from '../text.js';
import { type AtFormat, defaultFormat } from './format.js';
import { formatBytes, formatCode } from './formatter.js';
import { lexParameters, type Token } from './lexer.js';

/** `OK`, `ERROR:14.12,"Socket Not Ready"`, or less of it. */
export function formatStatus(code: number, format: AtFormat, text?: string): string {
  const { verbosity } = format;
  if (code === 0) return verbosity < 2 ? '0' : 'OK';
  const word = verbosity < 2 ? '1' : 'ERROR';
  if (verbosity === 0 || verbosity === 2 || code < 0) return word;
  const number = formatCode(code);
  const message = verbosity > 3 ? (text ?? statusByCode(code)?.text) : undefined;
  if (message === undefined) return `${word}:${number}`;
  const quoted = formatBytes(encodeText(message), true, format);
  return verbosity === 4 ? `${word}:${quoted}` : `${word}:${number},${quoted}`;
}

export interface ParsedStatus {
  readonly code: number;
  readonly text?: string;
}

const OK: ParsedStatus = { code: 0 };
const UNKNOWN: ParsedStatus = { code: -1 };
const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const words: readonly (readonly [Uint8Array, ParsedStatus])[] = [
  [ascii('OK'), OK],
  [ascii('0'), OK],
  [ascii('ERROR'), UNKNOWN],
  [ascii('1'), UNKNOWN],
];
const COLON = 0x3a;

const startsWith = (bytes: Uint8Array, prefix: Uint8Array): boolean =>
  bytes.length >= prefix.length && prefix.every((byte, i) => bytes[i] === byte);

/** Codes print as `14.12`; also `14,12` as in the reference's table, and bare as old firmware does (quirk status-dot). */
function fromTokens(tokens: readonly Token[]): ParsedStatus | undefined {
  const [first, second] = tokens;
  const last = tokens[tokens.length - 1];
  const text = 'bytes' in last ? decodeText(last.bytes) : undefined;
  if (tokens.length > 3 || (tokens.length === 3 && text === undefined)) return undefined;
  let code: number;
  if (first.kind === 'frac') code = (first.int << 8) | first.frac;
  else if (first.kind !== 'int') code = statusByText(text ?? '')?.code ?? -1;
  else code = second?.kind === 'int' ? (first.value << 8) | second.value : first.value;
  return text === undefined ? { code } : { code, text };
}

/** A whole line as a status; undefined if it is none. */
export function parseStatus(line: Uint8Array): ParsedStatus | undefined {
  for (const [word, status] of words) {
    if (!startsWith(line, word)) continue;
    if (line.length === word.length) return status;
    if (line[word.length] !== COLON || status.code === 0) continue;
    const { tokens, error } = lexParameters(line, word.length + 1, defaultFormat);
    return error || tokens.length === 0 ? undefined : fromTokens(tokens);
  }
  return undefined;
}
