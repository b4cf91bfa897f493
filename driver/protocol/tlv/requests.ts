/** Requests ⇄ bytes. */
import { type CommandName, commandById, commandByName } from '../catalogue/index.js';
import { StatusCode } from '../catalogue/statuses.js';
import { WincError } from '../errors.js';
import { type Request, type Value, type Values, WireType } from '../messages.js';
import type { AtLine, CommandSpec, ParamSpec } from '../spec.js';
import { encodeText } from '../text.js';
import { checkArgs, isProblem, validateArgs } from '../validate.js';
import type { WireValue } from '../values.js';
import { configParam, isFractional, isTyped } from '../wiretype.js';
import { MessageKind, REQUEST_HEADER, type TlvList, TlvWriter } from './tlv.js';
import { fractionBits, hostWidths, plainValue, tlvValue, writeTyped } from './values.js';

/** Where the vendor's encoder and its references differ. */
export interface RequestQuirks {
  /** A configuration id 0.n or 1.n goes out as INTEGER_UNSIGNED (quirk `config-id-1`). */
  readonly configIdOne: boolean;
  /** What follows a left-out optional argument is not sent, without an error (quirk `gap`). */
  readonly dropAfterGap: boolean;
}
/** As the references have it. */
export const strictQuirks: RequestQuirks = { configIdOne: false, dropAfterGap: false };
/** As the vendor's encoder does it. */
export const vendorQuirks: RequestQuirks = { configIdOne: true, dropAfterGap: true };
/** What this driver sends: the bytes modules know, and no argument lost silently. */
export const hostQuirks: RequestQuirks = { configIdOne: true, dropAfterGap: false };

/** Without the optional arguments behind the first one left out. */
function beforeGap(request: Request, spec: CommandSpec | undefined): Values {
  const form = spec?.forms.find(({ name }) => name === request.form) ?? spec?.forms[0];
  const args: Record<string, Value | undefined> = { ...request.args };
  let gap = false;
  for (const { name, optional } of form?.params ?? []) {
    if (!optional) continue;
    if (args[name] === undefined) gap = true;
    else if (gap) delete args[name];
  }
  return args;
}

/**
 * The bytes of a request, a whole number of 32-bit words. With a `writer` they are valid until its next use.
 * @throws WincError `WINC_UNKNOWN_COMMAND`, `WINC_ARGUMENT` naming the parameter
 */
export function encodeRequest(
  request: Request,
  quirks: RequestQuirks = hostQuirks,
  writer: TlvWriter = new TlvWriter(),
): Uint8Array {
  const { command, form: wanted, seq } = request;
  const options = wanted === undefined ? {} : { form: wanted };
  const args = quirks.dropAfterGap ? beforeGap(request, commandByName(command)) : request.args;
  const { spec, form, values } = validateArgs(command, args, options);
  if (spec.atOnly) throw new WincError('WINC_UNKNOWN_COMMAND', `${command} exists on the AT wire only`);
  writer.begin().u8(MessageKind.REQUEST).u16(spec.id).u16(seq).u8(0).u16(0);
  for (const [at, param] of form.params.entries()) {
    const value = values[at];
    if (value !== undefined) writeParam(writer, param, value, quirks);
  }
  writer.setU8(5, writer.count);
  writer.setU16(6, writer.length - REQUEST_HEADER);
  return writer.bytes;
}

function writeParam(writer: TlvWriter, { type }: ParamSpec, value: WireValue, quirks: RequestQuirks): void {
  if (isTyped(value)) writeTyped(writer, value, hostWidths);
  else if (isFractional(value)) {
    const asInteger = type.kind === 'configId' && quirks.configIdOne && value.int <= 1;
    const wire = asInteger ? WireType.INTEGER_UNSIGNED : WireType.INTEGER_FRAC;
    writer.integer(wire, fractionBits(value), 4);
  } else if (type.kind === 'int') writer.integer(WireType[type.wire], value as number, type.width);
  else if (typeof value === 'number') writer.integer(integerCode(type.kind), value, 4);
  else if (typeof value === 'string') {
    if (type.kind === 'mac') writeTyped(writer, { type: 'MACADDR', value }, hostWidths);
    else writer.data(WireType.STRING, encodeText(value));
  } else writer.data(type.kind === 'string' ? WireType.STRING : WireType.BYTE_ARRAY, value);
}

function integerCode(kind: string): number {
  switch (kind) {
    case 'bool':
      return WireType.BOOL;
    case 'time':
      return WireType.UTC_TIME;
    case 'status':
      return WireType.STATUS;
    default:
      return WireType.INTEGER_UNSIGNED;
  }
}

