import { systemClock } from './clock.js';
import type {
  AddressInfo,
  Clock,
  Endpoint,
  Link,
  PingResult,
  Random,
  Stack,
  TcpConnection,
  TcpConnectOptions,
  TcpHandler,
  TcpListener,
  TcpRequest,
  UdpHandler,
  UdpSocket,
} from './contract.js';
import { formatAddress, isMulticast, isUnspecified } from './core/address.js';
import { EndpointText, requireAddress } from './core/endpoints.js';
import type { Packet } from './core/packet.js';
import { Timer } from './core/timer-wheel.js';
import { Dhcp6Client, DhcpClient, type DhcpLease } from './dhcp/index.js';
import { StackError } from './errors.js';
import { Echo } from './ip/echo.js';
import type { InterfaceAddress } from './ip/interface.js';
import { Network } from './ip/network.js';
import { secureRandom } from './random.js';
import type { StackStats } from './stats.js';
import type { TcpOptions } from './tcp/options.js';
import { Tcp } from './tcp/tcp.js';
import { Udp } from './udp/udp.js';
import { formatMac, parseMac } from './wire/ethernet.js';
import { PROTOCOL_TCP, PROTOCOL_UDP } from './wire/ipv4.js';

export interface StackOptions {
  readonly link: Link;
  /** The machine's own by default. */
  readonly clock?: Clock;
  /** Keys, ports and sequence numbers come from here too; by default from the machine's secure source. */
  readonly random?: Random;
  /** `02:00:5e:10:00:01`, or six bytes; by default locally administered and random. */
  readonly mac?: string | Uint8Array;
  readonly tcp?: TcpOptions;
  /** Ask the link whether a leased address is free before it is used (RFC 5227, RFC 2131 4.4.1): takes 1.1 s. Default on. */
  readonly probeLease?: boolean;
}

/** What a router tells hosts about a prefix (RFC 4861 4.6.2), and of name servers (RFC 8106). */
export interface Advertisement {
  readonly prefix: string;
  readonly prefixLength?: number;
  readonly nameServers?: readonly string[];
  readonly mtu?: number;
  /** Seconds. */
  readonly routerLifetime?: number;
  readonly validLifetime?: number;
  readonly preferredLifetime?: number;
}

/** A `Stack` with what only users of the engine itself need. */
export interface EngineStack extends Stack {
  readonly stats: StackStats;
  readonly mtu: number;
  /** What DHCP gave, while it holds. */
  readonly lease: DhcpLease | undefined;
  readonly gateways: { readonly v4: string | undefined; readonly v6: string | undefined };
  /** Every TCP connection there is, TIME-WAIT included. */
  connections(): Iterable<TcpConnection>;
  neighbors(): Iterable<{ address: string; mac: string; state: string }>;
  /** A neighbour that is not asked for (a static ARP or NDP entry). `undefined` removes it. */
  setNeighbor(address: string, mac: string | undefined): void;
  /** Acts as an IPv6 router of its link; `undefined` stops it. Needs `startIpv6` for its link-local address. */
  advertise(advertisement: Advertisement | undefined): void;
  /** ARP probe (RFC 5227): whether somebody else has the address. Answers a cancel. */
  probe(address: string, done: (taken: boolean) => void): () => void;
  /** IP packets of one protocol, as they come; `packet` is lent for the call. Answers a remove. */
  rawReceive(protocol: number, receiver: (payload: Uint8Array, from: string, to: string) => void): () => void;
  /** A packet of a protocol of the caller's; the IP header is the stack's. */
  rawSend(protocol: number, payload: Uint8Array, to: string, options?: { hops?: number }): void;
}

/** RFC 5227 1.1, shortened: three probes within a second, then a moment to answer. */
const PROBES = 3;
const PROBE_INTERVAL_MS = 300;
const PROBE_WAIT_MS = 500;

