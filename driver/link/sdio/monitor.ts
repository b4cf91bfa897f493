/**
 * A listener on the bus that understands it: fed with the bytes of both directions, window by window, it reports
 * commands, blocks, mailbox words and whole messages. It takes no part, so it also reads logs of foreign hosts.
 */
import {
  COMMAND_BYTES,
  crc16,
  DataResponse,
  DataToken,
  type ExtendedAccess,
  Fn0,
  Fn1,
  parseExtended,
  parseMailboxWord,
  SdioCommand,
} from '../../protocol/sdio/index.js';

export type BusRecord =
  | {
      readonly kind: 'command';
      readonly index: number;
      readonly argument: number;
      /** R1 and what follows it. */
      readonly answer: Uint8Array;
      /** The module did not answer: MISO stayed at this level. */
      readonly silent?: 0x00 | 0xff;
    }
  | {
      readonly kind: 'block';
      readonly access: ExtendedAccess;
      readonly bytes: Uint8Array;
      readonly crc: number;
      readonly crcCorrect: boolean;
      /** Of a write: the module's data response. */
      readonly response?: number;
      /** Of a read: filler bytes before the token. */
      readonly filler?: number;
    }
  | { readonly kind: 'word'; readonly from: Side; readonly word: number }
  | { readonly kind: 'lengths'; readonly from: Side; readonly words: readonly number[] }
  | { readonly kind: 'message'; readonly from: Side; readonly bytes: Uint8Array }
  | { readonly kind: 'anomaly'; readonly text: string };

export type Side = 'host' | 'module';

const answerBytes: Readonly<Record<number, number>> = {
  [SdioCommand.GO_IDLE]: 1,
  [SdioCommand.IO_SEND_OP_COND]: 5,
  [SdioCommand.IO_RW_DIRECT]: 2,
  [SdioCommand.IO_RW_EXTENDED]: 2,
  [SdioCommand.CRC_ON_OFF]: 1,
};

/** No card sends more filler than a host waits for; beyond it the transfer is over. */
const MAX_FILLER = 4096;
const MAX_MESSAGE = 65536 * 4;

/** A message whose length nobody has told yet. */
const UNKNOWN = 0;

type State = 'command' | 'answer' | 'token' | 'data' | 'crc' | 'response';

export class BusMonitor {
  readonly #report: (record: BusRecord) => void;
  #state: State = 'command';
  readonly #command = new Uint8Array(COMMAND_BYTES);
  #commandAt = 0;
  #answer: Uint8Array = new Uint8Array(0);
  #answerAt = 0;
  #access: ExtendedAccess | undefined;
  #block = new Uint8Array(0);
  #at = 0;
  #blocksLeft = 0;
  #crc = 0;
  #filler = 0;
  /** fn 1 block size, as the host configured it; 512 until seen. */
  #blockSize = 512;

  readonly #incoming: Assembly = { pending: [], listFor: 0, buffer: [], size: 0 };
  readonly #outgoing: Assembly = { pending: [], listFor: 0, buffer: [], size: 0 };
  #csaLengths: number[] = [];
  /** Bursts the host announced and did not send yet. */
  #announced: number[][] = [];

  constructor(report: (record: BusRecord) => void) {
    this.#report = report;
  }

