/** Stateless DHCPv6: asks for name servers and the like, never for an address (RFC 8415 6.1, 18.2.6). */
import type { Clock, Random, Stack, TimerHandle, UdpSocket } from '../contract.js';
import { Address, formatAddress } from '../core/address.js';
import { decodeDomains } from './options.js';

export const v6MessageType = { reply: 7, informationRequest: 11 } as const;
const option = {
  clientId: 1,
  serverId: 2,
  requested: 6,
  elapsed: 8,
  status: 13,
  nameServers: 23,
  searchDomains: 24,
  simpleTimeServers: 31,
  refreshTime: 32,
  ntpServers: 56,
} as const;
const ntpAddress = 1;
const clientPort = 546;
const serverPort = 547;
/** All_DHCP_Relay_Agents_and_Servers */
const servers = 'ff02::1:2';

/** One message as RFC 8415 8 has it; options in order, unknown ones kept. */
export interface Dhcp6Message {
  readonly type: number;
  /** 24 bits */
  readonly transaction: number;
  readonly options: readonly { readonly code: number; readonly data: Uint8Array }[];
}

export function decodeMessage6(bytes: Uint8Array): Dhcp6Message | undefined {
  if (bytes.length < 4) return undefined;
  const options = decodeOptions6(bytes, 4);
  if (options === undefined) return undefined;
  return { type: bytes[0], transaction: (bytes[1] << 16) | (bytes[2] << 8) | bytes[3], options };
}

function decodeOptions6(bytes: Uint8Array, from: number): Dhcp6Message['options'] | undefined {
  const options: { code: number; data: Uint8Array }[] = [];
  for (let at = from; at < bytes.length; ) {
    const size = (bytes[at + 2] << 8) | bytes[at + 3];
    if (at + 4 > bytes.length || at + 4 + size > bytes.length) return undefined;
    options.push({ code: (bytes[at] << 8) | bytes[at + 1], data: bytes.slice(at + 4, at + 4 + size) });
    at += 4 + size;
  }
  return options;
}

export function encodeMessage6({ type, transaction, options }: Dhcp6Message): Uint8Array {
  const out = [type, (transaction >> 16) & 255, (transaction >> 8) & 255, transaction & 255];
  for (const { code, data } of options)
    out.push(code >> 8, code & 255, data.length >> 8, data.length & 255, ...data);
  return Uint8Array.from(out);
}

/** What a server told. */
export interface Dhcp6Information {
  readonly nameServers: readonly string[];
  readonly searchDomains: readonly string[];
  readonly ntpServers: readonly string[];
  readonly refreshSeconds: number;
}

/** RFC 8415 7.6: IRT_DEFAULT, IRT_MINIMUM. */
const defaultRefresh = 86_400;
const shortestRefresh = 600;

const addresses = (data: Uint8Array): string[] => {
  const list: string[] = [];
  for (let at = 0; at + 16 <= data.length; at += 16) {
    const address = new Address();
    address.readV6(data, at);
    list.push(formatAddress(address));
  }
  return list;
};

export function readInformation(message: Dhcp6Message): Dhcp6Information {
  const nameServers: string[] = [];
  const searchDomains: string[] = [];
  const ntpServers: string[] = [];
  let refreshSeconds = defaultRefresh;
  for (const { code, data } of message.options) {
    if (code === option.nameServers) nameServers.push(...addresses(data));
    else if (code === option.searchDomains) searchDomains.push(...(decodeDomains(data) ?? []));
    else if (code === option.simpleTimeServers) ntpServers.push(...addresses(data));
    else if (code === option.ntpServers) {
      const inner = decodeOptions6(data, 0) ?? [];
      for (const part of inner) if (part.code === ntpAddress) ntpServers.push(...addresses(part.data));
    } else if (code === option.refreshTime && data.length === 4) {
      refreshSeconds = Math.max(shortestRefresh, new DataView(data.buffer, data.byteOffset).getUint32(0));
    }
  }
  return { nameServers, searchDomains, ntpServers, refreshSeconds };
}

