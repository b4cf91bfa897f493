/** Hands out equal pieces of one shared memory; a piece given back is the next to go. */
export class Arena {
  readonly memory: SharedArrayBuffer;
  readonly #end: number;
  #fresh = 0;
  readonly #free = new Map<number, number[]>();

  constructor(bytes: number) {
    this.memory = new SharedArrayBuffer(bytes);
    this.#end = bytes;
  }

  /** Offset of `size` zeroed or reused bytes, 8-aligned; `undefined`: no more. */
  take(size: number): number | undefined {
    const reused = this.#free.get(size)?.pop();
    if (reused !== undefined) return reused;
    const offset = this.#fresh;
    const next = offset + ((size + 7) & ~7);
    if (next > this.#end) return undefined;
    this.#fresh = next;
    return offset;
  }

  give(offset: number, size: number): void {
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [offset]);
    else list.push(offset);
  }
}