  /** Reset was asserted: nothing before it matters any more. */
  reset(): void {
    this.#state = 'command';
    this.#commandAt = 0;
    this.#announced = [];
    for (const assembly of [this.#incoming, this.#outgoing]) {
      assembly.pending = [];
      assembly.listFor = 0;
      assembly.buffer = [];
      assembly.size = 0;
    }
  }

  /** One chip-select window. */
  window(mosi: Uint8Array, miso: Uint8Array): void {
    if (this.#state === 'command') this.#commandAt = 0;
    const length = Math.min(mosi.length, miso.length);
    for (let at = 0; at < length; at++) this.#byte(mosi[at], miso[at]);
    // A command's answer never spans windows: without one, the module was silent.
    if (this.#state === 'answer') this.#answered();
  }

  #byte(out: number, back: number): void {
    switch (this.#state) {
      case 'command':
        this.#commandByte(out);
        break;
      case 'answer':
        if (this.#answerAt >= 0) this.#answer[this.#answerAt] = back;
        if (++this.#answerAt === this.#answer.length) this.#answered();
        break;
      case 'token':
        this.#tokenByte(out, back);
        break;
      case 'data':
        this.#block[this.#at++] = this.#access!.write ? out : back;
        if (this.#at === this.#block.length) {
          this.#state = 'crc';
          this.#at = 0;
          this.#crc = 0;
        }
        break;
      case 'crc':
        this.#crc = (this.#crc << 8) | (this.#access!.write ? out : back);
        if (++this.#at < 2) break;
        if (this.#access!.write) this.#state = 'response';
        else this.#blockDone();
        break;
      case 'response':
        this.#blockDone(back);
        break;
    }
  }

  #commandByte(out: number): void {
    if (this.#commandAt === 0 && (out & 0xc0) !== 0x40) return;
    this.#command[this.#commandAt++] = out;
    if (this.#commandAt < COMMAND_BYTES) return;
    this.#commandAt = 0;
    this.#answer = new Uint8Array(answerBytes[this.#command[0] & 0x3f] ?? 1);
    this.#answerAt = -1;
    this.#state = 'answer';
  }

  #answered(): void {
    const [first, a, b, c, d] = this.#command;
    const index = first & 0x3f;
    const argument = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    const answer = this.#answer.slice(0, Math.max(0, this.#answerAt));
    const asleep = index === SdioCommand.GO_IDLE && answer[0] === 0x00;
    const silent = answer.length === 0 || answer[0] === 0xff || asleep;
    const level = answer[0] === 0x00 ? 0x00 : 0xff;
    this.#report({ kind: 'command', index, argument, answer, ...(silent ? { silent: level } : {}) });
    this.#state = 'command';
    if (index === SdioCommand.GO_IDLE && !silent) this.reset();
    if (silent || answer[0] !== 0x00) return;
    if (index === SdioCommand.IO_RW_DIRECT) {
      const { write, fn, address } = parseExtended(argument);
      if (write && fn === 0 && address === Fn0.FN1_BLOCK_SIZE) {
        this.#blockSize = (this.#blockSize & 0xff00) | (argument & 0xff);
      } else if (write && fn === 0 && address === Fn0.FN1_BLOCK_SIZE + 1) {
        this.#blockSize = (this.#blockSize & 0x00ff) | ((argument & 0xff) << 8);
      }
    } else if (index === SdioCommand.IO_RW_EXTENDED && answer[1] === 0x00) {
      const access = parseExtended(argument);
      this.#access = access;
      this.#blocksLeft = access.blocks ? access.count : 1;
      if (this.#blocksLeft > 0) this.#awaitToken();
    }
  }

  #awaitToken(): void {
    this.#state = 'token';
    this.#filler = 0;
  }

  #tokenByte(out: number, back: number): void {
    const { write, blocks, count } = this.#access!;
    const wanted = write && blocks ? DataToken.START_MULTIPLE : DataToken.START;
    if ((write ? out : back) === wanted) {
      this.#block = new Uint8Array(blocks ? this.#blockSize : count);
      this.#at = 0;
      this.#state = 'data';
    } else if ((out & 0xc0) === 0x40) {
      this.#report({ kind: 'anomaly', text: 'a command where data was due' });
      this.#state = 'command';
      this.#commandByte(out);
    } else if (++this.#filler > MAX_FILLER) {
      this.#report({ kind: 'anomaly', text: 'no token' });
      this.#state = 'command';
    }
  }

  #blockDone(response?: number): void {
    const access = this.#access!;
    const bytes = this.#block;
    this.#report({
      kind: 'block',
      access,
      bytes,
      crc: this.#crc,
      crcCorrect: crc16(bytes, 0, bytes.length) === this.#crc,
      ...(response === undefined ? { filler: this.#filler } : { response }),
    });
    if (response === undefined || (response & DataResponse.MASK) === DataResponse.ACCEPTED) {
      this.#understand(access, bytes);
    } else this.#blocksLeft = 1;
    if (--this.#blocksLeft > 0) this.#awaitToken();
    else this.#state = 'command';
  }

  #understand({ write, fn, address }: ExtendedAccess, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (fn === 0 && write && address === Fn0.FN1_CSA_DATA) {
      this.#csaLengths = lengths(view);
      this.#report({ kind: 'lengths', from: 'host', words: this.#csaLengths });
    } else if (fn === 1 && write && address === Fn1.HOST_WORD && bytes.length === 4) {
      const word = view.getUint32(0, true);
      this.#report({ kind: 'word', from: 'host', word });
      const { count, length } = parseMailboxWord(word);
      this.#announced.push(count === 1 ? [length] : this.#csaLengths.slice(0, count));
    } else if (fn === 1 && !write && address === Fn1.MODULE_WORD && bytes.length === 4) {
      this.#moduleWord(view.getUint32(0, true));
    } else if (fn === 1 && address === Fn1.DATA) {
      if (write) this.#append(this.#outgoing, 'host', bytes);
      else this.#append(this.#incoming, 'module', bytes);
    }
  }

  #moduleWord(word: number): void {
    this.#report({ kind: 'word', from: 'module', word });
    const { type, count, length } = parseMailboxWord(word);
    if (type === 1) {
      // One request may be for a whole burst, or for the next message of one. Where the log starts too late to
      // hold the announcement, the lengths of several messages are not known beforehand.
      if (this.#outgoing.pending.length === 0) {
        const unseen = count === 1 ? [length] : new Array<number>(count).fill(UNKNOWN);
        this.#outgoing.pending = this.#announced.shift() ?? unseen;
      }
    } else if (count === 1) this.#incoming.pending = [length];
    else {
      this.#incoming.pending = [length];
      this.#incoming.listFor = length;
    }
  }

  #append(assembly: Assembly, from: Side, bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (assembly.pending[0] === UNKNOWN) assembly.pending[0] = requestWords(rest);
      const [words] = assembly.pending;
      if (words === undefined || words * 4 > MAX_MESSAGE) {
        this.#report({
          kind: 'anomaly',
          text: `${rest.length} bytes from the ${from} that nothing announced`,
        });
        return;
      }
      const take = Math.min(rest.length, words * 4 - assembly.size);
      assembly.buffer.push(rest.subarray(0, take));
      assembly.size += take;
      rest = rest.subarray(take);
      if (assembly.size < words * 4) return;
      const whole = new Uint8Array(Buffer.concat(assembly.buffer));
      assembly.pending.shift();
      assembly.buffer = [];
      assembly.size = 0;
      if (assembly.listFor > 0) {
        assembly.listFor = 0;
        const list = lengths(new DataView(whole.buffer, whole.byteOffset, whole.length));
        this.#report({ kind: 'lengths', from, words: list });
        assembly.pending = list.filter((words) => words > 0);
      } else this.#report({ kind: 'message', from, bytes: whole });
    }
  }
}

interface Assembly {
  /** Word counts of the messages to come. */
  pending: number[];
  /** The next item is a list of this many lengths. */
  listFor: number;
  buffer: Uint8Array[];
  size: number;
}

/** A request says its own length: 8 bytes of header, whose last two count the rest. */
function requestWords(bytes: Uint8Array): number {
  return bytes.length < 8 ? 1 : Math.ceil((8 + ((bytes[6] << 8) | bytes[7])) / 4);
}

function lengths(view: DataView): number[] {
  const words: number[] = [];
  for (let at = 0; at + 4 <= view.byteLength; at += 4) words.push(view.getUint32(at, true));
  return words;
}
