/**
 * Function 1 of the card: two mailbox words, the interrupt register and the message FIFO. One event is under way at a
 * time, and its data phase ends before the next is raised: a host waits, without traffic, for INTOUT to go up after it
 * cleared an event, and would wait for ever if the next one had already pulled it down again.
 */
import {
  Fn1,
  IntId,
  MailboxType,
  mailboxWord,
  paddedLength,
  parseMailboxWord,
} from '../../../driver/protocol/sdio/index.js';
import type { Mischief, SlaveTiming } from './behaviour.js';

/** Longest message of the host, bytes. */
const MAX_HOST_MESSAGE = 8192;
/** Longest message of the module: the vendor's driver has 4096 bytes, less a cache line for a list. */
export const MAX_MODULE_MESSAGE = 4080;
/** A longer message is announced alone: list and message share the host's buffer. */
const MAX_LISTED_MESSAGE = 1536;
/** Messages in one announcement of the host. */
const MAX_BURST = 255;
/** Announcements of the host that wait for their turn. */
const MAX_WAITING = 4;

export interface MessagePortLimits {
  /** Messages of the module in one event; more than 8 is more than the vendor's driver was seen to take. */
  readonly listLength: number;
  /** Whether one TX_REQ asks for a whole burst, or each message gets its own. */
  readonly burstRequest: 'sum' | 'each';
  /** Bytes of messages waiting for the host to fetch them. */
  readonly queueBytes: number;
}

export interface MessagePortHandler {
  /** A whole message of the host, with its padding. Valid during the call. */
  message(bytes: Uint8Array): void;
  /** INT_ID or INT_ENABLE changed. */
  interruptChanged(): void;
  /** The host has fetched all that one event offered. */
  fetched(): void;
}

/** What went wrong or was thrown away, for whoever tests a host. */
export interface MessagePortCounters {
  /** Module messages dropped because the queue was full. */
  dropped: number;
  /** Host words that announced nothing sensible. */
  badWords: number;
  /** Bytes written to the FIFO that nobody had asked for. */
  unasked: number;
  /** Reads of the FIFO before DATA_RDY, or beyond the message. */
  unready: number;
}

type Phase = 'idle' | 'tx-raised' | 'tx-data' | 'rx-raised' | 'rx-data';

export class MessagePort {
  readonly counters: MessagePortCounters = { dropped: 0, badWords: 0, unasked: 0, unready: 0 };
  intId = 0;
  intEnable = 0;

  readonly #limits: MessagePortLimits;
  readonly #handler: MessagePortHandler;
  readonly #timing: SlaveTiming;
  readonly #mischief: Mischief;

  #phase: Phase = 'idle';
  /** Whose turn it is when both directions have something. */
  #hostFirst = true;
  #delivering = false;
  readonly #hostWord = new Uint8Array(4);
  #moduleWord = 0;

  /** Word counts of the bursts the host has announced, oldest first. */
  #waiting: number[][] = [];
  /** Of the burst being received: word counts still to come, and how many of them this event asked for. */
  #expected: number[] = [];
  #asked = 0;
  readonly #assembly = new Uint8Array(MAX_HOST_MESSAGE);
  #assembled = 0;

  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Of the event under way: what is read in order, the length list first if there are several. */
  #items: Uint8Array[] = [];
  #itemAt = 0;
  /** The first of them is the list, not a message. */
  #listFirst = false;
  #pollsLeft = 0;
  #readable = false;

  constructor(
    limits: MessagePortLimits,
    handler: MessagePortHandler,
    timing: SlaveTiming,
    mischief: Mischief,
  ) {
    this.#limits = limits;
    this.#handler = handler;
    this.#timing = timing;
    this.#mischief = mischief;
  }

  /** Messages not yet offered to the host. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Their bytes, padding included. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Power was cycled. */
  reset(): void {
    this.#phase = 'idle';
    this.#hostFirst = true;
    this.intId = 0;
    this.intEnable = 0;
    this.#waiting = [];
    this.#expected = [];
    this.#assembled = 0;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#items = [];
    this.#readable = false;
    this.#pollsLeft = 0;
    this.#hostWord.fill(0);
    this.#moduleWord = 0;
  }

