/**
 * The terminal side of AT: characters become a line, echoed one by one as they come. LF ends a line, CR only moves to
 * its start, so that CR LF works as well. Facts from real modules and the engine this firmware descends from.
 */
const LF = 0x0a;
const CR = 0x0d;
const BS = 0x08;
const DEL = 0x7f;
const ESC = 0x1b;

/** Longest line. The ancestor's is 512; the documented ranges of AT+SOCKWR and AT+NVMWR need 3000. */
export const MAX_LINE = 4096;
/** Lines recalled with the arrow keys. */
const HISTORY = 8;

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
/** Cursor left, erase to the end of the line. */
const ERASE_LAST = ascii('\x1b[D\x1b[K');
/** Erase the line, cursor to its start, a new prompt. */
const ERASE_LINE = ascii('\x1b[2K\r>');

export interface LineHandler {
  echo(bytes: Uint8Array): void;
  /** Without its end; empty lines do not come here. Valid during the call. */
  line(bytes: Uint8Array): void;
  /** An empty line, or one that was too long and started over: a new prompt is due. */
  prompt(): void;
}

type Escape = 'none' | 'escape' | 'csi' | 'ss3';

export class LineEditor {
  echoing = true;
  readonly #handler: LineHandler;
  readonly #line = new Uint8Array(MAX_LINE);
  #at = 0;
  #length = 0;
  #escape: Escape = 'none';
  #history: Uint8Array[] = [];
  /** Which line of the history is shown; its length: none. */
  #recalled = 0;
  readonly #one = new Uint8Array(1);

  constructor(handler: LineHandler) {
    this.#handler = handler;
  }

  reset(): void {
    this.echoing = true;
    this.#at = this.#length = 0;
    this.#escape = 'none';
    this.#history = [];
    this.#recalled = 0;
  }

  feed(byte: number): void {
    if (this.#escape !== 'none' && this.#escaped(byte)) return;
    switch (byte) {
      case 0:
        return;
      case LF:
        this.#echo(byte);
        this.#end();
        return;
      case CR:
        this.#echo(byte);
        this.#at = 0;
        return;
      case BS:
      case DEL:
        this.#erase();
        return;
      case ESC:
        this.#escape = 'escape';
        return;
      default:
        this.#insert(byte);
    }
  }

  #echo(byte: number): void {
    if (!this.echoing) return;
    this.#one[0] = byte;
    this.#handler.echo(this.#one);
  }

  #insert(byte: number): void {
    // One byte is kept for the terminator.
    if (this.#at >= MAX_LINE - 1) {
      this.#at = this.#length = 0;
      this.#handler.prompt();
    }
    this.#line[this.#at++] = byte;
    this.#length = Math.max(this.#length, this.#at);
    this.#echo(byte);
  }

  #erase(): void {
    if (this.#at === 0) return;
    if (this.echoing) this.#handler.echo(ERASE_LAST);
    if (this.#at === this.#length) this.#length--;
    this.#at--;
  }

  #end(): void {
    const length = this.#length;
    this.#at = this.#length = 0;
    if (length === 0) {
      this.#handler.prompt();
      return;
    }
    const line = this.#line.slice(0, length);
    this.#history.push(line);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#recalled = this.#history.length;
    this.#handler.line(line);
  }

  /** @returns false if the byte is no part of an escape sequence after all */
  #escaped(byte: number): boolean {
    if (byte === ESC || byte < 0x20) {
      this.#escape = 'none';
      return false;
    }
    if (this.#escape === 'escape') {
      this.#escape = byte === 0x5b ? 'csi' : byte === 0x4f ? 'ss3' : 'none';
      return true;
    }
    // Parameters of a control sequence go on until a letter or the like ends it. ECMA-48, section 5.4.
    if (this.#escape === 'csi' && byte < 0x40) return true;
    if (this.#escape === 'csi' && byte === 0x41) this.#recall(-1);
    if (this.#escape === 'csi' && byte === 0x42) this.#recall(1);
    this.#escape = 'none';
    return true;
  }

  #recall(step: number): void {
    const wanted = this.#recalled + step;
    if (!this.echoing || wanted < 0 || wanted >= this.#history.length) return;
    this.#recalled = wanted;
    const line = this.#history[wanted];
    this.#line.set(line);
    this.#at = this.#length = line.length;
    this.#handler.echo(ERASE_LINE);
    this.#handler.echo(line);
  }
}
