/** A pending call of {@link Clock.setTimer}. */
export interface TimerHandle {
  /** Does nothing once the callback has run. */
  cancel(): void;
}

/** Time as a parameter: whatever waits takes one of these, so that tests run on virtual time. */
export interface Clock {
  /** Milliseconds since an arbitrary start, monotonic. */
  now(): number;
  setTimer(callback: () => void, delayMs: number): TimerHandle;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
