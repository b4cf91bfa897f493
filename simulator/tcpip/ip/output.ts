import { type Address, hashAddress, isLoopback, isMulticast } from '../core/address.js';
import { AddressMap } from '../core/address-map.js';
import type { Engine } from '../core/engine.js';
import { ETHERNET_HEADER, Packet } from '../core/packet.js';
import {
  broadcastMac,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  emitEthernet,
  multicastMac,
} from '../wire/ethernet.js';
import { IPV4_DONT_FRAGMENT, IPV4_HEADER, ipv4FragmentField, writeIpv4 } from '../wire/ipv4.js';
import { emitFragment, FRAGMENT_HEADER, IPV6_HEADER, NEXT_FRAGMENT, writeIpv6 } from '../wire/ipv6.js';
import { type Interface, unspecifiedFor } from './interface.js';
import type { Neighbor, NeighborCache } from './neighbors.js';
import { PathMtus } from './path-mtu.js';

const ROUTE_LIMIT = 256;
const MAX_DATAGRAM = 65_535;

/** How packets to one destination leave: to a neighbour, to a group of the link layer, or back to us. */
export class Route {
  readonly destination: Address;
  /** What we send from unless told otherwise; unspecified while we have no address. */
  readonly source: Address;
  readonly neighbor: Neighbor | undefined;
  readonly groupMac: Uint8Array | undefined;
  readonly generation: number;

  constructor(
    destination: Address,
    source: Address,
    neighbor: Neighbor | undefined,
    groupMac: Uint8Array | undefined,
    generation: number,
  ) {
    this.destination = destination;
    this.source = source;
    this.neighbor = neighbor;
    this.groupMac = groupMac;
    this.generation = generation;
  }

  /** To one of our own addresses. */
  get isLocal(): boolean {
    return this.neighbor === undefined && this.groupMac === undefined;
  }
}

/** Below: where finished frames go. */
export interface FrameSink {
  /** Reads the frame during the call. */
  transmit(frame: Uint8Array, length: number): void;
  /** As if it had come from the link. */
  loopBack(frame: Uint8Array, length: number): void;
}

/** Where a transport writes its part of a packet to `destination`, in the buffer `Output.packetFor` gave it. */
export const payloadStart = (destination: Address): number =>
  ETHERNET_HEADER + (destination.isV4 ? IPV4_HEADER : IPV6_HEADER);

/** Routes packets and puts IP and Ethernet headers before what the transports have written. */
export class Output {
  readonly #engine: Engine;
  readonly #iface: Interface;
  readonly #sink: FrameSink;
  readonly #neighbors: NeighborCache;
  readonly #routes = new AddressMap<Route>(ROUTE_LIMIT);
  readonly #packet: Packet;
  #large: Packet | undefined;
  #fragment: Packet | undefined;
  /** By a hash of the destination, so that nobody learns our traffic to others from them (RFC 7739). */
  readonly #identifications = new Uint32Array(256);
  readonly pathMtus = new PathMtus();
  readonly mtu: number;

  constructor(engine: Engine, iface: Interface, neighbors: NeighborCache, sink: FrameSink, mtu: number) {
    this.#engine = engine;
    this.#iface = iface;
    this.#neighbors = neighbors;
    this.#sink = sink;
    this.mtu = mtu;
    this.#packet = new Packet(ETHERNET_HEADER + mtu);
    for (let i = 0; i < 256; i++) this.#identifications[i] = Math.floor(engine.random() * 0x1_0000_0000);
  }

  /** The buffer to build a packet in, IP header and `payloadLength` bytes. Used up by the next call. */
  packetFor(payloadLength: number): Packet {
    if (payloadLength + IPV6_HEADER <= this.mtu) return this.#packet;
    this.#large ??= new Packet(ETHERNET_HEADER + MAX_DATAGRAM + IPV6_HEADER);
    return this.#large;
  }

  routeIsCurrent(route: Route): boolean {
    return route.generation === this.#iface.generation;
  }

