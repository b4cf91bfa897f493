import type { Clock, Endpoint, Stack, UdpSocket } from '../contract.js';
import { formatAddress, inPrefix, parseAddress, v4Address } from '../core/address.js';
import { StackError } from '../errors.js';
import { LeasePool } from './lease-pool.js';
import {
  clientPort,
  type DhcpMessage,
  decodeMessage,
  encodeMessage,
  messageType,
  serverPort,
} from './message.js';
import type { DhcpOptions } from './options.js';

export interface DhcpServerOptions {
  readonly clock: Clock;
  /** The server's own address on this network; also the default router. */
  readonly address: string;
  readonly prefix: number;
  /** First and last address handed out. */
  readonly pool: readonly [string, string];
  /** MAC address (`02:00:…`) → address that this client alone gets. */
  readonly reservations?: Readonly<Record<string, string>>;
  /** Seconds; 86,400. */
  readonly leaseSeconds?: number;
  /** What clients are told besides: routers, name servers, domain, NTP servers… Overrides the defaults. */
  readonly options?: DhcpOptions;
  /** A lease was given, extended or ended. */
  readonly changed?: (event: 'bound' | 'released' | 'declined', client: string, address: string) => void;
}

const broadcast = '255.255.255.255';
const none = '0.0.0.0';

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');

/** DHCPv4 server for one network, RFC 2131 4.3: pool, reservations, expiry, NAK; relays are answered. */
export class DhcpServer {
  readonly #options: DhcpServerOptions;
  readonly #leases: LeasePool;
  readonly #socket: UdpSocket;
  readonly #leaseSeconds: number;

  /** @throws StackError `EINVAL` for addresses outside the network, `EADDRINUSE` */
  constructor(host: Pick<Stack, 'udpBind'>, options: DhcpServerOptions) {
    this.#options = options;
    this.#leaseSeconds = options.leaseSeconds ?? 86_400;
    const own = parseAddress(options.address);
    for (const text of [options.address, ...options.pool, ...Object.values(options.reservations ?? {})]) {
      const address = parseAddress(text);
      if (own === undefined || address === undefined || !inPrefix(address, own, options.prefix)) {
        throw new StackError('EINVAL', `${text} is not in ${options.address}/${options.prefix}`);
      }
    }
    this.#leases = new LeasePool(options);
    this.#socket = host.udpBind(
      { port: serverPort },
      { message: (data, from) => this.#receive(data, from) },
      { broadcast: true },
    );
  }

  /** Leases that run now: client (MAC address) → address. */
  get leases(): ReadonlyMap<string, string> {
    return this.#leases.current();
  }

  close(): void {
    this.#socket.close();
  }

  #receive(data: Uint8Array, from: Endpoint): void {
    const message = decodeMessage(data);
    if (message?.op !== 'request' || message.hardwareAddress.length === 0) return;
    const { serverId, messageType: type } = message.options;
    // A message for another server only tells that our offer was not taken.
    if (serverId !== undefined && serverId !== this.#options.address) {
      if (type === messageType.request) this.#leases.forgetOffer(hex(message.hardwareAddress));
      return;
    }
    if (type === messageType.discover) this.#discover(message);
    else if (type === messageType.request) this.#request(message);
    else if (type === messageType.decline) this.#decline(message);
    else if (type === messageType.release) this.#release(message, from);
    else if (type === messageType.inform) this.#reply(message, messageType.ack, none, {});
  }

  #discover(message: DhcpMessage): void {
    const client = hex(message.hardwareAddress);
    const address = this.#leases.offer(client, message.options.requestedAddress);
    if (address === undefined) return;
    if (message.options.rapidCommit === true && this.#leases.take(client, address)) {
      this.#grant(message, client, address, { rapidCommit: true });
    } else this.#reply(message, messageType.offer, address, this.#times());
  }

  /** RFC 2131 4.3.2: selecting, init-reboot, renewing and rebinding differ in which fields are filled. */
  #request(message: DhcpMessage): void {
    const client = hex(message.hardwareAddress);
    const { requestedAddress, serverId } = message.options;
    const wanted = requestedAddress ?? (message.clientAddress === none ? undefined : message.clientAddress);
    if (wanted === undefined) return;
    if (this.#leases.take(client, wanted)) {
      this.#grant(message, client, wanted, {});
      return;
    }
    // Rebooting with an address of this network that we know nothing of: another server's, perhaps. Silence.
    const rebooting =
      serverId === undefined && requestedAddress !== undefined && message.clientAddress === none;
    if (rebooting && this.#local(wanted) && !this.#leases.knows(client, wanted)) return;
    this.#reply(message, messageType.nak, none, { message: `${wanted} is not for you` });
  }

  #grant(message: DhcpMessage, client: string, address: string, extra: DhcpOptions): void {
    this.#options.changed?.('bound', client, address);
    this.#reply(message, messageType.ack, address, { ...extra, ...this.#times() });
  }

  #decline(message: DhcpMessage): void {
    const { requestedAddress } = message.options;
    const client = hex(message.hardwareAddress);
    if (requestedAddress === undefined || !this.#leases.decline(client, requestedAddress)) return;
    this.#options.changed?.('declined', client, requestedAddress);
  }

  #release(message: DhcpMessage, from: Endpoint): void {
    const client = hex(message.hardwareAddress);
    if (from.address !== message.clientAddress && message.relay === none) return;
    if (!this.#leases.release(client, message.clientAddress)) return;
    this.#options.changed?.('released', client, message.clientAddress);
  }

  #local(text: string): boolean {
    const [own, address] = [parseAddress(this.#options.address), parseAddress(text)];
    return own !== undefined && address !== undefined && inPrefix(address, own, this.#options.prefix);
  }

  #times(): DhcpOptions {
    const seconds = this.#leaseSeconds;
    return {
      leaseSeconds: seconds,
      renewSeconds: Math.floor(seconds / 2),
      rebindSeconds: Math.floor(seconds * 0.875),
    };
  }

  #reply(to: DhcpMessage, type: number, yourAddress: string, extra: DhcpOptions): void {
    const { address, prefix, options } = this.#options;
    const { relayAgent } = to.options;
    const nak = type === messageType.nak;
    const mask = prefix === 0 ? 0 : -1 << (32 - prefix);
    const settings: DhcpOptions = nak
      ? {}
      : {
          subnetMask: formatAddress(v4Address(mask)),
          routers: [address],
          nameServers: [address],
          ...options,
        };
    const message: DhcpMessage = {
      op: 'reply',
      hardwareType: to.hardwareType,
      hardwareAddress: to.hardwareAddress,
      hops: 0,
      transaction: to.transaction,
      seconds: 0,
      broadcast: to.broadcast || (nak && to.relay !== none),
      clientAddress: nak || type === messageType.offer ? none : to.clientAddress,
      yourAddress,
      nextServer: none,
      relay: to.relay,
      serverName: '',
      bootFileName: '',
      options: {
        ...settings,
        ...extra,
        messageType: type,
        serverId: address,
        ...(relayAgent && { relayAgent }),
      },
    };
    try {
      this.#socket.send(encodeMessage(message), destination(to, nak));
    } catch {
      // The client will ask again.
    }
  }
}

/**
 * RFC 2131 4.1. What would go to `yiaddr` directly is broadcast: the client cannot answer ARP yet, and a broadcast
 * reaches it, too.
 */
function destination(to: DhcpMessage, nak: boolean): Endpoint {
  if (to.relay !== none) return { address: to.relay, port: serverPort };
  if (!nak && to.clientAddress !== none) return { address: to.clientAddress, port: clientPort };
  return { address: broadcast, port: clientPort };
}
