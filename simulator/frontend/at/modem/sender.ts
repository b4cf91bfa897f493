/** The sending end of XMODEM and YMODEM: the host stores a file. */
import type { Clock, TimerHandle } from '../../../tcpip/contract.js';
import { ACK, CAN, type Check, CRC_REQUEST, EOT, encodePacket, NAK, SUB } from './packet.js';
import type { End } from './receiver.js';

/** How long to wait for an answer, in milliseconds. */
const PATIENCE = 60_000;
const FAILURES = 10;
/** The same once all data is acknowledged: a receiver that has it all may be gone. */
const PATIENCE_AT_END = 1000;
const FAREWELLS = 3;

export interface SenderOptions {
  readonly data: Uint8Array;
  /** 128 or 1024; what fits into 128 goes out so. */
  readonly size: 128 | 1024;
  readonly check: Check;
  /** YMODEM: what the first packet says. */
  readonly header?: Uint8Array;
}

export interface SenderEffects {
  output(bytes: Uint8Array): void;
  ended(how: End): void;
}

type Phase = 'header' | 'data' | 'eot' | 'last header';

export class ModemSender {
  readonly #clock: Clock;
  readonly #options: SenderOptions;
  readonly #effects: SenderEffects;
  #phase: Phase;
  /** The receiver has asked for what comes next: a header and the data after it are each asked for. */
  #invited = false;
  #check: Check;
  #at = 0;
  #number = 1;
  #packet: Uint8Array = new Uint8Array(0);
  #packetData = 0;
  #failures = 0;
  #cancels = 0;
  #over = false;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, options: SenderOptions, effects: SenderEffects) {
    this.#clock = clock;
    this.#options = options;
    this.#effects = effects;
    this.#check = options.check;
    this.#phase = options.header === undefined ? 'data' : 'header';
  }

  start(): void {
    this.#wait();
  }

  input(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#over) return;
      this.#cancels = byte === CAN ? this.#cancels + 1 : 0;
      if (this.#cancels === 2) this.#end('cancelled');
      else if (!this.#invited) this.#invitation(byte);
      else if (byte === ACK) this.#acknowledged();
      else if (byte === NAK) this.#again();
    }
  }

  cancel(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  /** A receiver that asks for checksums gets them; one that asks for CRC gets it unless this protocol has none. */
  #invitation(byte: number): void {
    if (byte !== CRC_REQUEST && byte !== NAK) return;
    if (byte === NAK) this.#check = 'sum';
    this.#invited = true;
    this.#failures = 0;
    this.#next();
  }

  #next(): void {
    const { data, size, header } = this.#options;
    if (this.#phase === 'header') this.#put(encodePacket(0, header as Uint8Array, 128, this.#check, 0));
    else if (this.#phase === 'last header')
      this.#put(encodePacket(0, new Uint8Array(0), 128, this.#check, 0));
    else if (this.#phase === 'eot' || this.#at === data.length) {
      this.#phase = 'eot';
      this.#put(Uint8Array.of(EOT));
    } else {
      const left = data.length - this.#at;
      const chosen = left > 128 ? size : 128;
      this.#packetData = Math.min(chosen, left);
      const part = data.subarray(this.#at, this.#at + this.#packetData);
      this.#put(encodePacket(this.#number, part, chosen, this.#check, SUB));
    }
  }

  #put(packet: Uint8Array): void {
    this.#packet = packet;
    this.#effects.output(packet);
    this.#wait();
  }

  #acknowledged(): void {
    this.#failures = 0;
    if (this.#phase === 'header') {
      this.#phase = 'data';
      this.#invited = false;
      this.#wait();
    } else if (this.#phase === 'data') {
      this.#at += this.#packetData;
      this.#number = (this.#number + 1) & 0xff;
      this.#next();
    } else if (this.#phase === 'eot' && this.#options.header !== undefined) {
      this.#phase = 'last header';
      this.#invited = false;
      this.#wait();
    } else this.#end('done');
  }

  #again(): void {
    if (++this.#failures >= FAILURES) {
      this.#effects.output(Uint8Array.of(CAN, CAN));
      this.#end('failed');
      return;
    }
    this.#effects.output(this.#packet);
    this.#wait();
  }

  #wait(): void {
    this.#timer?.cancel();
    const closing = this.#phase === 'eot' || this.#phase === 'last header';
    this.#timer = this.#clock.setTimer(() => this.#silent(closing), closing ? PATIENCE_AT_END : PATIENCE);
  }

  #silent(closing: boolean): void {
    if (!closing) {
      this.#effects.output(Uint8Array.of(CAN, CAN));
      this.#end('timeout');
    } else if (++this.#failures < FAREWELLS) {
      if (this.#invited) this.#effects.output(this.#packet);
      this.#wait();
    } else this.#end('done');
  }

  #end(how: End): void {
    if (this.#over) return;
    this.cancel();
    this.#effects.ended(how);
  }
}
