import type { Packet } from '../core/packet.js';
import type { Segment } from '../wire/tcp.js';
import type { KeyedHash } from './keyed-hash.js';

/** A cookie is good for this and the previous period. */
const PERIOD_MS = 64_000;
/** Segment sizes a cookie can name, most common last steps first (as Linux and FreeBSD choose). */
const sizesV4 = [536, 1220, 1300, 1360, 1400, 1440, 1460, 8960];
const sizesV6 = [536, 1220, 1280, 1300, 1360, 1420, 1440, 8940];
/** Low bits of the timestamp that carry window scale (4), SACK and ECN. */
const OPTION_BITS = 6;
const OPTION_MASK = (1 << OPTION_BITS) - 1;
const NO_SCALE = 15;

export interface CookieOptions {
  readonly mss: number;
  readonly windowScale: number;
  readonly sackPermitted: boolean;
  readonly ecn: boolean;
}

/**
 * SYN cookies (RFC 4987 3.6): the state of a half-open connection lies in our sequence number (5 bits of time, 3 of
 * segment size, 24 of hash) and, where the peer has timestamps, in the low bits of ours.
 */
export class SynCookies {
  readonly #hash: KeyedHash;

  constructor(hash: KeyedHash) {
    this.#hash = hash;
  }

  /** The sequence number of the SYN-ACK. */
  make(segment: Segment, packet: Packet, nowMs: number): number {
    const sizes = packet.source.isV4 ? sizesV4 : sizesV6;
    const mss = segment.mss || 536;
    let index = sizes.length - 1;
    while (index > 0 && sizes[index] > mss) index--;
    const period = Math.floor(nowMs / PERIOD_MS) & 31;
    return (period << 27) | (index << 24) | this.#digest(segment, packet, segment.sequence, period, index);
  }

  /** Our timestamp with what no other place holds in its low bits; never ahead of the clock. */
  timestamp(segment: Segment, now: number, ecn: boolean): number {
    const scale = segment.windowScale >= 0 ? segment.windowScale : NO_SCALE;
    const bits = scale | (segment.sackPermitted ? 16 : 0) | (ecn ? 32 : 0);
    const value = (now & ~OPTION_MASK) | bits;
    return (value - now) | 0 ? (((value - now) | 0) > 0 ? (value - (1 << OPTION_BITS)) | 0 : value) : value;
  }

  /** What the SYN said, from the segment that completes the handshake; `undefined`: no cookie of ours. */
  check(segment: Segment, packet: Packet, nowMs: number): CookieOptions | undefined {
    const cookie = (segment.acknowledgment - 1) | 0;
    const period = cookie >>> 27;
    const age = (Math.floor(nowMs / PERIOD_MS) - period) & 31;
    if (age > 1) return undefined;
    const index = (cookie >>> 24) & 7;
    const peer = (segment.sequence - 1) | 0;
    if ((cookie & 0xffffff) !== this.#digest(segment, packet, peer, period, index)) return undefined;
    const mss = (packet.source.isV4 ? sizesV4 : sizesV6)[index];
    if (!segment.hasTimestamps) return { mss, windowScale: -1, sackPermitted: false, ecn: false };
    const bits = segment.timestampEcho & OPTION_MASK;
    const scale = bits & 15;
    return {
      mss,
      windowScale: scale === NO_SCALE ? -1 : scale,
      sackPermitted: (bits & 16) !== 0,
      ecn: (bits & 32) !== 0,
    };
  }

  #digest(segment: Segment, packet: Packet, peerSequence: number, period: number, index: number): number {
    const ports = (segment.sourcePort << 16) | segment.destinationPort;
    const inner = this.#hash.of(packet.destination, packet.source, ports, peerSequence);
    return this.#hash.of(packet.destination, packet.source, inner, (period << 3) | index) & 0xffffff;
  }
}
