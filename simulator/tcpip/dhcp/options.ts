/**
 * DHCP options (RFC 2132 and those that extend it) as data: name, code, form. What the table does not know, or what
 * does not have its form, is kept as bytes under its code.
 */
import { formatAddress, parseAddress, v4Address } from '../core/address.js';
import { StackError } from '../errors.js';

export interface Route {
  /** `10.1.0.0` */
  readonly network: string;
  /** 0..32 */
  readonly prefix: number;
  readonly gateway: string;
}

interface Forms {
  address: string;
  addresses: readonly string[];
  u8: number;
  u16: number;
  u32: number;
  text: string;
  domains: readonly string[];
  routes: readonly Route[];
  empty: true;
  bytes: Uint8Array;
}

/** In the order in which they are written. */
const table = {
  messageType: [53, 'u8'],
  serverId: [54, 'address'],
  requestedAddress: [50, 'address'],
  leaseSeconds: [51, 'u32'],
  renewSeconds: [58, 'u32'],
  rebindSeconds: [59, 'u32'],
  subnetMask: [1, 'address'],
  routers: [3, 'addresses'],
  nameServers: [6, 'addresses'],
  hostname: [12, 'text'],
  domain: [15, 'text'],
  mtu: [26, 'u16'],
  broadcast: [28, 'address'],
  timeServers: [4, 'addresses'],
  ntpServers: [42, 'addresses'],
  logServers: [7, 'addresses'],
  message: [56, 'text'],
  maximumSize: [57, 'u16'],
  parameterRequests: [55, 'bytes'],
  vendorClass: [60, 'text'],
  clientId: [61, 'bytes'],
  vendorSpecific: [43, 'bytes'],
  tftpServer: [66, 'text'],
  bootFile: [67, 'text'],
  userClass: [77, 'bytes'],
  /** RFC 4039 */
  rapidCommit: [80, 'empty'],
  /** RFC 4702 */
  fqdn: [81, 'bytes'],
  /** RFC 3396, RFC 3397 */
  searchDomains: [119, 'domains'],
  /** RFC 3442 */
  classlessRoutes: [121, 'routes'],
  /** RFC 8910 */
  captivePortal: [114, 'text'],
  /** RFC 3046; a server sends it back as the last one. */
  relayAgent: [82, 'bytes'],
} as const satisfies Readonly<Record<string, readonly [number, keyof Forms]>>;

type OptionName = keyof typeof table;

export type DhcpOptions = {
  readonly [Name in OptionName]?: Forms[(typeof table)[Name][1]];
} & { readonly other?: ReadonlyMap<number, Uint8Array> };

export const optionCode = (name: OptionName): number => table[name][0];

const byCode = new Map<number, OptionName>(
  (Object.keys(table) as OptionName[]).map((name) => [table[name][0], name]),
);

const pad = 0;
const end = 255;
export const overloadCode = 52;

/** Adds the options in `bytes` to `into`; pieces of one option are put together (RFC 3396). `false`: cut off. */
export function gatherOptions(bytes: Uint8Array, into: Map<number, Uint8Array>): boolean {
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at++];
    if (code === pad) continue;
    if (code === end) return true;
    const length = bytes[at++];
    if (length === undefined || at + length > bytes.length) return false;
    const piece = bytes.subarray(at, at + length);
    const before = into.get(code);
    into.set(code, before === undefined ? piece.slice() : Uint8Array.from([...before, ...piece]));
    at += length;
  }
  return true;
}

export function decodeOptions(raw: ReadonlyMap<number, Uint8Array>): DhcpOptions {
  const result: Record<string, unknown> = {};
  const other = new Map<number, Uint8Array>();
  for (const [code, bytes] of raw) {
    const name = byCode.get(code);
    const value = name === undefined ? undefined : decoders[table[name][1]](bytes);
    if (name === undefined || value === undefined) other.set(code, bytes);
    else result[name] = value;
  }
  if (other.size > 0) result.other = other;
  return result as DhcpOptions;
}

/** @throws StackError `EINVAL` for a value that has no such form */
export function encodeOptions(options: DhcpOptions): Uint8Array {
  const out: number[] = [];
  const put = (code: number, bytes: Uint8Array): void => {
    for (let at = 0; at === 0 || at < bytes.length; at += 255) {
      const piece = bytes.subarray(at, at + 255);
      out.push(code, piece.length, ...piece);
    }
  };
  for (const name of Object.keys(table) as OptionName[]) {
    if (name === 'relayAgent') {
      for (const [code, bytes] of options.other ?? []) put(code, bytes);
    }
    const value = options[name];
    if (value !== undefined) put(table[name][0], encodeValue(name, value));
  }
  out.push(end);
  return Uint8Array.from(out);
}

const encodeValue = <Name extends OptionName>(
  name: Name,
  value: NonNullable<DhcpOptions[Name]>,
): Uint8Array => {
  const encode = encoders[table[name][1]] as (value: unknown) => Uint8Array | undefined;
  const bytes = encode(value);
  if (bytes === undefined) throw new StackError('EINVAL', `DHCP option ${name} cannot be ${String(value)}`);
  return bytes;
};

