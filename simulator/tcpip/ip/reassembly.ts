import { type Address, sameAddress } from '../core/address.js';
import type { Engine } from '../core/engine.js';
import { Packet } from '../core/packet.js';
import { Timer } from '../core/timer-wheel.js';

/** RFC 791 says 15 s, RFC 1122 60 to 120 s, RFC 8200 60 s; Linux 30 s. Memory is bounded either way. */
const TIMEOUT_MS = 30_000;
const MAX_DATAGRAMS = 64;
const MAX_PER_SOURCE = 16;
const MAX_FRAGMENTS = 128;
const MAX_BYTES = 4 << 20;
const MAX_DATAGRAM = 65_535;

class Partial {
  readonly source: Address;
  readonly destination: Address;
  readonly identification: number;
  readonly protocol: number;
  readonly timer: Timer<Partial>;
  data = new Uint8Array(2048);
  /** Pairs of start and end, sorted, neither overlapping nor touching. */
  readonly ranges: number[] = [];
  fragments = 0;
  /** Known once the last fragment came. */
  total = -1;
  /** The first fragment's packet up to its data, to quote in an error (at most 128 bytes). */
  head: Uint8Array | undefined;

  constructor(packet: Packet, identification: number, fire: (datagram: Partial) => void) {
    this.source = packet.source.clone();
    this.destination = packet.destination.clone();
    this.identification = identification;
    this.protocol = packet.protocol;
    this.timer = new Timer<Partial>(this, fire);
  }
}

/**
 * Puts fragments together, IPv4 and IPv6 alike (RFC 815 in spirit, RFC 8200 4.5, RFC 8900). A datagram whose fragments
 * overlap is thrown away whole (RFC 5722, and the same for IPv4), an exact duplicate is ignored; everything is
 * bounded by number, bytes and time.
 */
