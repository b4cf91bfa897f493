import type { Clock, Random, Stack, TimerHandle, UdpSocket } from '../contract.js';
import { formatAddress, parseAddress, v4Address } from '../core/address.js';
import { random32 } from '../random.js';
import { type ClientEffect, type ClientEvent, type ClientState, clientTransition } from './client-machine.js';
import {
  clientPort,
  type DhcpMessage,
  decodeMessage,
  encodeMessage,
  messageType,
  serverPort,
} from './message.js';
import { type DhcpOptions, optionCode } from './options.js';

/** What a server granted, with defaults filled in. */
export interface DhcpLease {
  readonly address: string;
  readonly prefix: number;
  readonly server: string;
  readonly routers: readonly string[];
  readonly nameServers: readonly string[];
  readonly leaseSeconds: number;
  /** Everything the server said. */
  readonly options: DhcpOptions;
}

export interface DhcpClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly hostname?: string | undefined;
  /** Asked for first, from an earlier lease (INIT-REBOOT). */
  readonly previousAddress?: string | undefined;
  /** Option 61; by default the MAC address with its type (RFC 2132 9.14). */
  readonly clientId?: Uint8Array | undefined;
  /** The address is ours from now on. Called again whenever the lease is extended. */
  readonly bound: (lease: DhcpLease) => void;
  /** The address must not be used any more. */
  readonly lost: (lease: DhcpLease) => void;
  /** Whether somebody else answers for the address (ARP). Answers a cancel. Without it no check is made. */
  readonly probe?: ((address: string, done: (taken: boolean) => void) => () => void) | undefined;
}

type Host = Pick<Stack, 'mac' | 'udpBind'>;

const broadcast = { address: '255.255.255.255', port: serverPort };
const none = '0.0.0.0';
/** RFC 2131 4.1: 4, 8, 16, 32, 64 s, each ± 1 s. */
const firstTimeoutMs = 4000;
const longestTimeoutMs = 64_000;
const timeoutSpreadMs = 1000;
const requestTries = 4;
/** RFC 2131 4.4.5: while renewing, half of what is left, but no more often than this. */
const shortestRenewalMs = 60_000;
const pauseMs = 10_000;
const forever = 0xffff_ffff;
/** A timer's longest span, ms; a lease may be longer. */
const longestTimerMs = 2 ** 31 - 1;

const requested = Uint8Array.from(
  (
    [
      'subnetMask',
      'routers',
      'nameServers',
      'hostname',
      'domain',
      'mtu',
      'broadcast',
      'ntpServers',
      'leaseSeconds',
      'renewSeconds',
      'rebindSeconds',
      'searchDomains',
    ] as const
  ).map(optionCode),
);

/** DHCPv4 client, RFC 2131: carries out what the table in client-machine.ts says, over one UDP socket. */
export class DhcpClient {
  readonly #host: Host;
  readonly #options: DhcpClientOptions;
  readonly #mac: Uint8Array;
  readonly #clientId: Uint8Array;
  #socket: UdpSocket | undefined;
  #state: ClientState = 'STOPPED';
  #transaction = 0;
  #begun = 0;
  #tries = 0;
  #offer: DhcpMessage | undefined;
  #lease: DhcpLease | undefined;
  #configured = false;
  /** When the message that a lease may answer was sent; T1, T2 and the end count from there (RFC 2131 4.4.1). */
  #asked = 0;
  #leaseStart = 0;
  #hint: string | undefined;
  #timers: TimerHandle[] = [];
  #retry: TimerHandle | undefined;
  #cancelProbe: (() => void) | undefined;
  /** The message being handled, for the effects that keep something of it. */
  #incoming: DhcpMessage | undefined;

