/**
 * A queue of fixed-size records in shared memory, one writer and one reader, each in a thread of its own if they like. The
 * counters run on and wrap at 2^32; the writer's is stored after the record, so whoever sees it sees the record.
 */
export const recordWords = 16;
const headerWords = 16;
const writtenAt = 0;
const readAt = 1;
/** The writer found no room and wants to be told when there is some. */
const wantsRoomAt = 2;
/** The reader sleeps and wants to be told when there is something. */
const sleepsAt = 3;

export const queueBytes = (records: number): number => (headerWords + records * recordWords) * 4;

export class SharedQueue {
  readonly #words: Int32Array;
  readonly #records: number;

  /** `records`: a power of two. Both ends make one of these over the same memory, zero at first. */
  constructor(memory: SharedArrayBuffer, offset: number, records: number) {
    this.#words = new Int32Array(memory, offset, headerWords + records * recordWords);
    this.#records = records;
  }

  get used(): number {
    return (Atomics.load(this.#words, writtenAt) - Atomics.load(this.#words, readAt)) | 0;
  }

  get room(): number {
    return this.#records - this.used;
  }

  /** Where to put the next record, `recordWords` words; `undefined`: full, and `wantsRoom` is set. */
  slot(): Int32Array | undefined {
    if (this.room === 0) {
      Atomics.store(this.#words, wantsRoomAt, 1);
      // The reader may have made room before it could see the wish.
      if (this.room === 0) return undefined;
      Atomics.store(this.#words, wantsRoomAt, 0);
    }
    return this.#record(Atomics.load(this.#words, writtenAt));
  }

  /** Publishes what was put into `slot`. Answers whether the reader sleeps and has to be woken. */
  push(): boolean {
    Atomics.add(this.#words, writtenAt, 1);
    Atomics.notify(this.#words, writtenAt);
    return Atomics.exchange(this.#words, sleepsAt, 0) === 1;
  }

  /** The oldest record, in place until `shift`; `undefined`: none. */
  front(): Int32Array | undefined {
    return this.used === 0 ? undefined : this.#record(Atomics.load(this.#words, readAt));
  }

  /** Answers whether the writer waits for room and has to be told. */
  shift(): boolean {
    Atomics.add(this.#words, readAt, 1);
    return Atomics.exchange(this.#words, wantsRoomAt, 0) === 1;
  }

  /** The reader will not look again until woken. `false`: there is something after all. */
  sleep(): boolean {
    Atomics.store(this.#words, sleepsAt, 1);
    if (this.used === 0) return true;
    Atomics.store(this.#words, sleepsAt, 0);
    return false;
  }

  /** Blocks this thread until there is a record, at most `timeoutMs`. Answers whether there is. Not on a main thread. */
  wait(timeoutMs: number): boolean {
    const written = Atomics.load(this.#words, writtenAt);
    if (this.used === 0) Atomics.wait(this.#words, writtenAt, written, timeoutMs);
    return this.used > 0;
  }

  #record(counter: number): Int32Array {
    const at = headerWords + (counter & (this.#records - 1)) * recordWords;
    return this.#words.subarray(at, at + recordWords);
  }
}
