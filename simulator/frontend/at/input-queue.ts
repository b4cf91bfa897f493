/** Bytes of the host not looked at yet, in a ring of fixed size; what exceeds it is lost and counted. */
export class InputQueue {
  dropped = 0;
  readonly #ring: Uint8Array;
  #from = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#ring = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    const kept = Math.min(bytes.length, this.#ring.length - this.#length);
    this.dropped += bytes.length - kept;
    for (let at = 0; at < kept; ) {
      const to = (this.#from + this.#length) % this.#ring.length;
      const piece = Math.min(kept - at, this.#ring.length - to);
      this.#ring.set(bytes.subarray(at, at + piece), to);
      this.#length += piece;
      at += piece;
    }
  }

  shift(): number {
    const byte = this.#ring[this.#from];
    this.#drop(1);
    return byte;
  }

  /** Moves as many bytes as there are and fit; answers how many. */
  take(into: Uint8Array): number {
    let taken = 0;
    while (taken < into.length && this.#length > 0) {
      const piece = Math.min(into.length - taken, this.#length, this.#ring.length - this.#from);
      into.set(this.#ring.subarray(this.#from, this.#from + piece), taken);
      this.#drop(piece);
      taken += piece;
    }
    return taken;
  }

  takeAll(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    this.take(bytes);
    return bytes;
  }

  clear(): void {
    this.#length = 0;
  }

  #drop(count: number): void {
    this.#from = (this.#from + count) % this.#ring.length;
    this.#length -= count;
  }
}