  constructor(host: Host, options: DhcpClientOptions) {
    this.#host = host;
    this.#options = options;
    this.#mac = Uint8Array.from(host.mac.split(':').map((part) => Number.parseInt(part, 16)));
    this.#hint = options.previousAddress;
    this.#clientId = options.clientId ?? Uint8Array.from([1, ...this.#mac]);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** In BOUND, RENEWING and REBINDING. */
  get lease(): DhcpLease | undefined {
    return this.#configured ? this.#lease : undefined;
  }

  start(): void {
    if (this.#state !== 'STOPPED') return;
    this.#socket = this.#host.udpBind(
      { address: none, port: clientPort },
      { message: (data) => this.#receive(data) },
      { broadcast: true },
    );
    this.#event(this.#hint === undefined ? 'start' : 'restart');
  }

  /** Gives the address up without telling the server. */
  stop(): void {
    this.#event('stop');
  }

  /** Gives the address up and tells the server. */
  release(): void {
    this.#event('release');
  }

  #event(event: ClientEvent): void {
    const transition = clientTransition(this.#state, event);
    if (transition === undefined) return;
    if (transition.to !== this.#state) this.#tries = 0;
    this.#state = transition.to;
    for (const effect of transition.effects) this.#effects[effect]();
    if (this.#state === 'STOPPED') {
      this.#socket?.close();
      this.#socket = undefined;
    }
  }

  #receive(data: Uint8Array): void {
    const message = decodeMessage(data);
    if (message?.op !== 'reply' || message.transaction !== this.#transaction) return;
    if (Buffer.compare(message.hardwareAddress, this.#mac) !== 0) return;
    const { messageType: type, serverId, rapidCommit } = message.options;
    if (serverId === undefined) return;
    // In SELECTING only offers count: an acknowledgement must be a rapid one. Later only the chosen server does.
    if (this.#state === 'SELECTING' && type === messageType.ack && rapidCommit !== true) return;
    if (this.#state === 'REQUESTING' && serverId !== this.#offer?.options.serverId) return;
    this.#incoming = message;
    if (type === messageType.offer && usable(message)) this.#event('offer');
    else if (type === messageType.ack && usable(message)) this.#event('ack');
    else if (type === messageType.nak) this.#event('nak');
    this.#incoming = undefined;
  }

  readonly #effects: Readonly<Record<ClientEffect, () => void>> = {
    begin: () => {
      this.#transaction = random32(this.#options.random) >>> 0;
      this.#begun = this.#options.clock.now();
      this.#tries = 0;
    },
    'send-discover': () => {
      this.#asked = this.#options.clock.now();
      this.#send(messageType.discover, { rapidCommit: true, ...this.#hinted() });
      this.#retryLater(Number.POSITIVE_INFINITY);
    },
    'send-request': () => {
      const offer = this.#offer;
      if (offer === undefined) return;
      if (this.#tries === 0) this.#asked = this.#options.clock.now();
      const { serverId } = offer.options;
      this.#send(messageType.request, { requestedAddress: offer.yourAddress, ...(serverId && { serverId }) });
      this.#retryLater(requestTries);
    },
    'send-reboot': () => {
      if (this.#tries === 0) this.#asked = this.#options.clock.now();
      this.#send(messageType.request, this.#hinted());
      this.#retryLater(requestTries);
    },
    'send-renew': () => this.#extend(this.#lease?.server ?? broadcast.address, this.#renewTimes().rebind),
    'send-rebind': () => this.#extend(broadcast.address, this.#renewTimes().end),
    'send-decline': () => {
      const lease = this.#lease;
      if (lease !== undefined) {
        this.#send(messageType.decline, { requestedAddress: lease.address, serverId: lease.server });
      }
    },
    'send-release': () => {
      const lease = this.#lease;
      if (lease === undefined || !this.#configured) return;
      this.#send(messageType.release, { serverId: lease.server }, lease.address, lease.server);
    },
    'keep-offer': () => {
      this.#offer = this.#incoming;
    },
    'keep-lease': () => {
      const message = this.#incoming;
      if (message === undefined) return;
      const before = this.#lease;
      this.#leaseStart = this.#asked;
      this.#lease = leaseOf(message);
      this.#hint = this.#lease.address;
      // A server may answer a renewal with another address: the old one goes first.
      if (this.#configured && before !== undefined && before.address !== this.#lease.address)
        this.#unconfigure(before);
    },
    'forget-address': () => {
      this.#hint = undefined;
    },
    probe: () => {
      const { probe } = this.#options;
      if (probe === undefined || this.#lease === undefined) {
        this.#event('address-free');
        return;
      }
      this.#cancelProbe = probe(this.#lease.address, (taken) => {
        this.#cancelProbe = undefined;
        this.#event(taken ? 'address-taken' : 'address-free');
      });
    },
    configure: () => {
      if (this.#lease === undefined) return;
      this.#configured = true;
      this.#options.bound(this.#lease);
    },
    unconfigure: () => {
      if (this.#configured && this.#lease !== undefined) this.#unconfigure(this.#lease);
    },
    'arm-lease': () => {
      const { renew, rebind, end } = this.#renewTimes();
      if (end === Number.POSITIVE_INFINITY) return;
      this.#at(renew, 'renewal-due');
      this.#at(rebind, 'rebinding-due');
      this.#at(end, 'expired');
    },
    'cancel-timers': () => {
      for (const timer of this.#timers) timer.cancel();
      this.#timers = [];
      this.#retry?.cancel();
      this.#retry = undefined;
      this.#cancelProbe?.();
      this.#cancelProbe = undefined;
    },
    pause: () => this.#at(this.#options.clock.now() + pauseMs, 'start'),
  };

  #unconfigure(lease: DhcpLease): void {
    this.#configured = false;
    this.#options.lost(lease);
  }

  #hinted(): DhcpOptions {
    return this.#hint === undefined ? {} : { requestedAddress: this.#hint };
  }

  /** T1, T2 and the end (RFC 2131 4.4.5), on the clock. */
  #renewTimes(): { renew: number; rebind: number; end: number } {
    const { leaseSeconds = forever, options = {} } = this.#lease ?? {};
    const seconds = leaseSeconds === forever ? Number.POSITIVE_INFINITY : leaseSeconds;
    let { renewSeconds = seconds / 2, rebindSeconds = seconds * 0.875 } = options;
    if (!(renewSeconds < rebindSeconds && rebindSeconds < seconds)) {
      renewSeconds = seconds / 2;
      rebindSeconds = seconds * 0.875;
    }
    const after = (value: number): number => this.#leaseStart + value * 1000;
    return { renew: after(renewSeconds), rebind: after(rebindSeconds), end: after(seconds) };
  }

  #extend(server: string, deadline: number): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    // A transaction per try: which one an answer belongs to decides when the new lease starts.
    this.#transaction = random32(this.#options.random) >>> 0;
    this.#asked = this.#options.clock.now();
    this.#send(messageType.request, {}, lease.address, server);
    const left = deadline - this.#options.clock.now();
    this.#retry?.cancel();
    if (left > shortestRenewalMs) {
      this.#retry = this.#options.clock.setTimer(
        () => this.#event('timeout'),
        Math.max(shortestRenewalMs, left / 2),
      );
    }
  }

  #retryLater(tries: number): void {
    const longest = Math.min(longestTimeoutMs, firstTimeoutMs * 2 ** this.#tries);
    const spread = timeoutSpreadMs * (2 * this.#options.random() - 1);
    const event = ++this.#tries < tries ? 'timeout' : 'give-up';
    this.#retry?.cancel();
    this.#retry = this.#options.clock.setTimer(() => this.#event(event), longest + spread);
  }

  #at(time: number, event: ClientEvent): void {
    const { clock } = this.#options;
    const wait = (): void => {
      const left = time - clock.now();
      const index = this.#timers.length;
      this.#timers[index] = clock.setTimer(
        () => (left > longestTimerMs ? wait() : this.#event(event)),
        Math.min(left, longestTimerMs),
      );
    };
    wait();
  }

  #send(type: number, options: DhcpOptions, clientAddress = none, server = broadcast.address): void {
    const { hostname, clock } = this.#options;
    const asks = type === messageType.discover || type === messageType.request;
    const message: DhcpMessage = {
      op: 'request',
      hardwareType: 1,
      hardwareAddress: this.#mac,
      hops: 0,
      transaction: this.#transaction,
      seconds: Math.floor((clock.now() - this.#begun) / 1000),
      // Without an address nothing sent to it would reach us.
      broadcast: asks && clientAddress === none,
      clientAddress,
      yourAddress: none,
      nextServer: none,
      relay: none,
      serverName: '',
      bootFileName: '',
      options: {
        ...options,
        messageType: type,
        clientId: this.#clientId,
        ...(asks && { parameterRequests: requested, maximumSize: 1500, ...(hostname && { hostname }) }),
      },
    };
    try {
      this.#socket?.send(encodeMessage(message), { address: server, port: serverPort });
    } catch {
      // No route or no link just now: the retransmission is the remedy, as for a message lost on the way.
    }
  }
}

/** Whether it grants something: an address, and a mask that is one. */
const usable = ({ yourAddress, options: { subnetMask } }: DhcpMessage): boolean =>
  yourAddress !== none && (subnetMask === undefined || prefixOf(subnetMask) !== undefined);

/** 255.255.255.0 → 24. */
export function prefixOf(mask: string): number | undefined {
  const bits = parseAddress(mask)?.d ?? 0;
  const prefix = Math.clz32(~bits);
  return formatAddress(v4Address(prefix === 0 ? 0 : -1 << (32 - prefix))) === mask ? prefix : undefined;
}

/** RFC 950: what the address itself says when the server sends no mask. */
const classPrefix = (address: string): number => {
  const first = Number.parseInt(address, 10);
  return first < 128 ? 8 : first < 192 ? 16 : 24;
};

function leaseOf({ yourAddress, options }: DhcpMessage): DhcpLease {
  const {
    subnetMask,
    serverId = broadcast.address,
    routers = [],
    nameServers = [],
    leaseSeconds = forever,
  } = options;
  const prefix = (subnetMask === undefined ? undefined : prefixOf(subnetMask)) ?? classPrefix(yourAddress);
  return { address: yourAddress, prefix, server: serverId, routers, nameServers, leaseSeconds, options };
}
