/** Received bytes in arrival order, as chunks that are handed over, not copied in. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk already taken. */
  #taken = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Copies up to `into.length` bytes; answers how many. */
  peek(into: Uint8Array): number {
    let filled = 0;
    let skip = this.#taken;
    for (const chunk of this.#chunks) {
      if (filled === into.length) break;
      const part = chunk.subarray(skip, skip + into.length - filled);
      into.set(part, filled);
      filled += part.length;
      skip = 0;
    }
    return filled;
  }

  read(into: Uint8Array): number {
    const count = this.peek(into);
    this.#length -= count;
    this.#taken += count;
    let whole = 0;
    while (whole < this.#chunks.length && this.#taken >= this.#chunks[whole].length) {
      this.#taken -= this.#chunks[whole++].length;
    }
    if (whole > 0) this.#chunks.splice(0, whole);
    return count;
  }

  clear(): void {
    this.#chunks = [];
    this.#taken = 0;
    this.#length = 0;
  }
}

/** Bytes to be sent, copied in, kept until they are known to be accepted. */
export class SendRing {
  readonly #bytes: Uint8Array;
  #start = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  get room(): number {
    return this.#bytes.length - this.#length;
  }

  /** Copies in what fits; answers how much. */
  push(data: Uint8Array): number {
    const count = Math.min(data.length, this.room);
    const at = (this.#start + this.#length) % this.#bytes.length;
    const first = Math.min(count, this.#bytes.length - at);
    this.#bytes.set(data.subarray(0, first), at);
    this.#bytes.set(data.subarray(first, count), 0);
    this.#length += count;
    return count;
  }

  /** Copies `into.length` bytes from `offset` on. */
  copy(offset: number, into: Uint8Array): void {
    const at = (this.#start + offset) % this.#bytes.length;
    const first = Math.min(into.length, this.#bytes.length - at);
    into.set(this.#bytes.subarray(at, at + first));
    if (first < into.length) into.set(this.#bytes.subarray(0, into.length - first), first);
  }

  drop(count: number): void {
    this.#start = (this.#start + count) % this.#bytes.length;
    this.#length -= count;
  }

  clear(): void {
    this.#start = 0;
    this.#length = 0;
  }
}
