import type { Clock, Link, Random } from '../contract.js';
import { type Address, isMulticast } from '../core/address.js';
import { Engine } from '../core/engine.js';
import { FramePool, type HeldFrame } from '../core/frame-pool.js';
import { ETHERNET_HEADER, Packet } from '../core/packet.js';
import { StackError } from '../errors.js';
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  etherType,
  isGroupFrame,
  sameMac,
} from '../wire/ethernet.js';
import { PROTOCOL_ICMP, PROTOCOL_IGMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.js';
import { NEXT_ICMPV6 } from '../wire/ipv6.js';
import { ArpProtocol } from './arp.js';
import { Icmp, type IcmpUsers, type Quote } from './icmp.js';
import { IpInput, type IpUsers } from './input.js';
import { Interface } from './interface.js';
import { Multicast } from './multicast.js';
import { NeighborDiscovery } from './ndp.js';
import { type Neighbor, NeighborCache } from './neighbors.js';
import { type FrameSink, Output, payloadStart } from './output.js';

/** Frames that wait: for neighbours, for loopback, or because they came while the engine was at work. */
const HELD_FRAMES = 1024;
const QUEUE_LIMIT = 768;

/** A transport protocol over IP. */
export interface Transport {
  /** `foreign`: to an address that is not ours. Reads the packet during the call. */
  input(packet: Packet, foreign: boolean): void;
  /** An ICMP error about a segment or datagram of ours. */
  error(quote: Quote): void;
  /** Whether something wants packets to addresses that are not ours. */
  readonly takesForeign: boolean;
  /** Whether the quoted packet really is one of ours in flight: only then is a path MTU believed (RFC 5927 7.2). */
  vouches?(quote: Quote): boolean;
}

/** Sees packets of one protocol number the stack itself does not handle, or any, before they are handled. */
export type RawReceiver = (packet: Packet) => void;

export interface EchoUsers {
  echoReply: IcmpUsers['echoReply'];
  echoForeign: IcmpUsers['echoForeign'];
  error(quote: Quote): void;
  readonly takesForeign: () => boolean;
}

/** Everything below the transports, wired together: link, neighbours, addresses, IP in and out, ICMP, groups. */
export class Network implements FrameSink, IpUsers {
  readonly engine: Engine;
  readonly iface: Interface;
  readonly neighbors: NeighborCache;
  readonly output: Output;
  readonly icmp: Icmp;
  readonly arp: ArpProtocol;
  readonly discovery: NeighborDiscovery;
  readonly multicast: Multicast;
  readonly #link: Link;
  readonly #pool: FramePool;
  readonly #input: IpInput;
  readonly #packet: Packet;
  readonly #transports = new Map<number, Transport>();
  readonly #raw = new Map<number, Set<RawReceiver>>();
  /** Received or looped back while busy; each with whether it was looped back. */
  readonly #queue: { frame: HeldFrame; looped: boolean }[] = [];
  #transmitting = 0;
  #tcp: Transport | undefined;
  #echo: EchoUsers | undefined;
  up = true;

  constructor(link: Link, clock: Clock, random: Random, mac: Uint8Array) {
    const engine = new Engine(clock, random);
    const size = ETHERNET_HEADER + link.mtu;
    this.engine = engine;
    this.#link = link;
    this.#pool = new FramePool(size, HELD_FRAMES);
    this.#packet = new Packet(size);
    this.iface = new Interface(mac);
    this.neighbors = new NeighborCache(engine, this.#pool, {
      solicit: (neighbor) => this.#solicit(neighbor),
      send: (held) => this.transmit(held.bytes, held.length),
      unreachable: (held) => this.icmp.reportLocally(held.bytes, held.length, 'host-unreachable'),
      forgotten: () => this.iface.generation++,
    });
    this.output = new Output(engine, this.iface, this.neighbors, this, link.mtu);
    this.icmp = new Icmp(engine, this.iface, this.output, {
      error: (quote) => this.#icmpError(quote),
      echoReply: (...reply) => this.#echo?.echoReply(...reply),
      echoForeign: (packet) => this.#echo?.echoForeign(packet) ?? false,
      discovery: (packet, type) => {
        if (!this.multicast.inputMld(packet, type)) this.discovery.input(packet, type);
      },
    });
    this.arp = new ArpProtocol(engine, this.iface, this.neighbors, this);
    this.discovery = new NeighborDiscovery(this);
    this.multicast = new Multicast(this);
    this.#input = new IpInput(engine, this.iface, this.icmp, this, (head) => this.#reassemblyTimedOut(head));
    engine.takeFrame = () => this.#takeQueued();
    engine.pollLink = () => link.poll?.();
    link.receive = (frame, length) => this.receive(frame, length);
  }

  register(protocol: number, transport: Transport): void {
    this.#transports.set(protocol, transport);
    if (protocol === PROTOCOL_TCP) this.#tcp = transport;
  }

  registerEcho(users: EchoUsers): void {
    this.#echo = users;
  }

  /** Every packet of `protocol` to us, before it is handled; a protocol that has a receiver counts as known. */
  addRaw(protocol: number, receiver: RawReceiver): () => void {
    const receivers = this.#raw.get(protocol) ?? new Set();
    receivers.add(receiver);
    this.#raw.set(protocol, receivers);
    return () => {
      receivers.delete(receiver);
      if (receivers.size === 0) this.#raw.delete(protocol);
    };
  }

  receive(frame: Uint8Array, length: number): void {
    const { engine } = this;
    if (!this.up || engine.closed) return;
    engine.stats.framesIn++;
    engine.stats.bytesIn += length;
    if (engine.busy || this.#transmitting > 0) {
      this.#enqueue(frame, length, false);
      return;
    }
    engine.begin();
    try {
      this.#takeIn(frame, length, false);
    } finally {
      engine.end();
    }
  }

  transmit(frame: Uint8Array, length: number): void {
    const { engine } = this;
    if (!this.up || engine.closed) return;
    engine.stats.framesOut++;
    engine.stats.bytesOut += length;
    this.#transmitting++;
    try {
      if (!this.#link.transmit(frame, length)) engine.stats.linkDrops++;
    } finally {
      this.#transmitting--;
    }
  }

  loopBack(frame: Uint8Array, length: number): void {
    this.#enqueue(frame, length, true);
  }

  #enqueue(frame: Uint8Array, length: number, looped: boolean): void {
    const held = this.#queue.length < QUEUE_LIMIT ? this.#pool.hold(frame, length) : undefined;
    if (held === undefined) {
      this.engine.stats.queueDrops++;
      return;
    }
    this.#queue.push({ frame: held, looped });
    if (!this.engine.busy) this.engine.wake();
  }

  #takeQueued(): boolean {
    const next = this.#queue.shift();
    if (next === undefined) return false;
    this.#takeIn(next.frame.bytes, next.frame.length, next.looped);
    this.#pool.release(next.frame);
    return true;
  }

  #takeIn(frame: Uint8Array, length: number, looped: boolean): void {
    const packet = this.#packet;
    const { stats } = this.engine;
    if (length < ETHERNET_HEADER || length > packet.capacity || length > frame.length) {
      stats.malformedFrames++;
      return;
    }
    packet.frame.set(frame.length === length ? frame : frame.subarray(0, length));
    packet.length = length;
    packet.linkBroadcast = isGroupFrame(packet.frame);
    if (!packet.linkBroadcast && !sameMac(packet.frame, 0, this.iface.mac)) {
      stats.notForUs++;
      return;
    }
    switch (etherType(packet.frame)) {
      case ETHERTYPE_IPV4:
        this.#input.ipv4(packet, looped);
        break;
      case ETHERTYPE_IPV6:
        this.#input.ipv6(packet, looped);
        break;
      case ETHERTYPE_ARP:
        this.arp.input(packet);
        break;
      default:
        stats.unknownProtocols++;
    }
  }

  deliver(packet: Packet, foreign: boolean): void {
    const { protocol } = packet;
    if (this.#raw.size > 0 && !foreign) {
      for (const receiver of this.#raw.get(protocol) ?? []) receiver(packet);
    }
    const v4 = packet.source.isV4;
    const transport = protocol === PROTOCOL_TCP ? this.#tcp : this.#transports.get(protocol);
    if (transport !== undefined) transport.input(packet, foreign);
    else if (protocol === (v4 ? PROTOCOL_ICMP : NEXT_ICMPV6)) this.icmp.input(packet, foreign);
    else if (foreign) this.engine.stats.notForUs++;
    else if (v4 && protocol === PROTOCOL_IGMP) this.multicast.inputIgmp(packet);
    else if (!this.#raw.has(protocol)) {
      this.engine.stats.unknownProtocols++;
      this.icmp.refuse(packet, 'protocol', 6);
    }
  }

  acceptsForeign(): boolean {
    if (this.#echo?.takesForeign()) return true;
    for (const transport of this.#transports.values()) if (transport.takesForeign) return true;
    return false;
  }

  acceptsGroup(packet: Packet): boolean {
    return this.multicast.isMember(packet.destination);
  }

  isBroadcastOrGroup(address: Address): boolean {
    return isMulticast(address) || this.iface.isBroadcast(address);
  }

  #solicit(neighbor: Neighbor): void {
    if (neighbor.address.isV4) this.arp.solicit(neighbor);
    else this.discovery.solicit(neighbor);
  }

  #icmpError(quote: Quote): void {
    const transport = this.#transports.get(quote.protocol);
    if (quote.error === 'packet-too-big') {
      if (transport?.vouches?.(quote) === false) return;
      const { destination, mtu } = quote;
      const lowered = this.output.pathMtus.reduce(destination, mtu, this.output.mtu, this.engine.now);
      if (!lowered) return;
    }
    if (quote.protocol === (quote.source.isV4 ? PROTOCOL_ICMP : NEXT_ICMPV6)) this.#echo?.error(quote);
    transport?.error(quote);
  }

  #reassemblyTimedOut(head: Uint8Array): void {
    const v4 = head[0] >>> 4 === 4;
    const packet = new Packet(ETHERNET_HEADER + head.length);
    packet.frame.set(head, ETHERNET_HEADER);
    packet.ipAt = ETHERNET_HEADER;
    packet.payloadAt = ETHERNET_HEADER;
    packet.payloadLength = head.length;
    packet.protocol = PROTOCOL_UDP;
    if (v4) {
      packet.source.readV4(head, 12);
      packet.destination.readV4(head, 16);
    } else {
      packet.source.readV6(head, 8);
      packet.destination.readV6(head, 24);
    }
    if (this.iface.owns(packet.destination)) this.icmp.refuse(packet, 'reassembly');
  }

  /** A packet of a protocol that is not ours. */
  sendRaw(protocol: number, payload: Uint8Array, to: Address, hops: number): void {
    const route = this.output.route(to);
    if (route === undefined) throw new StackError('ENETUNREACH', `no route to ${to}`);
    if (payload.length > 65_515)
      throw new StackError('EMSGSIZE', `${payload.length} bytes do not fit a packet`);
    if (!this.engine.busy) this.engine.refreshTime();
    const packet = this.output.packetFor(payload.length);
    packet.frame.set(payload, payloadStart(to));
    this.output.send(packet, route, route.source, protocol, payload.length, hops, 0, false);
  }

  /** Down: frames go nowhere; connections stay. Up again: neighbours may be others now. */
  setUp(up: boolean): void {
    if (up === this.up) return;
    this.up = up;
    if (!up) {
      this.neighbors.clear();
      return;
    }
    for (const { address, state } of this.iface.addresses) {
      if (address.isV4 && state === 'preferred') this.arp.announce(address);
    }
    this.multicast.announce();
    this.discovery.linkUp();
  }

  close(): void {
    this.engine.close();
    this.#queue.length = 0;
    this.up = false;
  }
}
