import type { Clock, TimerHandle } from './contract.js';

/**
 * The machine's own clock. What is due runs after the input that is ready: when the process was held up, the
 * acknowledgements that came meanwhile are read before their timeout strikes.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(callback, delayMs) {
    let immediate: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      immediate = setImmediate(callback);
    }, delayMs);
    return {
      cancel: () => {
        clearTimeout(timer);
        if (immediate !== undefined) clearImmediate(immediate);
      },
    };
  },
};

// Kept from load time: a test that replaces the global must not stop `advanceAsync`.
const afterPromises = setImmediate;

class VirtualTimer implements TimerHandle {
  readonly due: number;
  readonly order: number;
  callback: (() => void) | undefined;

  constructor(due: number, order: number, callback: () => void) {
    this.due = due;
    this.order = order;
    this.callback = callback;
  }

  cancel(): void {
    this.callback = undefined;
  }
}

const runsBefore = (a: VirtualTimer, b: VirtualTimer): boolean =>
  a.due < b.due || (a.due === b.due && a.order < b.order);

/**
 * Time that moves only when told to. Timers run in the order they are due, those due at the same instant in the
 * order they were set; a timer set by a timer runs in the same `advance` if it falls into it.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  /** Binary heap, earliest first. Cancelled timers stay until they surface. */
  readonly #heap: VirtualTimer[] = [];

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** Timers set and neither run nor cancelled. */
  get pending(): number {
    return this.#heap.filter((timer) => timer.callback !== undefined).length;
  }

  /** When the next timer is due, in the clock's milliseconds; `undefined` if none is. */
  get next(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.due;
  }

  setTimer(callback: () => void, delayMs: number): TimerHandle {
    const delay = Math.max(delayMs, 0);
    const timer = new VirtualTimer(this.#now + delay, this.#order++, callback);
    this.#push(timer);
    return timer;
  }

  /** Moves time on by `ms` and runs every timer due on the way. Promises do not settle in between. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#runNext(end));
    this.#now = Math.max(this.#now, end);
  }

  /** As `advance`, but lets promises (and I/O that is ready) settle before the first timer and after each. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms;
    do await new Promise<void>((resolve) => afterPromises(resolve));
    while (this.#runNext(end));
    this.#now = Math.max(this.#now, end);
  }

  #runNext(end: number): boolean {
    this.#dropCancelled();
    const timer = this.#heap[0];
    if (timer === undefined || timer.due > end) return false;
    this.#pop();
    this.#now = Math.max(this.#now, timer.due);
    const { callback } = timer;
    timer.callback = undefined;
    callback?.();
    return true;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0].callback === undefined) this.#pop();
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!runsBefore(timer, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && runsBefore(heap[child + 1], heap[child])) child++;
      if (!runsBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}
