import type { Clock, Link } from '../contract.js';
import { type Dispatch, onClock, turnBudget } from './dispatch.js';
import { macNumber, maximumFrame } from './frame.js';
import { FrameQueue } from './frame-queue.js';

export interface SwitchOptions {
  readonly clock: Clock;
  /** Largest IP packet, bytes; 1500. */
  readonly mtu?: number;
  /** Frames waiting in the whole switch; 1024. */
  readonly queue?: number;
  /** Addresses remembered; the oldest is forgotten first; 1024. */
  readonly addresses?: number;
  /** How long an address is remembered after it was last seen as a sender, ms; 300,000 (IEEE 802.1Q 8.8.3). */
  readonly ageingMs?: number;
  /** By default a timer of 0 ms on `clock`. */
  readonly dispatch?: Dispatch;
}

/** A socket of the switch: plug a stack, or a chain of devices, into it. */
export interface SwitchPort extends Link {
  /** Frames that came in here and were dropped: too long, or no room. */
  readonly dropped: number;
  /** Unplugs: frames from here go nowhere, none arrives. */
  close(): void;
}

/** 01-80-C2-00-00-00 to -0F stay on their link (IEEE 802.1Q 8.6.3). */
const reservedGroup = 0x0180_c200_000;
const isReserved = (address: number): boolean => Math.floor(address / 16) === reservedGroup;

interface Learned {
  port: Port;
  seen: number;
}

class Port implements SwitchPort {
  readonly mtu: number;
  readonly index: number;
  receive: (frame: Uint8Array, length: number) => void = () => {};
  dropped = 0;
  readonly #owner: VirtualSwitch;

  constructor(owner: VirtualSwitch, mtu: number, index: number) {
    this.#owner = owner;
    this.mtu = mtu;
    this.index = index;
  }

  transmit(frame: Uint8Array, length: number): boolean {
    if (length > maximumFrame(this.mtu) || !this.#owner.enqueue(this, frame, length)) {
      this.dropped++;
      return false;
    }
    return true;
  }

  close(): void {
    this.#owner.remove(this);
  }
}

/** A learning Ethernet switch in memory. */
export class VirtualSwitch {
  readonly mtu: number;
  readonly #clock: Clock;
  readonly #dispatch: Dispatch;
  readonly #queue: FrameQueue;
  readonly #limit: number;
  readonly #ageingMs: number;
  readonly #ports = new Map<number, Port>();
  /** In order of learning, so that the first is the oldest. */
  readonly #learned = new Map<number, Learned>();
  #nextIndex = 0;
  #scheduled = false;
  readonly #run = (): void => {
    this.#scheduled = false;
    for (let left = Math.min(turnBudget, this.#queue.count); left > 0; left--) {
      try {
        this.#forward(this.#queue.front, this.#queue.frontLength, this.#queue.frontTag);
      } finally {
        this.#queue.shift();
      }
    }
    if (this.#queue.count > 0) this.#schedule();
  };

  constructor(options: SwitchOptions) {
    this.#clock = options.clock;
    this.mtu = options.mtu ?? 1500;
    this.#queue = new FrameQueue(options.queue ?? 1024);
    this.#limit = options.addresses ?? 1024;
    this.#ageingMs = options.ageingMs ?? 300_000;
    this.#dispatch = options.dispatch ?? onClock(options.clock);
  }

  /** A new port. */
  port(): SwitchPort {
    const port = new Port(this, this.mtu, this.#nextIndex++);
    this.#ports.set(port.index, port);
    return port;
  }

  /** Addresses known now. */
  get addresses(): number {
    return this.#learned.size;
  }

  /** For the ports. */
  enqueue(port: Port, frame: Uint8Array, length: number): boolean {
    if (!this.#ports.has(port.index) || length < 14) return false;
    if (this.#queue.push(frame, length, port.index) === undefined) return false;
    this.#schedule();
    return true;
  }

  /** For the ports. */
  remove(port: Port): void {
    this.#ports.delete(port.index);
    for (const [address, { port: behind }] of this.#learned)
      if (behind === port) this.#learned.delete(address);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#dispatch(this.#run);
  }

  #forward(frame: Uint8Array, length: number, from: number): void {
    const source = this.#ports.get(from);
    if (source === undefined) return;
    const now = this.#clock.now();
    this.#learn(frame, source, now);
    const destination = macNumber(frame, 0);
    if (isReserved(destination)) return;
    if ((frame[0] & 1) === 0) {
      const known = this.#learned.get(destination);
      if (known !== undefined && now - known.seen <= this.#ageingMs) {
        if (known.port !== source) known.port.receive(frame, length);
        return;
      }
    }
    for (const port of this.#ports.values()) if (port !== source) port.receive(frame, length);
  }

  #learn(frame: Uint8Array, source: Port, now: number): void {
    if ((frame[6] & 1) === 1) return;
    const address = macNumber(frame, 6);
    const known = this.#learned.get(address);
    if (known !== undefined) {
      known.port = source;
      known.seen = now;
      return;
    }
    if (this.#learned.size >= this.#limit) {
      for (const oldest of this.#learned.keys()) {
        this.#learned.delete(oldest);
        break;
      }
    }
    this.#learned.set(address, { port: source, seen: now });
  }
}
