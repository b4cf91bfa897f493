/** The receiving end of XMODEM and YMODEM: the host loads a file. */
import type { Clock, TimerHandle } from '../../../tcpip/contract.js';
import { ACK, CAN, type Check, CRC_REQUEST, decodePacket, EOT, lengthOf, NAK, sizeOf } from './packet.js';

/** How often the receiver asks for the first packet, and for how long, in milliseconds and times. */
const INVITATION = 1000;
const INVITATIONS = 60;
/** How long it waits for the next packet, or the rest of one, and how many failures it bears. */
const PATIENCE = 10_000;
const FAILURES = 10;

export type End = 'done' | 'cancelled' | 'timeout' | 'failed';

export interface ReceiverEffects {
  output(bytes: Uint8Array): void;
  /** YMODEM: name and length of the next file; `done(false)` refuses it. The empty name ends the batch. */
  header?(data: Uint8Array, done: (accepted: boolean) => void): void;
  /** Data in order, the last with its filling; valid until `done`, where false ends the transfer. */
  data(bytes: Uint8Array, done: (accepted: boolean) => void): void;
  /** A file is through; YMODEM goes on with the next header. */
  fileEnd(done: (accepted: boolean) => void): void;
  ended(how: End): void;
}

export class ModemReceiver {
  readonly #clock: Clock;
  readonly #check: Check;
  readonly #effects: ReceiverEffects;
  readonly #packet = new Uint8Array(lengthOf(1024, 'crc'));
  #filled = 0;
  #expected = 1;
  /** YMODEM: the next packet is a header. */
  #headerDue: boolean;
  /** Nothing of the present file has arrived. */
  #inviting = true;
  #failures = 0;
  #cancels = 0;
  /** A packet is being dealt with; nothing else is expected meanwhile. */
  #busy = false;
  #over = false;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, check: Check, effects: ReceiverEffects) {
    this.#clock = clock;
    this.#check = check;
    this.#effects = effects;
    this.#headerDue = effects.header !== undefined;
  }

  start(): void {
    this.#invite();
  }

  input(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#over && !this.#busy; ) {
      at = this.#filled === 0 ? this.#begin(bytes, at) : this.#collect(bytes, at);
    }
  }

  cancel(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  get #isYmodem(): boolean {
    return this.#effects.header !== undefined;
  }

  #invite(): void {
    this.#inviting = true;
    this.#failures = 0;
    this.#send(this.#check === 'crc' ? CRC_REQUEST : NAK);
    this.#wait(INVITATION);
  }

  #send(byte: number): void {
    this.#effects.output(Uint8Array.of(byte));
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(() => this.#silent(), ms);
  }

  #silent(): void {
    this.#filled = 0;
    this.#failures++;
    if (this.#inviting) {
      if (this.#failures >= INVITATIONS) this.#end('timeout');
      else {
        this.#send(this.#check === 'crc' ? CRC_REQUEST : NAK);
        this.#wait(INVITATION);
      }
    } else this.#refuse('timeout');
  }

  /** Asks for the packet again. */
  #refuse(reason: End): void {
    this.#filled = 0;
    if (this.#failures >= FAILURES) {
      this.#abort(reason);
      return;
    }
    this.#send(NAK);
    this.#wait(PATIENCE);
  }

  #abort(how: End): void {
    this.#effects.output(Uint8Array.of(CAN, CAN));
    this.#end(how);
  }

  #end(how: End): void {
    if (this.#over) return;
    this.cancel();
    this.#effects.ended(how);
  }

  #begin(bytes: Uint8Array, at: number): number {
    const first = bytes[at];
    this.#cancels = first === CAN ? this.#cancels + 1 : 0;
    if (this.#cancels === 2) this.#end('cancelled');
    else if (first === EOT && !this.#headerDue && !this.#inviting) this.#fileEnded();
    else if (sizeOf(first) !== undefined) {
      this.#packet[0] = first;
      this.#filled = 1;
      this.#wait(PATIENCE);
    }
    // Whatever else it is, it is noise between packets.
    return at + 1;
  }

  #collect(bytes: Uint8Array, at: number): number {
    const size = sizeOf(this.#packet[0]) as number;
    const length = lengthOf(size, this.#check);
    const take = Math.min(bytes.length - at, length - this.#filled);
    this.#packet.set(bytes.subarray(at, at + take), this.#filled);
    this.#filled += take;
    if (this.#filled === length) this.#whole(this.#packet.subarray(0, length), size);
    return at + take;
  }

  #whole(bytes: Uint8Array, size: number): void {
    const packet = decodePacket(bytes, size, this.#check);
    this.#filled = 0;
    if (packet === undefined) {
      this.#failures++;
      this.#refuse('failed');
    } else if (this.#headerDue) this.#header(packet.number, packet.data);
    else if (packet.number === this.#expected) this.#accept(packet.data);
    else if (packet.number === ((this.#expected - 1) & 0xff)) {
      // Our acknowledgment was lost.
      this.#send(ACK);
      this.#wait(PATIENCE);
    } else this.#abort('failed');
  }

  #header(number: number, data: Uint8Array): void {
    if (number !== 0) {
      this.#abort('failed');
      return;
    }
    this.#pause();
    const last = data[0] === 0;
    this.#effects.header?.(data, (accepted) => {
      this.#busy = false;
      if (this.#over) return;
      if (!accepted) this.#abort('failed');
      else {
        this.#send(ACK);
        if (last) this.#end('done');
        else {
          this.#headerDue = false;
          this.#expected = 1;
          this.#invite();
        }
      }
    });
  }

  #accept(data: Uint8Array): void {
    this.#pause();
    this.#effects.data(data, (accepted) => {
      this.#busy = false;
      if (this.#over) return;
      if (!accepted) {
        this.#abort('failed');
        return;
      }
      this.#inviting = false;
      this.#failures = 0;
      this.#expected = (this.#expected + 1) & 0xff;
      this.#send(ACK);
      this.#wait(PATIENCE);
    });
  }

  #fileEnded(): void {
    this.#pause();
    this.#effects.fileEnd((accepted) => {
      this.#busy = false;
      if (this.#over) return;
      if (!accepted) this.#abort('failed');
      else {
        this.#send(ACK);
        if (this.#isYmodem) {
          this.#headerDue = true;
          this.#invite();
        } else this.#end('done');
      }
    });
  }

  #pause(): void {
    this.#busy = true;
    this.#timer?.cancel();
  }
}
