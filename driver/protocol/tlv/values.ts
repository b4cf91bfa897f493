/** Single values ⇄ TLVs. */
import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6, parseMac } from '../address.js';
import { WincError } from '../errors.js';
import { type Fractional, type Scalar, type Typed, WireType } from '../messages.js';
import type { ValueType, VariantType } from '../schema.js';
import { decodeText, encodeText } from '../text.js';
import { isFractional } from '../wiretype.js';
import type { TlvList, TlvWriter } from './tlv.js';

/** Bytes of the integer-like types, by who writes them: the vendor's host sends all as four. */
export interface Widths {
  readonly bool: number;
  readonly status: number;
}
export const hostWidths: Widths = { bool: 4, status: 4 };
export const moduleWidths: Widths = { bool: 1, status: 2 };

const impossible = (type: string) => new WincError('WINC_ARGUMENT', `a value does not fit the type ${type}`);

function addressBytes(bytes: Uint8Array | undefined, type: string): Uint8Array {
  if (bytes === undefined) throw impossible(type);
  return bytes;
}

export const fractionBits = ({ int, frac }: Fractional): number => ((int << 16) | (frac & 0xffff)) >>> 0;

/**
 * A value whose type is stated.
 * @throws WincError `WINC_ARGUMENT` if the value is none of that type
 */
export function writeTyped(writer: TlvWriter, { type, value }: Typed, widths: Widths): void {
  const code = WireType[type];
  switch (type) {
    case 'STRING':
    case 'LABEL':
      writer.data(code, typeof value === 'string' ? encodeText(value) : (value as Uint8Array));
      break;
    case 'BYTE_ARRAY':
      writer.data(code, typeof value === 'string' ? encodeText(value) : (value as Uint8Array));
      break;
    case 'IPV4ADDR':
      writer.data(code, addressBytes(parseIpv4(String(value)), type));
      break;
    case 'IPV6ADDR':
      writer.data(code, addressBytes(parseIpv6(String(value)), type));
      break;
    case 'MACADDR':
      writer.data(code, addressBytes(parseMac(String(value)), type));
      break;
    case 'INTEGER_FRAC':
      writer.integer(code, isFractional(value) ? fractionBits(value) : Number(value), 4);
      break;
    case 'BOOL':
      writer.integer(code, Number(value), widths.bool);
      break;
    case 'STATUS':
      writer.integer(code, Number(value), widths.status);
      break;
    default:
      if (typeof value !== 'number') throw impossible(type);
      writer.integer(code, value, 4);
  }
}

/** The value of a TLV by its own type; undefined if the type is unknown or its length impossible. */
export function plainValue(list: TlvList, index: number): Scalar | undefined {
  const data = list.data(index);
  switch (list.type(index)) {
    case undefined:
      return undefined;
    case 'STRING':
    case 'LABEL':
      return decodeText(data);
    case 'BYTE_ARRAY':
      return new Uint8Array(data);
    case 'IPV4ADDR':
      return data.length === 4 || data.length === 8 ? formatIpv4(data) : undefined;
    case 'IPV6ADDR':
      return data.length === 16 || data.length === 17 ? formatIpv6(data) : undefined;
    case 'MACADDR':
      return data.length === 6 ? formatMac(data) : undefined;
    case 'INTEGER_FRAC': {
      const bits = list.integer(index);
      return bits === undefined ? undefined : { int: bits >> 16, frac: bits & 0xffff };
    }
    default:
      return list.integer(index);
  }
}

const isText = (list: TlvList, index: number): boolean => {
  const type = list.type(index);
  return type === 'STRING' || type === 'BYTE_ARRAY' || type === 'LABEL';
};

/** As the other wire answers it: RFC 5952 for IPv6, upper case for a MAC. */
function canonical(text: string, mac: boolean): string {
  const bytes = mac ? parseMac(text) : text.includes(':') ? parseIpv6(text) : undefined;
  if (bytes === undefined) return text;
  return mac ? formatMac(bytes) : formatIpv6(bytes);
}

function variantValue(type: VariantType<unknown, Scalar>, list: TlvList, index: number): Scalar | undefined {
  const isAddress = type.types.includes('IPV4ADDR') || type.types.includes('IPV6ADDR');
  const value = plainValue(list, index);
  if (!isAddress || value === undefined) return value;
  if (typeof value === 'string') return canonical(value, false);
  if (typeof value === 'number')
    return formatIpv4(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
  if (value instanceof Uint8Array) {
    return value.length === 4
      ? formatIpv4(value)
      : value.length === 16
        ? formatIpv6(value)
        : decodeText(value);
  }
  return undefined;
}

/** The value of a TLV where this type is expected; undefined if it can be none. Bytes are copied. */
export function tlvValue(type: ValueType, list: TlvList, index: number): Scalar | undefined {
  switch (type.kind) {
    case 'int':
    case 'bool':
    case 'time':
    case 'status':
      return list.integer(index);
    case 'frac':
      return list.type(index) === 'INTEGER_FRAC' ? plainValue(list, index) : list.integer(index);
    case 'configId': {
      const bits = list.integer(index);
      if (bits === undefined) return undefined;
      // An id 1.n comes as INTEGER_UNSIGNED (quirk config-id-1).
      return list.type(index) === 'INTEGER_FRAC' || bits > 0xffff
        ? { int: bits >> 16, frac: bits & 0xffff }
        : bits;
    }
    case 'string':
      return isText(list, index) ? decodeText(list.data(index)) : undefined;
    case 'bytes':
      if (isText(list, index)) return new Uint8Array(list.data(index));
      return type.orInteger ? list.integer(index) : undefined;
    case 'mac':
      if (isText(list, index)) return canonical(decodeText(list.data(index)), true);
      return list.type(index) === 'MACADDR' ? plainValue(list, index) : undefined;
    case 'variant':
      return variantValue(type, list, index);
    case 'list':
      return tlvValue(type.of, list, index);
    default:
      return plainValue(list, index);
  }
}
