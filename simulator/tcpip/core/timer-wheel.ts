import type { Clock, TimerHandle } from '../contract.js';

const SLOTS = 64;
const LEVELS = 6;
const NEVER = Number.POSITIVE_INFINITY;
const OFF = -1;

/** Milliseconds one slot of each level spans; the last level reaches 795 days. */
const SPAN = Array.from({ length: LEVELS }, (_, level) => SLOTS ** level);

/**
 * One timer of the wheel. `owner` and a shared `fire` instead of a closure: ten thousand connections carry several of
 * these each.
 */
export class Timer<T> {
  readonly owner: T;
  readonly fire: (owner: T) => void;
  /** In whole wheel milliseconds; negative when off. Whole, because V8 boxes fractions one by one. */
  due = OFF;
  /** The slot it is linked in becomes current then. */
  linkedAt = 0;
  /** Negative when not linked. */
  slot = -1;
  next: AnyTimer | undefined = undefined;
  previous: AnyTimer | undefined = undefined;

  constructor(owner: T, fire: (owner: T) => void) {
    this.owner = owner;
    this.fire = fire;
  }

  get armed(): boolean {
    return this.due >= 0;
  }

  /** Costs one store: the wheel finds out when the slot comes up. */
  disarm(): void {
    this.due = OFF;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a wheel's lists mix owners of every kind
export type AnyTimer = Timer<any>;

/**
 * A hierarchical timing wheel (Varghese and Lauck) with slots of 1, 64, 4096 … ms, on a single timer of the clock.
 * Moving a timer to a later time, which TCP does with every acknowledgement, only stores the new time; the timer is
 * linked anew when its old slot comes up. It never fires early.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #slots: (AnyTimer | undefined)[] = new Array(SLOTS * LEVELS).fill(undefined);
  /** Two words of occupied-slot bits per level. */
  readonly #occupied = new Int32Array(2 * LEVELS);
  /** Everything due up to here has run. */
  #tick = 0;
  #handle: TimerHandle | undefined;
  #handleDue = NEVER;
  #running = false;
  readonly #onClock = (): void => this.#clockFired();
  /** Wraps the firing of timers, so that the stack can do its work around it. */
  readonly #around: (run: () => void) => void;
  readonly #runDue = (): void => this.#expire();

  constructor(clock: Clock, around: (run: () => void) => void = (run) => run()) {
    this.#clock = clock;
    this.#start = clock.now();
    this.#around = around;
  }

  /** Milliseconds since the wheel was made. */
  now(): number {
    return this.#clock.now() - this.#start;
  }

  /** Fires `timer` once, not before `delayMs` from now; an earlier arming of it is forgotten. */
  arm(timer: AnyTimer, delayMs: number): void {
    this.armAt(timer, this.now() + delayMs);
  }

  /** As `arm`, at a time of `now()`. */
  armAt(timer: AnyTimer, due: number): void {
    timer.due = Math.ceil(due);
    if (timer.slot >= 0) {
      if (timer.linkedAt <= timer.due) return;
      this.#unlink(timer);
    }
    this.#link(timer);
    if (!this.#running && timer.linkedAt < this.#handleDue) this.#setClock(timer.linkedAt);
  }

  /** Cancels everything, the clock's timer too. */
  close(): void {
    this.#handle?.cancel();
    this.#handle = undefined;
    this.#handleDue = NEVER;
    for (let slot = 0; slot < this.#slots.length; slot++) {
      for (let timer = this.#slots[slot]; timer !== undefined; timer = this.#slots[slot]) {
        timer.due = OFF;
        this.#unlink(timer);
      }
    }
  }

  #setClock(tick: number): void {
    this.#handle?.cancel();
    this.#handleDue = tick;
    this.#handle = this.#clock.setTimer(this.#onClock, Math.max(0, tick - this.now()));
  }

  #clockFired(): void {
    this.#handle = undefined;
    this.#handleDue = NEVER;
    this.#running = true;
    try {
      this.#around(this.#runDue);
    } finally {
      this.#running = false;
      const next = this.#nextTick();
      if (next !== NEVER) this.#setClock(next);
    }
  }

  #expire(): void {
    const now = Math.floor(this.now());
    for (let tick = this.#nextTick(); tick <= now; tick = this.#nextTick()) {
      this.#tick = tick;
      for (let level = LEVELS - 1; level > 0; level--) {
        if (tick % SPAN[level] === 0) this.#relink(level, Math.floor(tick / SPAN[level]) % SLOTS);
      }
      this.#fireSlot(tick % SLOTS);
    }
    this.#tick = Math.max(this.#tick, now);
  }

  #relink(level: number, index: number): void {
    const slot = level * SLOTS + index;
    for (let timer = this.#slots[slot]; timer !== undefined; timer = this.#slots[slot]) {
      this.#unlink(timer);
      if (timer.due >= 0) this.#link(timer, this.#tick);
    }
  }

  #fireSlot(slot: number): void {
    for (let timer = this.#slots[slot]; timer !== undefined; timer = this.#slots[slot]) {
      this.#unlink(timer);
      if (timer.due < 0) continue;
      if (timer.due > this.#tick) {
        this.#link(timer);
        continue;
      }
      timer.due = OFF;
      timer.fire(timer.owner);
    }
  }

  #link(timer: AnyTimer, earliest = this.#tick + 1): void {
    const due = Math.max(timer.due, earliest);
    const delta = due - this.#tick;
    let level = 0;
    while (level < LEVELS - 1 && delta >= SPAN[level + 1]) level++;
    // Beyond the last level's reach: as far as it goes, and on from there.
    const position = Math.min(
      Math.floor(due / SPAN[level]),
      Math.floor(this.#tick / SPAN[level]) + SLOTS - 1,
    );
    const index = position % SLOTS;
    const slot = level * SLOTS + index;
    timer.slot = slot;
    timer.linkedAt = position * SPAN[level];
    const head = this.#slots[slot];
    timer.next = head;
    timer.previous = undefined;
    if (head !== undefined) head.previous = timer;
    this.#slots[slot] = timer;
    this.#occupied[2 * level + (index >>> 5)] |= 1 << (index & 31);
  }

  #unlink(timer: AnyTimer): void {
    const { slot, next, previous } = timer;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else {
      this.#slots[slot] = next;
      if (next === undefined) {
        const index = slot % SLOTS;
        this.#occupied[2 * ((slot / SLOTS) | 0) + (index >>> 5)] &= ~(1 << (index & 31));
      }
    }
    timer.next = undefined;
    timer.previous = undefined;
    timer.slot = -1;
  }

  /** The first tick at which a slot must be looked at. */
  #nextTick(): number {
    let earliest = NEVER;
    for (let level = 0; level < LEVELS; level++) {
      const low = this.#occupied[2 * level];
      const high = this.#occupied[2 * level + 1];
      if (low === 0 && high === 0) continue;
      const position = Math.floor(this.#tick / SPAN[level]);
      const distance = nextBit(low, high, (position + 1) % SLOTS) + 1;
      earliest = Math.min(earliest, (position + distance) * SPAN[level]);
    }
    return earliest;
  }
}

/** How far from bit `from`, going up and round, the first set bit of the 64 is. */
function nextBit(low: number, high: number, from: number): number {
  for (let i = 0; i < SLOTS; ) {
    const bit = (from + i) % SLOTS;
    const word = (bit < 32 ? low : high) >>> (bit & 31);
    if (word !== 0) return i + 31 - Math.clz32(word & -word);
    i += 32 - (bit & 31);
  }
  return SLOTS;
}