export class Reassembly {
  readonly #engine: Engine;
  readonly #timedOut: (head: Uint8Array) => void;
  readonly #partials: Partial[] = [];
  #bytes = 0;
  /** Result of the latest complete datagram; made when the first fragment ever comes. */
  #whole: Packet | undefined;
  readonly #fire = (partial: Partial): void => {
    this.#engine.stats.reassemblyTimeouts++;
    this.#remove(partial);
    // RFC 792, RFC 8200 4.5: only if the first fragment is there to be quoted.
    if (partial.head !== undefined) this.#timedOut(partial.head);
  };

  /** `timedOut` gets the start of the first fragment's IP packet. */
  constructor(engine: Engine, timedOut: (head: Uint8Array) => void) {
    this.#engine = engine;
    this.#timedOut = timedOut;
  }

  get pending(): number {
    return this.#partials.length;
  }

  /** Takes the packet's payload as the part of a datagram at `offset`. Answers the datagram when it is complete. */
  add(packet: Packet, identification: number, offset: number, more: boolean): Packet | undefined {
    const { stats } = this.#engine;
    stats.fragmentsIn++;
    const length = packet.payloadLength;
    const end = offset + length;
    // Only the last fragment may be of a length that is no multiple of 8, and none may be empty.
    if (length === 0 || (more && (length & 7) !== 0) || end + packet.ipHeaderLength > MAX_DATAGRAM) {
      stats.fragmentsRefused++;
      return undefined;
    }
    const partial = this.#find(packet, identification) ?? this.#create(packet, identification);
    if (partial === undefined) {
      stats.fragmentsRefused++;
      return undefined;
    }
    if (!this.#insert(partial, packet, offset, end, more)) {
      stats.fragmentsRefused++;
      this.#remove(partial);
      return undefined;
    }
    const complete = partial.total >= 0 && partial.ranges.length === 2 && partial.ranges[1] === partial.total;
    if (!complete || partial.ranges[0] !== 0) return undefined;
    this.#remove(partial);
    stats.reassembled++;
    return this.#assemble(partial, packet);
  }

  clear(): void {
    for (const partial of [...this.#partials]) this.#remove(partial);
  }

  #find(packet: Packet, identification: number): Partial | undefined {
    return this.#partials.find(
      (partial) =>
        partial.identification === identification &&
        partial.protocol === packet.protocol &&
        sameAddress(partial.source, packet.source) &&
        sameAddress(partial.destination, packet.destination),
    );
  }

  #create(packet: Packet, identification: number): Partial | undefined {
    let fromSource = 0;
    for (const partial of this.#partials) if (sameAddress(partial.source, packet.source)) fromSource++;
    if (fromSource >= MAX_PER_SOURCE) return undefined;
    if (this.#partials.length >= MAX_DATAGRAMS) this.#remove(this.#partials[0]);
    const partial = new Partial(packet, identification, this.#fire);
    this.#partials.push(partial);
    this.#bytes += partial.data.length;
    this.#engine.wheel.arm(partial.timer, TIMEOUT_MS);
    return partial;
  }

  #remove(partial: Partial): void {
    const index = this.#partials.indexOf(partial);
    if (index < 0) return;
    this.#partials.splice(index, 1);
    this.#bytes -= partial.data.length;
    partial.timer.disarm();
  }

  /** False: this datagram is an attack or broken, and goes. */
  #insert(partial: Partial, packet: Packet, start: number, end: number, more: boolean): boolean {
    const { ranges } = partial;
    if (++partial.fragments > MAX_FRAGMENTS) return false;
    if (!more) {
      if (partial.total >= 0 && partial.total !== end) return false;
      if (ranges.length > 0 && ranges[ranges.length - 1] > end) return false;
      partial.total = end;
    } else if (partial.total >= 0 && end > partial.total) return false;

    let at = 0;
    while (at < ranges.length && ranges[at] < start) at += 2;
    const before = at > 0 ? ranges[at - 1] : -1;
    const after = at < ranges.length ? ranges[at] : Number.POSITIVE_INFINITY;
    if (before > start || after < end) {
      // A retransmitted fragment brings the very same bytes; anything else is an overlap.
      const inside = before >= end || (at < ranges.length && after <= start && ranges[at + 1] >= end);
      return inside && sameBytes(partial.data, start, packet.frame, packet.payloadAt, end - start);
    }
    if (!this.#grow(partial, end)) return false;
    partial.data.set(packet.frame.subarray(packet.payloadAt, packet.payloadAt + end - start), start);
    if (start === 0) {
      partial.head = packet.frame.slice(packet.ipAt, Math.min(packet.payloadAt + end, packet.ipAt + 128));
    }
    const joinsBefore = before === start;
    const joinsAfter = after === end;
    if (joinsBefore && joinsAfter) ranges.splice(at - 1, 2);
    else if (joinsBefore) ranges[at - 1] = end;
    else if (joinsAfter) ranges[at] = start;
    else ranges.splice(at, 0, start, end);
    return true;
  }

  #grow(partial: Partial, end: number): boolean {
    if (end <= partial.data.length) return true;
    let size = partial.data.length;
    while (size < end) size *= 2;
    if (this.#bytes - partial.data.length + size > MAX_BYTES) return false;
    const larger = new Uint8Array(size);
    larger.set(partial.data);
    this.#bytes += size - partial.data.length;
    partial.data = larger;
    return true;
  }

  #assemble(partial: Partial, last: Packet): Packet {
    this.#whole ??= new Packet(MAX_DATAGRAM + 128);
    const whole = this.#whole;
    const head = partial.head as Uint8Array;
    // Keeps the first fragment's IP header in front, for those who quote it in errors.
    whole.frame.set(last.frame.subarray(0, last.ipAt));
    whole.ipAt = last.ipAt;
    whole.ipHeaderLength = last.ipHeaderLength;
    whole.frame.set(head.subarray(0, Math.min(head.length, last.ipHeaderLength)), whole.ipAt);
    whole.payloadAt = whole.ipAt + whole.ipHeaderLength;
    whole.payloadLength = partial.total;
    whole.frame.set(partial.data.subarray(0, partial.total), whole.payloadAt);
    whole.length = whole.payloadAt + partial.total;
    whole.source.set(last.source);
    whole.destination.set(last.destination);
    whole.linkBroadcast = last.linkBroadcast;
    whole.protocol = last.protocol;
    whole.hops = last.hops;
    whole.trafficClass = last.trafficClass;
    return whole;
  }
}

function sameBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}
