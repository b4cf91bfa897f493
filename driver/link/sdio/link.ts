/**
 * Messages to and from a module over SDIO on SPI. One loop owns the bus: it announces what is to be sent, serves the
 * module's events, and after a bus error climbs a ladder: initialise again, reset, give up. Every wait has a deadline.
 */
import type { Clock, TimerHandle } from '../../clock.js';
import { WincError } from '../../protocol/errors.js';
import {
  BLOCK_BYTES,
  directArgument,
  Fn0,
  Fn1,
  IntId,
  MailboxType,
  mailboxWord,
  parseMailboxWord,
  RegisterValue,
} from '../../protocol/sdio/index.js';
import type { SpiTransport } from '../../transport/transport.js';
import { SdioCard, type WindowStyle } from './card.js';
import { type Initialised, initialise, sleep } from './initialise.js';
import { type Burst, MAX_BURST, SendQueue } from './queue.js';
import { type BusCounters, busError, type ExtendedTarget } from './window.js';

export interface SdioLinkOptions {
  readonly clock: Clock;
  /** Default `merged`; a bus error falls back to `vendor`. */
  readonly windows?: WindowStyle;
  /** Have both ends check CRC7 and CRC16. Default false, as the vendor's driver. */
  readonly crc?: boolean;
  /** Whether `start` resets the module. Default true. */
  readonly reset?: boolean;
  /** How long a module may take to boot, ms. Default 6000. */
  readonly bootTimeout?: number;
  /** How long a module may take over one step of the protocol, ms. Default 2000. */
  readonly stepTimeout?: number;
}

export interface SdioLinkHandler {
  /** A whole message with its padding. Valid during the call. */
  message(bytes: Uint8Array): void;
  /** The bus failed and works again. `restarted`: the module has forgotten everything. */
  recovered(restarted: boolean, cause: Error): void;
  /** Once: `error` says why, unless `close()` asked for it. */
  closed(error?: Error): void;
}

export interface SdioLinkCounters extends BusCounters {
  readonly sent: number;
  readonly received: number;
  readonly events: number;
  /** INTOUT low without an event. */
  readonly spurious: number;
  readonly busErrors: number;
}

/** Longest message a module may announce, bytes. */
const MAX_MESSAGE = 16_384;
/** Reads of INT_ID without a pause, while the module prepares data. */
const EAGER_POLLS = 32;
const RESET_MS = 100;
/** Events that may go before what waits to be sent. */
const MAX_DEFERRED = 2;

const fifo: ExtendedTarget = { fn: 1, address: Fn1.DATA, increment: false };
const hostWord: ExtendedTarget = { fn: 1, address: Fn1.HOST_WORD, increment: true };
const moduleWord: ExtendedTarget = { fn: 1, address: Fn1.MODULE_WORD, increment: true };
const csaPointer: ExtendedTarget = { fn: 0, address: Fn0.FN1_CSA_POINTER, increment: true };
const csaData: ExtendedTarget = { fn: 0, address: Fn0.FN1_CSA_DATA, increment: false };
const readIntId = directArgument(false, 1, Fn1.INT_ID);
const clearIntId = (bits: number) => directArgument(true, 1, Fn1.INT_ID, bits);
const clearDataReady = clearIntId(IntId.DATA_READY);
const clockManual = directArgument(true, 0, Fn0.CLOCK_WAKE_UP, RegisterValue.CLOCK_MANUAL);
const clockAutomatic = directArgument(true, 0, Fn0.CLOCK_WAKE_UP, RegisterValue.CLOCK_AUTOMATIC);

interface RecoveryRequest {
  readonly how: 'gentle' | 'reset';
  readonly timeout: number;
  resolve(): void;
  reject(error: Error): void;
}

export class SdioLink {
  readonly #bus: SpiTransport;
  readonly #card: SdioCard;
  readonly #clock: Clock;
  readonly #crc: boolean;
  readonly #resetAtStart: boolean;
  readonly #bootTimeout: number;
  readonly #stepTimeout: number;
  #handler!: SdioLinkHandler;
  #state: 'new' | 'running' | 'closed' = 'new';
  #loop: Promise<void> = Promise.resolve();

  readonly #queue: SendQueue;
  #announced: Burst | undefined;
  #announcedAt = 0;
  /** Events that went before what waits to be sent. */
  #deferred = 0;
  #recovery: RecoveryRequest | undefined;
  #wake: (() => void) | undefined;
  /** Rungs of the ladder climbed since a message last arrived. */
  #rung = 0;

  readonly #word = new Uint8Array(4);
  readonly #pointer = new Uint8Array(3);
  #buffer = new Uint8Array(4096);
  readonly #own = { sent: 0, received: 0, events: 0, spurious: 0, busErrors: 0 };

