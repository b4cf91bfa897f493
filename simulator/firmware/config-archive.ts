/**
 * Configuration files, in the format of the vendor's configuration compiler: a header with the time, then records of
 * command id and elements, each with its wire type. A record holds the parameters of one write: instance, id, value.
 */
import { formatIpv4, formatIpv6, formatMac } from '../../driver/protocol/address.js';
import { type ConfigCommandName, commandById, commands } from '../../driver/protocol/catalogue/index.js';
import { type Fractional, type Scalar, WireType } from '../../driver/protocol/messages.js';
import { decodeText, encodeText } from '../../driver/protocol/text.js';
import { isFractional } from '../../driver/protocol/wiretype.js';
import { instanceParam, isConfigCommand } from './config-command.js';
import type { ConfigGroup, ConfigItem } from './configuration.js';

/** Signature 0, length of the header, padding, seconds since 1970: all little endian. */
const HEADER = 8;
/** Command id and length, little endian; number of elements; padding. */
const RECORD_HEADER = 6;
/** Type, flags, length in bytes, big endian as the value is. */
const ELEMENT_HEADER = 4;

export interface Archive {
  /** Seconds since 1970. */
  readonly time: number;
  readonly groups: readonly ConfigGroup[];
}

type Encoded = { readonly type: number; readonly bytes: Uint8Array };

function word(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function encodeValue(value: Scalar): Encoded {
  if (typeof value === 'number') {
    return { type: value < 0 ? WireType.INTEGER : WireType.INTEGER_UNSIGNED, bytes: word(value) };
  }
  if (typeof value === 'boolean') return { type: WireType.BOOL, bytes: Uint8Array.of(Number(value)) };
  if (typeof value === 'string') return { type: WireType.STRING, bytes: encodeText(value) };
  if (value instanceof Uint8Array) return { type: WireType.BYTE_ARRAY, bytes: value };
  const { int, frac } = value;
  return { type: WireType.INTEGER_FRAC, bytes: Uint8Array.of(int >>> 8, int, frac >>> 8, frac) };
}

function encodeItem(command: ConfigCommandName, { instance, id, value }: ConfigItem): Uint8Array {
  const elements = [...(instance === undefined ? [] : [instance]), id, value].map(encodeValue);
  const length = elements.reduce((sum, { bytes }) => sum + ELEMENT_HEADER + bytes.length, 0);
  const record = new Uint8Array(RECORD_HEADER + length);
  const view = new DataView(record.buffer);
  view.setUint16(0, commands[command].id, true);
  view.setUint16(2, length, true);
  view.setUint8(4, elements.length);
  let at = RECORD_HEADER;
  for (const { type, bytes } of elements) {
    view.setUint8(at, type);
    view.setUint16(at + 2, bytes.length);
    record.set(bytes, at + ELEMENT_HEADER);
    at += ELEMENT_HEADER + bytes.length;
  }
  return record;
}

/** Bytes its items take in a file. */
export const groupLength = ({ command, items }: ConfigGroup): number =>
  items.reduce((sum, item) => sum + encodeItem(command, item).length, 0);

export function encodeArchive({ time, groups }: Archive): Uint8Array {
  const header = new Uint8Array(HEADER);
  const view = new DataView(header.buffer);
  view.setUint8(1, HEADER);
  view.setUint32(4, time, true);
  const records = groups.flatMap(({ command, items }) => items.map((item) => encodeItem(command, item)));
  return Buffer.concat([header, ...records]);
}

function integer(bytes: Uint8Array, signed: boolean): number {
  let value = signed && bytes[0] >= 0x80 ? -1 : 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

/** An address may have a prefix length or, for IPv4, a mask behind it. */
function addressText(bytes: Uint8Array, size: 4 | 16): string {
  const address = bytes.subarray(0, size);
  const text = size === 4 ? formatIpv4(address) : formatIpv6(address);
  if (bytes.length === size + 1) return `${text}/${bytes[size]}`;
  return bytes.length === 2 * size ? `${text}/${formatIpv4(bytes.subarray(size))}` : text;
}

function decodeValue(type: number, bytes: Uint8Array): Scalar | undefined {
  const { length } = bytes;
  switch (type) {
    case WireType.INTEGER:
      return length <= 4 ? integer(bytes, true) : undefined;
    case WireType.INTEGER_UNSIGNED:
      return length <= 4 ? integer(bytes, false) : undefined;
    case WireType.UTC_TIME:
      return length <= 6 ? integer(bytes, false) : undefined;
    case WireType.INTEGER_FRAC:
      if (length !== 4) return undefined;
      return { int: (bytes[0] << 8) | bytes[1], frac: (bytes[2] << 8) | bytes[3] };
    case WireType.STRING:
      return decodeText(bytes);
    case WireType.BYTE_ARRAY:
      return Uint8Array.from(bytes);
    case WireType.BOOL:
      return length === 1 ? bytes[0] : undefined;
    case WireType.IPV4ADDR:
      return length >= 4 && length <= 8 ? addressText(bytes, 4) : undefined;
    case WireType.IPV6ADDR:
      return length === 16 || length === 17 ? addressText(bytes, 16) : undefined;
    case WireType.MACADDR:
      return length === 6 ? formatMac(bytes) : undefined;
    default:
      return undefined;
  }
}

function decodeElements(bytes: Uint8Array, count: number): Scalar[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values: Scalar[] = [];
  let at = 0;
  while (values.length < count) {
    if (at + ELEMENT_HEADER > bytes.length) return undefined;
    const end = at + ELEMENT_HEADER + view.getUint16(at + 2);
    if (end > bytes.length) return undefined;
    const value = decodeValue(bytes[at], bytes.subarray(at + ELEMENT_HEADER, end));
    if (value === undefined) return undefined;
    values.push(value);
    at = end;
  }
  return at === bytes.length ? values : undefined;
}

const isId = (value: Scalar | undefined): value is number | Fractional =>
  typeof value === 'number' || (value !== undefined && isFractional(value));

function itemOf(command: ConfigCommandName, values: readonly Scalar[]): ConfigItem | undefined {
  const [id, value] = values.slice(-2);
  const [instance] = instanceParam(command) === undefined ? [] : values;
  const count = instanceParam(command) === undefined ? 2 : 3;
  if (values.length !== count || !isId(id)) return undefined;
  if (instance === undefined) return { id, value };
  return typeof instance === 'number' ? { instance, id, value } : undefined;
}

/** Undefined if it is no such file. Records of commands that configure nothing are passed over. */
export function decodeArchive(file: Uint8Array): Archive | undefined {
  if (file.length < HEADER || file[0] !== 0 || file[1] !== HEADER) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const groups = new Map<ConfigCommandName, ConfigItem[]>();
  for (let at = HEADER; at < file.length; ) {
    if (at + RECORD_HEADER > file.length) return undefined;
    const end = at + RECORD_HEADER + view.getUint16(at + 2, true);
    if (end > file.length) return undefined;
    const values = decodeElements(file.subarray(at + RECORD_HEADER, end), file[at + 4]);
    if (values === undefined) return undefined;
    const command = commandById(view.getUint16(at, true))?.name;
    const item = command !== undefined && isConfigCommand(command) && itemOf(command, values);
    if (item) groups.set(command, [...(groups.get(command) ?? []), item]);
    at = end;
  }
  return {
    time: view.getUint32(4, true),
    groups: [...groups].map(([command, items]) => ({ command, items })),
  };
}
