import { StackError } from '../errors.js';
import {
  addressBytes,
  type DhcpOptions,
  decodeOptions,
  encodeOptions,
  gatherOptions,
  overloadCode,
  readAddress,
} from './options.js';

/** RFC 2132 9.6 */
export const messageType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;

export const serverPort = 67;
export const clientPort = 68;

/** A DHCPv4 message, RFC 2131 2. Addresses are text; `0.0.0.0` means none. */
export interface DhcpMessage {
  readonly op: 'request' | 'reply';
  /** 1: Ethernet */
  readonly hardwareType: number;
  /** At most 16 bytes. */
  readonly hardwareAddress: Uint8Array;
  readonly hops: number;
  readonly transaction: number;
  readonly seconds: number;
  readonly broadcast: boolean;
  /** ciaddr: the client has and uses it. */
  readonly clientAddress: string;
  /** yiaddr */
  readonly yourAddress: string;
  /** siaddr */
  readonly nextServer: string;
  /** giaddr */
  readonly relay: string;
  readonly serverName: string;
  readonly bootFileName: string;
  readonly options: DhcpOptions;
}

const fixedSize = 236;
const cookie = 0x6382_5363;
const [serverNameAt, serverNameSize, fileAt, fileSize] = [44, 64, 108, 128];
/** RFC 1542 2.1: some relays and servers drop anything shorter than a BOOTP message. */
const bootpSize = 300;
const broadcastFlag = 0x8000;

/** NUL-terminated text in a fixed field. */
const fieldText = (bytes: Uint8Array, at: number, size: number): string => {
  const field = Buffer.from(bytes.subarray(at, at + size));
  const stop = field.indexOf(0);
  return field.toString('latin1', 0, stop < 0 ? size : stop);
};

/** `undefined`: no DHCP message (too short, no cookie, no such operation, options cut off). */
export function decodeMessage(bytes: Uint8Array): DhcpMessage | undefined {
  if (bytes.length < fixedSize + 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [op, hardwareType, hardwareLength, hops] = bytes;
  if ((op !== 1 && op !== 2) || hardwareLength > 16 || view.getUint32(fixedSize) !== cookie) return undefined;
  const raw = new Map<number, Uint8Array>();
  if (!gatherOptions(bytes.subarray(fixedSize + 4), raw)) return undefined;
  // RFC 2132 9.3, RFC 3396 5: the options go on in `file`, then in `sname`.
  const overload = raw.get(overloadCode)?.[0] ?? 0;
  raw.delete(overloadCode);
  if (overload & 1 && !gatherOptions(bytes.subarray(fileAt, fileAt + fileSize), raw)) return undefined;
  if (overload & 2 && !gatherOptions(bytes.subarray(serverNameAt, fileAt), raw)) return undefined;
  return {
    op: op === 1 ? 'request' : 'reply',
    hardwareType,
    hardwareAddress: bytes.slice(28, 28 + hardwareLength),
    hops,
    transaction: view.getUint32(4),
    seconds: view.getUint16(8),
    broadcast: (view.getUint16(10) & broadcastFlag) !== 0,
    clientAddress: readAddress(bytes, 12),
    yourAddress: readAddress(bytes, 16),
    nextServer: readAddress(bytes, 20),
    relay: readAddress(bytes, 24),
    serverName: overload & 2 ? '' : fieldText(bytes, serverNameAt, serverNameSize),
    bootFileName: overload & 1 ? '' : fieldText(bytes, fileAt, fileSize),
    options: decodeOptions(raw),
  };
}

/** @throws StackError `EINVAL` for what does not fit its field */
export function encodeMessage(message: DhcpMessage): Uint8Array {
  const options = encodeOptions(message.options);
  const bytes = new Uint8Array(Math.max(bootpSize, fixedSize + 4 + options.length));
  const view = new DataView(bytes.buffer);
  const { hardwareAddress } = message;
  if (hardwareAddress.length > 16) throw new StackError('EINVAL', 'a hardware address has at most 16 bytes');
  bytes.set([message.op === 'request' ? 1 : 2, message.hardwareType, hardwareAddress.length, message.hops]);
  view.setUint32(4, message.transaction);
  view.setUint16(8, Math.min(message.seconds, 0xffff));
  view.setUint16(10, message.broadcast ? broadcastFlag : 0);
  const { clientAddress, yourAddress, nextServer, relay } = message;
  [clientAddress, yourAddress, nextServer, relay].forEach((text, i) => {
    const address = addressBytes(text);
    if (address === undefined) throw new StackError('EINVAL', `${text} is no IPv4 address`);
    bytes.set(address, 12 + 4 * i);
  });
  bytes.set(hardwareAddress, 28);
  const field = (text: string, at: number, size: number): void => {
    if (text.length >= size) throw new StackError('EINVAL', `"${text}" is longer than ${size - 1} bytes`);
    bytes.set(Buffer.from(text, 'latin1'), at);
  };
  field(message.serverName, serverNameAt, serverNameSize);
  field(message.bootFileName, fileAt, fileSize);
  view.setUint32(fixedSize, cookie);
  bytes.set(options, fixedSize + 4);
  return bytes;
}
