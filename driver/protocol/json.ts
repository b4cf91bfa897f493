/**
 * Messages as JSON, the form of `wincs02 encode` and `decode`: requests with their arguments by name, messages of a
 * module with their elements in order.
 *
 * An argument is a number, a string (STRING), `{ hex }` (bytes), `{ int, frac }` (an `ID.INDEX` pair), or
 * `{ type, … }` where the wire allows several types: `value`, `hex` for BYTE_ARRAY, `int` and `frac` for
 * INTEGER_FRAC; an address may carry `mask` (IPV4ADDR) or `scope` (IPV6ADDR, the prefix length).
 */
import { formatIpv4, parseIpv4, parseIpv6 } from './address.js';
import { commandByName, eventByName } from './catalogue/index.js';
import { WincError } from './errors.js';
import {
  type Fractional,
  type ModuleMessage,
  type Request,
  type Scalar,
  type Typed,
  type Value,
  WireType,
  type WireTypeName,
} from './messages.js';
import type { ValueType } from './schema.js';
import type { ConfigSpec, ElementSpec } from './spec.js';
import { validateArgs } from './validate.js';
import type { WireValue } from './values.js';
import { configParam, isFractional, isTyped, plainWireType, wireTypeFor } from './wiretype.js';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

export interface JsonRequest extends JsonObject {
  command: string;
  commandId: string;
  /** The vendor's host function. */
  function: string;
  args: JsonObject;
  seq: number;
}

const hexId = (id: number): string => `0x${id.toString(16).padStart(4, '0')}`;
const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const bad = (message: string): WincError => new WincError('WINC_ARGUMENT', message);

function bytesOf(hex: JsonValue, where: string): Uint8Array {
  if (typeof hex !== 'string' || !/^(?:[0-9a-f]{2})*$/i.test(hex)) throw bad(`${where} is no hex string`);
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function fractionOf({ int, frac }: JsonObject, where: string): Fractional {
  if (typeof int !== 'number' || typeof frac !== 'number') throw bad(`${where} needs int and frac`);
  return { int, frac };
}

function typedFromJson(object: JsonObject, where: string): Typed {
  const { type, value, hex, mask, scope } = object;
  if (typeof type !== 'string' || !Object.hasOwn(WireType, type))
    throw bad(`${where} has no such type ${type}`);
  const name = type as WireTypeName;
  if (name === 'INTEGER_FRAC') return { type: name, value: fractionOf(object, where) };
  if (hex !== undefined) return { type: name, value: bytesOf(hex, where) };
  const suffix = mask ?? scope;
  if (suffix !== undefined) return { type: name, value: `${value}/${suffix}` };
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw bad(`${where} has no value`);
  }
  return { type: name, value };
}

function valueFromJson(value: JsonValue, where: string): Value {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  if (!isObject(value)) throw bad(`${where} is no value`);
  if ('type' in value) return typedFromJson(value, where);
  if ('hex' in value) return bytesOf(value.hex, where);
  return fractionOf(value, where);
}

/**
 * A request from its JSON form. Arguments are not checked against the catalogue: encoding does that.
 *
 * @throws WincError `WINC_ARGUMENT`, `WINC_UNKNOWN_COMMAND`
 */
export function requestFromJson(json: JsonValue): Request {
  if (!isObject(json)) throw bad('a request is an object');
  const { command, function: fn, args = {}, seq = 0 } = json;
  if (typeof command !== 'string') throw bad('a request needs a command');
  const spec = commandByName(command);
  if (!spec) throw new WincError('WINC_UNKNOWN_COMMAND', `the module has no command ${command}`);
  if (!isObject(args)) throw bad('args is an object');
  if (typeof seq !== 'number' || !Number.isInteger(seq) || seq < 0 || seq > 0xffff) {
    throw bad('seq must be an integer from 0 to 65535');
  }
  const values = Object.entries(args).map(([name, value]) => [name, valueFromJson(value, name)] as const);
  const form = typeof fn === 'string' ? formNamed(spec.forms, fn) : undefined;
  return {
    kind: 'request',
    command: spec.name,
    ...(form && { form }),
    args: Object.fromEntries(values),
    seq,
  };
}

function formNamed(forms: readonly { readonly name: string }[], fn: string): string {
  const form = forms.find(({ name }) => fn === name || fn === `WINC_Cmd${name}`);
  if (!form) throw bad(`no function ${fn}: ${forms.map(({ name }) => `WINC_Cmd${name}`).join(', ')}`);
  return form.name;
}

function addressToJson(type: WireTypeName, text: string): JsonObject {
  const slash = text.indexOf('/');
  if (slash < 0) return { type, value: text };
  const value = text.slice(0, slash);
  const bytes = type === 'IPV4ADDR' ? parseIpv4(text) : parseIpv6(text);
  if (!bytes) return { type, value: text };
  return type === 'IPV4ADDR'
    ? { type, value, mask: formatIpv4(bytes.subarray(4)) }
    : { type, value, scope: bytes[16] };
}

