/**
 * Frames held for later: waiting for a neighbour's address, for loopback, or because they came while the engine was
 * at work. Buffers of one size, reused; at most `limit` are lent out at a time.
 */
export class HeldFrame {
  readonly bytes: Uint8Array;
  length = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
}

export class FramePool {
  readonly #size: number;
  readonly #limit: number;
  readonly #free: HeldFrame[] = [];
  #lent = 0;

  constructor(size: number, limit: number) {
    this.#size = size;
    this.#limit = limit;
  }

  /** A copy of the frame, or `undefined` at the limit. */
  hold(frame: Uint8Array, length: number): HeldFrame | undefined {
    if (this.#lent >= this.#limit || length > this.#size) return undefined;
    this.#lent++;
    const held = this.#free.pop() ?? new HeldFrame(this.#size);
    held.bytes.set(frame.length === length ? frame : frame.subarray(0, length));
    held.length = length;
    return held;
  }

  release(frame: HeldFrame): void {
    this.#lent--;
    // A burst does not stay in memory for ever.
    if (this.#free.length < 64) this.#free.push(frame);
  }
}
