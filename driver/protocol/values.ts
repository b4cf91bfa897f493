/** Checks of single values against their declaration, shared by both ends. */
import { parseIpv4, parseIpv6, parseMac } from './address.js';
import type { Fractional, Scalar, Typed, Value } from './messages.js';
import type { IntType, ValueType } from './schema.js';
import type { ConfigSpec } from './spec.js';
import { decodeText, encodeText, textLength } from './text.js';
import { isFractional, isTyped, wireTypeFor } from './wiretype.js';

/** A value as the codecs take it: variants and configuration values carry their wire type. */
export type WireValue = number | string | Uint8Array | Fractional | Typed;
/** What is wrong with a value, for people; the caller names the parameter. */
export class Bad {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}
const bad = (reason: string): Bad => new Bad(reason);

const isInteger = (value: unknown, min: number, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;

function range(type: IntType): string {
  if (type.labels && !type.open) {
    const names = Object.entries(type.labels).map(([label, value]) => `${value} ${label}`);
    return type.bitmask ? `bits of ${names.join(', ')}` : `one of ${names.join(', ')}`;
  }
  return `an integer from ${type.min} to ${type.max}`;
}

function checkInt(type: IntType, value: Value): number | Bad {
  const fits =
    isInteger(value, type.min, type.max) &&
    (!type.labels || type.open || (type.bitmask ? (value & ~type.max) === 0 : type.named?.has(value)));
  return fits ? (value as number) : bad(`must be ${range(type)}`);
}

function checkText(value: Value, max = Number.POSITIVE_INFINITY): string | Bad {
  if (value instanceof Uint8Array) {
    return value.length > max ? bad(`must be at most ${max} bytes`) : decodeText(value);
  }
  if (typeof value !== 'string') return bad('must be a string');
  const length = textLength(value);
  if (length === undefined) return bad('holds half a surrogate pair');
  return length > max ? bad(`must be at most ${max} bytes`) : value;
}

function checkBytes(
  type: { readonly min?: number; readonly max?: number; readonly text?: boolean },
  value: Value,
): Uint8Array | Bad {
  let bytes = value;
  if (typeof value === 'string' && type.text) {
    const text = checkText(value);
    if (text instanceof Bad) return text;
    bytes = encodeText(text);
  }
  if (!(bytes instanceof Uint8Array)) {
    return bad(type.text ? 'must be a Uint8Array or a string' : 'must be a Uint8Array');
  }
  if (type.max !== undefined && bytes.length > type.max) return bad(`must be at most ${type.max} bytes`);
  if (type.min !== undefined && bytes.length < type.min) return bad(`must be at least ${type.min} bytes`);
  return bytes;
}

const isFraction = (value: unknown, min: number, max: number): value is Fractional =>
  isFractional(value) && isInteger(value.int, min, max) && isInteger(value.frac, 0, 0xffff);

/** A value whose type the caller states: only the type's own limits count. */
function checkTyped({ type, value }: Typed): Typed | Bad {
  switch (type) {
    case 'INTEGER':
      return isInteger(value, -0x8000_0000, 0x7fff_ffff) ? { type, value } : bad('must fit 32 bits, signed');
    case 'INTEGER_UNSIGNED':
    case 'UTC_TIME':
      return isInteger(value, 0, 0xffff_ffff) ? { type, value } : bad('must fit 32 bits, unsigned');
    case 'STATUS':
      return isInteger(value, 0, 0xffff) ? { type, value } : bad('must be a status code');
    case 'BOOL':
      if (typeof value === 'boolean') return { type, value: Number(value) };
      return isInteger(value, 0, 1) ? { type, value } : bad('must be true or false');
    case 'INTEGER_FRAC':
      return isFraction(value, -0x8000, 0x7fff) ? { type, value } : bad('must be { int, frac }');
    case 'STRING':
    case 'LABEL': {
      const text = checkText(value);
      return text instanceof Bad ? text : { type, value: text };
    }
    case 'BYTE_ARRAY':
      return value instanceof Uint8Array ? { type, value } : bad('must be a Uint8Array');
    case 'IPV4ADDR':
      return typeof value === 'string' && parseIpv4(value) ? { type, value } : bad('must be an IPv4 address');
    case 'IPV6ADDR':
      return typeof value === 'string' && parseIpv6(value) ? { type, value } : bad('must be an IPv6 address');
    case 'MACADDR':
      return typeof value === 'string' && parseMac(value) ? { type, value } : bad('must be a MAC address');
    default:
      return bad(`has the unknown type ${String(type)}`);
  }
}

const expected: Partial<Record<ValueType['kind'], string>> = {
  bool: 'must be true or false',
  frac: 'must be { int, frac }',
  status: 'must be a status code',
  time: 'must be seconds since 1970',
  mac: 'must be a MAC address such as 00:11:22:AA:BB:CC',
};

function checkVariant(type: ValueType & { readonly kind: 'variant' }, value: Scalar): Typed | Bad {
  const wire = wireTypeFor(type, value);
  if (!wire) return bad(`must be ${type.types.join(', ')}`);
  if (wire === 'STRING' && type.max !== undefined) {
    const text = checkText(value, type.max);
    if (text instanceof Bad) return text;
  }
  return checkTyped({ type: wire === 'INTEGER' && Number(value) >= 0 ? 'INTEGER_UNSIGNED' : wire, value });
}

/**
 * A plain value for a parameter or configuration parameter of this type; the answer is what a codec encodes.
 * Where several wire types are possible it is `Typed`.
 */
export function checkValue(type: ValueType, value: Value): WireValue | Bad {
  switch (type.kind) {
    case 'int':
      return checkInt(type, value);
    case 'string':
      return checkText(value, type.max);
    case 'bytes':
      return checkBytes(type, value);
    case 'configId':
      if (isInteger(value, 0, 0xff) || isFraction(value, 0, 0xff)) return value;
      return bad('must be a parameter id from 0 to 255, or { int, frac }');
    case 'variant':
      return isTyped(value) ? checkTyped(value) : checkVariant(type, value);
    case 'configValue':
      return checkTyped(isTyped(value) ? value : { type: wireTypeFor(type, value) ?? 'STRING', value });
    case 'list':
    case 'complex':
      return bad('cannot be set as a whole');
    default: {
      const scalar = value as Scalar;
      const wire = isTyped(value) ? undefined : wireTypeFor(type, scalar);
      const typed = wire ? checkTyped({ type: wire, value: scalar }) : undefined;
      return typed && !(typed instanceof Bad)
        ? (typed.value as WireValue)
        : bad(expected[type.kind] ?? 'has the wrong type');
    }
  }
}

/** A value for a known configuration parameter: type, range and whether it can be written at all. */
export function checkConfigValue(param: ConfigSpec, id: Value | undefined, value: Value): Typed | Bad {
  if (isTyped(value)) return checkTyped(value);
  if (param.readOnly) return bad(`cannot be set: ${param.name} is read only`);
  if (isFractional(id)) {
    const [first, last] = param.index ?? [0, -1];
    if (id.frac < first || id.frac > last) return bad(`has no index ${id.frac} in ${param.name}`);
  }
  const checked = checkValue(param.type, value);
  if (checked instanceof Bad) return bad(`${checked.reason} (${param.name})`);
  if (isTyped(checked)) return checked;
  const type = wireTypeFor(param.type, checked);
  return type ? { type, value: checked } : bad(`has the wrong type for ${param.name}`);
}
