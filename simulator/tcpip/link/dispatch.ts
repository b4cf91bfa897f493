import type { Clock } from '../contract.js';

/** Runs `run` later, never from inside the call: what keeps a frame's answer from recursing into its sender. */
export type Dispatch = (run: () => void) => void;

/** As a timer of 0 ms: deterministic on a virtual clock. */
export const onClock =
  (clock: Clock): Dispatch =>
  (run) => {
    clock.setTimer(run, 0);
  };

const turnsBetweenYields = 64;

/**
 * As a microtask (about 50 ns), but every 64th time through `setImmediate`, so that two busy stacks in one process do
 * not starve its timers and sockets.
 */
export function onMicrotask(): Dispatch {
  let turns = 0;
  return (run) => {
    if (++turns % turnsBetweenYields === 0) setImmediate(run);
    else queueMicrotask(run);
  };
}

/** Frames handed on in one turn before the others get theirs. */
export const turnBudget = 256;
