/** Raw mode without a length (`AT+SOCKWR=<id>,0`, `AT+SOCKRD=<id>,2,0`): until `+++` and silence. */
import { limits } from '../../../driver/protocol/catalogue/limits.js';
import { StatusCode } from '../../../driver/protocol/catalogue/statuses.js';
import type { Event } from '../../../driver/protocol/messages.js';
import type { Clock, TimerHandle } from '../../tcpip/contract.js';
import { EscapeGuard } from './escape-guard.js';
import { InputQueue } from './input-queue.js';

/** How long to collect before a piece is sent, and to wait before a refused one is tried again, in milliseconds. */
const FLUSH = 10;
/** Bytes kept while the socket takes none. */
const CAPACITY = 64 * 1024;

export interface RawStream {
  start(): void;
  /** Bytes of the host, valid during the call. */
  input(bytes: Uint8Array): void;
  /** An event held back from the host; true if the stream has made use of it, so that the host need not hear of it. */
  event(event: Omit<Event, 'kind'>): boolean;
  cancel(): void;
}

interface WriteEffects {
  /** Writes a piece of at most {@link limits.socketWrite} bytes; the answer is a status code. */
  send(data: Uint8Array, done: (code: number) => void): void;
  ended(code: number): void;
}

export class RawWriteStream implements RawStream {
  readonly #clock: Clock;
  readonly #effects: WriteEffects;
  readonly #guard: EscapeGuard;
  readonly #queue = new InputQueue(CAPACITY);
  /** Taken from the queue, not accepted by the socket yet. */
  #piece: Uint8Array | undefined;
  #timer: TimerHandle | undefined;
  #sending = false;
  #ending = false;
  #failure = 0;

  constructor(clock: Clock, effects: WriteEffects) {
    this.#clock = clock;
    this.#effects = effects;
    this.#guard = new EscapeGuard(clock, {
      data: (bytes) => this.#collect(bytes),
      escaped: () => {
        this.#ending = true;
        this.#flush();
      },
    });
  }

  start(): void {}

  input(bytes: Uint8Array): void {
    this.#guard.write(bytes);
  }

  event(): boolean {
    return false;
  }

  cancel(): void {
    this.#guard.cancel();
    this.#timer?.cancel();
  }

  #collect(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    if (this.#queue.length >= limits.socketWrite) this.#flush();
    else this.#later();
  }

  #later(): void {
    this.#timer ??= this.#clock.setTimer(() => this.#flush(), FLUSH);
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#sending) return;
    if (this.#piece === undefined && this.#queue.length > 0) {
      this.#piece = new Uint8Array(Math.min(this.#queue.length, limits.socketWrite));
      this.#queue.take(this.#piece);
    }
    if (this.#piece === undefined) {
      if (this.#ending) this.#effects.ended(this.#failure);
      return;
    }
    this.#sending = true;
    this.#effects.send(this.#piece, (code) => {
      this.#sending = false;
      if (code === StatusCode.SOCKET_NOT_READY) {
        this.#later();
        return;
      }
      // Whatever else is wrong stays wrong: the rest is thrown away, and the status says so.
      if (code !== 0) this.#failure = code;
      this.#piece = undefined;
      if (this.#queue.length > 0 || this.#ending) this.#flush();
    });
  }
}

interface ReadEffects {
  read(length: number, done: (code: number, data: Uint8Array) => void): void;
  output(data: Uint8Array): void;
  ended(code: number): void;
}

export class RawReadStream implements RawStream {
  readonly #effects: ReadEffects;
  readonly #guard: EscapeGuard;
  readonly #sockId: number;
  /** Read before the stream began, to see whether it may. */
  #first: Uint8Array = new Uint8Array(0);
  #failure = 0;
  #reading = false;

  constructor(clock: Clock, sockId: number, effects: ReadEffects) {
    this.#effects = effects;
    this.#sockId = sockId;
    // What the host sends meanwhile goes nowhere.
    this.#guard = new EscapeGuard(clock, { data: () => {}, escaped: () => effects.ended(this.#failure) });
  }

  /** Asks whether the socket can be read at all. */
  begin(done: (code: number) => void): void {
    this.#effects.read(limits.socketWrite, (code, data) => {
      this.#first = data;
      done(code);
    });
  }

  start(): void {
    this.#effects.output(this.#first);
    if (this.#first.length > 0) this.#pump();
  }

  input(bytes: Uint8Array): void {
    this.#guard.write(bytes);
  }

  event({ name, elements }: Omit<Event, 'kind'>): boolean {
    const mine = (name === 'SOCKRXT' || name === 'SOCKRXU') && elements.sockId === this.#sockId;
    if (mine) this.#pump();
    return mine;
  }

  cancel(): void {
    this.#guard.cancel();
  }

  #pump(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#effects.read(limits.socketWrite, (code, data) => {
      this.#reading = false;
      this.#failure = code;
      if (data.length === 0) return;
      this.#effects.output(data);
      this.#pump();
    });
  }
}
