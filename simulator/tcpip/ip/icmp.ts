import { Address, isMulticast, isUnspecified } from '../core/address.js';
import { fold } from '../core/checksum.js';
import type { Engine } from '../core/engine.js';
import { ETHERNET_HEADER, type Packet } from '../core/packet.js';
import { TokenBucket } from '../core/token-bucket.js';
import { read16, write16, write32 } from '../wire/bytes.js';
import * as wire from '../wire/icmp.js';
import { IPV4_HEADER, ipv4FragmentOffset, ipv4HeaderLength, PROTOCOL_ICMP } from '../wire/ipv4.js';
import { IPV6_HEADER, NEXT_ICMPV6 } from '../wire/ipv6.js';
import { skipExtensions } from './extensions.js';
import type { Interface } from './interface.js';
import { type Output, payloadStart, type Route } from './output.js';
import { plateauBelow } from './path-mtu.js';

/** The packet an ICMP error is about, as far as it was quoted. */
export interface Quote {
  readonly error: wire.IcmpError;
  /** Of the packet we had sent. */
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: number;
  /** The transport header begins at `at` of `bytes`; `length` bytes of it are there. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
  /** Next-hop MTU, for `packet-too-big`. */
  readonly mtu: number;
}

/** What the rest of the stack does about ICMP. */
export interface IcmpUsers {
  /** An error about a packet of ours. */
  error(quote: Quote): void;
  echoReply(from: Address, identifier: number, sequence: number, hops: number, dataLength: number): void;
  /** An echo request for an address that is not ours; true if somebody will answer it. */
  echoForeign(packet: Packet): boolean;
  /** ICMPv6 that is neighbour or multicast listener discovery. */
  discovery(packet: Packet, type: number): void;
}

/** Quoted in errors: as much as fits the minimum MTU (RFC 1812 4.3.2.3, RFC 4443 2.4 c). */
const QUOTE_IPV4 = 576 - IPV4_HEADER - wire.ICMP_HEADER;
const QUOTE_IPV6 = 1280 - IPV6_HEADER - wire.ICMP_HEADER;
const DEFAULT_HOPS = 64;

export type Refusal = 'port' | 'protocol' | 'host' | 'net' | 'reassembly' | 'parameter' | 'option';

/** ICMPv4 (RFC 792, 1122) and ICMPv6 (RFC 4443): echo, errors out with a rate limit, errors in. */
export class Icmp {
  readonly #engine: Engine;
  readonly #iface: Interface;
  readonly #output: Output;
  readonly #users: IcmpUsers;
  /** RFC 1812 4.3.2.8 and RFC 4443 2.4 f; Linux's global figures. */
  readonly #errors = new TokenBucket(1000, 50);

  constructor(engine: Engine, iface: Interface, output: Output, users: IcmpUsers) {
    this.#engine = engine;
    this.#iface = iface;
    this.#output = output;
    this.#users = users;
  }

  /** `foreign`: not addressed to us, but let through for a forwarder. */
  input(packet: Packet, foreign: boolean): void {
    const { frame, payloadAt: at, payloadLength: length } = packet;
    const { stats } = this.#engine;
    const v4 = packet.source.isV4;
    if (length < wire.ICMP_HEADER) {
      // The shortest messages of MLD and NDP have 8 bytes too.
      stats.malformedIcmp++;
      return;
    }
    const seed = v4 ? 0 : packet.pseudoSum(NEXT_ICMPV6, length);
    if (fold(packet.sum(at, length) + seed) !== 0xffff) {
      stats.badIcmpChecksums++;
      return;
    }
    stats.icmpIn++;
    const type = frame[at];
    if (type === (v4 ? wire.ICMP_ECHO_REQUEST : wire.ICMPV6_ECHO_REQUEST)) {
      if (!foreign || !this.#users.echoForeign(packet)) {
        if (foreign) stats.notForUs++;
        else this.#answerEcho(packet);
      }
      return;
    }
    if (foreign) {
      stats.notForUs++;
    } else if (type === (v4 ? wire.ICMP_ECHO_REPLY : wire.ICMPV6_ECHO_REPLY)) {
      const identifier = read16(frame, at + 4);
      const sequence = read16(frame, at + 6);
      this.#users.echoReply(packet.source, identifier, sequence, packet.hops, length - wire.ICMP_HEADER);
    } else if (v4 && type === wire.ICMP_TIMESTAMP_REQUEST) {
      this.#answerTimestamp(packet);
    } else if (!v4 && type >= 130 && type <= 143) {
      this.#users.discovery(packet, type);
    } else {
      this.#inputError(packet, type);
    }
  }

