import { after, afterOrAt, before, beforeOrAt } from './sequence.js';

/** Fields of a record: first sequence number, the one after its last, when last sent (µs), flags. */
const STRIDE = 4;
const START = 0;
const END = 1;
const TIME = 2;
const FLAGS = 3;

/** The peer has it, by a selective acknowledgement. */
export const SACKED = 1;
/** Taken for lost. */
export const LOST = 2;
/** Sent again, and that copy is believed to be in the network. */
export const RESENT = 4;
/** Has been sent more than once: no round-trip sample (Karn). */
export const EVER_RESENT = 8;

/** 64 bytes: as much as V8 keeps inside the array object itself. */
const SMALLEST = 4;
const nothing = new Int32Array(0);

/**
 * What is in flight, segment by segment as sent: a ring of numbers, because an object per segment would be the
 * engine's largest cost. Exists only while something is in flight.
 */
export class Scoreboard {
  #ring = nothing;
  #mask = 0;
  #head = 0;
  count = 0;
  /** Bytes (SYN and FIN count one) of records with that flag. */
  sackedBytes = 0;
  lostBytes = 0;
  resentBytes = 0;
  /** Records with `SACKED`. */
  sackedCount = 0;
  /** No record below this index is lost and not sent again: where the next search begins. */
  #lostHint = 0;

  #at(index: number): number {
    return ((this.#head + index) & this.#mask) * STRIDE;
  }

  start(index: number): number {
    return this.#ring[this.#at(index) + START];
  }

  end(index: number): number {
    return this.#ring[this.#at(index) + END];
  }

  time(index: number): number {
    return this.#ring[this.#at(index) + TIME];
  }

  flags(index: number): number {
    return this.#ring[this.#at(index) + FLAGS];
  }

  push(start: number, end: number, time: number): void {
    if (this.count === this.#ring.length / STRIDE) this.#grow();
    const at = this.#at(this.count++);
    this.#ring[at + START] = start;
    this.#ring[at + END] = end;
    this.#ring[at + TIME] = time;
    this.#ring[at + FLAGS] = 0;
  }

  #grow(): void {
    const capacity = Math.max(SMALLEST, this.#ring.length / STRIDE) * (this.#ring.length > 0 ? 2 : 1);
    const larger = new Int32Array(capacity * STRIDE);
    const first = this.#ring.subarray(this.#head * STRIDE);
    larger.set(first, 0);
    larger.set(this.#ring.subarray(0, this.#head * STRIDE), first.length);
    this.#ring = larger;
    this.#mask = capacity - 1;
    this.#head = 0;
  }

  /** Takes off everything before `sequence` from the front record only, which must not be whole before it. */
  trimFront(sequence: number): void {
    const at = this.#at(0);
    const n = (sequence - this.#ring[at + START]) | 0;
    this.#account(this.#ring[at + FLAGS], -n, 0);
    this.#ring[at + START] = sequence;
  }

  popFront(): void {
    const at = this.#at(0);
    this.#account(this.#ring[at + FLAGS], (this.#ring[at + START] - this.#ring[at + END]) | 0, -1);
    this.#head = (this.#head + 1) & this.#mask;
    if (this.#lostHint > 0) this.#lostHint--;
    // A burst's ring is not kept by a connection at rest.
    if (--this.count === 0 && this.#ring.length > 64 * STRIDE) this.#release();
  }

  #account(flags: number, bytes: number, records: number): void {
    if (flags === 0) return;
    if (flags & SACKED) {
      this.sackedBytes += bytes;
      this.sackedCount += records;
    }
    if (flags & LOST) this.lostBytes += bytes;
    if (flags & RESENT) this.resentBytes += bytes;
  }

  #set(index: number, flags: number): void {
    const at = this.#at(index);
    const bytes = (this.#ring[at + END] - this.#ring[at + START]) | 0;
    this.#account(this.#ring[at + FLAGS], -bytes, -1);
    this.#account(flags, bytes, 1);
    this.#ring[at + FLAGS] = flags;
  }

  /** The peer has it; whatever was thought of it before no longer matters. */
  markSacked(index: number): void {
    this.#set(index, (this.flags(index) & EVER_RESENT) | SACKED);
  }

  /** Lost, or lost again after having been sent again. */
  markLost(index: number): void {
    this.#set(index, (this.flags(index) & EVER_RESENT) | LOST);
    if (index < this.#lostHint) this.#lostHint = index;
  }

  markResent(index: number, time: number): void {
    this.#set(index, (this.flags(index) & LOST) | RESENT | EVER_RESENT);
    this.#ring[this.#at(index) + TIME] = time;
  }

  /** Not lost after all. */
  clearLost(index: number): void {
    this.#set(index, this.flags(index) & ~(LOST | RESENT));
  }

  /** The peer takes back a selective acknowledgement (RFC 2018 8). */
  clearSacked(index: number): void {
    this.#set(index, this.flags(index) & ~SACKED);
  }

  /** The first record that is lost and not on its way again, or -1. */
  nextLost(): number {
    for (let i = this.#lostHint; i < this.count; i++) {
      if ((this.flags(i) & (LOST | RESENT | SACKED)) === LOST) {
        this.#lostHint = i;
        return i;
      }
    }
    this.#lostHint = this.count;
    return -1;
  }

  /** The record that holds `sequence`, or the first after it; `count` if none. */
  find(sequence: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (beforeOrAt(this.end(middle), sequence)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Cuts the record in two at `sequence`, which lies inside; a smaller segment size may demand it. */
  split(index: number, sequence: number): void {
    const at = this.#at(index);
    const end = this.#ring[at + END];
    const time = this.#ring[at + TIME];
    const flags = this.#ring[at + FLAGS];
    if (!after(sequence, this.#ring[at + START]) || !before(sequence, end)) return;
    this.push(0, 0, 0);
    for (let i = this.count - 1; i > index + 1; i--) {
      const to = this.#at(i);
      const from = this.#at(i - 1);
      this.#ring.copyWithin(to, from, from + STRIDE);
    }
    this.#ring[this.#at(index) + END] = sequence;
    const second = this.#at(index + 1);
    this.#ring[second + START] = sequence;
    this.#ring[second + END] = end;
    this.#ring[second + TIME] = time;
    this.#ring[second + FLAGS] = flags;
    if (flags & SACKED) this.sackedCount++;
  }

  /** Whether any record is selectively acknowledged from `sequence` on. */
  sackedFrom(sequence: number): boolean {
    if (this.sackedBytes === 0) return false;
    for (let i = this.count - 1; i >= 0 && afterOrAt(this.start(i), sequence); i--) {
      if (this.flags(i) & SACKED) return true;
    }
    return false;
  }

  #release(): void {
    this.#ring = nothing;
    this.#mask = 0;
    this.#head = 0;
  }

  clear(): void {
    this.count = 0;
    this.sackedBytes = 0;
    this.lostBytes = 0;
    this.resentBytes = 0;
    this.sackedCount = 0;
    this.#lostHint = 0;
    this.#release();
  }
}
