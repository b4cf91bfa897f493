/**
 * The box behind the access points: a host of the same engine that gives addresses, answers for names and time, and carries
 * connections on to the host's own network as the policy allows. User-mode networking, no privileges.
 */
import ipaddr from 'ipaddr.js';
import { WincError } from '../../driver/protocol/errors.js';
import type { Clock, Endpoint, Link, Random, Stack, TcpListener, UdpSocket } from '../tcpip/contract.js';
import { DhcpServer } from '../tcpip/dhcp/index.js';
import { createStack } from '../tcpip/stack.js';
import { DNS_PORT, DnsServer } from './dns-server.js';
import { serveDnsOverTcp } from './dns-tcp.js';
import { DnsUpstream } from './dns-upstream.js';
import { DnsZone, hostNames } from './dns-zone.js';
import { EchoForwarder } from './nat/echo.js';
import { type Forward, type ForwardOptions, openForward } from './nat/forwards.js';
import { TcpNat } from './nat/tcp-nat.js';
import { UdpNat } from './nat/udp-nat.js';
import { answerNtp, NTP_PORT, type NtpClock } from './ntp.js';
import { type HostNetwork, hostDestination, type RouterAddresses } from './policy.js';

/** The network's addresses. By default 10.0.2.2 in 10.0.2.0/24 with leases from 10.0.2.15, as QEMU has it. */
export interface RouterAddressing {
  readonly address?: string;
  readonly prefix?: number;
  readonly firstLease?: string;
  readonly lastLease?: string;
  readonly leaseSeconds?: number;
  /** The first 64 bits of the stations' IPv6 addresses, such as `fd0a:0:2::`; the router is `…::2`. By default none. */
  readonly ipv6Prefix?: string;
  /** Name servers to ask with `hostNetwork: 'full'`; by default those of the host. */
  readonly dnsServers?: readonly string[];
}

export interface RouterOptions extends RouterAddressing {
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds since 1970, the world's. */
  readonly utcNow: () => number;
  readonly hostNetwork: HostNetwork;
}

const ROUTER_MAC = '02:52:54:00:00:02';

export class Router {
  readonly stack: Stack;
  readonly addresses: RouterAddresses;
  /** The world's own names; they come before any others. */
  readonly zone = new DnsZone();
  readonly dns: DnsServer;
  readonly dhcp: DhcpServer;
  /** What the time server answers with: its error against the world's clock, ms, and how it feels. `silent`: no answer. */
  readonly ntp: { offsetMs: number; state: NtpClock['state'] | 'silent' } = {
    offsetMs: 0,
    state: 'synchronised',
  };
  /** From the next connection on. */
  hostNetwork: HostNetwork;

  readonly #options: RouterOptions;
  /** Where the pool of leases begins. */
  readonly firstLease: string;
  readonly #tcp: TcpNat;
  readonly #udp: UdpNat;
  readonly #echo: EchoForwarder;
  readonly #upstream: DnsUpstream;
  readonly #services: (TcpListener | UdpSocket)[] = [];
  readonly #forwards: Forward[] = [];

