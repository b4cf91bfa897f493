import type { Clock } from '../../tcpip/contract.js';

/** A tick moves at least so many milliseconds' worth of bytes, so that pacing costs few timers. */
const TICK_MS = 2;
/** 8N1: a start bit, eight data bits, a stop bit. */
const BITS_PER_BYTE = 10;

/**
 * One direction of a UART. Without a speed bytes pass at once; with one they pass as fast as that speed allows, in
 * small groups, and what exceeds the queue is lost, as on a wire without flow control.
 */
export class PacedLine {
  /** Bytes lost. */
  dropped = 0;
  readonly #clock: Clock;
  readonly #deliver: (bytes: Uint8Array) => void;
  readonly #queue: Uint8Array;
  #from = 0;
  #length = 0;
  #bytesPerMs: number | undefined;
  /** Time up to which what has passed is paid for. */
  #paidUntil = 0;
  #ticking = false;

  /** @param deliver borrows the bytes for the call */
  constructor(clock: Clock, capacity: number, deliver: (bytes: Uint8Array) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
    this.#queue = new Uint8Array(capacity);
  }

  /** Bytes on their way. */
  get waiting(): number {
    return this.#length;
  }

  /** @param baud undefined: no pacing */
  setSpeed(baud: number | undefined): void {
    this.#bytesPerMs = baud === undefined ? undefined : baud / (BITS_PER_BYTE * 1000);
    if (baud === undefined) this.#pass(this.#length);
  }

  write(bytes: Uint8Array): void {
    if (this.#bytesPerMs === undefined) {
      this.#deliver(bytes);
      return;
    }
    const kept = Math.min(bytes.length, this.#queue.length - this.#length);
    this.dropped += bytes.length - kept;
    for (let at = 0; at < kept; ) {
      const to = (this.#from + this.#length) % this.#queue.length;
      const piece = Math.min(kept - at, this.#queue.length - to);
      this.#queue.set(bytes.subarray(at, at + piece), to);
      this.#length += piece;
      at += piece;
    }
    if (this.#ticking) return;
    this.#paidUntil = this.#clock.now();
    this.#schedule();
  }

  /** Throws away what is on its way. */
  clear(): void {
    this.#length = 0;
  }

  #schedule(): void {
    this.#ticking = true;
    const rate = this.#bytesPerMs ?? Number.POSITIVE_INFINITY;
    const next = Math.min(this.#length / rate, Math.max(TICK_MS, 1 / rate));
    this.#clock.setTimer(() => this.#tick(), this.#paidUntil + next - this.#clock.now());
  }

  #tick(): void {
    const rate = this.#bytesPerMs ?? Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    // A byte's last bit may fall a rounding error behind the timer that waits for it.
    const count = Math.min(this.#length, Math.floor((now - this.#paidUntil) * rate + 1e-6));
    this.#paidUntil += count / rate;
    this.#pass(count);
    this.#ticking = false;
    if (this.#length > 0) this.#schedule();
  }

  #pass(count: number): void {
    let left = Math.min(count, this.#length);
    while (left > 0) {
      const piece = this.#queue.slice(this.#from, Math.min(this.#from + left, this.#queue.length));
      this.#from = (this.#from + piece.length) % this.#queue.length;
      this.#length -= piece.length;
      left -= piece.length;
      this.#deliver(piece);
      left = Math.min(left, this.#length);
    }
  }
}