/** A request as a module finds it, or what it has to answer. */
export type DecodedRequest =
  | { readonly request: Request }
  | {
      /** 0.2 for bytes that are no request, 0.3 unknown, 0.4 wrong value, 0.5 wrong number of parameters. */
      readonly status: number;
      readonly id: number;
      readonly seq: number;
      readonly command?: CommandName;
    };

export interface DecodeRequestOptions {
  /** Keep the wire type of variants and configuration values (`{ type, value }`). */
  readonly typed?: boolean;
}

/** @returns undefined for bytes too short to be answered */
export function decodeRequest(
  bytes: Uint8Array,
  list: TlvList,
  options: DecodeRequestOptions = {},
): DecodedRequest | undefined {
  if (bytes.length < REQUEST_HEADER || bytes[0] !== MessageKind.REQUEST) return undefined;
  const id = (bytes[1] << 8) | bytes[2];
  const seq = (bytes[3] << 8) | bytes[4];
  const spec = commandById(id);
  if (spec === undefined || spec.atOnly) return { status: StatusCode.UNKNOWN_CMD, id, seq };
  const refuse = (status: number): DecodedRequest => ({ status, id, seq, command: spec.name });
  const end = REQUEST_HEADER + ((bytes[6] << 8) | bytes[7]);
  if (end > bytes.length || !list.parse(bytes, REQUEST_HEADER, end, bytes[5], true)) {
    return refuse(StatusCode.INVALID_CMD);
  }
  const lines = linesFor(spec, list);
  if (lines === undefined) return refuse(StatusCode.INCORRECT_NUM_PARAMS);
  let status: number = StatusCode.INVALID_PARAMETER;
  for (const { form, params } of lines) {
    const args = argsOf(params, list);
    if (args === undefined) continue;
    const result = checkArgs(spec, args, { form: form.name });
    if (isProblem(result)) status = result.status;
    else {
      const plain = options.typed ? args : untyped(spec, params, args, list);
      if (plain === undefined) continue;
      return { request: { kind: 'request', command: spec.name, form: form.name, args: plain, seq } };
    }
  }
  return refuse(status);
}

/** Which of a command's forms these parameters can be: by number, then by the values that select a form. */
function linesFor(spec: CommandSpec, list: TlvList): readonly AtLine[] | undefined {
  const chosen: AtLine[] = [];
  const open: AtLine[] = [];
  for (const line of spec.lines) {
    if (line.params.length !== list.count) continue;
    const selector = line.params[line.form.selector];
    if (selector === undefined) open.push(line);
    else if (selector.only?.includes(list.integer(line.form.selector) ?? -1)) chosen.push(line);
  }
  const lines = chosen.length > 0 ? chosen : open;
  return lines.length > 0 ? lines : undefined;
}

/** With types, so that a configuration value is checked by the firmware, which knows more, and not here. */
function argsOf(params: readonly ParamSpec[], list: TlvList): Record<string, Value> | undefined {
  const args: Record<string, Value> = {};
  for (const [at, { name, type }] of params.entries()) {
    if (type.kind === 'variant' || type.kind === 'configValue') {
      const wire = list.type(at);
      const value = plainValue(list, at);
      if (wire === undefined || value === undefined) return undefined;
      if (type.kind === 'variant' && !takes(type.types, wire)) return undefined;
      args[name] = { type: wire, value };
      continue;
    }
    const value = tlvValue(type, list, at);
    if (value === undefined) return undefined;
    args[name] = value;
  }
  return args;
}

/** A variant that takes one kind of integer takes all, and STRING and BYTE_ARRAY stand for each other. */
function takes(types: readonly string[], wire: string): boolean {
  if (types.length === 0 || types.includes(wire)) return true;
  const isText = (name: string) => name === 'STRING' || name === 'BYTE_ARRAY';
  if (isText(wire)) return types.some(isText);
  return wire !== 'LABEL' && !wire.endsWith('ADDR') && types.some((name) => name.startsWith('INTEGER'));
}

/** The same with plain values, as the AT wire has them; undefined if a configuration value is of another type. */
function untyped(
  spec: CommandSpec,
  params: readonly ParamSpec[],
  args: Record<string, Value>,
  list: TlvList,
): Record<string, Value> | undefined {
  for (const [at, { name, type }] of params.entries()) {
    const value = args[name];
    if (!isTyped(value)) continue;
    const declared = type.kind === 'configValue' ? configParam(spec, args.id)?.type : undefined;
    const plain = declared === undefined ? value.value : tlvValue(declared, list, at);
    if (plain === undefined) return undefined;
    args[name] = plain;
  }
  return args;
}