  /** Sends what stands in `packet` from the ICMP header on, checksummed. */
  sendMessage(packet: Packet, route: Route, source: Address, length: number, hops = DEFAULT_HOPS): void {
    const at = payloadStart(route.destination);
    const v4 = route.destination.isV4;
    packet.source.set(source);
    packet.destination.set(route.destination);
    write16(packet.frame, at + 2, 0);
    const seed = v4 ? 0 : packet.pseudoSum(NEXT_ICMPV6, length);
    write16(packet.frame, at + 2, ~fold(packet.sum(at, length) + seed) & 0xffff);
    this.#engine.stats.icmpOut++;
    this.#output.send(packet, route, source, v4 ? PROTOCOL_ICMP : NEXT_ICMPV6, length, hops, 0, false);
  }

  /** False: no route. `data` follows the header. */
  sendEcho(to: Address, identifier: number, sequence: number, data: Uint8Array, hops: number): boolean {
    const route = this.#output.route(to);
    if (route === undefined) return false;
    const length = wire.ICMP_HEADER + data.length;
    const packet = this.#output.packetFor(length);
    const at = payloadStart(to);
    this.#header(packet, at, to.isV4 ? wire.ICMP_ECHO_REQUEST : wire.ICMPV6_ECHO_REQUEST, 0);
    write16(packet.frame, at + 4, identifier);
    write16(packet.frame, at + 6, sequence);
    packet.frame.set(data, at + wire.ICMP_HEADER);
    this.sendMessage(packet, route, route.source, length, hops);
    return true;
  }

  /** An echo reply from `source`, which may be an address we answer for. */
  sendEchoReply(to: Address, source: Address, rest: number, data: Uint8Array): void {
    const route = this.#output.route(to);
    if (route === undefined) return;
    const length = wire.ICMP_HEADER + data.length;
    const packet = this.#output.packetFor(length);
    const at = payloadStart(to);
    this.#header(packet, at, to.isV4 ? wire.ICMP_ECHO_REPLY : wire.ICMPV6_ECHO_REPLY, 0);
    write32(packet.frame, at + 4, rest);
    packet.frame.set(data, at + wire.ICMP_HEADER);
    this.sendMessage(packet, route, source, length);
  }