  /**
   * The host starts over with CMD0. What it had not finished sending is forgotten; what it had not finished
   * fetching is offered again, once it has enabled the interrupt.
   */
  restart(): void {
    if (this.#phase === 'rx-raised' || this.#phase === 'rx-data') {
      const messages = this.#listFirst ? this.#items.slice(1) : this.#items;
      this.#queue.unshift(...messages);
      for (const message of messages) this.#queuedBytes += message.length;
    }
    this.#phase = 'idle';
    this.#items = [];
    this.#waiting = [];
    this.#expected = [];
    this.#assembled = 0;
    this.#readable = false;
    this.#pollsLeft = 0;
    this.intEnable = 0;
    this.#setIntId(0);
  }

  /**
   * Queues a message for the host; it is padded to whole words.
   * @returns false if the queue is full and the message was dropped
   */
  post(message: Uint8Array): boolean {
    const length = paddedLength(message.length);
    if (length === 0 || length > MAX_MODULE_MESSAGE || this.#queuedBytes + length > this.#limits.queueBytes) {
      this.counters.dropped++;
      return false;
    }
    const padded = new Uint8Array(length);
    padded.set(message);
    this.#queue.push(padded);
    this.#queuedBytes += length;
    this.#raise();
    return true;
  }

  readRegister(address: number): number {
    if (address === Fn1.INT_ID) {
      if (this.#pollsLeft > 0 && --this.#pollsLeft === 0) this.#showDataReady();
      return this.intId;
    }
    if (address === Fn1.INT_ENABLE) return this.intEnable;
    if (address >= Fn1.HOST_WORD && address < Fn1.HOST_WORD + 4)
      return this.#hostWord[address - Fn1.HOST_WORD];
    if (address >= Fn1.MODULE_WORD && address < Fn1.MODULE_WORD + 4) {
      return (this.#moduleWord >>> (8 * (address - Fn1.MODULE_WORD))) & 0xff;
    }
    return 0;
  }

  /** @param lengthList the host's list in the code storage area, for a burst */
  writeRegister(address: number, value: number, lengthList: Uint8Array): void {
    if (address === Fn1.INT_ID) this.#clear(value);
    else if (address === Fn1.INT_ENABLE) {
      this.intEnable = value;
      this.#handler.interruptChanged();
      this.#raise();
    } else if (address >= Fn1.HOST_WORD && address < Fn1.HOST_WORD + 4) {
      this.#hostWord[address - Fn1.HOST_WORD] = value;
      if (address === Fn1.HOST_WORD + 3) this.#announced(lengthList);
    }
  }

  /** One block the host wrote to the FIFO; messages are cut by the announced lengths, never by blocks. */
  write(bytes: Uint8Array, length: number): void {
    let at = 0;
    while (at < length) {
      if (this.#phase !== 'tx-data') {
        this.counters.unasked += length - at;
        return;
      }
      const size = this.#expected[0] * 4;
      const take = Math.min(length - at, size - this.#assembled);
      this.#assembly.set(bytes.subarray(at, at + take), this.#assembled);
      this.#assembled += take;
      at += take;
      if (this.#assembled === size) this.#messageComplete(size);
    }
  }

  /** A CMD53 read of the FIFO starts. */
  beginRead(): void {
    if (!this.#readable) this.counters.unready++;
  }

  /** Fills `into` with the next bytes of the item being read, zeros beyond its end. */
  read(into: Uint8Array, length: number): void {
    const item = this.#readable ? this.#items[0] : undefined;
    const available = item === undefined ? 0 : Math.min(length, item.length - this.#itemAt);
    if (item !== undefined) {
      into.set(item.subarray(this.#itemAt, this.#itemAt + available));
      this.#itemAt += available;
    }
    if (available < length) {
      into.fill(0, available, length);
      if (this.#readable) this.counters.unready++;
    }
  }

  /** A CMD53 read of the FIFO has delivered its last byte. */
  endRead(): void {
    if (!this.#readable) return;
    this.#readable = false;
    if (this.#itemAt === this.#items[0].length) {
      this.#items.shift();
      this.#itemAt = 0;
      this.#listFirst = false;
    }
    if (this.#items.length > 0) this.#armDataReady();
    else {
      this.#phase = 'idle';
      this.#hostFirst = true;
      this.#handler.fetched();
      this.#raise();
    }
  }

  #setIntId(value: number): void {
    if (this.intId === value) return;
    this.intId = value;
    this.#handler.interruptChanged();
  }

  #clear(bits: number): void {
    const accepted = (this.intId & bits & IntId.MESSAGE) !== 0;
    this.#setIntId(this.intId & ~bits);
    if (!accepted) return;
    if (this.#phase === 'tx-raised') this.#phase = 'tx-data';
    else if (this.#phase === 'rx-raised') {
      this.#phase = 'rx-data';
      this.#armDataReady();
    }
  }

  #armDataReady(): void {
    if (this.#mischief.take('no-data-ready')) return;
    this.#pollsLeft = this.#timing.dataReadyPolls();
    if (this.#pollsLeft === 0) this.#showDataReady();
  }

  #showDataReady(): void {
    this.#readable = true;
    this.#setIntId(this.intId | IntId.DATA_READY);
  }

  #announced(lengthList: Uint8Array): void {
    const word = parseMailboxWord(new DataView(this.#hostWord.buffer).getUint32(0, true));
    const lengths: number[] = [];
    if (word.count === 1) lengths.push(word.length);
    else {
      const view = new DataView(lengthList.buffer, lengthList.byteOffset, lengthList.length);
      for (let at = 0; at < word.count && (at + 1) * 4 <= lengthList.length; at++) {
        lengths.push(view.getUint32(at * 4, true));
      }
    }
    const sensible =
      word.type === MailboxType.TX_REQUEST &&
      word.count > 0 &&
      word.count <= MAX_BURST &&
      lengths.length === word.count &&
      lengths.every((words) => words > 0 && words * 4 <= MAX_HOST_MESSAGE) &&
      this.#waiting.length < MAX_WAITING;
    if (!sensible) {
      this.counters.badWords++;
      return;
    }
    if (this.#mischief.take('no-event')) return;
    this.#waiting.push(lengths);
    this.#setIntId(this.intId | IntId.ACK);
    this.#raise();
  }

  #messageComplete(size: number): void {
    this.#assembled = 0;
    this.#expected.shift();
    this.#asked--;
    if (this.#asked === 0) {
      this.#phase = 'idle';
      // The rest of a burst is asked for before anything else.
      this.#hostFirst = this.#expected.length > 0;
    }
    this.#delivering = true;
    try {
      this.#handler.message(this.#assembly.subarray(0, size));
    } finally {
      this.#delivering = false;
    }
    this.#raise();
  }

  #raise(): void {
    if (this.#phase !== 'idle' || this.#delivering || this.intEnable === 0) return;
    const hostWaits = this.#expected.length > 0 || this.#waiting.length > 0;
    if (hostWaits && (this.#hostFirst || this.#queue.length === 0)) this.#requestBurst();
    else if (this.#queue.length > 0) this.#offerMessages();
  }

  #requestBurst(): void {
    if (this.#expected.length === 0) this.#expected = this.#waiting.shift()!;
    this.#asked = this.#limits.burstRequest === 'sum' ? this.#expected.length : 1;
    let words = 0;
    for (let at = 0; at < this.#asked; at++) words += this.#expected[at];
    this.#phase = 'tx-raised';
    this.#moduleWord = mailboxWord(MailboxType.TX_REQUEST, this.#asked, words);
    this.#setIntId(this.intId | IntId.MESSAGE | IntId.ACK);
  }

  #offerMessages(): void {
    let count = 1;
    if (this.#queue[0].length <= MAX_LISTED_MESSAGE) {
      const most = Math.min(this.#limits.listLength, this.#queue.length);
      while (count < most && this.#queue[count].length <= MAX_LISTED_MESSAGE) count++;
    }
    const messages = this.#queue.splice(0, count);
    for (const message of messages) this.#queuedBytes -= message.length;
    this.#itemAt = 0;
    this.#listFirst = count > 1;
    if (count === 1) {
      this.#items = messages;
      this.#moduleWord = mailboxWord(MailboxType.RX_REQUEST, 1, messages[0].length / 4);
    } else {
      const list = new Uint8Array(count * 4);
      const view = new DataView(list.buffer);
      for (let at = 0; at < count; at++) view.setUint32(at * 4, messages[at].length / 4, true);
      this.#items = [list, ...messages];
      this.#moduleWord = mailboxWord(MailboxType.RX_REQUEST, count, count);
    }
    this.#phase = 'rx-raised';
    this.#setIntId(this.intId | IntId.MESSAGE);
  }
}
