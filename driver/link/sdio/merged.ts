/**
 * Few and long windows: an access goes out with the status reads before it, its answer is found in what comes back,
 * and only what could not be foreseen (more filler, a longer busy) costs another window.
 */
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
  MAX_WINDOW,
  type Window,
} from './window.js';

/** Bytes of filler or busy after which the module is taken for dead: over ten milliseconds at 50 MHz. */
const PATIENCE = 65_536;
/** Bytes clocked at once while waiting for a module that is slower than foreseen. */
const WAIT_WINDOW = 32;
const nothing = new Uint8Array(0);

/** How many bytes something takes, by what it took lately: up at once, down slowly. */
class Estimate {
  #calm = 0;

  constructor(public value: number) {}

  saw(needed: number): void {
    if (needed >= this.value) {
      this.value = Math.min(needed, 128);
      this.#calm = 0;
    } else if (++this.#calm === 32) {
      this.value--;
      this.#calm = 0;
    }
  }
}

export class MergedAccesses implements Accesses {
  readonly #window: Window;
  readonly #filler = new Estimate(2);
  readonly #gap = new Estimate(2);
  readonly #busy = new Estimate(2);
  /** What came back and was not looked at yet. */
  #miso: Uint8Array = nothing;
  #at = 0;
  readonly #crc = new Uint8Array(2);

  constructor(window: Window) {
    this.#window = window;
  }

  async direct(commands: readonly number[]): Promise<number> {
    const window = this.#window.begin();
    for (const argument of commands) window.access(SdioCommand.IO_RW_DIRECT, argument);
    this.#miso = await window.send();
    this.#checkDirect(commands);
    const last = commands.length - 1;
    return directValue(commands[last], this.#miso, last * ACCESS_BYTES);
  }

  async read(before: readonly number[], { argument, block }: Extended, into: Uint8Array): Promise<number> {
    const window = this.#window.begin();
    for (const direct of before) window.access(SdioCommand.IO_RW_DIRECT, direct);
    const start = window.access(SdioCommand.IO_RW_EXTENDED, argument);
    const blocks = into.length / block;
    // The lead-in of the next window gives the card the clocks to come to rest.
    const foreseen = this.#filler.value + into.length + 3 * blocks + (blocks - 1) * this.#gap.value;
    window.ones(Math.min(foreseen, MAX_WINDOW - window.length));
    this.#miso = await window.send();
    this.#at = start + ACCESS_BYTES;
    const first = this.#checkDirect(before);
    checkExtended(argument, this.#miso, start);
    for (let got = 0; got < into.length; got += block) {
      await this.#awaitToken(into.length - got, got === 0);
      await this.#take(into, got, block);
      await this.#take(this.#crc, 0, 2);
      checkCrc(window, into, got, block, (this.#crc[0] << 8) | this.#crc[1]);
    }
    return first;
  }

  async write(before: readonly number[], command: Extended, bytes: Uint8Array): Promise<void> {
    const { argument, block, token } = command;
    const window = this.#window.begin();
    for (const direct of before) window.access(SdioCommand.IO_RW_DIRECT, direct);
    const start = window.access(SdioCommand.IO_RW_EXTENDED, argument);
    for (let sent = 0; sent < bytes.length; sent += block) {
      if (sent > 0) window.begin();
      window.ones(1).byte(token).bytes(bytes, sent, block).crc(bytes, sent, block);
      const responseAt = window.length;
      window.ones(1 + this.#busy.value + 1);
      this.#miso = await window.send();
      if (sent === 0) {
        this.#checkDirect(before);
        checkExtended(argument, this.#miso, start);
      }
      checkDataResponse(this.#miso[responseAt]);
      // The byte behind the response may still be high although the module is busy.
      this.#at = responseAt + 2;
      await this.#awaitReady();
    }
  }

  #checkDirect(commands: readonly number[]): number {
    let first = 0;
    for (let at = commands.length - 1; at >= 0; at--) {
      first = directValue(commands[at], this.#miso, at * ACCESS_BYTES);
    }
    return first;
  }

  async #awaitToken(rest: number, firstBlock: boolean): Promise<void> {
    for (let waited = 0; waited < PATIENCE; waited++) {
      if (this.#at === this.#miso.length) await this.#more(WAIT_WINDOW + rest);
      const byte = this.#miso[this.#at++];
      if (byte === DataToken.START) {
        (firstBlock ? this.#filler : this.#gap).saw(waited);
        return;
      }
      // Between blocks some modules hold the line low for a while.
      if (byte !== 0xff && (byte !== 0x00 || firstBlock))
        throw busError(`${hex(byte)} where a data token was due`);
    }
    throw busError(`no data token within ${PATIENCE} bytes`);
  }

  async #take(into: Uint8Array, from: number, count: number): Promise<void> {
    for (let got = 0; got < count; ) {
      if (this.#at === this.#miso.length) await this.#more(count - got + 3);
      const take = Math.min(count - got, this.#miso.length - this.#at);
      into.set(this.#miso.subarray(this.#at, this.#at + take), from + got);
      this.#at += take;
      got += take;
    }
  }

  async #awaitReady(): Promise<void> {
    for (let waited = 1; waited < PATIENCE; waited++) {
      if (this.#at === this.#miso.length) await this.#more(WAIT_WINDOW);
      if (this.#miso[this.#at++] !== 0x00) {
        this.#busy.saw(waited);
        return;
      }
    }
    throw busError(`busy for more than ${PATIENCE} bytes`);
  }

  async #more(count: number): Promise<void> {
    this.#window.counters.extraWindows++;
    this.#miso = await this.#window.filler(count);
    this.#at = 0;
  }
}