  constructor(options: RouterOptions) {
    const { link, clock, random } = options;
    const address = options.address ?? '10.0.2.2';
    const prefix = options.prefix ?? 24;
    this.#options = options;
    this.firstLease = options.firstLease ?? '10.0.2.15';
    this.hostNetwork = options.hostNetwork;
    this.addresses = {
      ipv4: address,
      ipv6: options.ipv6Prefix === undefined ? undefined : ipv6Address(options.ipv6Prefix),
    };
    const stack = createStack({ link, clock, random, mac: ROUTER_MAC });
    this.stack = stack;
    try {
      stack.addAddress(address, prefix);
      this.dhcp = new DhcpServer(stack, {
        clock,
        address,
        prefix,
        pool: [this.firstLease, options.lastLease ?? '10.0.2.254'],
        ...(options.leaseSeconds === undefined ? {} : { leaseSeconds: options.leaseSeconds }),
        options: { ntpServers: [address] },
      });
    } catch (cause) {
      stack.close();
      throw new WincError('WINC_ARGUMENT', `router: ${(cause as Error).message.replace(/^E[A-Z]+: /, '')}`, {
        cause,
      });
    }
    if (options.ipv6Prefix !== undefined && this.addresses.ipv6 !== undefined) {
      stack.startIpv6();
      stack.addAddress(this.addresses.ipv6, 64);
      stack.advertise({ prefix: options.ipv6Prefix, nameServers: [this.addresses.ipv6] });
    }

    this.#upstream = new DnsUpstream({
      clock,
      random,
      ...(options.dnsServers === undefined ? {} : { servers: options.dnsServers }),
    });
    this.dns = new DnsServer({
      zones: () => (this.hostNetwork === 'none' ? [this.zone] : [this.zone, this.#hostNames]),
      upstream: () => (this.hostNetwork === 'full' ? this.#upstream.ask : undefined),
    });

    const destination = (to: string) => hostDestination(to, this.hostNetwork, this.addresses);
    this.#tcp = new TcpNat({ clock, destination });
    this.#udp = new UdpNat({ clock, destination });
    this.#echo = new EchoForwarder(destination);
    this.stack.tcpForwarder = this.#tcp.forward;
    this.stack.udpForwarder = this.#udp.forward;
    this.stack.icmpForwarder = this.#echo.forward;
    this.#serve();
  }

  /** Opens a port of the host's loopback that leads to a module's. @throws WincError when the port cannot be had */
  async forward(
    options: ForwardOptions,
    moduleAddress: () => string = () => this.firstLease,
  ): Promise<Forward> {
    const forward = await openForward(options, {
      stack: this.stack,
      clock: this.#options.clock,
      address: moduleAddress,
    });
    this.#forwards.push(forward);
    return forward;
  }

  /** Open ones. */
  get forwards(): readonly Forward[] {
    return this.#forwards;
  }

  /** The address last given to that station, if any. */
  leaseOf(mac: string): string | undefined {
    return this.dhcp.leases.get(mac.toLowerCase());
  }

  close(): void {
    for (const forward of this.#forwards) forward.close();
    this.#tcp.close();
    this.#udp.close();
    this.#echo.close();
    this.#upstream.close();
    this.dhcp.close();
    for (const service of this.#services) service.close();
    this.stack.close();
  }

  #serve(): void {
    const { clock, utcNow } = this.#options;
    const dns = this.stack.udpBind(
      { port: DNS_PORT },
      { message: (query, from) => this.dns.query(query, 'udp', (answer) => sendTo(dns, answer, from)) },
    );
    const ntp = this.stack.udpBind(
      { port: NTP_PORT },
      {
        message: (request, from) => {
          const { offsetMs, state } = this.ntp;
          if (state === 'silent') return;
          const answer = answerNtp(request, { nowMs: utcNow() + offsetMs, state });
          if (answer !== undefined) sendTo(ntp, answer, from);
        },
      },
    );
    this.#services.push(dns, ntp, serveDnsOverTcp(this.stack, this.dns, clock));
  }

  /** Read once, when first asked for. */
  get #hostNames(): DnsZone {
    this.#hostZone ??= hostNames(this.addresses);
    return this.#hostZone;
  }
  #hostZone: DnsZone | undefined;
}

/** To a station that may be gone meanwhile: then the answer is lost, as on any network. */
function sendTo(socket: UdpSocket, data: Uint8Array, to: Endpoint): void {
  try {
    socket.send(data, to);
  } catch {
    // no route to it
  }
}

/** The router's own address in a prefix. @throws WincError `WINC_ARGUMENT` */
function ipv6Address(prefix: string): string {
  const bytes = ipaddr.IPv6.isValid(prefix) ? ipaddr.IPv6.parse(prefix).toByteArray() : [];
  if (bytes.length === 0 || bytes.slice(8).some((byte) => byte !== 0))
    throw new WincError('WINC_ARGUMENT', `${prefix} is no IPv6 prefix of 64 bits such as fd0a:0:2::`);
  bytes[15] = 2;
  return new ipaddr.IPv6(bytes).toRFC5952String();
}