export interface Dhcp6ClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly informed: (information: Dhcp6Information) => void;
}

/** RFC 8415 7.6: INF_MAX_DELAY, INF_TIMEOUT, INF_MAX_RT, in ms. */
const longestDelay = 1000;
const firstTimeout = 1000;
const longestTimeout = 3_600_000;

const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 255);

/** Asks until answered, then again whenever the answer has grown old. */
export class Dhcp6Client {
  readonly #options: Dhcp6ClientOptions;
  readonly #host: Pick<Stack, 'mac' | 'udpBind'>;
  readonly #clientId: Uint8Array;
  #socket: UdpSocket | undefined;
  #timer: TimerHandle | undefined;
  /** -1: nothing asked. */
  #transaction = -1;
  #begun = 0;

  constructor(host: Pick<Stack, 'mac' | 'udpBind'>, options: Dhcp6ClientOptions) {
    this.#host = host;
    this.#options = options;
    const mac = host.mac.split(':').map((part) => Number.parseInt(part, 16));
    // DUID-LL, RFC 8415 11.4
    this.#clientId = Uint8Array.from([0, 3, 0, 1, ...mac]);
  }

  /** Needs a link-local address on the stack; until it has one, tries fail and are repeated. */
  start(): void {
    if (this.#socket !== undefined) return;
    this.#socket = this.#host.udpBind(
      { address: '::', port: clientPort },
      { message: (data) => this.#receive(data) },
    );
    this.#after(this.#options.random() * longestDelay, () => this.#begin());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#socket?.close();
    this.#socket = undefined;
    this.#transaction = -1;
  }

  #after(delayMs: number, action: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(action, delayMs);
  }

  #begin(): void {
    this.#transaction = Math.floor(this.#options.random() * 0x100_0000);
    this.#begun = this.#options.clock.now();
    this.#ask(firstTimeout * this.#spread(1));
  }

  /** 1 ± 0.1 times (RFC 8415 15). */
  #spread(factor: number): number {
    return factor + 0.2 * this.#options.random() - 0.1;
  }

  #ask(timeout: number): void {
    const elapsed = Math.min(0xffff, Math.floor((this.#options.clock.now() - this.#begun) / 10));
    const wanted = [option.nameServers, option.searchDomains, option.refreshTime, option.ntpServers];
    const message = encodeMessage6({
      type: v6MessageType.informationRequest,
      transaction: this.#transaction,
      options: [
        { code: option.clientId, data: this.#clientId },
        { code: option.requested, data: Uint8Array.from(wanted.flatMap((code) => [...u16(code)])) },
        { code: option.elapsed, data: u16(elapsed) },
      ],
    });
    try {
      this.#socket?.send(message, { address: servers, port: serverPort });
    } catch {
      // No address yet, or no link: asked again below.
    }
    const next = timeout * this.#spread(2);
    this.#after(timeout, () => this.#ask(next > longestTimeout ? longestTimeout * this.#spread(1) : next));
  }

  #receive(data: Uint8Array): void {
    const message = decodeMessage6(data);
    if (message?.type !== v6MessageType.reply || message.transaction !== this.#transaction) return;
    const find = (code: number): Uint8Array | undefined =>
      message.options.find((item) => item.code === code)?.data;
    if (find(option.serverId) === undefined) return;
    const client = find(option.clientId);
    if (client !== undefined && Buffer.compare(client, this.#clientId) !== 0) return;
    const status = find(option.status);
    if (status !== undefined && (status[0] !== 0 || status[1] !== 0)) return;
    const information = readInformation(message);
    this.#transaction = -1;
    // A timer holds 24.8 days; asking sooner than the server allows for does no harm.
    this.#after(Math.min(information.refreshSeconds * 1000, 2 ** 31 - 1), () => this.#begin());
    this.#options.informed(information);
  }
}
