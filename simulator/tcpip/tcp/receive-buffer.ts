import { after, afterOrAt, before } from './sequence.js';

const SMALLEST = 2048;
/** Ranges kept beyond a gap; data that would need more is dropped, and comes again. */
const MAX_RANGES = 64;

/** Rings of each power of two, handed from connection to connection: an idle one keeps none. */
class RingPool {
  readonly #free: Uint8Array[][] = [];

  take(size: number): Uint8Array {
    return this.#free[Math.log2(size)]?.pop() ?? new Uint8Array(size);
  }

  give(ring: Uint8Array): void {
    const index = Math.log2(ring.length);
    this.#free[index] ??= [];
    const list = this.#free[index];
    // At most a megabyte of each size.
    if ((list.length + 1) * ring.length <= 1 << 20) list.push(ring);
  }
}

export const ringPool = new RingPool();

const nothing = new Uint8Array(0);

/**
 * What came from the peer: bytes in order for the user, and bytes beyond a gap already at the place where they belong.
 * A ring that exists only while there is something in it and grows with what is in it.
 */
export class ReceiveBuffer {
  #ring: Uint8Array = nothing;
  #mask = 0;
  #head = 0;
  /** Bytes in order. */
  length = 0;
  /** Given by the user: never grown, never pooled. */
  #fixed = false;
  /** Pairs of sequence numbers, sorted, of what lies beyond the next expected. */
  readonly ranges: number[] = [];

  useMemory(memory: Uint8Array): void {
    const size = 2 ** Math.floor(Math.log2(memory.length));
    this.#ring = memory.subarray(0, size);
    this.#mask = size - 1;
    this.#fixed = true;
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#ring.length;
  }

  #reserve(size: number): boolean {
    if (size <= this.#ring.length) return true;
    if (this.#fixed) return false;
    let capacity = Math.max(this.#ring.length * 2, SMALLEST);
    while (capacity < size) capacity *= 2;
    const larger = ringPool.take(capacity);
    const used = this.#ring.length;
    if (used > 0) {
      const first = used - this.#head;
      larger.set(this.#ring.subarray(this.#head), 0);
      larger.set(this.#ring.subarray(0, this.#head), first);
      ringPool.give(this.#ring);
    }
    this.#ring = larger;
    this.#mask = capacity - 1;
    this.#head = 0;
    return true;
  }

  #place(offset: number, from: Uint8Array, at: number, length: number): void {
    const ring = this.#ring;
    const start = (this.#head + offset) & this.#mask;
    const first = Math.min(length, ring.length - start);
    if (first === 1) ring[start] = from[at];
    else ring.set(from.subarray(at, at + first), start);
    if (first < length) ring.set(from.subarray(at + first, at + length), 0);
  }

  /** Bytes next in order. False: no room in memory of a fixed size. */
  append(from: Uint8Array, at: number, length: number): boolean {
    if (!this.#reserve(this.length + length)) return false;
    this.#place(this.length, from, at, length);
    this.length += length;
    return true;
  }

  /**
   * Bytes `offset` beyond the next expected, which is `expected`; they begin at `sequence`. False: not kept.
   */
  insert(expected: number, sequence: number, from: Uint8Array, at: number, length: number): boolean {
    const { ranges } = this;
    const end = (sequence + length) | 0;
    let first = 0;
    while (first < ranges.length && before(ranges[first + 1], sequence)) first += 2;
    let last = first;
    while (last < ranges.length && !after(ranges[last], end)) last += 2;
    if (first === last && ranges.length >= 2 * MAX_RANGES) return false;
    const offset = (sequence - expected) | 0;
    if (!this.#reserve(this.length + offset + length)) return false;
    this.#place(this.length + offset, from, at, length);
    const start = first < last && before(ranges[first], sequence) ? ranges[first] : sequence;
    const stop = first < last && after(ranges[last - 1], end) ? ranges[last - 1] : end;
    ranges.splice(first, last - first, start, stop);
    return true;
  }

  /** Moves what has become contiguous with `expected` into order; answers how many bytes. */
  join(expected: number): number {
    const { ranges } = this;
    let next = expected;
    while (ranges.length > 0 && !after(ranges[0], next)) {
      if (after(ranges[1], next)) next = ranges[1];
      ranges.splice(0, 2);
    }
    const gained = (next - expected) | 0;
    this.length += gained;
    return gained;
  }

  /** Whether all of `start`..`end` is here already, beyond the gap. */
  covers(start: number, end: number): boolean {
    const { ranges } = this;
    for (let i = 0; i < ranges.length; i += 2) {
      if (afterOrAt(start, ranges[i]) && !after(end, ranges[i + 1])) return true;
    }
    return false;
  }

  /** Copies without freeing; answers how many bytes. */
  peek(into: Uint8Array, offset: number): number {
    const length = Math.min(into.length, this.length - offset);
    if (length <= 0) return 0;
    const ring = this.#ring;
    const start = (this.#head + offset) & this.#mask;
    const first = Math.min(length, ring.length - start);
    if (length === 1) into[0] = ring[start];
    else into.set(ring.subarray(start, start + first));
    if (first < length) into.set(ring.subarray(0, length - first), first);
    return length;
  }

  /** The bytes in order where they lie, in one or two pieces. */
  views(into: Uint8Array[]): Uint8Array[] {
    into.length = 0;
    if (this.length === 0) return into;
    const ring = this.#ring;
    const first = Math.min(this.length, ring.length - this.#head);
    into.push(ring.subarray(this.#head, this.#head + first));
    if (first < this.length) into.push(ring.subarray(0, this.length - first));
    return into;
  }

  consume(bytes: number): void {
    this.length -= bytes;
    this.#head = (this.#head + bytes) & this.#mask;
    if (this.length === 0 && this.ranges.length === 0) this.#free();
  }

  #free(): void {
    // Memory of the user's stays a ring: its owner may follow the positions.
    if (this.#fixed || this.#ring.length === 0) return;
    this.#head = 0;
    ringPool.give(this.#ring);
    this.#ring = nothing;
    this.#mask = 0;
  }

  clear(): void {
    this.length = 0;
    this.ranges.length = 0;
    this.#free();
  }
}
