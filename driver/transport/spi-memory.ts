import { WincError } from '../protocol/errors.js';
import type { SpiTransport } from './transport.js';

/** The other end of an SPI bus without wires: an emulated module in the same process. */
export interface SpiDevice {
  /** The answer has the length of `mosi` and is valid until the next call. */
  transfer(mosi: Uint8Array): Uint8Array;
  setReset(asserted: boolean): void;
  readonly interruptAsserted: boolean;
  onInterrupt: ((asserted: boolean) => void) | undefined;
}

/** Transfers after which the event loop gets its turn: a busy bus must not starve sockets and timers. */
const TRANSFERS_PER_TURN = 128;

/** A bus in memory. It counts what would be clocked on a real one. */
export class MemorySpi implements SpiTransport {
  readonly kind = 'spi';
  readonly url: string;
  /** Chip-select windows. */
  transfers = 0;
  /** Bytes clocked in those. */
  bytes = 0;
  readonly #device: SpiDevice;
  #handler: Parameters<SpiTransport['start']>[0] | undefined;
  #closed = false;

  constructor(device: SpiDevice, url = 'memory:') {
    this.#device = device;
    this.url = url;
  }

  get interruptAsserted(): boolean {
    return this.#device.interruptAsserted;
  }

  start(handler: Parameters<SpiTransport['start']>[0]): void {
    this.#handler = handler;
    this.#device.onInterrupt = (asserted) => handler.interrupt(asserted);
  }

  async transfer(mosi: Uint8Array): Promise<Uint8Array> {
    if (this.#closed) throw new WincError('WINC_PORT_CLOSED', `${this.url} is closed`);
    this.bytes += mosi.length;
    if (++this.transfers % TRANSFERS_PER_TURN === 0)
      await new Promise<void>((resolve) => setImmediate(resolve));
    return this.#device.transfer(mosi);
  }

  async setReset(asserted: boolean): Promise<void> {
    this.#device.setReset(asserted);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const handler = this.#handler;
    this.#handler = undefined;
    this.#device.onInterrupt = undefined;
    handler?.closed();
  }
}
