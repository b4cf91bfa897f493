import { type MemoryTransport, memoryPair } from '../../../driver/transport/memory.js';
import type { VirtualClock } from '../../../simulator/tcpip/clock.js';

/** Bytes to print, or what else to do with the line. */
export type Reply = string | undefined | ((module: ScriptedModule) => void);

export const BANNER = '\r+BOOT:"RNWF - AT Command Interface 3.2.0 (c) 2026 Microchip Technology Inc"\r\n';

/**
 * The far end of a memory transport that answers lines from a table, in the order of the bytes. What the table does not
 * know is answered with OK. It can go deaf, echo, and take raw bytes.
 */
export class ScriptedModule {
  readonly near: MemoryTransport;
  readonly far: MemoryTransport;
  /** Lines as they came, without the probing that opens a wire. */
  readonly heard: string[] = [];
  readonly replies = new Map<string, Reply | Reply[]>();
  /** All bytes that ever came. */
  received = '';
  deaf = false;
  echo = false;
  #line = '';
  #rawLeft = 0;
  #raw = '';
  #rawDone: ((bytes: string) => void) | undefined;

  constructor() {
    [this.near, this.far] = memoryPair('memory:scripted');
    this.far.start({
      data: (bytes) => this.#data(Buffer.from(bytes).toString('latin1')),
      closed: () => {},
    });
    this.replies.set('AT+GMM', '+GMM:"RNWF02"\r\nOK\r\n');
  }

  print(text: string): void {
    void this.far.write(Buffer.from(text, 'latin1'));
  }

  /** Takes the next `length` bytes as they are. */
  takeRaw(length: number, done: (bytes: string) => void): void {
    this.#rawLeft = length;
    this.#raw = '';
    this.#rawDone = done;
  }

  forget(): void {
    this.heard.length = 0;
  }

  #data(text: string): void {
    this.received += text;
    for (const char of text) {
      if (this.#rawLeft > 0) {
        this.#raw += char;
        if (--this.#rawLeft === 0) this.#rawDone?.(this.#raw);
        continue;
      }
      if (this.echo && !this.deaf) this.print(char);
      if (char === '\n') this.#end();
      else if (char !== '\r') this.#line += char;
    }
  }

  #end(): void {
    const line = this.#line;
    this.#line = '';
    if (this.deaf || line === '') return;
    if (line === 'ATE0') this.echo = false;
    if (!['ATE0', 'ATV5', 'ATF7', 'AT+GMM'].includes(line)) this.heard.push(line);
    const entry = this.replies.get(line);
    const reply = Array.isArray(entry) ? entry.shift() : entry;
    if (typeof reply === 'function') reply(this);
    else if (reply !== undefined) this.print(reply);
    else if (!this.replies.has(line)) this.print('OK\r\n');
  }
}

/** Lets promises settle and, if `ms` is given, time pass. */
export const settle = (clock: VirtualClock, ms = 0): Promise<void> => clock.advanceAsync(ms);
