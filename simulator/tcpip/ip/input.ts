import { isLoopback, isMulticast, isReservedV4, isUnspecified } from '../core/address.js';
import { fold } from '../core/checksum.js';
import type { Engine } from '../core/engine.js';
import { ETHERNET_HEADER, type Packet } from '../core/packet.js';
import {
  IPV4_HEADER,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Identification,
  ipv4MoreFragments,
  ipv4TotalLength,
} from '../wire/ipv4.js';
import {
  FRAGMENT_HEADER,
  IPV6_HEADER,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadLength,
  ipv6TrafficClass,
  NEXT_DESTINATION,
  NEXT_FRAGMENT,
  NEXT_HOP_BY_HOP,
  NEXT_NONE,
  NEXT_ROUTING,
  parseFragment,
} from '../wire/ipv6.js';
import { checkOptions, extensionLength, isExtension } from './extensions.js';
import type { Icmp } from './icmp.js';
import type { Interface } from './interface.js';
import { Reassembly } from './reassembly.js';

/** RFC 8504 5.3 wants a bound on what a packet can make us walk through. */
const MAX_EXTENSIONS = 8;

/** Above: who gets what. */
export interface IpUsers {
  /** `foreign`: to an address that is not ours. */
  deliver(packet: Packet, foreign: boolean): void;
  /** Whether packets to other addresses are looked at too. */
  acceptsForeign(): boolean;
  acceptsGroup(packet: Packet): boolean;
}

/** IPv4 (RFC 791, 1122 3.2) and IPv6 (RFC 8200) as a host receives them. */
export class IpInput {
  readonly #engine: Engine;
  readonly #iface: Interface;
  readonly #icmp: Icmp;
  readonly #users: IpUsers;
  readonly reassembly: Reassembly;

  constructor(
    engine: Engine,
    iface: Interface,
    icmp: Icmp,
    users: IpUsers,
    reassemblyTimeout: (head: Uint8Array) => void,
  ) {
    this.#engine = engine;
    this.#iface = iface;
    this.#icmp = icmp;
    this.#users = users;
    this.reassembly = new Reassembly(engine, reassemblyTimeout);
  }

  ipv4(packet: Packet, looped: boolean): void {
    const { frame } = packet;
    const { stats } = this.#engine;
    const at = ETHERNET_HEADER;
    const available = packet.length - at;
    const header = ipv4HeaderLength(frame, at);
    const total = available >= IPV4_HEADER ? ipv4TotalLength(frame, at) : 0;
    if (frame[at] >>> 4 !== 4 || header < IPV4_HEADER || total < header || total > available) {
      stats.malformedPackets++;
      return;
    }
    if (fold(packet.sum(at, header)) !== 0xffff) {
      stats.badIpChecksums++;
      return;
    }
    packet.source.readV4(frame, at + 12);
    packet.destination.readV4(frame, at + 16);
    packet.ipAt = at;
    packet.ipHeaderLength = header;
    packet.protocol = frame[at + 9];
    packet.hops = frame[at + 8];
    packet.trafficClass = frame[at + 1];
    packet.payloadAt = at + header;
    packet.payloadLength = total - header;
    if (!this.#sourceIsPossible(packet, looped)) {
      stats.badSources++;
      return;
    }
    const foreign = !this.#isForUs(packet);
    if (foreign && !this.#takesForeign(packet)) {
      stats.notForUs++;
      return;
    }
    if (header > IPV4_HEADER && !this.#optionsAreSane(packet)) return;
    const offset = ipv4FragmentOffset(frame, at);
    const more = ipv4MoreFragments(frame, at);
    if (offset === 0 && !more) {
      this.#users.deliver(packet, foreign);
      return;
    }
    const whole = this.reassembly.add(packet, ipv4Identification(frame, at), offset, more);
    if (whole !== undefined) this.#users.deliver(whole, foreign);
  }

  ipv6(packet: Packet, looped: boolean): void {
    const { frame } = packet;
    const { stats } = this.#engine;
    const at = ETHERNET_HEADER;
    const available = packet.length - at - IPV6_HEADER;
    if (available < 0 || frame[at] >>> 4 !== 6 || ipv6PayloadLength(frame, at) > available) {
      stats.malformedPackets++;
      return;
    }
    packet.source.readV6(frame, at + 8);
    packet.destination.readV6(frame, at + 24);
    packet.ipAt = at;
    packet.ipHeaderLength = IPV6_HEADER;
    packet.protocol = ipv6NextHeader(frame, at);
    packet.hops = ipv6HopLimit(frame, at);
    packet.trafficClass = ipv6TrafficClass(frame, at);
    packet.payloadAt = at + IPV6_HEADER;
    packet.payloadLength = ipv6PayloadLength(frame, at);
    // RFC 4291 2.5.5.2: the mapped form never stands in a packet.
    const mapped = packet.source.isV4 || packet.destination.isV4;
    if (mapped || !this.#sourceIsPossible(packet, looped)) {
      stats.badSources++;
      return;
    }
    const foreign = !this.#isForUs(packet);
    if (foreign && !this.#takesForeign(packet)) {
      stats.notForUs++;
      return;
    }
    this.#walkExtensions(packet, foreign);
  }

  #walkExtensions(packet: Packet, foreign: boolean): void {
    const { frame } = packet;
    const { stats } = this.#engine;
    /** Where the type of the current header stands, for parameter problems. */
    let typeAt = packet.ipAt + 6;
    for (let count = 0; isExtension(packet.protocol); count++) {
      const at = packet.payloadAt;
      const end = at + packet.payloadLength;
      const length = extensionLength(packet.protocol, frame, at, end);
      if (length < 0 || count >= MAX_EXTENSIONS) {
        stats.malformedPackets++;
        return;
      }
      const kind = packet.protocol;
      // RFC 8200 4.1: hop-by-hop options stand right behind the IPv6 header or nowhere.
      if (kind === NEXT_HOP_BY_HOP && count > 0) {
        this.#icmp.refuse(packet, 'protocol', typeAt - packet.ipAt);
        return;
      }
      if (kind === NEXT_HOP_BY_HOP || kind === NEXT_DESTINATION) {
        if (!this.#checkOptions(packet, at + 2, at + length)) return;
      }
      // RFC 5095: routing type 0 is not processed; any type with segments left is not for a host.
      if (kind === NEXT_ROUTING && frame[at + 3] !== 0) {
        this.#icmp.refuse(packet, 'parameter', at + 2 - packet.ipAt);
        return;
      }
      if (kind === NEXT_FRAGMENT) {
        const whole = this.#fragment(packet, at, end);
        if (whole === packet) {
          typeAt = at;
          continue;
        }
        if (whole !== undefined) this.#walkExtensions(whole, foreign);
        return;
      }
      typeAt = at;
      packet.protocol = frame[at];
      this.#skip(packet, length);
    }
    if (packet.protocol === NEXT_NONE) return;
    this.#users.deliver(packet, foreign);
  }

  #skip(packet: Packet, length: number): void {
    packet.payloadAt += length;
    packet.payloadLength -= length;
    packet.ipHeaderLength += length;
  }