class HostStack implements EngineStack {
  readonly #network: Network;
  readonly #tcp: Tcp;
  readonly #udp: Udp;
  readonly #echo: Echo;
  readonly #text = new EndpointText();
  readonly #clock: Clock;
  readonly #probeLease: boolean;
  readonly #random: Random;
  #dhcp: DhcpClient | undefined;
  #lease: DhcpLease | undefined;
  #dhcp6: Dhcp6Client | undefined;
  /** From router advertisements and from DHCPv6. */
  #advertisedServers: readonly string[] = [];
  #dhcp6Servers: readonly string[] = [];
  readonly mac: string;
  nameServers: string[] = [];
  onAddressChange: (() => void) | undefined;

  constructor(options: StackOptions) {
    const clock = options.clock ?? systemClock;
    const random = options.random ?? secureRandom;
    const mac = chooseMac(options.mac, random);
    this.#clock = clock;
    this.#random = random;
    this.#probeLease = options.probeLease ?? true;
    this.mac = formatMac(mac);
    const network = new Network(options.link, clock, random, mac);
    this.#network = network;
    this.#tcp = new Tcp(network, this.#text, options.tcp ?? {});
    this.#udp = new Udp(network, this.#text);
    this.#echo = new Echo(network, this.#text);
    network.register(PROTOCOL_TCP, this.#tcp);
    network.register(PROTOCOL_UDP, this.#udp);
    network.iface.changed = () => this.onAddressChange?.();
    network.discovery.onNameServers = (servers) => {
      this.#advertisedServers = servers.map(formatAddress);
      this.#mergeNameServers();
    };
    network.discovery.onOtherConfiguration = () => this.#startDhcp6();
  }

  get stats(): StackStats {
    return this.#network.engine.stats;
  }

  get mtu(): number {
    return this.#network.output.mtu;
  }

  get lease(): DhcpLease | undefined {
    return this.#lease;
  }

  get gateways(): EngineStack['gateways'] {
    const { gatewayV4, gatewayV6 } = this.#network.iface;
    return { v4: gatewayV4?.toString(), v6: gatewayV6?.toString() };
  }

  get addresses(): readonly AddressInfo[] {
    return this.#network.iface.describe();
  }

  connections(): Iterable<TcpConnection> {
    return this.#tcp.table;
  }

  *neighbors(): Iterable<{ address: string; mac: string; state: string }> {
    for (const { address, mac, state } of this.#network.neighbors.entries()) {
      yield { address: formatAddress(address), mac: formatMac(mac), state };
    }
  }

  setNeighbor(address: string, mac: string | undefined): void {
    const parsed = requireAddress(address);
    if (mac === undefined) this.#network.neighbors.remove(parsed);
    else this.#network.neighbors.setPermanent(parsed, requireMac(mac));
  }

  addAddress(address: string, prefix: number): void {
    const parsed = requireAddress(address);
    const longest = parsed.isV4 ? 32 : 128;
    if (!Number.isInteger(prefix) || prefix < 0 || prefix > longest) {
      throw new StackError('EINVAL', `${prefix} is no prefix length`);
    }
    if (isMulticast(parsed) || isUnspecified(parsed))
      throw new StackError('EINVAL', `${address} is no host's`);
    this.#add({ address: parsed, prefix, origin: 'static', state: 'preferred' });
  }

  #add(entry: InterfaceAddress): void {
    const { iface, arp, discovery, engine } = this.#network;
    if (!engine.busy) engine.refreshTime();
    if (entry.address.isV4) {
      iface.add(entry);
      if (this.#network.up) arp.announce(entry.address);
    } else discovery.addAddress(entry);
  }

  removeAddress(address: string): void {
    const parsed = requireAddress(address);
    if (!this.#network.iface.remove(parsed)) {
      throw new StackError('EADDRNOTAVAIL', `${address} is not an address of this host`);
    }
    if (!parsed.isV4) this.#network.discovery.removed(parsed);
  }

  /** An address sets the gateway of its family; `undefined` removes both. */
  setGateway(address: string | undefined): void {
    const { iface } = this.#network;
    if (address === undefined) {
      iface.gatewayV4 = undefined;
      iface.gatewayV6 = undefined;
    } else {
      const parsed = requireAddress(address);
      if (parsed.isV4) iface.gatewayV4 = parsed;
      else iface.gatewayV6 = parsed;
    }
    iface.touch();
  }

  startDhcp(options: { hostname?: string } = {}): void {
    this.stopDhcp();
    this.#dhcp = new DhcpClient(this, {
      clock: this.#clock,
      random: this.#random,
      ...options,
      bound: (lease) => this.#bound(lease),
      lost: () => this.#unbind(),
      probe: this.#probeLease ? (address, done) => this.probe(address, done) : undefined,
    });
    this.#dhcp.start();
  }