  /** `undefined`: no route. */
  route(destination: Address): Route | undefined {
    const cached = this.#routes.get(destination);
    if (cached !== undefined && cached.generation === this.#iface.generation) return cached;
    const found = this.#lookUp(destination.clone());
    if (found !== undefined) this.#routes.set(found.destination, found);
    return found;
  }

  #lookUp(destination: Address): Route | undefined {
    const iface = this.#iface;
    const { generation } = iface;
    const source = iface.sourceFor(destination);
    if (isMulticast(destination)) {
      const from = source ?? unspecifiedFor(destination);
      return new Route(destination, from, undefined, multicastMac(destination), generation);
    }
    if (iface.isBroadcast(destination)) {
      const from = source ?? unspecifiedFor(destination);
      return new Route(destination, from, undefined, broadcastMac, generation);
    }
    if (source === undefined) return undefined;
    if (isLoopback(destination) || iface.owns(destination)) {
      return new Route(destination, source, undefined, undefined, generation);
    }
    const hop = iface.nextHop(destination);
    if (hop === undefined) return undefined;
    return new Route(destination, source, this.#neighbors.obtain(hop), undefined, generation);
  }

  /** Largest packet towards `destination`, IP header included. */
  pathMtu(destination: Address): number {
    return this.pathMtus.get(destination, this.mtu, this.#engine.now);
  }

  /**
   * Completes and sends the packet whose payload stands at `payloadStart(destination)`. Fragments what is larger than
   * the path takes, unless `dontFragment`. A checksum of the transport's is in place already.
   */
  send(
    packet: Packet,
    route: Route,
    source: Address,
    protocol: number,
    payloadLength: number,
    hops: number,
    trafficClass: number,
    dontFragment: boolean,
  ): void {
    const { frame } = packet;
    const { destination } = route;
    const v4 = destination.isV4;
    const total = (v4 ? IPV4_HEADER : IPV6_HEADER) + payloadLength;
    if (total > this.mtu || (!dontFragment && total > this.pathMtu(destination))) {
      this.#sendFragments(packet, route, source, protocol, payloadLength, hops, trafficClass);
      return;
    }
    if (v4) {
      const identification = dontFragment ? 0 : this.#nextIdentification(destination) & 0xffff;
      const fragment = dontFragment ? IPV4_DONT_FRAGMENT : 0;
      writeIpv4(
        frame,
        ETHERNET_HEADER,
        IPV4_HEADER,
        total,
        trafficClass,
        identification,
        fragment,
        hops,
        protocol,
        source,
        destination,
      );
    } else {
      writeIpv6(frame, ETHERNET_HEADER, trafficClass, 0, payloadLength, protocol, hops, source, destination);
    }
    this.transmit(packet, route, ETHERNET_HEADER + total);
  }

  /** Puts the Ethernet header before an IP packet and sends it, once the neighbour is known. */
  transmit(packet: Packet, route: Route, length: number): void {
    const { frame } = packet;
    const { neighbor, groupMac } = route;
    const { mac } = this.#iface;
    const type = route.destination.isV4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    if (neighbor !== undefined) {
      emitEthernet(frame, neighbor.mac, mac, type);
      if (this.#neighbors.resolve(neighbor, frame, length)) this.#sink.transmit(frame, length);
    } else if (groupMac !== undefined) {
      emitEthernet(frame, groupMac, mac, type);
      this.#sink.transmit(frame, length);
    } else {
      emitEthernet(frame, mac, mac, type);
      this.#sink.loopBack(frame, length);
    }
  }

  #nextIdentification(destination: Address): number {
    return this.#identifications[hashAddress(destination) & 255]++;
  }

  /** RFC 791 3.2 and RFC 8200 4.5: equal pieces as large as the path takes, in order. */
  #sendFragments(
    packet: Packet,
    route: Route,
    source: Address,
    protocol: number,
    payloadLength: number,
    hops: number,
    trafficClass: number,
  ): void {
    const { destination } = route;
    const v4 = destination.isV4;
    this.#fragment ??= new Packet(ETHERNET_HEADER + this.mtu);
    const piece = this.#fragment;
    const start = payloadStart(destination);
    const header = v4 ? IPV4_HEADER : IPV6_HEADER + FRAGMENT_HEADER;
    const room = (this.pathMtu(destination) - header) & ~7;
    const identification = this.#nextIdentification(destination);
    for (let offset = 0; offset < payloadLength; offset += room) {
      const size = Math.min(room, payloadLength - offset);
      const more = offset + size < payloadLength;
      const at = ETHERNET_HEADER + header;
      piece.frame.set(packet.frame.subarray(start + offset, start + offset + size), at);
      if (v4) {
        writeIpv4(
          piece.frame,
          ETHERNET_HEADER,
          IPV4_HEADER,
          IPV4_HEADER + size,
          trafficClass,
          identification & 0xffff,
          ipv4FragmentField(offset, more),
          hops,
          protocol,
          source,
          destination,
        );
      } else {
        const length = FRAGMENT_HEADER + size;
        writeIpv6(
          piece.frame,
          ETHERNET_HEADER,
          trafficClass,
          0,
          length,
          NEXT_FRAGMENT,
          hops,
          source,
          destination,
        );
        const extension = { nextHeader: protocol, offset, more, identification };
        emitFragment(extension, piece.frame, ETHERNET_HEADER + IPV6_HEADER);
      }
      this.#engine.stats.fragmentsOut++;
      this.transmit(piece, route, at + size);
    }
  }
}
