/** The module as an SDIO card: its commands, registers and FIFO, over an SPI bus. */
import {
  BLOCK_BYTES,
  DataToken,
  extendedArgument,
  OCR_READY,
  SdioCommand,
} from '../../protocol/sdio/index.js';
import type { SpiTransport } from '../../transport/transport.js';
import { MergedAccesses } from './merged.js';
import { VendorAccesses } from './vendor.js';
import { type Accesses, type BusCounters, type ExtendedTarget, R1_AT, VALUE_AT, Window } from './window.js';

export type WindowStyle = 'merged' | 'vendor';

export class SdioCard {
  style: WindowStyle;
  readonly #window: Window;
  readonly #accesses: Readonly<Record<WindowStyle, Accesses>>;

  constructor(bus: SpiTransport, style: WindowStyle) {
    this.style = style;
    this.#window = new Window(bus);
    this.#accesses = { merged: new MergedAccesses(this.#window), vendor: new VendorAccesses(this.#window) };
  }

  get counters(): Readonly<BusCounters> {
    return this.#window.counters;
  }

  /** Whether both ends check CRC7 and CRC16; set after CMD59 said so. */
  set checked(on: boolean) {
    this.#window.checked = on;
  }

  /** CMD0, CMD59: the R1, whatever it is. */
  async command(index: number, argument: number): Promise<number> {
    const window = this.#window.begin();
    window.command(index, argument);
    return (await window.ones(2).send())[R1_AT];
  }

  /** CMD5. */
  async operatingConditions(voltages: number): Promise<{ r1: number; ready: boolean }> {
    const window = this.#window.begin();
    window.command(SdioCommand.IO_SEND_OP_COND, voltages);
    const miso = await window.ones(6).send();
    const ocr = new DataView(miso.buffer, miso.byteOffset).getUint32(VALUE_AT);
    return { r1: miso[R1_AT], ready: ocr >= OCR_READY };
  }

  /** One CMD52, whatever its R1. */
  async tryDirect(argument: number): Promise<{ r1: number; value: number }> {
    const window = this.#window.begin();
    window.access(SdioCommand.IO_RW_DIRECT, argument);
    const miso = await window.ones(1).send();
    return { r1: miso[R1_AT], value: miso[VALUE_AT] };
  }

  /**
   * CMD52s in a row.
   * @returns the last one's value
   * @throws WincError `WINC_BUS`
   */
  direct(...commands: readonly number[]): Promise<number> {
    return this.#accesses[this.style].direct(commands);
  }

  /**
   * CMD52s, then a CMD53 that fills `into`: up to 512 bytes, or with `blocks` a multiple of 512.
   * @returns the first CMD52's value
   * @throws WincError `WINC_BUS`
   */
  read(before: readonly number[], target: ExtendedTarget, into: Uint8Array, blocks = false): Promise<number> {
    return this.#accesses[this.style].read(before, extended(false, target, into.length, blocks), into);
  }

  /**
   * CMD52s, then a CMD53 that writes `bytes`: up to 512, or with `blocks` a multiple of 512.
   * @throws WincError `WINC_BUS`
   */
  write(before: readonly number[], target: ExtendedTarget, bytes: Uint8Array, blocks = false): Promise<void> {
    return this.#accesses[this.style].write(before, extended(true, target, bytes.length, blocks), bytes);
  }

  /** Clocks out whatever a broken-off transfer may still want, so that the next command is heard as one. */
  async flush(): Promise<void> {
    await this.#window.filler(2 * BLOCK_BYTES);
  }
}

function extended(
  write: boolean,
  { fn, address, increment }: ExtendedTarget,
  length: number,
  blocks: boolean,
) {
  const count = blocks ? length / BLOCK_BYTES : length;
  return {
    argument: extendedArgument(write, fn, address, count, blocks, increment),
    block: blocks ? BLOCK_BYTES : length,
    token: blocks ? DataToken.START_MULTIPLE : DataToken.START,
  };
}