  stopDhcp(): void {
    this.#dhcp?.stop();
    this.#dhcp = undefined;
    this.#unbind();
  }

  #bound(lease: DhcpLease): void {
    const { iface } = this.#network;
    if (this.#lease !== undefined && this.#lease.address !== lease.address) this.#unbind();
    this.#lease = lease;
    this.nameServers = [...lease.nameServers, ...this.nameServers.filter((server) => server.includes(':'))];
    const router = lease.routers[0];
    iface.gatewayV4 = router === undefined ? undefined : requireAddress(router);
    const address = requireAddress(lease.address);
    if (iface.find(address)?.prefix === lease.prefix) iface.touch();
    else this.#add({ address, prefix: lease.prefix, origin: 'dhcp', state: 'preferred' });
  }

  #unbind(): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = undefined;
    const { iface } = this.#network;
    iface.gatewayV4 = undefined;
    this.nameServers = this.nameServers.filter((server) => !lease.nameServers.includes(server));
    iface.remove(requireAddress(lease.address));
  }

  startIpv6(): void {
    this.#network.discovery.start();
  }

  /** A router said that there is more to know than it tells (RFC 4861 4.2, O flag). */
  #startDhcp6(): void {
    if (this.#dhcp6 !== undefined) return;
    this.#dhcp6 = new Dhcp6Client(this, {
      clock: this.#clock,
      random: this.#random,
      informed: ({ nameServers }) => {
        this.#dhcp6Servers = nameServers;
        this.#mergeNameServers();
        this.onAddressChange?.();
      },
    });
    this.#dhcp6.start();
  }

  #mergeNameServers(): void {
    const v4 = this.nameServers.filter((server) => !server.includes(':'));
    this.nameServers = [...v4, ...new Set([...this.#advertisedServers, ...this.#dhcp6Servers])];
  }

  advertise(advertisement: Advertisement | undefined): void {
    const { discovery, iface } = this.#network;
    if (advertisement === undefined) {
      discovery.advertise(undefined);
      return;
    }
    const {
      prefix,
      prefixLength = 64,
      nameServers = [],
      mtu,
      routerLifetime = 1800,
      validLifetime = 86_400,
      preferredLifetime = 14_400,
    } = advertisement;
    discovery.advertise({
      hopLimit: 64,
      managed: false,
      otherConfiguration: false,
      routerLifetime,
      reachableMs: 0,
      retransmitMs: 0,
      options: {
        linkAddress: iface.mac,
        prefixes: [
          {
            prefix: requireAddress(prefix),
            length: prefixLength,
            onLink: true,
            autonomous: true,
            validLifetime,
            preferredLifetime,
          },
        ],
        mtu,
        dnsServers: nameServers.map(requireAddress),
        dnsLifetime: validLifetime,
      },
    });
  }

  probe(address: string, done: (taken: boolean) => void): () => void {
    const parsed = requireAddress(address);
    const { arp, engine } = this.#network;
    let sent = 0;
    const finish = (taken: boolean): void => {
      timer.disarm();
      arp.stopProbing();
      arp.onConflict = undefined;
      done(taken);
    };
    const step = (): void => {
      if (sent >= PROBES) {
        finish(false);
        return;
      }
      sent++;
      arp.probe(parsed);
      engine.wheel.arm(timer, sent < PROBES ? PROBE_INTERVAL_MS : PROBE_WAIT_MS);
    };
    const timer = new Timer<undefined>(undefined, step);
    arp.onConflict = () => finish(true);
    if (!engine.busy) engine.refreshTime();
    step();
    return () => {
      timer.disarm();
      arp.stopProbing();
      arp.onConflict = undefined;
    };
  }

  tcpConnect(remote: Endpoint, handler: TcpHandler, options: TcpConnectOptions = {}): TcpConnection {
    return this.#tcp.connect(remote, handler, options);
  }

  tcpListen(
    local: Partial<Endpoint> & { port: number },
    accept: (connection: TcpConnection) => TcpHandler | undefined,
    options: { backlog?: number; fastOpen?: boolean } = {},
  ): TcpListener {
    return this.#tcp.listen(local, { accept, request: undefined }, options);
  }

  tcpListenRequests(
    local: Partial<Endpoint> & { port: number },
    request: (request: TcpRequest) => void,
    options: { fastOpen?: boolean } = {},
  ): TcpListener {
    return this.#tcp.listen(local, { accept: undefined, request }, options);
  }

  get tcpForwarder(): Stack['tcpForwarder'] {
    return this.#tcp.forwarder;
  }

  set tcpForwarder(forwarder: Stack['tcpForwarder']) {
    this.#tcp.forwarder = forwarder;
  }

  udpBind(local: Partial<Endpoint>, handler: UdpHandler, options: { broadcast?: boolean } = {}): UdpSocket {
    return this.#udp.bind(local, handler, options.broadcast === true);
  }

  get udpForwarder(): Stack['udpForwarder'] {
    return this.#udp.forwarder;
  }

  set udpForwarder(forwarder: Stack['udpForwarder']) {
    this.#udp.forwarder = forwarder;
  }

  ping(
    address: string,
    options: { bytes?: number; ttl?: number; timeoutMs?: number },
    done: (result: PingResult | string) => void,
  ): () => void {
    return this.#echo.ping(requireAddress(address), options, done);
  }

  get icmpForwarder(): Stack['icmpForwarder'] {
    return this.#echo.forwarder;
  }

  set icmpForwarder(forwarder: Stack['icmpForwarder']) {
    this.#echo.forwarder = forwarder;
  }

  rawReceive(
    protocol: number,
    receiver: (payload: Uint8Array, from: string, to: string) => void,
  ): () => void {
    return this.#network.addRaw(protocol, (packet: Packet) => {
      const payload = packet.frame.subarray(packet.payloadAt, packet.payloadAt + packet.payloadLength);
      receiver(payload, this.#text.address(packet.source), this.#text.address(packet.destination));
    });
  }

  rawSend(protocol: number, payload: Uint8Array, to: string, options: { hops?: number } = {}): void {
    this.#network.sendRaw(protocol, payload, requireAddress(to), options.hops ?? 64);
  }

  setLinkUp(up: boolean): void {
    this.#network.setUp(up);
  }

  close(): void {
    if (this.#network.engine.closed) return;
    this.stopDhcp();
    this.#dhcp6?.stop();
    this.#network.engine.enter(() => {
      this.#tcp.closeAll();
      this.#udp.closeAll();
    });
    this.#network.close();
  }
}

function requireMac(text: string): Uint8Array {
  const mac = parseMac(text);
  if (mac === undefined || (mac[0] & 1) !== 0) {
    throw new StackError('EINVAL', `${JSON.stringify(text)} is no host's MAC address`);
  }
  return mac;
}

function chooseMac(mac: string | Uint8Array | undefined, random: Random): Uint8Array {
  if (typeof mac === 'string') return requireMac(mac);
  if (mac !== undefined) return requireMac(formatMac(mac));
  const chosen = Uint8Array.from({ length: 6 }, () => Math.floor(random() * 256));
  chosen[0] = (chosen[0] & 0xfc) | 2;
  return chosen;
}

/**
 * A host on one link.
 *
 * @throws StackError `EINVAL` for a MAC address that is none
 */
export function createStack(options: StackOptions): EngineStack {
  return new HostStack(options);
}