function typedToJson(type: WireTypeName, value: Scalar): JsonObject {
  if (value instanceof Uint8Array) return { type, hex: hexOf(value) };
  if (isFractional(value)) return { type, int: value.int, frac: value.frac };
  if (typeof value === 'string' && (type === 'IPV4ADDR' || type === 'IPV6ADDR'))
    return addressToJson(type, value);
  return { type, value };
}

function argToJson(value: WireValue): JsonValue {
  if (isTyped(value)) return typedToJson(value.type, value.value);
  if (value instanceof Uint8Array) return { hex: hexOf(value) };
  return isFractional(value) ? { int: value.int, frac: value.frac } : value;
}

/**
 * A request in its JSON form; variants and configuration values with the wire type they go out as.
 *
 * @throws WincError `WINC_ARGUMENT` if the arguments do not fit the command
 */
export function requestToJson(request: Request): JsonRequest {
  const { spec, form, values } = validateArgs(request.command, request.args, {
    form: request.form,
    rawFollows: true,
    anyConfigValue: true,
  });
  const args: JsonObject = {};
  form.params.forEach(({ name }, i) => {
    const value = values[i];
    if (value !== undefined) args[name] = argToJson(value);
  });
  return {
    command: spec.name,
    commandId: hexId(spec.id),
    function: `WINC_Cmd${form.name}`,
    args,
    seq: request.seq,
  };
}

/** An element as it was on the wire, where the wire says more than the value does. */
export interface WireElement {
  readonly type: WireTypeName;
  readonly value: Scalar;
  /** Bytes of an integer. */
  readonly length?: number;
}

function elementToJson(name: string, { type, value, length }: WireElement): JsonObject {
  return { name, ...typedToJson(type, value), ...(length !== undefined && { length }) };
}

function elementType(type: ValueType, value: Scalar, param: ConfigSpec | undefined): WireTypeName {
  const declared = type.kind === 'configValue' ? param?.type : type;
  return (declared && wireTypeFor(declared, value)) ?? plainWireType(value);
}

/** Elements with the types the catalogue declares, for a wire that does not tell (AT). */
function elementsToJson(
  specs: readonly ElementSpec[],
  elements: Readonly<Record<string, Scalar | readonly Scalar[] | undefined>>,
  config: Parameters<typeof configParam>[0]['config'],
): JsonObject[] {
  const list: JsonObject[] = [];
  let param: ConfigSpec | undefined;
  for (const { key, name, type } of specs) {
    const value = elements[name];
    if (value === undefined) continue;
    if (type.kind === 'configId') param = configParam({ config }, value as Scalar);
    const parts = param?.type.kind === 'complex' ? Object.entries(param.type.elements) : undefined;
    const values = Array.isArray(value) ? (value as readonly Scalar[]) : [value as Scalar];
    values.forEach((item, i) => {
      const part = type.kind === 'configValue' ? parts?.[i] : undefined;
      const declared = part ? part[1] : type.kind === 'list' ? type.of : type;
      list.push(
        elementToJson(part ? part[0] : key, { type: elementType(declared, item, param), value: item }),
      );
    });
  }
  return list;
}

/** A list names all its elements alike; what is beyond the form has its position for a name. */
function named(specs: readonly ElementSpec[], seen: readonly WireElement[]): JsonObject[] {
  const last = specs.at(-1);
  const rest = last?.type.kind === 'list' || last?.type.kind === 'configValue' ? last.key : undefined;
  return seen.map((element, i) => elementToJson(specs[i]?.key ?? rest ?? `#${i}`, element));
}

/**
 * A message of a module in its JSON form.
 *
 * @param seen the elements as they were on the wire; without them the declared types are stated
 */
export function messageToJson(message: ModuleMessage, seen?: readonly WireElement[]): JsonObject {
  switch (message.kind) {
    case 'status': {
      const id = message.command && commandByName(message.command)?.id;
      return {
        kind: 'status',
        ...(message.command && { name: message.command }),
        ...(id !== undefined && { commandId: hexId(id) }),
        seq: message.seq ?? 0,
        status: message.code < 0 ? null : hexId(message.code),
        ...(message.text !== undefined && { text: message.text }),
        ...(message.asynchronous && { asynchronous: true }),
      };
    }
    case 'response': {
      const spec = commandByName(message.command);
      const specs = spec?.response.get(message.form)?.elements ?? [];
      const id = hexId(spec?.id ?? 0);
      return {
        kind: 'response',
        name: message.command,
        commandId: id,
        rspId: id,
        seq: message.seq ?? 0,
        form: message.form,
        elements: seen ? named(specs, seen) : elementsToJson(specs, message.elements, spec?.config),
      };
    }
    case 'event': {
      const spec = eventByName(message.name);
      const specs = spec?.form.get(message.form)?.elements ?? [];
      const id = hexId(spec?.id ?? 0);
      const config = commandByName(message.name)?.config;
      return {
        kind: 'aec',
        name: message.name,
        commandId: id,
        rspId: id,
        seq: 0,
        form: message.form,
        elements: seen ? named(specs, seen) : elementsToJson(specs, message.elements, config),
      };
    }
    default:
      return { kind: 'noise', reason: message.reason, hex: hexOf(message.bytes) };
  }
}
