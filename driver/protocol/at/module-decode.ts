/** Command lines of a host, from the module's end. */
import { isAscii, isUtf8 } from 'node:buffer';

import { formatIpv6, parseIpv6 } from '../address.js';
import { type CommandName, commandById, commandByName } from '../catalogue/index.js';
import { OutputMode } from '../catalogue/socket.js';
import { StatusCode } from '../catalogue/statuses.js';
import type { Request, Scalar, WireTypeName } from '../messages.js';
import type { ValueType } from '../schema.js';
import type { AtLine, CommandSpec, ParamSpec } from '../spec.js';
import { decodeText } from '../text.js';
import { checkArgs, isProblem } from '../validate.js';
import { configParam } from '../wiretype.js';
import { plainValue, tokenValue } from './elements.js';
import { type AtFormat, defaultFormat } from './format.js';
import { lexParameters, type Token } from './lexer.js';

/** One of `ATE`, `ATF`, `ATM`, `ATV`, `AT&K` with its number (0 if there is none). */
export interface BasicCommand {
  readonly name: 'E' | 'F' | 'M' | 'V' | '&K';
  readonly value: number;
}

/** An extended command as parsed. */
export type ParsedCommand =
  | {
      readonly request: Request;
      /** `write`: the payload follows raw, after `#`; `read`: the answer is raw. */
      readonly raw?: 'write' | 'read';
    }
  | {
      /** What to answer: 0.3 unknown, 0.4 wrong value, 0.5 wrong number of parameters. */
      readonly status: number;
      /** If the name at least is known. */
      readonly command?: CommandName;
    };

export interface ParsedLine {
  /** To be carried out in order, even if the rest of the line is wrong. */
  readonly basics: readonly BasicCommand[];
  readonly extended?: ParsedCommand;
  /** The line itself is wrong: 0.2 (no `AT`) or 0.3. */
  readonly status?: number;
}

const allowed: Readonly<Record<BasicCommand['name'], (value: number) => boolean>> = {
  E: (value) => value <= 1,
  F: (value) => value <= 15,
  M: (value) => value <= 1,
  V: (value) => value <= 5,
  '&K': (value) => value === 0 || value === 3,
};

/**
 * A whole line, without its CR LF. An empty line is none: it gets no answer.
 * AT reference, "Command Input".
 */
export function decodeCommandLine(line: Uint8Array, format: AtFormat = defaultFormat): ParsedLine {
  const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString('latin1');
  const basics: BasicCommand[] = [];
  if (!text.startsWith('AT')) return { basics, status: StatusCode.INVALID_CMD };
  const basic = /(&?[A-Z])(\d{0,9})/y;
  let at = 2;
  while (at < text.length && text[at] !== '+') {
    basic.lastIndex = at;
    const found = basic.exec(text);
    const name = found?.[1] as BasicCommand['name'] | undefined;
    const value = Number(found?.[2]);
    if (!found || !name || !allowed[name]?.(value)) return { basics, status: StatusCode.UNKNOWN_CMD };
    basics.push({ name, value });
    at = basic.lastIndex;
  }
  return at < text.length ? { basics, extended: decodeExtended(line.subarray(at), format) } : { basics };
}

/** `+NAME`, `+NAME=p1,p2`, `+NAME?` or `+MM.NN…`: the extended part of a line. */
export function decodeExtended(source: Uint8Array, format: AtFormat = defaultFormat): ParsedCommand {
  const equals = source.indexOf(0x3d);
  const head = Buffer.from(source.buffer, source.byteOffset, equals < 0 ? source.length : equals).toString(
    'latin1',
  );
  // The ancestor reads with `?`; the reference has no such form (quirk query-mark).
  const name = head.endsWith('?') ? head.slice(1, -1) : head.slice(1);
  const spec = commandByName(name) ?? numericCommand(name);
  if (!spec) return { status: StatusCode.UNKNOWN_CMD };
  const { tokens, error } = lexParameters(source, equals < 0 ? source.length : equals + 1, format, true);
  if (error) {
    const status = error === 'range' ? StatusCode.INVALID_PARAMETER : StatusCode.INCORRECT_NUM_PARAMS;
    return { status, command: spec.name };
  }
  return parseTokens(spec, tokens);
}

