/**
 * A bounded first-in, first-out store of frames. Its memory is reused: a slot grows to the largest frame it ever held
 * and is never given back, so that a queue in steady use allocates nothing.
 */
export class FrameQueue {
  readonly limit: number;
  #slots: Uint8Array[] = [];
  #lengths: number[] = [];
  #tags: number[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;

  /** @throws RangeError if `limit`, in frames, is no positive integer */
  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`a frame queue of ${limit} frames`);
    this.limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Copies the frame in. `tag` is the caller's: a port, a time. `undefined`: full. Answers the copy otherwise. */
  push(frame: Uint8Array, length: number, tag = 0): Uint8Array | undefined {
    if (this.#count === this.limit) return undefined;
    // An empty queue starts over at slot 0: the memory used last is still in the processor's cache.
    if (this.#count === 0) this.#head = 0;
    let index = this.#head + this.#count;
    if (index >= this.limit) index -= this.limit;
    let slot = this.#slots[index];
    if (slot === undefined || slot.length < length) {
      slot = new Uint8Array(Math.max(length, 2048));
      this.#slots[index] = slot;
    }
    if (frame.length === length) slot.set(frame);
    else slot.set(frame.subarray(0, length));
    this.#lengths[index] = length;
    this.#tags[index] = tag;
    this.#count++;
    this.#bytes += length;
    return slot;
  }

  /** The oldest frame; its memory stays untouched until `shift`, even if frames are pushed meanwhile. */
  get front(): Uint8Array {
    return this.#slots[this.#head];
  }

  get frontLength(): number {
    return this.#lengths[this.#head];
  }

  get frontTag(): number {
    return this.#tags[this.#head];
  }

  shift(): void {
    if (this.#count === 0) return;
    this.#bytes -= this.#lengths[this.#head];
    this.#count--;
    if (++this.#head === this.limit) this.#head = 0;
  }

  clear(): void {
    this.#head = this.#count = this.#bytes = 0;
  }
}
