import type { Clock, Random, TimerHandle } from '../contract.js';
import { StackStats } from '../stats.js';
import { TimerWheel } from './timer-wheel.js';

/** Work put off to the end of what the engine is doing: callbacks to the user above all. */
export interface Deferred {
  runDeferred(): void;
}

/**
 * When things happen. Whatever enters the engine from below (a frame, a timer) runs inside `enter`, and the user's
 * callbacks run at its end; a call from above that causes callbacks has them run from a timer of 0 ms, so that none
 * comes back into the call.
 */
export class Engine {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly stats = new StackStats();
  /** Whole milliseconds since the engine was made; refreshed on each entry. */
  now = 0;
  /** Microseconds, 32 bits, for differences. */
  microseconds = 0;
  closed = false;

  #depth = 0;
  #deferred: Deferred[] = [];
  #wake: TimerHandle | undefined;
  /** Frames waiting to be taken in; answers whether it took one. */
  takeFrame: () => boolean = () => false;
  /** Has the link hand on what waits there. */
  pollLink: () => void = () => {};

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
    this.wheel = new TimerWheel(clock, (run) => {
      // After a pause of the process the acknowledgement may wait in the link while its timeout is due.
      this.pollLink();
      this.enter(run);
    });
  }

  get busy(): boolean {
    return this.#depth > 0;
  }

  refreshTime(): void {
    const now = this.wheel.now();
    this.now = Math.floor(now);
    this.microseconds = (now * 1000) | 0;
  }

  /** Runs `work`, then everything it put off. */
  enter(work: () => void): void {
    this.begin();
    try {
      work();
    } finally {
      this.end();
    }
  }

  begin(): void {
    if (this.#depth++ === 0) this.refreshTime();
  }

  end(): void {
    try {
      if (this.#depth === 1) this.#settle();
    } finally {
      this.#depth--;
      if (this.#depth === 0 && this.#deferred.length > 0) this.wake();
    }
  }

  /** `item.runDeferred` runs soon, and never inside the call that is going on now. */
  defer(item: Deferred): void {
    this.#deferred.push(item);
    if (this.#depth === 0) this.wake();
  }

  /** Has the engine run by itself, when nothing from outside makes it. */
  wake(): void {
    if (this.#wake !== undefined || this.closed) return;
    this.#wake = this.clock.setTimer(this.#onWake, 0);
  }

  readonly #onWake = (): void => {
    this.#wake = undefined;
    this.begin();
    this.end();
  };

  #settle(): void {
    do {
      for (let i = 0; i < this.#deferred.length; i++) {
        const item = this.#deferred[i];
        try {
          item.runDeferred();
        } catch (error) {
          this.#deferred.splice(0, i + 1);
          throw error;
        }
      }
      this.#deferred.length = 0;
    } while (this.takeFrame() || this.#deferred.length > 0);
  }

  /** Nothing runs by itself any more. */
  close(): void {
    this.closed = true;
    this.#wake?.cancel();
    this.wheel.close();
  }
}