function numericCommand(name: string): CommandSpec<CommandName> | undefined {
  const ids = /^([0-9A-F]{2})[.:]([0-9A-F]{2})$/i.exec(name);
  return ids ? commandById(Number.parseInt(ids[1] + ids[2], 16)) : undefined;
}

function selected({ form, params }: AtLine, tokens: readonly Token[]): boolean {
  const selector = params[form.selector];
  const token = tokens[form.selector];
  return token?.kind === 'int' && (selector?.only?.includes(token.value) ?? false);
}

/** The ways to write the command with these tokens: by number, by fixed values, by lexical form. */
function linesFor(spec: CommandSpec<CommandName>, tokens: readonly Token[]): AtLine[] | undefined {
  const counted = spec.lines.filter(({ params }) => params.length === tokens.length);
  const chosen = counted.filter((line) => selected(line, tokens));
  if (chosen.length > 0) return chosen;
  const open = counted.filter(({ form }) => form.selector < 0);
  // A fixed value that selects another form asks for that form's parameters; it may still be queried.
  const elsewhere = tokens.length > spec.queries && spec.lines.some((line) => selected(line, tokens));
  return open.length === 0 || elsewhere ? undefined : open;
}

function parseTokens(spec: CommandSpec<CommandName>, tokens: readonly Token[]): ParsedCommand {
  const command = spec.name;
  const lines = linesFor(spec, tokens);
  if (!lines) return { status: StatusCode.INCORRECT_NUM_PARAMS, command };
  for (const { form, params } of lines) {
    const args = argsOf(spec, params, tokens);
    if (!args) continue;
    const result = checkArgs(spec, args, { form: form.name, rawFollows: true, anyConfigValue: true });
    if (isProblem(result)) return { status: result.status, command };
    const request: Request = { kind: 'request', command, form: form.name, args, seq: 0 };
    const rawWrite = form.params.some(({ name, type }) => isRawType(type) && args[name] === undefined);
    if (rawWrite) return { request, raw: 'write' };
    return args.outputMode === OutputMode.BINARY ? { request, raw: 'read' } : { request };
  }
  return { status: StatusCode.INVALID_PARAMETER, command };
}

const isRawType = (type: ValueType): boolean => type.kind === 'bytes' && type.raw === true;

/** Undefined if a token cannot be what its parameter takes. */
function argsOf(
  spec: CommandSpec,
  params: readonly ParamSpec[],
  tokens: readonly Token[],
): Record<string, Scalar> | undefined {
  const args: Record<string, Scalar> = {};
  for (let i = 0; i < params.length; i++) {
    const { name, type } = params[i];
    const declared = type.kind === 'configValue' ? configParam(spec, args.id)?.type : type;
    const value = (declared && argument(declared, tokens[i])) ?? anyValue(type, tokens[i]);
    if (value === undefined) return undefined;
    args[name] = value;
  }
  return args;
}

function argument(type: ValueType, token: Token): Scalar | undefined {
  if (type.kind !== 'variant') return tokenValue(type, token);
  if (token.kind === 'int') return token.value;
  if (token.kind === 'frac') return undefined;
  const text = bytesOrText(type.types, token);
  const address = typeof text === 'string' && text.includes(':') ? parseIpv6(text) : undefined;
  return address ? formatIpv6(address) : text;
}

/** What a configuration parameter is not declared for, its keeper refuses (or not). */
function anyValue(type: ValueType, token: Token): Scalar | undefined {
  if (type.kind !== 'configValue') return undefined;
  return 'bytes' in token ? bytesOrText(['BYTE_ARRAY'], token) : plainValue(token);
}

/**
 * A host writes bytes in hex, and text that does not print. Hex of an address's length is an address; elsewhere it is
 * text only if it is UTF-8 beyond ASCII (quirk string-or-bytes).
 */
function bytesOrText(
  types: readonly WireTypeName[],
  { kind, bytes }: Token & { readonly bytes: Uint8Array },
): string | Uint8Array {
  const isBytes = types.includes('IPV4ADDR')
    ? bytes.length === 4 || bytes.length === 16
    : isAscii(bytes) || !isUtf8(bytes);
  return kind === 'hex' && isBytes && types.includes('BYTE_ARRAY')
    ? new Uint8Array(bytes)
    : decodeText(bytes);
}
