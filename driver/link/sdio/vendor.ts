/** The windows of the vendor's driver, byte for byte: one per command, token, payload, checksum and poll. */
import { DataToken, SdioCommand } from '../../protocol/sdio/index.js';
import {
  ACCESS_BYTES,
  type Accesses,
  busError,
  checkCrc,
  checkDataResponse,
  checkExtended,
  directValue,
  type Extended,
  hex,
  type Window,
} from './window.js';

/** A command, its answer and one byte more. */
const ACCESS_WINDOW = ACCESS_BYTES + 1;
/** Reads of one byte until a token or the end of busy. */
const MAX_POLLS = 100;
/** A payload this short travels in one window with its token and checksum. */
const SHORT = 4;

export class VendorAccesses implements Accesses {
  readonly #window: Window;

  constructor(window: Window) {
    this.#window = window;
  }

  async direct(commands: readonly number[]): Promise<number> {
    const window = this.#window.begin();
    const ends = commands.map((argument) => {
      window.access(SdioCommand.IO_RW_DIRECT, argument);
      return window.ones(1).length;
    });
    const miso = await window.sendAll(ends);
    let value = 0;
    for (const [at, argument] of commands.entries()) value = directValue(argument, miso, at * ACCESS_WINDOW);
    return value;
  }

  async read(before: readonly number[], { argument, block }: Extended, into: Uint8Array): Promise<number> {
    const first = await this.#before(before);
    await this.#extended(argument);
    let trailing = 0xff;
    for (let got = 0; got < into.length; got += block) {
      if (trailing !== DataToken.START) await this.#awaitToken(got > 0);
      let end: Uint8Array;
      if (into.length <= SHORT) {
        const miso = await this.#window.filler(block + 3);
        into.set(miso.subarray(0, block), got);
        end = miso.subarray(block);
      } else {
        into.set(await this.#window.filler(block), got);
        end = await this.#window.filler(3);
      }
      checkCrc(this.#window, into, got, block, (end[0] << 8) | end[1]);
      trailing = end[2];
    }
    return first;
  }

  async write(before: readonly number[], command: Extended, bytes: Uint8Array): Promise<void> {
    const { argument, block, token } = command;
    await this.#before(before);
    await this.#extended(argument);
    for (let sent = 0; sent < bytes.length; sent += block) {
      const window = this.#window.begin().ones(1).byte(token);
      const ends: number[] = [];
      if (bytes.length > SHORT) ends.push(window.length, window.length + block);
      window.bytes(bytes, sent, block);
      const responseAt = window.length + 2;
      window.crc(bytes, sent, block).ones(3);
      const miso = await window.sendAll([...ends, window.length]);
      checkDataResponse(miso[responseAt]);
      await this.#awaitReady(miso[responseAt + 2]);
    }
  }

  async #before(commands: readonly number[]): Promise<number> {
    let first = 0;
    for (const [at, argument] of commands.entries()) {
      const value = await this.direct([argument]);
      if (at === 0) first = value;
    }
    return first;
  }

  async #extended(argument: number): Promise<void> {
    const window = this.#window.begin();
    window.access(SdioCommand.IO_RW_EXTENDED, argument);
    checkExtended(argument, await window.ones(1).send(), 0);
  }

  async #awaitToken(between: boolean): Promise<void> {
    for (let poll = 0; poll < MAX_POLLS; poll++) {
      const [byte] = await this.#window.filler(1);
      if (byte === DataToken.START) return;
      if (byte !== 0xff && (byte !== 0x00 || !between))
        throw busError(`${hex(byte)} where a data token was due`);
    }
    throw busError(`no data token within ${MAX_POLLS} bytes`);
  }

  async #awaitReady(last: number): Promise<void> {
    let byte = last;
    for (let poll = 0; byte === 0x00; poll++) {
      if (poll === MAX_POLLS) throw busError(`busy for more than ${MAX_POLLS} bytes`);
      [byte] = await this.#window.filler(1);
    }
  }
}
