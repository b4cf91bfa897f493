import type { Clock, TimerHandle } from '../clock.js';
import { WincError } from '../protocol/errors.js';
import { type Random, seededRandom } from '../random.js';
import type { ByteTransport, ByteTransportHandler, Transport, TransportDevice } from './transport.js';

/** Faults of a byte line, each applied to both directions. */
export interface ByteImpairments {
  /** Probability that a byte is lost, 0..1. */
  readonly loss?: number;
  /** Probability that one bit of a byte is flipped, 0..1. */
  readonly corrupt?: number;
  /** Every byte arrives this much later, ms. */
  readonly delay?: number;
  /** Up to this much later again, uniformly, ms. Order is kept: it is a wire. */
  readonly jitter?: number;
  /** Bytes per second; 23040 is 230400 baud. */
  readonly rate?: number;
  readonly seed?: number;
}

/** What may wait in one direction; beyond it bytes are lost, as in any UART without flow control. */
const QUEUE_LIMIT = 1 << 20;
const limits: Readonly<Record<keyof ByteImpairments, number>> = {
  loss: 1,
  corrupt: 1,
  delay: 60_000,
  jitter: 60_000,
  rate: 1e9,
  seed: 0xffff_ffff,
};

/**
 * `loss=0.01,corrupt=0.001,delay=5,jitter=2,rate=23040,seed=1`.
 * @throws WincError `WINC_USAGE`
 */
export function parseByteImpairments(text: string): ByteImpairments {
  const result: Record<string, number> = {};
  for (const part of text.split(',').filter((each) => each !== '')) {
    const [key, value] = part.split('=');
    const number = value === undefined || value.trim() === '' ? Number.NaN : Number(value);
    if (!Object.hasOwn(limits, key) || !(number >= 0 && number <= limits[key as keyof ByteImpairments])) {
      const known = Object.entries(limits).map(([name, most]) => `${name}=0..${most}`);
      throw new WincError('WINC_USAGE', `"${part}" is no impairment of a byte line (${known.join(', ')}).`);
    }
    result[key] = number;
  }
  return result;
}

interface Parcel {
  readonly due: number;
  readonly bytes: Uint8Array;
}

/** One direction. A single timer serves its queue, so that nothing overtakes. */
class Lane {
  readonly #faults: ByteImpairments;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #deliver: (bytes: Uint8Array) => void;
  readonly #queue: Parcel[] = [];
  #waiting = 0;
  /** When the line has sent everything so far. */
  #lineFree = 0;
  #lastDue = 0;
  #timer: TimerHandle | undefined;

  constructor(faults: ByteImpairments, clock: Clock, random: Random, deliver: (bytes: Uint8Array) => void) {
    this.#faults = faults;
    this.#clock = clock;
    this.#random = random;
    this.#deliver = deliver;
  }

  /** Answers how long the line takes until the bytes have left, ms. */
  pass(bytes: Uint8Array): number {
    const { delay = 0, jitter = 0, rate = 0 } = this.#faults;
    const now = this.#clock.now();
    this.#lineFree = Math.max(now, this.#lineFree) + (rate > 0 ? (bytes.length / rate) * 1000 : 0);
    this.#lastDue = Math.max(this.#lastDue, this.#lineFree + delay + jitter * this.#random());
    const survivors = this.#damage(bytes);
    if (survivors.length > 0 && this.#waiting + survivors.length <= QUEUE_LIMIT) {
      this.#waiting += survivors.length;
      this.#queue.push({ due: this.#lastDue, bytes: survivors });
      this.#schedule();
    }
    return this.#lineFree - now;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#queue.length === 0) return;
    this.#timer = this.#clock.setTimer(() => this.#run(), this.#queue[0].due - this.#clock.now());
  }

  #run(): void {
    this.#timer = undefined;
    // A real clock may fire a fraction of a millisecond early.
    const now = this.#clock.now() + 0.999;
    while (this.#queue.length > 0 && this.#queue[0].due <= now) {
      const { bytes } = this.#queue.shift() as Parcel;
      this.#waiting -= bytes.length;
      this.#deliver(bytes);
    }
    this.#schedule();
  }

  #damage(bytes: Uint8Array): Uint8Array {
    const { loss = 0, corrupt = 0 } = this.#faults;
    const out = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (loss > 0 && this.#random() < loss) continue;
      const flip = corrupt > 0 && this.#random() < corrupt;
      out[length++] = flip ? byte ^ (1 << Math.floor(this.#random() * 8)) : byte;
    }
    return out.subarray(0, length);
  }
}

class ImpairedBytes implements ByteTransport {
  readonly kind = 'bytes';
  readonly url: string;
  readonly #inner: ByteTransport;
  readonly #clock: Clock;
  readonly #out: Lane;
  readonly #in: Lane;
  #handler: ByteTransportHandler | undefined;
  #failure: Error | undefined;
  #closed = false;

  constructor(inner: ByteTransport, faults: ByteImpairments, clock: Clock) {
    this.url = inner.url;
    this.#inner = inner;
    this.#clock = clock;
    const seed = faults.seed ?? 1;
    this.#out = new Lane(faults, clock, seededRandom(seed), (bytes) => {
      inner.write(bytes).catch((error: Error) => {
        this.#failure = error;
      });
    });
    this.#in = new Lane(faults, clock, seededRandom(seed + 1), (bytes) => {
      if (!this.#closed) this.#handler?.data(bytes);
    });
  }

  start(handler: ByteTransportHandler): void {
    this.#handler = handler;
    this.#inner.start({
      data: (bytes) => {
        this.#in.pass(bytes);
      },
      closed: (error) => {
        this.#closed = true;
        handler.closed(error);
      },
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const sendingMs = this.#out.pass(bytes);
    await new Promise<void>((resolve) => this.#clock.setTimer(resolve, sendingMs));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  setBaudRate(baud: number): Promise<void> {
    return this.#inner.setBaudRate(baud);
  }

  hide(secret: Uint8Array): void {
    this.#inner.hide?.(secret);
  }
}

/** A bad cable: the same faults again for the same seed. It impairs byte transports; an SPI bus passes untouched. */
export function impairDevice(faults: ByteImpairments): TransportDevice {
  return (inner: Transport, clock: Clock) =>
    inner.kind === 'bytes' ? new ImpairedBytes(inner, faults, clock) : inner;
}
