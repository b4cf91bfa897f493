/**
 * How a plain JavaScript value is typed on the wire where the protocol allows several types:
 *
 * - `{ type, value }` is sent as told, whatever the parameter's declaration;
 * - for an address parameter (or a configuration parameter declared as one) a string that is an IPv4 or IPv6 address
 *   (for a parameter with mask or prefix length, too) becomes IPV4ADDR or IPV6ADDR, any other string STRING;
 * - for a parameter of several types a number is INTEGER_UNSIGNED, or INTEGER if negative: so the vendor's compiler of
 *   AT lines has it;
 * - for `val` of a configuration command the declared type of that parameter decides;
 * - elsewhere, and for ids the catalogue does not know: string STRING, Uint8Array BYTE_ARRAY, boolean BOOL,
 *   `{ int, frac }` INTEGER_FRAC, a number INTEGER, or INTEGER_UNSIGNED above 2^31 - 1.
 *
 * On the AT wire only the lexical form remains: integers bare, everything textual (addresses, too) quoted.
 */
import { isIpv4, isIpv6, parseIpv4, parseIpv6, parseMac } from './address.js';
import type { Fractional, Scalar, Typed, Value, WireTypeName } from './messages.js';
import type { ValueType, VariantType } from './schema.js';
import type { CommandSpec, ConfigSpec } from './spec.js';

export const isTyped = (value: unknown): value is Typed =>
  typeof value === 'object' && value !== null && 'type' in value && 'value' in value;
export const isFractional = (value: unknown): value is Fractional =>
  typeof value === 'object' && value !== null && 'int' in value && 'frac' in value;

/** The type a value has by itself. */
export function plainWireType(value: Scalar): WireTypeName {
  switch (typeof value) {
    case 'string':
      return 'STRING';
    case 'boolean':
      return 'BOOL';
    case 'number':
      return value > 0x7fff_ffff ? 'INTEGER_UNSIGNED' : 'INTEGER';
    default:
      return value instanceof Uint8Array ? 'BYTE_ARRAY' : 'INTEGER_FRAC';
  }
}

function variantWireType(type: VariantType<unknown, Scalar>, value: Scalar): WireTypeName | undefined {
  const { types } = type;
  if (typeof value === 'string') {
    const suffixed = type.suffix !== undefined || types.includes('BYTE_ARRAY');
    if (types.includes('IPV4ADDR') && (suffixed ? parseIpv4(value) : isIpv4(value))) return 'IPV4ADDR';
    if (types.includes('IPV6ADDR') && (suffixed ? parseIpv6(value) : isIpv6(value))) return 'IPV6ADDR';
  }
  const plain = plainWireType(value);
  if (plain === 'INTEGER' || plain === 'INTEGER_UNSIGNED') {
    if (types.includes('INTEGER')) return plain;
    return types.includes('INTEGER_UNSIGNED') ? 'INTEGER_UNSIGNED' : undefined;
  }
  return types.includes(plain) ? plain : undefined;
}

/** The wire type of a plain value for a declared type; undefined if the declaration does not take such a value. */
export function wireTypeFor(type: ValueType, value: Scalar): WireTypeName | undefined {
  const is = typeof value;
  switch (type.kind) {
    case 'int':
      return is === 'number' ? type.wire : undefined;
    case 'bool':
      return is === 'boolean' || value === 0 || value === 1 ? 'BOOL' : undefined;
    case 'frac':
      return isFractional(value) ? 'INTEGER_FRAC' : undefined;
    case 'string':
      return is === 'string' ? 'STRING' : undefined;
    case 'bytes':
      return value instanceof Uint8Array || (type.text && is === 'string') ? 'BYTE_ARRAY' : undefined;
    case 'status':
      return is === 'number' ? 'STATUS' : undefined;
    case 'time':
      return is === 'number' ? 'UTC_TIME' : undefined;
    case 'mac':
      return is === 'string' && parseMac(value as string) ? 'MACADDR' : undefined;
    case 'variant':
      return variantWireType(type, value);
    case 'configId':
      return is === 'number' ? 'INTEGER_UNSIGNED' : isFractional(value) ? 'INTEGER_FRAC' : undefined;
    default:
      return plainWireType(value);
  }
}

/** The configuration parameter a `val` belongs to, if the catalogue knows it. */
export function configParam(
  spec: Pick<CommandSpec, 'config'>,
  id: Value | undefined,
): ConfigSpec | undefined {
  if (!spec.config) return undefined;
  if (typeof id === 'number') return spec.config.get(id);
  return isFractional(id) ? spec.config.get(id.int) : undefined;
}
