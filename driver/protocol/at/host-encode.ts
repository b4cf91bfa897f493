/** Requests as AT command lines, from the host's end. */
import type { CommandName } from '../catalogue/index.js';
import { OutputMode } from '../catalogue/socket.js';
import type { Request, Response, Typed } from '../messages.js';
import type { ParamSpec } from '../spec.js';
import { validateArgs } from '../validate.js';
import type { WireValue } from '../values.js';
import { isFractional, isTyped } from '../wiretype.js';
import { type AtFormat, defaultFormat } from './format.js';
import { formatFraction, formatHex, formatHostText, formatInteger } from './formatter.js';

/** A command ready to be sent. */
export interface AtCommand {
  readonly command: CommandName;
  /** Printable ASCII, without CR LF. */
  readonly line: string;
  /** Bytes to send once the module has answered `#`. */
  readonly payload?: Uint8Array;
  /** The module answers `#` and raw bytes: at most so many, less only if it has no more. */
  readonly rawRead?: number;
}

export interface AtEncodeOptions {
  readonly format?: AtFormat;
  /** A socket payload up to so many bytes goes into the line instead of following it raw; 0 by default. */
  readonly inlineUpTo?: number;
}

function formatTyped({ type, value }: Typed, format: AtFormat): string {
  if (type === 'BYTE_ARRAY') return formatHex(value as Uint8Array);
  if (typeof value === 'number') return formatInteger(value, format);
  return isFractional(value) ? formatFraction(value) : formatHostText(value as string);
}

function formatValue({ type }: ParamSpec, value: WireValue, format: AtFormat): string {
  if (typeof value === 'number') return formatInteger(value, format);
  if (typeof value === 'string') return formatHostText(value);
  if (value instanceof Uint8Array) {
    return type.kind === 'bytes' && type.text ? formatHostText(value) : formatHex(value);
  }
  return isTyped(value) ? formatTyped(value, format) : formatFraction(value);
}

/**
 * The line for a request, and what follows it.
 *
 * @throws WincError `WINC_UNKNOWN_COMMAND`, `WINC_ARGUMENT`
 */
export function encodeCommand(request: Request, options: AtEncodeOptions = {}): AtCommand {
  const { format = defaultFormat, inlineUpTo = 0 } = options;
  const { spec, form, values } = validateArgs(request.command, request.args, { form: request.form });
  const texts: string[] = [];
  let payload: Uint8Array | undefined;
  form.params.forEach((param, i) => {
    const value = values[i];
    if (value === undefined) return;
    if (value instanceof Uint8Array && isRaw(param, value, request, inlineUpTo)) payload = value;
    else texts.push(formatValue(param, value, format));
  });
  const line = texts.length > 0 ? `AT+${spec.name}=${texts.join(',')}` : `AT+${spec.name}`;
  const { outputMode, length } = request.args;
  return {
    command: spec.name,
    line,
    ...(payload && { payload }),
    ...(outputMode === OutputMode.BINARY && typeof length === 'number' && { rawRead: length }),
  };
}

/** Raw bytes have no place for a sequence number, and a length of 0 would mean "until +++" (AT reference, "Raw Binary"). */
function isRaw({ type }: ParamSpec, bytes: Uint8Array, { args }: Request, inlineUpTo: number): boolean {
  if (type.kind !== 'bytes' || !type.raw || args.seqNum !== undefined) return false;
  return bytes.length > inlineUpTo && bytes.length === args.length;
}

/** What a raw read brought, as the response it stands for. The bytes are not copied. */
export function rawReadResponse({ command, args }: Request, data: Uint8Array): Response {
  const elements = { sockId: args.sockId as number, length: data.length, data };
  return { kind: 'response', command, form: 'SOCKET_READ_RESPONSE', elements };
}