const utf8 = new TextDecoder('utf-8', { fatal: true });
const toUtf8 = new TextEncoder();

const readU32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;

export const readAddress = (bytes: Uint8Array, at: number): string =>
  formatAddress(v4Address(readU32(bytes, at)));

export function addressBytes(text: string): Uint8Array | undefined {
  const address = parseAddress(text);
  if (address === undefined || !address.isV4) return undefined;
  const bytes = new Uint8Array(4);
  address.writeV4(bytes, 0);
  return bytes;
}

/** All of `parts`, one after the other; `undefined` if one is. */
function joined(parts: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const part of parts) {
    if (part === undefined) return undefined;
    bytes.push(...part);
  }
  return Uint8Array.from(bytes);
}

const decoders: { readonly [Form in keyof Forms]: (bytes: Uint8Array) => Forms[Form] | undefined } = {
  address: (bytes) => (bytes.length === 4 ? readAddress(bytes, 0) : undefined),
  addresses: (bytes) =>
    bytes.length === 0 || bytes.length % 4 !== 0
      ? undefined
      : Array.from({ length: bytes.length / 4 }, (_, i) => readAddress(bytes, 4 * i)),
  u8: (bytes) => (bytes.length === 1 ? bytes[0] : undefined),
  u16: (bytes) => (bytes.length === 2 ? (bytes[0] << 8) | bytes[1] : undefined),
  u32: (bytes) => (bytes.length === 4 ? readU32(bytes, 0) : undefined),
  text: (bytes) => {
    let length = bytes.length;
    // RFC 2132 2: some senders end a text with NUL.
    while (length > 0 && bytes[length - 1] === 0) length--;
    try {
      return utf8.decode(bytes.subarray(0, length));
    } catch {
      return undefined;
    }
  },
  domains: decodeDomains,
  routes: decodeRoutes,
  empty: (bytes) => (bytes.length === 0 ? true : undefined),
  bytes: (bytes) => bytes,
};

const unsigned =
  (size: number) =>
  (value: number): Uint8Array | undefined => {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) return undefined;
    return Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * (size - 1 - i))));
  };

const encoders: { readonly [Form in keyof Forms]: (value: Forms[Form]) => Uint8Array | undefined } = {
  address: addressBytes,
  addresses: (list) => (list.length === 0 ? undefined : joined(list.map(addressBytes))),
  u8: unsigned(1),
  u16: unsigned(2),
  u32: unsigned(4),
  text: (text) => toUtf8.encode(text),
  domains: encodeDomains,
  routes: (routes) =>
    joined(
      routes.map(({ network, prefix, gateway }) => {
        if (!Number.isInteger(prefix) || prefix < 0 || prefix > 32) return undefined;
        const significant = addressBytes(network)?.subarray(0, Math.ceil(prefix / 8));
        return joined([Uint8Array.of(prefix), significant, addressBytes(gateway)]);
      }),
    ),
  empty: () => new Uint8Array(0),
  bytes: (bytes) => bytes,
};

function decodeRoutes(bytes: Uint8Array): Route[] | undefined {
  const routes: Route[] = [];
  for (let at = 0; at < bytes.length; ) {
    const prefix = bytes[at++];
    const size = Math.ceil(prefix / 8);
    if (prefix > 32 || at + size + 4 > bytes.length) return undefined;
    const network = new Uint8Array(4);
    network.set(bytes.subarray(at, at + size));
    routes.push({ network: readAddress(network, 0), prefix, gateway: readAddress(bytes, at + size) });
    at += size + 4;
  }
  return routes.length === 0 ? undefined : routes;
}

/** A list of names as RFC 1035 4.1.4 compresses them within the option; pointers only backwards, so that it ends. */
export function decodeDomains(bytes: Uint8Array): string[] | undefined {
  const names: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const labels: string[] = [];
    let here = at;
    let next: number | undefined;
    for (let length = 0; ; ) {
      const size = bytes[here];
      if (size === undefined) return undefined;
      if (size === 0) {
        here++;
        break;
      }
      if (size >= 0xc0) {
        const target = ((size & 0x3f) << 8) | bytes[here + 1];
        if (!(target < here)) return undefined;
        next ??= here + 2;
        here = target;
      } else {
        length += size + 1;
        if (size > 63 || length > 254 || here + 1 + size > bytes.length) return undefined;
        labels.push(Buffer.from(bytes.subarray(here + 1, here + 1 + size)).toString('latin1'));
        here += 1 + size;
      }
    }
    names.push(labels.join('.'));
    at = next ?? here;
  }
  return names.length === 0 ? undefined : names;
}

/** Without compression, which every reader understands. */
export function encodeDomains(names: readonly string[]): Uint8Array | undefined {
  if (names.length === 0) return undefined;
  return joined(
    names.map((name) => {
      const labels = name.replace(/\.$/, '').split('.');
      if (name.length > 253 || labels.some((label) => !/^[\x21-\xff]{1,63}$/.test(label))) return undefined;
      return joined([
        ...labels.map((label) => Uint8Array.from([label.length, ...Buffer.from(label, 'latin1')])),
        Uint8Array.of(0),
      ]);
    }),
  );
}
