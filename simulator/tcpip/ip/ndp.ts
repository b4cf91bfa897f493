import {
  Address,
  allNodes,
  allRouters,
  inPrefix,
  isLinkLocal,
  isMulticast,
  isUnspecified,
  sameAddress,
  solicitedNode,
} from '../core/address.js';
import { fold } from '../core/checksum.js';
import { ETHERNET_HEADER, Packet } from '../core/packet.js';
import { Timer } from '../core/timer-wheel.js';
import { write16 } from '../wire/bytes.js';
import { linkLocalFromMac, multicastMac, withInterfaceId } from '../wire/ethernet.js';
import { IPV6_HEADER, NEXT_ICMPV6, writeIpv6 } from '../wire/ipv6.js';
import * as wire from '../wire/ndp.js';
import type { InterfaceAddress, Prefix } from './interface.js';
import type { Neighbor } from './neighbors.js';
import type { Network } from './network.js';
import { Route } from './output.js';

/** RFC 4861 10 and RFC 4862 5.1. */
const HOP_LIMIT = 255;
const SOLICITATIONS = 3;
const SOLICITATION_INTERVAL_MS = 4_000;
const RETRANSMIT_MS = 1_000;
const DAD_TRANSMITS = 1;
const TWO_HOURS_MS = 7_200_000;
const INFINITE = 0xffffffff;
/** What routers advertise is bounded: 16 prefixes, 8 routers (RFC 6104 tells why). */
const MAX_PREFIXES = 16;
const MAX_ROUTERS = 8;

interface Lifetimes {
  readonly entry: InterfaceAddress;
  preferredUntil: number;
  validUntil: number;
}

interface OnLink extends Prefix {
  until: number;
}

interface Router {
  readonly address: Address;
  until: number;
}

class Tentative {
  readonly entry: InterfaceAddress;
  sent = 0;
  readonly timer: Timer<Tentative>;

  constructor(entry: InterfaceAddress, fire: (tentative: Tentative) => void) {
    this.entry = entry;
    this.timer = new Timer<Tentative>(this, fire);
  }
}

const expiry = (now: number, seconds: number): number =>
  seconds === INFINITE ? Number.POSITIVE_INFINITY : now + seconds * 1000;

/**
 * Neighbour discovery (RFC 4861), duplicate address detection and stateless autoconfiguration (RFC 4862), as host and,
 * if told to, as the router that advertises.
 */
export class NeighborDiscovery {
  readonly #network: Network;
  readonly #packet = new Packet(ETHERNET_HEADER + 1280);
  readonly #tentative: Tentative[] = [];
  readonly #lifetimes: Lifetimes[] = [];
  readonly #routers: Router[] = [];
  readonly #expiry: Timer<NeighborDiscovery>;
  readonly #solicitation: Timer<NeighborDiscovery>;
  #solicitations = 0;
  #active = false;
  #advertising: wire.RouterAdvertisement | undefined;
  #advertisement: Timer<NeighborDiscovery>;
  /** Name servers from router advertisements (RFC 8106). */
  onNameServers: ((servers: readonly Address[]) => void) | undefined;
  /** The router says: ask DHCPv6 for the rest. */
  onOtherConfiguration: ((managed: boolean) => void) | undefined;
  /** An address turned out to be somebody else's. */
  onDuplicate: ((address: Address) => void) | undefined;

  constructor(network: Network) {
    this.#network = network;
    this.#expiry = new Timer<NeighborDiscovery>(this, (self) => self.#expire());
    this.#solicitation = new Timer<NeighborDiscovery>(this, (self) => self.#solicitRouters());
    this.#advertisement = new Timer<NeighborDiscovery>(this, (self) => self.#advertise(allNodes));
  }

  get active(): boolean {
    return this.#active;
  }

