import type { Link } from '../contract.js';
import { type Dispatch, onMicrotask, turnBudget } from './dispatch.js';
import { maximumFrame } from './frame.js';
import { FrameQueue } from './frame-queue.js';

export interface PipeOptions {
  /** Largest IP packet, bytes; 1500. */
  readonly mtu?: number;
  /** Frames waiting at each end before more are dropped; 1024. */
  readonly queue?: number;
  /** How waiting frames get delivered; by default a microtask. */
  readonly dispatch?: Dispatch;
}

/** Drains both directions in turns, from the dispatcher only. */
class Pump {
  readonly ends: PipeEnd[] = [];
  readonly #dispatch: Dispatch;
  #scheduled = false;
  readonly #run = (): void => {
    this.#scheduled = false;
    for (const end of this.ends) end.drain(turnBudget);
    if (this.ends.some((end) => end.waiting > 0)) this.schedule();
  };

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#dispatch(this.#run);
  }
}

/** One end of a cable in memory. */
export class PipeEnd implements Link {
  readonly mtu: number;
  receive: (frame: Uint8Array, length: number) => void = () => {};
  /** Frames this end sent that the other end had no room for, or that are longer than the MTU allows. */
  dropped = 0;
  readonly #pump: Pump;
  readonly #inbox: FrameQueue;
  #peer: PipeEnd = this;

  private constructor(mtu: number, queue: number, pump: Pump) {
    this.mtu = mtu;
    this.#inbox = new FrameQueue(queue);
    this.#pump = pump;
  }

  static pair(options: PipeOptions): [PipeEnd, PipeEnd] {
    const { mtu = 1500, queue = 1024, dispatch = onMicrotask() } = options;
    const pump = new Pump(dispatch);
    const ends: [PipeEnd, PipeEnd] = [new PipeEnd(mtu, queue, pump), new PipeEnd(mtu, queue, pump)];
    ends[0].#peer = ends[1];
    ends[1].#peer = ends[0];
    pump.ends.push(...ends);
    return ends;
  }

  /** Frames on their way to this end. */
  get waiting(): number {
    return this.#inbox.count;
  }

  transmit(frame: Uint8Array, length: number): boolean {
    if (length > maximumFrame(this.mtu) || this.#peer.#inbox.push(frame, length) === undefined) {
      this.dropped++;
      return false;
    }
    this.#pump.schedule();
    return true;
  }

  /** Delivers up to `budget` waiting frames now. For the pump. */
  drain(budget: number): void {
    for (let left = Math.min(budget, this.#inbox.count); left > 0; left--) {
      try {
        this.receive(this.#inbox.front, this.#inbox.frontLength);
      } finally {
        this.#inbox.shift();
      }
    }
  }
}

/** A cable in memory: what one end transmits, the other receives, in order, a turn later. */
export const memoryPipe = (options: PipeOptions = {}): [PipeEnd, PipeEnd] => PipeEnd.pair(options);