  #header(packet: Packet, at: number, type: number, code: number): void {
    packet.frame[at] = type;
    packet.frame[at + 1] = code;
    write32(packet.frame, at + 4, 0);
  }

  #answerEcho(packet: Packet): void {
    // RFC 1122 3.2.2.6: broadcast and multicast requests are not answered; a multicast one is in IPv6 (RFC 4443 4.2).
    const group = packet.linkBroadcast || isMulticast(packet.destination);
    if (group && packet.source.isV4) return;
    const { frame, payloadAt: at, payloadLength: length } = packet;
    const route = this.#output.route(packet.source);
    if (route === undefined) return;
    const source = group ? route.source : packet.destination.clone();
    const reply = this.#output.packetFor(length);
    const to = payloadStart(packet.source);
    this.#header(reply, to, packet.source.isV4 ? wire.ICMP_ECHO_REPLY : wire.ICMPV6_ECHO_REPLY, 0);
    reply.frame.set(frame.subarray(at + 4, at + length), to + 4);
    this.sendMessage(reply, route, source, length);
  }

  /** RFC 1122 3.2.2.8: milliseconds since midnight UT, marked as not standard since our clock has no date. */
  #answerTimestamp(packet: Packet): void {
    if (packet.payloadLength < 20 || packet.linkBroadcast || isMulticast(packet.destination)) return;
    const route = this.#output.route(packet.source);
    if (route === undefined) return;
    const { frame, payloadAt: at } = packet;
    const source = packet.destination.clone();
    const reply = this.#output.packetFor(20);
    const to = payloadStart(packet.source);
    this.#header(reply, to, wire.ICMP_TIMESTAMP_REPLY, 0);
    reply.frame.set(frame.subarray(at + 4, at + 12), to + 4);
    const time = 0x80000000 | (this.#engine.now % 86_400_000);
    write32(reply.frame, to + 12, time);
    write32(reply.frame, to + 16, time);
    this.sendMessage(reply, route, source, 20);
  }

  /** Tells the sender of `packet` why it was not delivered, unless RFC 1122 3.2.2 or RFC 4443 2.4 e forbid. */
  refuse(packet: Packet, why: Refusal, pointer = 0): void {
    if (
      packet.linkBroadcast ||
      isMulticast(packet.destination) ||
      this.#iface.isBroadcast(packet.destination)
    )
      return;
    if (isUnspecified(packet.source) || isMulticast(packet.source)) return;
    if (this.#isIcmpError(packet)) return;
    const { ipAt, payloadAt, payloadLength } = packet;
    const quote = packet.frame.slice(ipAt, Math.min(payloadAt + payloadLength, ipAt + QUOTE_IPV6));
    this.sendError(packet.source, packet.destination, quote, why, pointer);
  }

  #isIcmpError(packet: Packet): boolean {
    const type = packet.frame[packet.payloadAt];
    if (packet.protocol === PROTOCOL_ICMP && packet.source.isV4) {
      return type !== wire.ICMP_ECHO_REQUEST && type !== wire.ICMP_TIMESTAMP_REQUEST;
    }
    return packet.protocol === NEXT_ICMPV6 && type < 128;
  }

  /** `about`: the destination of the packet quoted, which we answer from if it is ours. */
  sendError(to: Address, about: Address, quote: Uint8Array, why: Refusal, pointer = 0): void {
    const route = this.#output.route(to);
    if (route === undefined) return;
    if (!this.#errors.take(this.#engine.now)) {
      this.#engine.stats.icmpLimited++;
      return;
    }
    const v4 = to.isV4;
    const source = this.#iface.owns(about) ? about.clone() : route.source;
    const quoted = Math.min(quote.length, v4 ? QUOTE_IPV4 : QUOTE_IPV6);
    const packet = this.#output.packetFor(wire.ICMP_HEADER + quoted);
    const at = payloadStart(to);
    const [type, code] = v4 ? refusalsV4[why] : refusalsV6[why];
    this.#header(packet, at, type, code);
    if (why === 'parameter' || why === 'option') {
      if (v4) packet.frame[at + 4] = pointer;
      else write32(packet.frame, at + 4, pointer);
    } else if (!v4 && why === 'protocol') write32(packet.frame, at + 4, pointer);
    packet.frame.set(quote.subarray(0, quoted), at + wire.ICMP_HEADER);
    this.sendMessage(packet, route, source, wire.ICMP_HEADER + quoted);
  }

  #inputError(packet: Packet, type: number): void {
    const { frame, payloadAt, payloadLength } = packet;
    const v4 = packet.source.isV4;
    const code = frame[payloadAt + 1];
    const error = v4 ? wire.icmpError(type, code) : wire.icmpv6Error(type, code);
    if (error === undefined) return;
    const at = payloadAt + wire.ICMP_HEADER;
    const end = payloadAt + payloadLength;
    const quote = v4 ? this.#quoteV4(frame, at, end, error) : this.#quoteV6(frame, at, end, error);
    if (quote === undefined) this.#engine.stats.malformedIcmp++;
    else this.#users.error(quote);
  }

  #quoteV4(frame: Uint8Array, at: number, end: number, error: wire.IcmpError): Quote | undefined {
    if (end - at < IPV4_HEADER || frame[at] >>> 4 !== 4) return undefined;
    const header = ipv4HeaderLength(frame, at);
    if (header < IPV4_HEADER || at + header > end || ipv4FragmentOffset(frame, at) !== 0) return undefined;
    const source = new Address();
    source.readV4(frame, at + 12);
    const destination = new Address();
    destination.readV4(frame, at + 16);
    const told = read16(frame, at - 2);
    const mtu = told >= 68 ? told : plateauBelow(read16(frame, at + 2));
    const length = end - at - header;
    return {
      error,
      source,
      destination,
      protocol: frame[at + 9],
      bytes: frame,
      at: at + header,
      length,
      mtu,
    };
  }

  #quoteV6(frame: Uint8Array, at: number, end: number, error: wire.IcmpError): Quote | undefined {
    if (end - at < IPV6_HEADER || frame[at] >>> 4 !== 6) return undefined;
    const source = new Address();
    source.readV6(frame, at + 8);
    const destination = new Address();
    destination.readV6(frame, at + 24);
    const transport = skipExtensions(frame, at, end);
    if (transport === undefined) return undefined;
    const mtu = (read16(frame, at - 4) << 16) | read16(frame, at - 2);
    const { protocol, at: start } = transport;
    return { error, source, destination, protocol, bytes: frame, at: start, length: end - start, mtu };
  }

  /** For packets that never left because no neighbour answered: the error a router would have sent. */
  reportLocally(frame: Uint8Array, length: number, error: wire.IcmpError): void {
    const at = ETHERNET_HEADER;
    const v4 = frame[at] >>> 4 === 4;
    const quote = v4 ? this.#quoteV4(frame, at, length, error) : this.#quoteV6(frame, at, length, error);
    if (quote !== undefined) this.#users.error(quote);
  }
}

