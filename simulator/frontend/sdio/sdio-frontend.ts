/** The SPI front end of the emulated module: an SDIO slave whose messages are requests, responses and events. */
import { commandByName } from '../../../driver/protocol/catalogue/index.js';
import { StatusCode } from '../../../driver/protocol/catalogue/statuses.js';
import type { Event, Request, Response, Status } from '../../../driver/protocol/messages.js';
import {
  decodeRequest,
  encodeEvent,
  encodeResponse,
  encodeStatus,
  TlvList,
  TlvWriter,
} from '../../../driver/protocol/tlv/index.js';
import type { FirmwarePort, Frontend } from '../frontend.js';
import type { SpiDevice } from '../spi-bridge.js';
import type { Misbehaviour } from './behaviour.js';
import { SdioSlave, type SlaveCounters, type SlaveOptions } from './slave.js';

export interface SdioFrontendOptions extends SlaveOptions {
  /** Tell a host, once it has initialised the bus, that the module has booted. Default true. */
  readonly bootEvent?: boolean;
}

export interface SdioFrontendCounters extends SlaveCounters {
  /** Messages of the host that are no requests. */
  readonly garbage: number;
  /** Messages of the firmware that this wire cannot carry, or that found the queue full. */
  readonly unsent: number;
}

/** From here on the firmware is to hold back what can wait, bytes. */
const CONGESTED = 32 * 1024;
/** And from here on it may go on. */
const DRAINED = 8 * 1024;
/** Longest chip-select window that needs no new memory, bytes. */
const USUAL_WINDOW = 4096;

/** A request until its status is out. Answers leave in the order the requests came in. */
interface Slot {
  /** What it has to say before its turn. */
  readonly held: Uint8Array[];
  finished: boolean;
}

/** A misbehaviour of the bus, or a status under another sequence number than its request's. */
export type SpiMisbehaviour = Misbehaviour | 'wrong-sequence';

export class SdioFrontend implements Frontend, SpiDevice {
  onInterrupt: ((asserted: boolean) => void) | undefined;
  readonly #slave: SdioSlave;
  readonly #bootEvent: boolean;
  readonly #list = new TlvList();
  readonly #writer = new TlvWriter();
  #firmware: FirmwarePort | undefined;
  #resetAsserted = false;
  #slots: Slot[] = [];
  #wrongSequences = 0;
  #wasCongested = false;
  #miso = new Uint8Array(USUAL_WINDOW);
  #garbage = 0;
  #unsent = 0;

  constructor(options: SdioFrontendOptions = {}) {
    this.#bootEvent = options.bootEvent ?? true;
    this.#slave = new SdioSlave(
      {
        message: (bytes) => this.#receive(bytes),
        interrupt: (asserted) => this.onInterrupt?.(asserted),
        fetched: () => this.#fetched(),
      },
      options,
    );
  }

  connect(firmware: FirmwarePort): void {
    this.#firmware = firmware;
  }

  get counters(): Readonly<SdioFrontendCounters> {
    return { ...this.#slave.counters, garbage: this.#garbage, unsent: this.#unsent };
  }

  /** Makes the module misbehave at the next occasion, `times` times. */
  misbehave(what: SpiMisbehaviour, times = 1): void {
    if (what === 'wrong-sequence') this.#wrongSequences = times;
    else this.#slave.misbehave(what, times);
  }

  // SpiDevice

  get interruptAsserted(): boolean {
    return this.#slave.interruptAsserted;
  }

  transfer(mosi: Uint8Array): Uint8Array {
    if (mosi.length > this.#miso.length) this.#miso = new Uint8Array(mosi.length);
    const miso = this.#miso.subarray(0, mosi.length);
    this.#slave.transfer(mosi, miso);
    return miso;
  }

  /** The module stands still while MCLR is low, and boots when it is released. */
  setReset(asserted: boolean): void {
    if (asserted === this.#resetAsserted) return;
    this.#resetAsserted = asserted;
    if (asserted) this.booting();
    else this.#firmware?.hardReset();
  }

  // Frontend

  get congested(): boolean {
    this.#wasCongested ||= this.#slave.queuedBytes >= CONGESTED;
    return this.#wasCongested;
  }

  booting(): void {
    // Whatever the firmware still has to say to earlier requests is nobody's any more.
    this.#slots = [];
    this.#wasCongested = false;
    this.#slave.sleep();
  }

  booted(_banner: string): void {
    if (this.#resetAsserted) return;
    this.#slave.wake();
    if (this.#bootEvent) this.#tell({ name: 'BOOT', form: 'NO_ELEMENTS', elements: {} });
  }

  event(event: Omit<Event, 'kind'>): void {
    // A bus that nobody drives must not fill up, nor hold back the firmware for a host on the UART.
    if (this.#slave.engaged) this.#tell(event);
  }

  #tell(event: Omit<Event, 'kind'>): void {
    this.#say(() => encodeEvent(event, this.#writer));
  }

  #receive(bytes: Uint8Array): void {
    const decoded = decodeRequest(bytes, this.#list);
    if (decoded === undefined) {
      this.#garbage++;
      return;
    }
    const slot: Slot = { held: [], finished: false };
    this.#slots.push(slot);
    if ('request' in decoded) this.#execute(decoded.request, slot);
    else this.#finish(slot, decoded.id, decoded.seq, decoded.status);
  }

  #execute(request: Request, slot: Slot): void {
    const id = commandByName(request.command)!.id;
    const answer = (encode: () => Uint8Array) => {
      if (slot === this.#slots[0]) this.#say(encode);
      else if (this.#slots.includes(slot)) this.#hold(slot, encode);
    };
    const exchange = {
      request,
      respond: (response: Omit<Response, 'kind' | 'seq'>) =>
        answer(() => encodeResponse(response, request.seq, this.#writer)),
      finish: ({ code }: Omit<Status, 'kind' | 'seq'>) => this.#finish(slot, id, request.seq, code),
    };
    if (this.#firmware !== undefined) this.#firmware.execute(exchange);
    else exchange.finish({ code: StatusCode.HOST_INTERFACE_FAILED });
  }

  #finish(slot: Slot, id: number, seq: number, code: number): void {
    if (!this.#slots.includes(slot)) return;
    const shown = this.#wrongSequences > 0 ? (seq + 1) & 0xffff : seq;
    if (this.#wrongSequences > 0) this.#wrongSequences--;
    slot.finished = true;
    this.#hold(slot, () => encodeStatus(id, shown, code, this.#writer));
    while (this.#slots.length > 0) {
      const [head] = this.#slots;
      for (const message of head.held.splice(0)) this.#post(message);
      if (!head.finished) return;
      this.#slots.shift();
    }
  }

  #say(encode: () => Uint8Array): void {
    const bytes = this.#encoded(encode);
    if (bytes !== undefined) this.#post(bytes);
  }

  #hold(slot: Slot, encode: () => Uint8Array): void {
    const bytes = this.#encoded(encode);
    if (bytes !== undefined) slot.held.push(bytes.slice());
  }

  /** A message this wire has no form for must not end the simulation; it is counted. */
  #encoded(encode: () => Uint8Array): Uint8Array | undefined {
    try {
      return encode();
    } catch {
      this.#unsent++;
      return undefined;
    }
  }

  #post(bytes: Uint8Array): void {
    if (!this.#slave.post(bytes)) this.#unsent++;
  }

  #fetched(): void {
    if (!this.#wasCongested || this.#slave.queuedBytes > DRAINED) return;
    this.#wasCongested = false;
    this.#firmware?.drained();
  }
}
