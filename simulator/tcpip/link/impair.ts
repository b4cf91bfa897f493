import type { Clock, Link, Random, TimerHandle } from '../contract.js';
import { Device } from './device.js';
import { markCongestion } from './frame.js';
import { FrameQueue } from './frame-queue.js';
import type { Impairment } from './impair-spec.js';

export type Verdict = 'lost' | 'overflow' | 'corrupted' | 'duplicated' | 'reordered' | 'marked';

export interface ImpairOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly outbound?: Impairment;
  readonly inbound?: Impairment;
  /** Everything that was done to a frame, but delay. The frame is lent, as it came in. */
  readonly observe?: (verdict: Verdict, frame: Uint8Array, length: number, direction: 'in' | 'out') => void;
}

export type ImpairCounters = Record<Verdict, number>;

/** What waits in delay and reordering, frames; beyond it frames are lost, as `overflow`. */
const delayLimit = 16_384;
const defaultQueueFrames = 100;
/** A held-back frame goes on at the latest after this long without others passing it, ms. */
const holdMs = 10;
/** Times closer than this are the same, ms: adding up fractions must not leave a rest that no timer can reach. */
const sameTime = 1e-6;

interface Held {
  readonly frame: Uint8Array;
  passes: number;
  readonly latest: number;
}

/** One direction: loss, duplication, corruption, then the rate's queue, the delay, and last the reordering. */
class ImpairedPath {
  readonly counters: ImpairCounters = {
    lost: 0,
    overflow: 0,
    corrupted: 0,
    duplicated: 0,
    reordered: 0,
    marked: 0,
  };
  readonly #config: Impairment;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #deliver: (frame: Uint8Array, length: number) => void;
  readonly #report: (verdict: Verdict, frame: Uint8Array, length: number) => void;
  #bad = false;
  /** Frames in the rate's queue leave at these times; `#departed` of them have. */
  #departures: number[] = [];
  #departed = 0;
  #busyUntil = 0;
  #lastDue = 0;
  readonly #waiting = new FrameQueue(delayLimit);
  #held: Held[] = [];
  #timer: TimerHandle | undefined;
  #timerDue = 0;
  #delivering = false;
  #scratch = new Uint8Array(2048);
  readonly #run = (): void => {
    this.#timer = undefined;
    this.#flush(this.#clock.now());
  };

  constructor(
    config: Impairment,
    options: ImpairOptions,
    deliver: (frame: Uint8Array, length: number) => void,
    report: (verdict: Verdict, frame: Uint8Array, length: number) => void,
  ) {
    this.#config = config;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#deliver = deliver;
    this.#report = (verdict, frame, length) => {
      this.counters[verdict]++;
      report(verdict, frame, length);
    };
  }

  send(frame: Uint8Array, length: number): void {
    const { ecn } = this.#config;
    let mark = typeof ecn === 'number' && this.#random() < ecn;
    if (this.#loses()) {
      if (ecn !== true || !this.#capable(frame, length)) {
        this.#report('lost', frame, length);
        return;
      }
      mark = true;
    }
    this.#enqueue(frame, length, mark);
    if (this.#hit(this.#config.duplicate)) {
      this.#report('duplicated', frame, length);
      this.#enqueue(frame, length, mark);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting.clear();
    this.#held = [];
  }

  #hit(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.#random() < probability;
  }

  #loses(): boolean {
    const { loss } = this.#config;
    if (loss === undefined || typeof loss === 'number') return this.#hit(loss);
    if (this.#random() < (this.#bad ? loss.toGood : loss.toBad)) this.#bad = !this.#bad;
    return this.#hit(this.#bad ? (loss.lossBad ?? 1) : loss.lossGood);
  }

  /** Whether a mark is possible; tried on a copy, because the frame is only lent. */
  #capable(frame: Uint8Array, length: number): boolean {
    return markCongestion(this.#copy(frame, length), length);
  }

  #copy(frame: Uint8Array, length: number): Uint8Array {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length);
    this.#scratch.set(frame.subarray(0, length));
    return this.#scratch;
  }

  #enqueue(frame: Uint8Array, length: number, markWanted: boolean): void {
    const now = this.#clock.now();
    const due = this.#due(now, length);
    if (due === undefined) {
      this.#report('overflow', frame, length);
      return;
    }
    const mark = (markWanted || this.#congested()) && this.#capable(frame, length);
    const corrupt = this.#hit(this.#config.corrupt);
    let bytes = frame;
    if (mark || corrupt) {
      // `#capable` left the marked copy in the scratch buffer.
      bytes = mark ? this.#scratch : this.#copy(frame, length);
      if (mark) this.#report('marked', frame, length);
      if (corrupt) {
        const bit = Math.floor(this.#random() * length * 8);
        bytes[bit >> 3] ^= 1 << (bit & 7);
        this.#report('corrupted', frame, length);
      }
    }
    if (due <= now && this.#waiting.count === 0 && !this.#delivering) {
      this.#pass(bytes, length, now);
      this.#arm();
      return;
    }
    if (this.#waiting.push(bytes, length, due) === undefined) {
      this.#report('overflow', frame, length);
      return;
    }
    this.#arm();
  }

  /** When the frame comes out of queue and delay, or `undefined`: the queue is full. */
  #due(now: number, length: number): number | undefined {
    const { rateBitsPerSecond, queueBytes, delayMs = 0, jitterMs = 0 } = this.#config;
    let departure = now;
    if (rateBitsPerSecond !== undefined) {
      this.#forgetDeparted(now);
      const backlog = Math.max(0, this.#busyUntil - now);
      const full =
        queueBytes === undefined
          ? this.#departures.length - this.#departed > this.#queueFrames()
          : (backlog * rateBitsPerSecond) / 8000 + length > queueBytes;
      if (full) return undefined;
      this.#busyUntil = departure = now + backlog + (length * 8000) / rateBitsPerSecond;
      this.#departures.push(departure);
    }
    const jitter = jitterMs > 0 ? jitterMs * (2 * this.#random() - 1) : 0;
    this.#lastDue = Math.max(this.#lastDue, departure + Math.max(0, delayMs + jitter));
    return this.#lastDue;
  }

  #queueFrames(): number {
    return this.#config.queueFrames ?? defaultQueueFrames;
  }

  #forgetDeparted(now: number): void {
    while (this.#departed < this.#departures.length && this.#departures[this.#departed] <= now)
      this.#departed++;
    if (this.#departed > 1024 || this.#departed === this.#departures.length) {
      this.#departures.splice(0, this.#departed);
      this.#departed = 0;
    }
  }

  /** The queue is half full, and marks are wanted for that. */
  #congested(): boolean {
    const { ecn, rateBitsPerSecond, queueBytes } = this.#config;
    if (ecn !== true || rateBitsPerSecond === undefined) return false;
    if (queueBytes === undefined) return this.#departures.length - this.#departed > this.#queueFrames() / 2;
    return ((this.#busyUntil - this.#clock.now()) * rateBitsPerSecond) / 8000 > queueBytes / 2;
  }

  #flush(now: number): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.#waiting.count > 0 && this.#waiting.frontTag <= now + sameTime) {
        const { front, frontLength } = this.#waiting;
        try {
          this.#pass(front, frontLength, now);
        } finally {
          this.#waiting.shift();
        }
      }
      while (this.#held.length > 0 && this.#held[0].latest <= now + sameTime)
        this.#release(this.#held.shift());
    } finally {
      this.#delivering = false;
      this.#arm();
    }
  }

  /** Out of the delay: delivered, or held back behind later frames. */
  #pass(frame: Uint8Array, length: number, now: number): void {
    if (this.#hit(this.#config.reorder)) {
      this.#report('reordered', frame, length);
      const passes = 1 + Math.floor(this.#random() * 3);
      this.#held.push({ frame: frame.slice(0, length), passes, latest: now + holdMs });
      if (this.#held.length > delayLimit) this.#release(this.#held.shift());
      return;
    }
    this.#deliver(frame, length);
    if (this.#held.length === 0) return;
    const ready: Held[] = [];
    this.#held = this.#held.filter((held) => {
      if (--held.passes > 0) return true;
      ready.push(held);
      return false;
    });
    for (const held of ready) this.#release(held);
  }

  #release(held: Held | undefined): void {
    if (held !== undefined) this.#deliver(held.frame, held.frame.length);
  }

  #arm(): void {
    let next = this.#waiting.count > 0 ? this.#waiting.frontTag : Number.POSITIVE_INFINITY;
    if (this.#held.length > 0) next = Math.min(next, this.#held[0].latest);
    if (next === Number.POSITIVE_INFINITY) return;
    if (this.#timer !== undefined) {
      if (this.#timerDue <= next) return;
      this.#timer.cancel();
    }
    this.#timerDue = next;
    this.#timer = this.#clock.setTimer(this.#run, Math.max(0, next - this.#clock.now()));
  }
}