  /** Takes a link-local address and asks for routers. */
  start(): void {
    if (this.#active) return;
    this.#active = true;
    const { iface } = this.#network;
    this.addAddress({
      address: linkLocalFromMac(iface.mac),
      prefix: 64,
      origin: 'link-local',
      state: 'tentative',
    });
    this.#solicitations = 0;
    const { engine } = this.#network;
    engine.wheel.arm(this.#solicitation, engine.random() * RETRANSMIT_MS);
  }

  /** Routers may be others now. */
  linkUp(): void {
    if (!this.#active) return;
    this.#solicitations = 0;
    this.#network.engine.wheel.arm(this.#solicitation, this.#network.engine.random() * RETRANSMIT_MS);
  }

  /** Checks the address for duplicates before it is used. */
  addAddress(entry: InterfaceAddress): void {
    const { iface, multicast, engine } = this.#network;
    entry.state = 'tentative';
    iface.add(entry);
    multicast.join(solicitedNode(entry.address));
    const tentative = new Tentative(entry, (one) => this.#probe(one));
    this.#tentative.push(tentative);
    // RFC 4862 5.4.2: not all hosts that came up together at once.
    engine.wheel.arm(tentative.timer, engine.random() * RETRANSMIT_MS);
  }

  removed(address: Address): void {
    const index = this.#tentative.findIndex(({ entry }) => sameAddress(entry.address, address));
    if (index >= 0) this.#tentative.splice(index, 1)[0].timer.disarm();
    const kept = this.#lifetimes.findIndex(({ entry }) => sameAddress(entry.address, address));
    if (kept >= 0) this.#lifetimes.splice(kept, 1);
    this.#network.multicast.leave(solicitedNode(address));
  }

  /** Acts as a router: answers solicitations and advertises every few minutes. `undefined` stops it. */
  advertise(message: wire.RouterAdvertisement | undefined): void {
    const { multicast, engine } = this.#network;
    if (message !== undefined && this.#advertising === undefined) multicast.join(allRouters);
    if (message === undefined && this.#advertising !== undefined) multicast.leave(allRouters);
    this.#advertising = message;
    if (message === undefined) this.#advertisement.disarm();
    else engine.wheel.arm(this.#advertisement, engine.random() * 500);
  }

  input(packet: Packet, type: number): void {
    const { frame, payloadAt: at, payloadLength: length } = packet;
    const { stats } = this.#network.engine;
    // RFC 4861 11.2: only what no router has passed on counts.
    if (packet.hops !== HOP_LIMIT || frame[at + 1] !== 0) {
      stats.malformedIcmp++;
      return;
    }
    const handled =
      type === wire.NEIGHBOR_SOLICITATION
        ? this.#neighborSolicitation(packet, at, length)
        : type === wire.NEIGHBOR_ADVERTISEMENT
          ? this.#neighborAdvertisement(packet, at, length)
          : type === wire.ROUTER_ADVERTISEMENT
            ? this.#routerAdvertisement(packet, at, length)
            : type === wire.ROUTER_SOLICITATION
              ? this.#routerSolicitation(packet, at, length)
              : type === wire.REDIRECT;
    if (!handled) stats.malformedIcmp++;
  }

  solicit(neighbor: Neighbor): void {
    const { iface } = this.#network;
    const source = iface.sourceFor(neighbor.address);
    if (source === undefined) return;
    const unicast = neighbor.state === 'probe';
    const to = unicast ? neighbor.address : solicitedNode(neighbor.address);
    const length = wire.emitNeighborMessage(
      wire.NEIGHBOR_SOLICITATION,
      0,
      neighbor.address,
      iface.mac,
      this.#packet.frame,
      ETHERNET_HEADER + IPV6_HEADER,
    );
    this.#send(source, to, unicast ? neighbor.mac : multicastMac(to), length);
  }

  #send(source: Address, to: Address, mac: Uint8Array, length: number): void {
    const packet = this.#packet;
    const at = ETHERNET_HEADER + IPV6_HEADER;
    packet.source.set(source);
    packet.destination.set(to);
    write16(packet.frame, at + 2, 0);
    const sum = packet.pseudoSum(NEXT_ICMPV6, length) + packet.sum(at, length);
    write16(packet.frame, at + 2, ~fold(sum) & 0xffff);
    writeIpv6(packet.frame, ETHERNET_HEADER, 0, 0, length, NEXT_ICMPV6, HOP_LIMIT, source, to);
    this.#network.engine.stats.icmpOut++;
    const { iface, output } = this.#network;
    output.transmit(packet, new Route(to, source, undefined, mac, iface.generation), at + length);
  }

  #probe(tentative: Tentative): void {
    const { entry } = tentative;
    const { iface, multicast, engine } = this.#network;
    if (tentative.sent >= DAD_TRANSMITS) {
      this.#tentative.splice(this.#tentative.indexOf(tentative), 1);
      entry.state = 'preferred';
      iface.touch();
      multicast.announce();
      return;
    }
    tentative.sent++;
    const to = solicitedNode(entry.address);
    const at = ETHERNET_HEADER + IPV6_HEADER;
    const type = wire.NEIGHBOR_SOLICITATION;
    const length = wire.emitNeighborMessage(type, 0, entry.address, undefined, this.#packet.frame, at);
    this.#send(new Address(), to, multicastMac(to), length);
    engine.wheel.arm(tentative.timer, RETRANSMIT_MS);
  }

  #duplicate(address: Address): void {
    const { iface, engine } = this.#network;
    engine.stats.addressConflicts++;
    this.removed(address);
    iface.remove(address);
    this.onDuplicate?.(address);
  }

  #neighborSolicitation(packet: Packet, at: number, length: number): boolean {
    if (length < 24) return false;
    const target = new Address();
    target.readV6(packet.frame, at + 8);
    const options = wire.parseNdpOptions(packet.frame, at + 24, at + length);
    if (isMulticast(target) || options === undefined) return false;
    const probing = isUnspecified(packet.source);
    if (probing && options.linkAddress !== undefined) return false;
    const { iface, neighbors } = this.#network;
    const entry = iface.find(target);
    if (entry === undefined) return true;
    if (entry.state === 'tentative') {
      // Somebody else checks the same address: nobody gets it (RFC 4862 5.4.3).
      if (probing) this.#duplicate(target);
      return true;
    }
    const { linkAddress } = options;
    if (!probing && linkAddress !== undefined) neighbors.learn(packet.source, linkAddress, 0, false, true);
    const flags =
      wire.NA_OVERRIDE | (probing ? 0 : wire.NA_SOLICITED) | (this.#advertising ? wire.NA_ROUTER : 0);
    const to = probing ? allNodes : packet.source;
    const mac = probing ? multicastMac(to) : packet.frame.slice(6, 12);
    const type = wire.NEIGHBOR_ADVERTISEMENT;
    const start = ETHERNET_HEADER + IPV6_HEADER;
    const size = wire.emitNeighborMessage(type, flags, target, iface.mac, this.#packet.frame, start);
    this.#send(target, to, mac, size);
    return true;
  }

  #neighborAdvertisement(packet: Packet, at: number, length: number): boolean {
    if (length < 24) return false;
    const target = new Address();
    target.readV6(packet.frame, at + 8);
    const flags = packet.frame[at + 4];
    const options = wire.parseNdpOptions(packet.frame, at + 24, at + length);
    if (isMulticast(target) || options === undefined) return false;
    if (isMulticast(packet.destination) && (flags & wire.NA_SOLICITED) !== 0) return false;
    const { iface, neighbors, engine } = this.#network;
    const own = iface.find(target);
    if (own !== undefined) {
      if (own.state === 'tentative') this.#duplicate(target);
      else engine.stats.addressConflicts++;
      return true;
    }
    const known = neighbors.find(target);
    if (known === undefined) return true;
    const mac = options.linkAddress ?? known.mac;
    if (options.linkAddress === undefined && known.state === 'incomplete') return true;
    neighbors.learn(target, mac, 0, (flags & wire.NA_SOLICITED) !== 0, (flags & wire.NA_OVERRIDE) !== 0);
    known.isRouter = (flags & wire.NA_ROUTER) !== 0;
    return true;
  }

  #solicitRouters(): void {
    if (!this.#active || this.#solicitations >= SOLICITATIONS) return;
    this.#solicitations++;
    const { iface, engine } = this.#network;
    const own = iface.sourceFor(allRouters);
    const mac = own === undefined ? undefined : iface.mac;
    const at = ETHERNET_HEADER + IPV6_HEADER;
    const length = wire.emitRouterSolicitation(mac, this.#packet.frame, at);
    this.#send(own ?? new Address(), allRouters, multicastMac(allRouters), length);
    engine.wheel.arm(this.#solicitation, SOLICITATION_INTERVAL_MS);
  }

  #routerSolicitation(packet: Packet, at: number, length: number): boolean {
    if (length < 8) return false;
    const options = wire.parseNdpOptions(packet.frame, at + 8, at + length);
    if (options === undefined) return false;
    if (isUnspecified(packet.source) && options.linkAddress !== undefined) return false;
    if (this.#advertising === undefined) return true;
    const { neighbors, engine } = this.#network;
    if (!isUnspecified(packet.source) && options.linkAddress !== undefined) {
      neighbors.learn(packet.source, options.linkAddress, 0, false, true);
    }
    engine.wheel.arm(this.#advertisement, engine.random() * 500);
    return true;
  }

  #advertise(to: Address): void {
    const message = this.#advertising;
    const { iface, engine } = this.#network;
    if (message === undefined) return;
    engine.wheel.arm(this.#advertisement, 200_000 + engine.random() * 400_000);
    const source = iface.addresses.find(({ address, state }) => {
      return !address.isV4 && isLinkLocal(address) && state !== 'tentative';
    });
    if (source === undefined) {
      engine.wheel.arm(this.#advertisement, RETRANSMIT_MS);
      return;
    }
    const at = ETHERNET_HEADER + IPV6_HEADER;
    const length = wire.emitRouterAdvertisement(message, this.#packet.frame, at);
    this.#send(source.address, to, multicastMac(to), length);
  }

  #routerAdvertisement(packet: Packet, at: number, length: number): boolean {
    const message = wire.parseRouterAdvertisement(packet.frame, at, length);
    if (message === undefined || !isLinkLocal(packet.source)) return false;
    if (!this.#active) return true;
    const { iface, neighbors, engine } = this.#network;
    const { linkAddress, prefixes, dnsServers, dnsLifetime } = message.options;
    if (linkAddress !== undefined)
      neighbors.learn(packet.source, linkAddress, 0, false, true).isRouter = true;
    const index = this.#routers.findIndex(({ address }) => sameAddress(address, packet.source));
    if (index >= 0) this.#routers.splice(index, 1);
    if (message.routerLifetime > 0 && this.#routers.length < MAX_ROUTERS) {
      const until = engine.now + message.routerLifetime * 1000;
      this.#routers.push({ address: packet.source.clone(), until });
    }
    this.#solicitation.disarm();
    this.#chooseRouter();
    for (const prefix of prefixes) {
      if (isLinkLocal(prefix.prefix) || prefix.length > 128) continue;
      if (prefix.onLink) this.#onLinkPrefix(prefix);
      if (prefix.autonomous) this.#autonomousPrefix(prefix);
    }
    iface.touch();
    if (dnsServers.length > 0) this.onNameServers?.(dnsLifetime > 0 ? dnsServers : []);
    if (message.otherConfiguration || message.managed) this.onOtherConfiguration?.(message.managed);
    this.#armExpiry();
    return true;
  }

  #chooseRouter(): void {
    const { iface } = this.#network;
    const next = this.#routers[0]?.address;
    const current = iface.gatewayV6;
    if (current !== undefined && this.#routers.some(({ address }) => sameAddress(address, current))) return;
    iface.gatewayV6 = next;
  }

  #onLinkPrefix(prefix: wire.PrefixInformation): void {
    const { iface, engine } = this.#network;
    const list = iface.onLinkPrefixes as OnLink[];
    const index = list.findIndex(({ network, length }) => {
      return length === prefix.length && inPrefix(network, prefix.prefix, length);
    });
    const until = expiry(engine.now, prefix.validLifetime);
    if (index >= 0) {
      if (prefix.validLifetime === 0) list.splice(index, 1);
      else list[index].until = until;
    } else if (prefix.validLifetime > 0 && list.length < MAX_PREFIXES) {
      list.push({ network: prefix.prefix, length: prefix.length, until });
    }
  }

  /** RFC 4862 5.5.3. */
  #autonomousPrefix(prefix: wire.PrefixInformation): void {
    if (prefix.length !== 64 || prefix.preferredLifetime > prefix.validLifetime) return;
    const { iface, engine } = this.#network;
    const { now } = engine;
    const known = this.#lifetimes.find(({ entry }) => inPrefix(entry.address, prefix.prefix, 64));
    if (known === undefined) {
      if (prefix.validLifetime === 0 || this.#lifetimes.length >= MAX_PREFIXES) return;
      const address = withInterfaceId(prefix.prefix, iface.mac);
      if (iface.find(address) !== undefined) return;
      const entry: InterfaceAddress = { address, prefix: 64, origin: 'slaac', state: 'tentative' };
      this.addAddress(entry);
      this.#lifetimes.push({
        entry,
        preferredUntil: expiry(now, prefix.preferredLifetime),
        validUntil: expiry(now, prefix.validLifetime),
      });
      return;
    }
    known.preferredUntil = expiry(now, prefix.preferredLifetime);
    const valid = expiry(now, prefix.validLifetime);
    const remaining = known.validUntil - now;
    // A forged advertisement must not end an address at once.
    if (valid - now > TWO_HOURS_MS || valid > known.validUntil) known.validUntil = valid;
    else if (remaining > TWO_HOURS_MS) known.validUntil = now + TWO_HOURS_MS;
    if (known.entry.state === 'deprecated' && known.preferredUntil > now) known.entry.state = 'preferred';
  }

  #armExpiry(): void {
    const { iface, engine } = this.#network;
    let next = Number.POSITIVE_INFINITY;
    for (const { entry, preferredUntil, validUntil } of this.#lifetimes) {
      next = Math.min(next, validUntil, entry.state === 'preferred' ? preferredUntil : validUntil);
    }
    for (const { until } of this.#routers) next = Math.min(next, until);
    for (const { until } of iface.onLinkPrefixes as OnLink[]) next = Math.min(next, until ?? next);
    if (next !== Number.POSITIVE_INFINITY) engine.wheel.armAt(this.#expiry, next);
  }

  #expire(): void {
    const { iface, engine } = this.#network;
    const { now } = engine;
    for (const { entry, preferredUntil, validUntil } of [...this.#lifetimes]) {
      if (validUntil <= now) {
        this.removed(entry.address);
        iface.remove(entry.address);
      } else if (preferredUntil <= now && entry.state === 'preferred') entry.state = 'deprecated';
    }
    for (const router of [...this.#routers]) {
      if (router.until <= now) this.#routers.splice(this.#routers.indexOf(router), 1);
    }
    const list = iface.onLinkPrefixes as OnLink[];
    for (const prefix of [...list]) if (prefix.until <= now) list.splice(list.indexOf(prefix), 1);
    this.#chooseRouter();
    iface.touch();
    this.#armExpiry();
  }
}
