import type { Clock, TimerHandle } from '../tcpip/contract.js';

/** A clock whose timers all die at once: what runs between two resets of a module. */
export class ScopedClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<TimerHandle>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimer(callback: () => void, delayMs: number): TimerHandle {
    const handle: TimerHandle = {
      cancel: () => {
        timer?.cancel();
        this.#pending.delete(handle);
      },
    };
    const timer = this.#stopped
      ? undefined
      : this.#clock.setTimer(() => {
          this.#pending.delete(handle);
          callback();
        }, delayMs);
    if (timer !== undefined) this.#pending.add(handle);
    return handle;
  }

  /** Cancels every timer; later ones never fire. */
  stop(): void {
    this.#stopped = true;
    for (const timer of [...this.#pending]) timer.cancel();
  }
}