  #checkOptions(packet: Packet, from: number, end: number): boolean {
    const verdict = checkOptions(packet.frame, from, end);
    if (verdict.kind === 'accept') return true;
    this.#engine.stats.malformedPackets++;
    if (verdict.kind === 'report' && (verdict.multicastToo || !isMulticast(packet.destination))) {
      this.#icmp.refuse(packet, 'option', verdict.at - packet.ipAt);
    }
    return false;
  }

  /** The packet itself if it is not really a fragment (RFC 6946), the whole one if this was its last part. */
  #fragment(packet: Packet, at: number, end: number): Packet | undefined {
    const fragment = parseFragment(packet.frame, at, end - at);
    if (fragment === undefined) return undefined;
    packet.protocol = fragment.nextHeader;
    // Data begins behind the fragment header; the headers before it stay as they are in the first fragment.
    packet.payloadAt += FRAGMENT_HEADER;
    packet.payloadLength -= FRAGMENT_HEADER;
    packet.ipHeaderLength += FRAGMENT_HEADER;
    if (fragment.offset === 0 && !fragment.more) return packet;
    if (fragment.more && (packet.payloadLength & 7) !== 0) {
      this.#engine.stats.fragmentsRefused++;
      this.#icmp.refuse(packet, 'parameter', 4);
      return undefined;
    }
    return this.reassembly.add(packet, fragment.identification, fragment.offset, fragment.more);
  }

  #sourceIsPossible(packet: Packet, looped: boolean): boolean {
    const { source } = packet;
    if (isMulticast(source)) return false;
    if (looped) return true;
    if (isLoopback(source) || isLoopback(packet.destination)) return false;
    // Our own address from outside: a spoofed packet (land) or an echo of our own.
    if (this.#iface.owns(source)) return false;
    if (source.isV4) return isUnspecified(source) || !isReservedV4(source);
    return true;
  }

  #isForUs(packet: Packet): boolean {
    const { destination } = packet;
    if (isMulticast(destination)) return this.#users.acceptsGroup(packet);
    if (this.#iface.owns(destination)) return true;
    return this.#iface.isBroadcast(destination);
  }

  /** Neither groups nor broadcasts, nor what the link layer sent to all, are forwarded. */
  #takesForeign(packet: Packet): boolean {
    const { destination } = packet;
    if (packet.linkBroadcast || isMulticast(destination) || isUnspecified(destination)) return false;
    return this.#users.acceptsForeign();
  }

  /** RFC 7126: source routes are refused; anything else is skipped if its lengths are right. */
  #optionsAreSane(packet: Packet): boolean {
    const { frame, ipAt } = packet;
    const end = packet.payloadAt;
    for (let at = ipAt + IPV4_HEADER; at < end; ) {
      const kind = frame[at];
      if (kind === 0) return true;
      if (kind === 1) {
        at++;
        continue;
      }
      const length = at + 1 < end ? frame[at + 1] : 0;
      const sourceRoute = kind === 131 || kind === 137;
      if (length < 2 || at + length > end || sourceRoute) {
        this.#engine.stats.malformedPackets++;
        if (!sourceRoute) this.#icmp.refuse(packet, 'parameter', at - ipAt);
        return false;
      }
      at += length;
    }
    return true;
  }
}