const refusalsV4: Readonly<Record<Refusal, readonly [number, number]>> = {
  port: [wire.ICMP_UNREACHABLE, wire.UNREACHABLE_PORT],
  protocol: [wire.ICMP_UNREACHABLE, wire.UNREACHABLE_PROTOCOL],
  host: [wire.ICMP_UNREACHABLE, wire.UNREACHABLE_HOST],
  net: [wire.ICMP_UNREACHABLE, wire.UNREACHABLE_NET],
  reassembly: [wire.ICMP_TIME_EXCEEDED, wire.TIME_EXCEEDED_REASSEMBLY],
  parameter: [wire.ICMP_PARAMETER_PROBLEM, 0],
  option: [wire.ICMP_PARAMETER_PROBLEM, 0],
};

const refusalsV6: Readonly<Record<Refusal, readonly [number, number]>> = {
  port: [wire.ICMPV6_UNREACHABLE, wire.ICMPV6_UNREACHABLE_PORT],
  protocol: [wire.ICMPV6_PARAMETER_PROBLEM, wire.PARAMETER_NEXT_HEADER],
  host: [wire.ICMPV6_UNREACHABLE, wire.ICMPV6_UNREACHABLE_ADDRESS],
  net: [wire.ICMPV6_UNREACHABLE, wire.ICMPV6_UNREACHABLE_NO_ROUTE],
  reassembly: [wire.ICMPV6_TIME_EXCEEDED, wire.TIME_EXCEEDED_REASSEMBLY],
  parameter: [wire.ICMPV6_PARAMETER_PROBLEM, 0],
  option: [wire.ICMPV6_PARAMETER_PROBLEM, wire.PARAMETER_OPTION],
};