  constructor(bus: SpiTransport, options: SdioLinkOptions) {
    this.#bus = bus;
    this.#card = new SdioCard(bus, options.windows ?? 'merged');
    this.#clock = options.clock;
    this.#crc = options.crc ?? false;
    this.#resetAtStart = options.reset ?? true;
    this.#bootTimeout = options.bootTimeout ?? 6000;
    this.#stepTimeout = options.stepTimeout ?? 2000;
    this.#queue = new SendQueue();
  }

  get windows(): WindowStyle {
    return this.#card.style;
  }

  get counters(): Readonly<SdioLinkCounters> {
    return { ...this.#card.counters, ...this.#own };
  }

  /**
   * Resets the module, initialises it and starts to exchange messages.
   * @throws WincError `WINC_MODULE_SILENT`, `WINC_BUS`, or what the transport throws
   */
  async start(handler: SdioLinkHandler): Promise<Initialised> {
    this.#handler = handler;
    this.#bus.start({
      interrupt: () => this.#wake?.(),
      closed: (error) => this.#end(error),
    });
    if (this.#resetAtStart) await this.#pulseReset();
    const result = await this.#initialise(this.#resetAtStart, false, this.#bootTimeout).catch(
      async (error: Error) => {
        await this.close();
        throw error;
      },
    );
    if (this.#closed) throw closedError();
    this.#state = 'running';
    this.#loop = this.#run();
    return result;
  }

