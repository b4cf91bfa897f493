/** The module's network interface 0: a TCP/IP stack for as long as the module runs, on whatever network it joins. */
import { formatIpv4, parseIpv4 } from '../../driver/protocol/address.js';
import type { AddressInfo, Clock, Link, Random } from '../tcpip/contract.js';
import { ConfigTable } from './config-table.js';
import type { ModuleStack, StackFactory } from './module-stack.js';
import type { WallClock } from './wall-clock.js';

/** An Ethernet link that can be plugged into one network after another; frames sent while unplugged are lost. */
class PluggableLink implements Link {
  readonly mtu = 1500;
  receive: Link['receive'] = () => {};
  #plugged: Link | undefined;

  transmit(frame: Uint8Array, length: number): boolean {
    return this.#plugged?.transmit(frame, length) ?? false;
  }

  plug(link: Link): void {
    this.#plugged = link;
    link.receive = (frame, length) => {
      if (this.#plugged === link) this.receive(frame, length);
    };
  }

  unplug(): void {
    this.#plugged = undefined;
  }
}

export interface NetworkObserver {
  /** A new address; text, RFC 5952. */
  addressAdded?(info: AddressInfo): void;
  up?(): void;
  down?(): void;
}

export interface NetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly mac: string;
  readonly createStack: StackFactory;
  readonly time: WallClock;
}

/** A prefix length for an address configured without a mask, or with one that is no prefix. */
const DEFAULT_PREFIX = 24;

function splitPrefix(text: string): [address: string, prefix: number] {
  // A mask may be written as one: 10.0.0.1/255.255.0.0.
  const [address, suffix = ''] = formatIpv4(parseIpv4(text) as Uint8Array).split('/');
  return [address, /^\d+$/.test(suffix) ? Number(suffix) : DEFAULT_PREFIX];
}

export class Network {
  readonly mac: string;
  readonly stack: ModuleStack;
  readonly observers: NetworkObserver[] = [];
  /** AT+NETIFC=0. */
  readonly config: ConfigTable<'NETIFC'>;
  readonly #time: WallClock;
  readonly #link = new PluggableLink();
  #up = false;
  #known = new Set<string>();
  #static: string | undefined;
  /** When the present lease began, milliseconds since 1970; undefined if the time was not known. */
  #leasedAt: number | undefined;

  constructor({ clock, random, mac, createStack, time }: NetworkOptions) {
    this.#time = time;
    this.mac = mac;
    this.stack = createStack({ link: this.#link, clock, random, mac });
    this.stack.onAddressChange = () => this.#announceAddresses();
    this.stack.setLinkUp(false);
    this.config = new ConfigTable('NETIFC', {
      defaults: { HOSTNAME: `RNWF_${mac.replaceAll(':', '').slice(-6)}`, DHCPC_EN: 1 },
      live: {
        NAME: () => 'WLAN0',
        ETHER: () => mac,
        DHCPC_LEASE_START: () => this.#leaseTime(0),
        DHCPC_LEASE_ENDS: () => this.#leaseTime(this.stack.lease?.leaseSeconds ?? 0),
        DHCPC_SRV_ADDR: () => this.stack.lease?.server,
        IP_MASK: () => this.#configured('ipv4') ?? this.config.stored('IP_MASK'),
        GATEWAY: () => this.stack.lease?.routers[0] ?? this.config.stored('GATEWAY'),
        IPV6_LL_ADDR: () => this.#configured('link-local'),
      },
      changed: (param) => {
        if (param === undefined || addressing.has(param)) this.#configure();
      },
    });
  }

  /** Told by DHCP. */
  get timeServer(): string | undefined {
    return this.stack.lease?.options.ntpServers?.[0];
  }

  get up(): boolean {
    return this.#up;
  }

  /** The station has joined a network. */
  attach(link: Link): void {
    this.#link.plug(link);
    this.stack.setLinkUp(true);
    this.#up = true;
    this.#known.clear();
    for (const observer of this.observers) observer.up?.();
    this.stack.startIpv6();
    this.#configure();
    this.#announceAddresses();
  }

  /** Another access point of the network; with `renew` the address is asked for again. */
  moved(link: Link, renew: boolean): void {
    this.#link.plug(link);
    if (renew) this.#configure();
  }

  detach(): void {
    if (!this.#up) return;
    this.#up = false;
    this.#clearIpv4();
    this.stack.setLinkUp(false);
    this.#link.unplug();
    for (const observer of this.observers) observer.down?.();
  }

  close(): void {
    this.stack.close();
    this.#link.unplug();
  }

  #configure(): void {
    if (!this.#up) return;
    this.#clearIpv4();
    if (this.config.number('L2_ONLY')) return;
    if (this.config.number('DHCPC_EN')) {
      const hostname = this.config.text('HOSTNAME');
      this.stack.startDhcp(hostname === undefined ? {} : { hostname });
      return;
    }
    const own = this.config.stored('IP_MASK');
    if (typeof own === 'string') {
      const [address, prefix] = splitPrefix(own);
      this.stack.addAddress(address, prefix);
      this.#static = address;
    }
    const gateway = this.config.stored('GATEWAY');
    if (typeof gateway === 'string') this.stack.setGateway(gateway);
  }

  #clearIpv4(): void {
    this.stack.stopDhcp();
    if (this.#static !== undefined) this.stack.removeAddress(this.#static);
    this.#static = undefined;
  }

  /** Seconds since 1970; 0 while there is no lease, or it began at a time unknown. */
  #leaseTime(afterSeconds: number): number {
    if (this.stack.lease === undefined || this.#leasedAt === undefined) return 0;
    return Math.floor(this.#leasedAt / 1000) + afterSeconds;
  }

  #configured(kind: 'ipv4' | 'link-local'): string | undefined {
    const found = this.stack.addresses.find(({ address, origin }) =>
      kind === 'ipv4' ? !address.includes(':') : origin === 'link-local' && address.includes(':'),
    );
    return found && `${found.address}/${found.prefix}`;
  }

  #announceAddresses(): void {
    if (!this.#up) return;
    const present = new Set<string>();
    for (const info of this.stack.addresses) {
      present.add(info.address);
      if (this.#known.has(info.address)) continue;
      this.#known.add(info.address);
      if (info.origin === 'dhcp') this.#leasedAt = this.#time.now();
      for (const observer of this.observers) observer.addressAdded?.(info);
    }
    for (const address of this.#known) if (!present.has(address)) this.#known.delete(address);
  }
}

/** Parameters that say how the interface gets its address. */
const addressing: ReadonlySet<string> = new Set(['HOSTNAME', 'DHCPC_EN', 'L2_ONLY', 'IP_MASK', 'GATEWAY']);