/** A link that misbehaves as told, the same way for the same seed. What it loses, its user believes sent. */
export class ImpairedLink extends Device {
  readonly #outbound: ImpairedPath;
  readonly #inbound: ImpairedPath;

  constructor(below: Link, options: ImpairOptions) {
    super(below);
    const path = (
      direction: 'in' | 'out',
      deliver: (frame: Uint8Array, length: number) => void,
    ): ImpairedPath =>
      new ImpairedPath(
        (direction === 'in' ? options.inbound : options.outbound) ?? {},
        options,
        deliver,
        (...what) => options.observe?.(...what, direction),
      );
    this.#outbound = path('out', (frame, length) => void below.transmit(frame, length));
    this.#inbound = path('in', (frame, length) => this.receive(frame, length));
  }

  /** What was done so far, by direction. */
  get counters(): { readonly out: Readonly<ImpairCounters>; readonly in: Readonly<ImpairCounters> } {
    return { out: this.#outbound.counters, in: this.#inbound.counters };
  }

  override transmit(frame: Uint8Array, length: number): boolean {
    this.#outbound.send(frame, length);
    return true;
  }

  protected override inbound(frame: Uint8Array, length: number): void {
    // The device below may start before the constructor is through.
    this.#inbound?.send(frame, length);
  }

  /** Drops what is on its way and cancels the timers. */
  close(): void {
    this.#outbound.close();
    this.#inbound.close();
  }
}