  /**
   * Queues messages as one burst; short ones may share a burst with their neighbours. The bytes must stay as they are
   * until then.
   * @returns when the last byte has been taken by the module
   * @throws WincError `WINC_BUS` or `WINC_PORT_CLOSED`
   */
  send(messages: readonly Uint8Array[]): Promise<void> {
    if (this.#state !== 'running') return Promise.reject(closedError());
    for (const { length } of messages) {
      if (length === 0 || length % 4 !== 0 || length > MAX_MESSAGE) {
        return Promise.reject(new WincError('WINC_ARGUMENT', `a message of ${length} bytes cannot be sent`));
      }
    }
    const sent = this.#queue.push(messages);
    this.#wake?.();
    return sent;
  }

  /** Messages not yet taken by the module. */
  get pending(): number {
    return this.#queue.length + (this.#announced?.left ?? 0);
  }

  /**
   * Forgets what is queued and initialises again; `reset` pulls MCLR first.
   * @param timeout how long the module may take to answer, ms
   * @throws WincError `WINC_BUS`, `WINC_MODULE_SILENT`, `WINC_PORT_CLOSED`
   */
  recover(how: 'gentle' | 'reset', timeout = this.#bootTimeout): Promise<void> {
    if (this.#state !== 'running') return Promise.reject(closedError());
    this.#recovery?.reject(busError('superseded by another recovery'));
    return new Promise((resolve, reject) => {
      this.#recovery = { how, timeout, resolve, reject };
      this.#wake?.();
    });
  }

  async close(): Promise<void> {
    this.#end();
    await this.#bus.close();
    await this.#loop;
  }

  get #closed(): boolean {
    return this.#state === 'closed';
  }

  async #run(): Promise<void> {
    while (this.#state === 'running') {
      try {
        if (this.#recovery !== undefined) await this.#recoverOnRequest(this.#recovery);
        else if (this.#announcesNow()) await this.#announce();
        else if (this.#bus.interruptAsserted) await this.#serveEvent();
        else await this.#idle();
      } catch (error) {
        if (this.#closed) return;
        if (error instanceof WincError) await this.#recoverFrom(error);
        else {
          // A defect of ours, or of whoever is told of messages: not the bus's, which no ladder mends.
          this.#end(error as Error);
          await this.#bus.close();
        }
      }
    }
  }

  /** Until INTOUT changes, something is to be sent, or an announcement has gone unanswered for too long. */
  async #idle(): Promise<void> {
    if (this.#announced === undefined) {
      await this.#change();
      return;
    }
    const left = this.#announcedAt + this.#stepTimeout - this.#clock.now();
    if (left <= 0)
      throw busError(`the module did not ask for what was announced within ${this.#stepTimeout} ms`);
    await this.#change(left);
  }

  /** Resolves at the next wake-up, or after `timeout` ms. */
  #change(timeout?: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: TimerHandle | undefined;
      this.#wake = () => {
        this.#wake = undefined;
        timer?.cancel();
        resolve();
      };
      if (timeout !== undefined) timer = this.#clock.setTimer(() => this.#wake?.(), timeout);
    });
  }

  #mayAnnounce(): boolean {
    return this.#announced === undefined && this.#queue.length > 0;
  }

  /**
   * What the module has to say goes first for a while: its messages provoke others, and those can share a burst with
   * what waits. Not for the vendor's windows, whose driver announces at once.
   */
  #announcesNow(): boolean {
    if (!this.#mayAnnounce()) return false;
    const waits = this.#card.style === 'merged' && this.#bus.interruptAsserted;
    if (waits && this.#queue.length < MAX_BURST && this.#deferred++ < MAX_DEFERRED) return false;
    this.#deferred = 0;
    return true;
  }

  async #announce(): Promise<void> {
    // What else is about to be sent in this turn of the event loop goes along.
    if (this.#card.style === 'merged') await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#queue.length === 0) return;
    const burst = this.#queue.next(this.#card.style === 'merged');
    this.#announced = burst;
    const count = burst.messages.length;
    const view = new DataView(this.#word.buffer);
    if (count === 1)
      view.setUint32(0, mailboxWord(MailboxType.TX_REQUEST, 1, burst.messages[0].length / 4), true);
    else {
      await this.#card.write([clockManual], csaPointer, this.#pointer);
      await this.#card.write([clockAutomatic], csaData, burst.lengthList());
      view.setUint32(0, mailboxWord(MailboxType.TX_REQUEST, count, count), true);
    }
    this.#announcedAt = this.#clock.now();
    await this.#card.write([], hostWord, this.#word);
  }

  async #serveEvent(): Promise<void> {
    let bits: number;
    if (this.#card.style === 'merged') bits = await this.#card.read([readIntId], moduleWord, this.#word);
    else {
      bits = await this.#card.direct(readIntId);
      if (bits & IntId.MESSAGE) await this.#card.read([], moduleWord, this.#word);
    }
    if ((bits & IntId.MESSAGE) === 0) {
      await this.#spuriousInterrupt();
      return;
    }
    this.#own.events++;
    const word = new DataView(this.#word.buffer).getUint32(0, true);
    const { type, count, length } = parseMailboxWord(word);
    if (count === 0 || length === 0) throw busError(`an event announces nothing: ${word.toString(16)}`);
    if (type === MailboxType.TX_REQUEST) await this.#sendMessages(count, bits);
    else if (type === MailboxType.RX_REQUEST) await this.#receiveMessages(count, length);
    else throw busError(`an event of unknown type: ${word.toString(16)}`);
  }

  async #spuriousInterrupt(): Promise<void> {
    this.#own.spurious++;
    if (this.#bus.interruptAsserted) await this.#awaitInterruptHigh('INTOUT stays low without an event');
  }

  async #sendMessages(count: number, bits: number): Promise<void> {
    const burst = this.#announced;
    if (burst === undefined || burst.left < count) {
      throw busError(`the module asks for ${count} messages, ${burst?.left ?? 0} are announced`);
    }
    let clear = [clearIntId(IntId.MESSAGE | (bits & IntId.ACK))];
    if (this.#card.style === 'vendor') {
      await this.#card.direct(...clear);
      await this.#awaitInterruptHigh('INTOUT stays low after its event was cleared');
      clear = [];
    }
    for (let at = 0; at < count; at++) {
      await this.#writeMessage(clear, burst.current);
      clear = [];
      this.#own.sent++;
      burst.taken();
    }
    if (burst.left === 0) this.#announced = undefined;
    else this.#announcedAt = this.#clock.now();
  }

  async #writeMessage(before: readonly number[], message: Uint8Array): Promise<void> {
    const whole = message.length > BLOCK_BYTES ? message.length - (message.length % BLOCK_BYTES) : 0;
    if (whole > 0) await this.#card.write(before, fifo, message.subarray(0, whole), true);
    if (whole < message.length)
      await this.#card.write(whole > 0 ? [] : before, fifo, message.subarray(whole));
  }

  async #receiveMessages(count: number, length: number): Promise<void> {
    let ready = 0;
    if (this.#card.style === 'merged') {
      ready = await this.#card.direct(clearIntId(IntId.MESSAGE), readIntId);
      await this.#awaitInterruptHigh('INTOUT stays low after its event was cleared');
    } else {
      await this.#card.direct(clearIntId(IntId.MESSAGE));
      await this.#awaitInterruptHigh('INTOUT stays low after its event was cleared');
    }
    if (count === 1) {
      this.#deliver(await this.#readItem(length * 4, ready));
      return;
    }
    const list = await this.#readItem(length * 4, ready);
    const view = new DataView(list.buffer, list.byteOffset, list.length);
    const sizes = Array.from({ length }, (_, at) => view.getUint32(at * 4, true) * 4);
    for (const [at, size] of sizes.entries()) {
      if (size === 0) continue;
      this.#deliver(await this.#readItem(size, 0));
      // The vendor's driver does not let what a message provoked wait for the rest of the list; otherwise waiting
      // pays, since all of it can then go out together.
      const last = at + 1 === length;
      if (this.#card.style === 'vendor' && !last && this.#mayAnnounce()) await this.#announce();
    }
  }

  #deliver(message: Uint8Array): void {
    this.#own.received++;
    this.#rung = 0;
    this.#handler.message(message);
  }

  /** @param ready what INT_ID showed last */
  async #readItem(size: number, ready: number): Promise<Uint8Array> {
    if (size > MAX_MESSAGE) throw busError(`a message of ${size} bytes is announced`);
    if (size > this.#buffer.length) this.#buffer = new Uint8Array(MAX_MESSAGE);
    const whole = size > BLOCK_BYTES ? size - (size % BLOCK_BYTES) : 0;
    if (whole > 0) {
      await this.#awaitDataReady(ready);
      await this.#card.read([clearDataReady], fifo, this.#buffer.subarray(0, whole), true);
    }
    if (whole < size) {
      await this.#awaitDataReady(whole > 0 ? 0 : ready);
      await this.#card.read([clearDataReady], fifo, this.#buffer.subarray(whole, size));
    }
    return this.#buffer.subarray(0, size);
  }

  async #awaitDataReady(seen: number): Promise<void> {
    if (seen & IntId.DATA_READY) return;
    const began = this.#clock.now();
    for (let poll = 0; ; poll++) {
      if ((await this.#card.direct(readIntId)) & IntId.DATA_READY) return;
      if (poll < EAGER_POLLS) continue;
      if (this.#clock.now() - began >= this.#stepTimeout) {
        throw busError(`no data ready within ${this.#stepTimeout} ms`);
      }
      await sleep(this.#clock, 1);
    }
  }

  async #awaitInterruptHigh(otherwise: string): Promise<void> {
    const deadline = this.#clock.now() + this.#stepTimeout;
    while (this.#bus.interruptAsserted) {
      const left = deadline - this.#clock.now();
      if (left <= 0) throw busError(`${otherwise} for ${this.#stepTimeout} ms`);
      await this.#change(left);
    }
  }

  async #pulseReset(): Promise<void> {
    await this.#bus.setReset(true);
    await sleep(this.#clock, RESET_MS);
    await this.#bus.setReset(false);
  }

  #initialise(fresh: boolean, known: boolean, bootTimeout: number): Promise<Initialised> {
    const retryInterval = this.#card.style === 'vendor' ? 100 : 20;
    return initialise(this.#card, {
      clock: this.#clock,
      bootTimeout,
      retryInterval,
      checked: this.#crc,
      fresh,
      known,
    });
  }

  /** Whoever asked decides what to do if it fails: no ladder here. */
  async #recoverOnRequest(request: RecoveryRequest): Promise<void> {
    this.#recovery = undefined;
    const cause = busError('recovery was asked for');
    this.#forget(cause);
    try {
      await this.#restart(request.how, cause, request.timeout);
      request.resolve();
    } catch (error) {
      request.reject(error as Error);
    }
  }

  async #recoverFrom(cause: Error): Promise<void> {
    this.#own.busErrors++;
    this.#card.style = 'vendor';
    for (; this.#rung < 2 && this.#state === 'running'; ) {
      const how = this.#rung++ === 0 ? 'gentle' : 'reset';
      try {
        await this.#restart(how, cause, this.#bootTimeout);
        return;
      } catch {
        // The next rung decides; the first error is the one worth telling.
      }
    }
    if (this.#state !== 'running') return;
    const error = new WincError('WINC_BUS', `the bus does not recover: ${cause.message}`, { cause });
    this.#end(error);
    await this.#bus.close();
  }

  async #restart(how: 'gentle' | 'reset', cause: Error, timeout: number): Promise<void> {
    if (how === 'reset') await this.#pulseReset();
    else await this.#card.flush();
    const { unconfigured } = await this.#initialise(how === 'reset', how === 'gentle', timeout);
    if (unconfigured) this.#forget(cause);
    else if (this.#announced !== undefined) {
      this.#queue.putBack(this.#announced);
      this.#announced = undefined;
    }
    this.#handler.recovered(unconfigured, cause);
  }

  /** Whatever waits to be sent fails. */
  #forget(cause: Error): void {
    this.#announced?.fail(cause);
    this.#announced = undefined;
    this.#queue.fail(cause);
  }

  #end(error?: Error): void {
    if (this.#state === 'closed') return;
    const started = this.#state === 'running';
    this.#state = 'closed';
    const reason = error ?? closedError();
    this.#forget(reason);
    this.#recovery?.reject(reason);
    this.#recovery = undefined;
    this.#wake?.();
    if (started) this.#handler.closed(error);
  }
}

const closedError = () => new WincError('WINC_PORT_CLOSED', 'the SDIO link is closed');
