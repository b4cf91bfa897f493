import type { Clock, TimerHandle } from '../../tcpip/contract.js';

const PLUS = 0x2b;
const PLUSES = 3;
/** Longest pause between two of the three, and the silence after them, in milliseconds. */
const BETWEEN = 250;
const SILENCE = 1000;

export interface EscapeHandler {
  /** Bytes that are data after all. Valid during the call. */
  data(bytes: Uint8Array): void;
  /** `+++` and the silence after it: raw mode ends. */
  escaped(): void;
}

/** Finds `+++` in a stream of raw data: three pluses in quick succession, then nothing for more than a second. */
export class EscapeGuard {
  readonly #clock: Clock;
  readonly #handler: EscapeHandler;
  #pluses = 0;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, handler: EscapeHandler) {
    this.#clock = clock;
    this.#handler = handler;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#timer?.cancel();
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] === PLUS && this.#pluses < PLUSES) {
        if (this.#pluses === 0 && at > start) this.#handler.data(bytes.subarray(start, at));
        this.#pluses++;
        start = at + 1;
      } else if (this.#pluses > 0) {
        this.#release();
        start = at;
      }
    }
    if (start < bytes.length) this.#handler.data(bytes.subarray(start));
    if (this.#pluses === 0) return;
    // The silence has to be longer than the guard time, not as long.
    const complete = this.#pluses === PLUSES;
    this.#timer = this.#clock.setTimer(
      () => {
        if (!complete) this.#release();
        else {
          this.#pluses = 0;
          this.#handler.escaped();
        }
      },
      complete ? SILENCE + 1 : BETWEEN + 1,
    );
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#pluses = 0;
  }

  #release(): void {
    const held = new Uint8Array(this.#pluses).fill(PLUS);
    this.#pluses = 0;
    this.#handler.data(held);
  }
}
