/**
 * AT+FS by XMODEM or YMODEM: the wire's own transfer protocols, in raw mode after `#`. Towards the firmware it is a
 * transfer by FS-TSFR, the protocol every wire has.
 */
import { FileOperation, TransferProtocol } from '../../../driver/protocol/catalogue/fs.js';
import type { CommandName } from '../../../driver/protocol/catalogue/index.js';
import { StatusCode } from '../../../driver/protocol/catalogue/statuses.js';
import type { Elements, Request, Values } from '../../../driver/protocol/messages.js';
import { decodeText, encodeText } from '../../../driver/protocol/text.js';
import type { Clock } from '../../tcpip/contract.js';
import { type End, ModemReceiver, ModemSender } from './modem/index.js';
import type { RawStream } from './raw-stream.js';

const { XMDM_CS, XMDM_1K, YMDM } = TransferProtocol;
/** What one FSTSFR brings of a file. */
const BLOCK = 1024;

/** Whether this request is carried out here. */
export const isFileTransfer = ({ command, args }: Request): boolean =>
  command === 'FS' &&
  (args.op === FileOperation.LOAD || args.op === FileOperation.STORE) &&
  (args.tsfrprot as number) >= XMDM_CS &&
  (args.tsfrprot as number) <= YMDM;

export interface FileTransferEffects {
  /** Has the firmware execute a command; answers the status and the information elements, if there were any. */
  execute(
    command: CommandName,
    form: string,
    args: Values,
    done: (code: number, elements: Elements | undefined) => void,
  ): void;
  output(bytes: Uint8Array): void;
  ended(code: number): void;
}

export class FileTransfer implements RawStream {
  readonly #clock: Clock;
  readonly #args: Values;
  readonly #effects: FileTransferEffects;
  #modem: ModemReceiver | ModemSender | undefined;
  /** Of the transfer in the firmware; 0: none. */
  #handle = 0;
  #block = 0;
  /** Of a load: bytes still to come. */
  #left = 0;
  #failure = 0;

  constructor(clock: Clock, { args }: Request, effects: FileTransferEffects) {
    this.#clock = clock;
    this.#args = args;
    this.#effects = effects;
  }

  /** Asks whether the transfer can be had, and fetches what is to be sent. */
  begin(done: (code: number) => void): void {
    const { op, filename, filelength } = this.#args;
    if (op === FileOperation.STORE) {
      this.#beginStore(done);
      return;
    }
    this.#modem = this.#receiver();
    if (filename !== undefined) this.#beginLoad(filename as string, filelength as number, done);
    else done(this.#isYmodem ? 0 : StatusCode.INCORRECT_NUM_PARAMS);
  }

  start(): void {
    this.#modem?.start();
  }

  input(bytes: Uint8Array): void {
    this.#modem?.input(bytes);
  }

  event(): boolean {
    return false;
  }

  cancel(): void {
    this.#modem?.cancel();
  }

  get #isYmodem(): boolean {
    return this.#args.tsfrprot === YMDM;
  }

  #execute(form: 'FSLOAD' | 'FSSTORE', rest: Values, done: (code: number) => void): void {
    const { op, filetype } = this.#args;
    const args = { op, filetype, tsfrprot: TransferProtocol.TSFR, ...rest };
    this.#effects.execute('FS', form, args, (code, elements) => {
      this.#handle = code === 0 ? (elements?.tsfrHandle as number) : 0;
      this.#block = 0;
      done(code);
    });
  }

  #beginLoad(filename: string, filelength: number | undefined, done: (code: number) => void): void {
    this.#left = filelength ?? 0;
    this.#execute('FSLOAD', { filename, filelength }, done);
  }

  #receiver(): ModemReceiver {
    return new ModemReceiver(this.#clock, this.#args.tsfrprot === XMDM_CS ? 'sum' : 'crc', {
      output: (bytes) => this.#effects.output(bytes),
      ...(this.#isYmodem && { header: (data, done) => this.#header(data, done) }),
      data: (bytes, done) => this.#write(bytes, done),
      fileEnd: (done) => {
        if (this.#left > 0) this.#failure = StatusCode.FILE_WRITE_FAILED;
        else this.#handle = 0;
        done(this.#left === 0);
      },
      ended: (how) => this.#end(how),
    });
  }

  /** Name, NUL, length in decimal and more. A name given with the command goes before that of the sender. */
  #header(data: Uint8Array, done: (accepted: boolean) => void): void {
    const nameEnd = data.indexOf(0);
    if (nameEnd === 0) {
      // The end of the batch; a named file must have come by now.
      if (this.#handle !== 0) this.#failure = StatusCode.FILE_WRITE_FAILED;
      done(this.#handle === 0);
      return;
    }
    if (this.#args.filename !== undefined) {
      if (this.#handle === 0) this.#failure = StatusCode.FILE_CREATE_FAILED;
      done(this.#handle !== 0);
      return;
    }
    const [path, rest = ''] = decodeText(data).split('\0');
    const name = path.slice(path.lastIndexOf('/') + 1);
    this.#beginLoad(name, Number.parseInt(rest, 10) || undefined, (code) => {
      this.#failure = code;
      done(code === 0);
    });
  }

  #write(bytes: Uint8Array, done: (accepted: boolean) => void): void {
    const data = Uint8Array.from(bytes.subarray(0, this.#left));
    if (data.length === 0) {
      done(true);
      return;
    }
    this.#block = (this.#block + 1) & 0xff;
    const args = { tsfrHandle: this.#handle, blockNum: this.#block, data };
    this.#effects.execute('FSTSFR', 'FSTSFR', args, (code) => {
      this.#failure = code;
      if (code === 0) this.#left -= data.length;
      done(code === 0);
    });
  }

  #beginStore(done: (code: number) => void): void {
    this.#execute('FSSTORE', { filename: this.#args.filename }, (code) => {
      if (code === 0) this.#fetch([], done);
      else done(code);
    });
  }

  #fetch(parts: Uint8Array[], done: (code: number) => void): void {
    this.#block = (this.#block + 1) & 0xff;
    const args = { tsfrHandle: this.#handle, blockNum: this.#block, dataLength: BLOCK };
    this.#effects.execute('FSTSFR', 'FSRECV', args, (code, elements) => {
      if (code !== 0 || elements === undefined) {
        done(code || StatusCode.FILE_SYSTEM_ERROR);
        return;
      }
      parts.push(Uint8Array.from(elements.data as Uint8Array));
      if ((elements.bytesRemain as number) > 0) {
        this.#fetch(parts, done);
        return;
      }
      this.#modem = this.#sender(Buffer.concat(parts));
      done(0);
    });
  }

  #sender(data: Uint8Array): ModemSender {
    const { tsfrprot, filename } = this.#args;
    const name = `${filename as string}\0${data.length}\0`;
    return new ModemSender(
      this.#clock,
      {
        data,
        size: tsfrprot === XMDM_1K || tsfrprot === YMDM ? 1024 : 128,
        check: tsfrprot === XMDM_CS ? 'sum' : 'crc',
        ...(tsfrprot === YMDM && { header: encodeText(name) }),
      },
      { output: (bytes) => this.#effects.output(bytes), ended: (how) => this.#end(how) },
    );
  }

  #end(how: End): void {
    let code = this.#failure;
    if (code === 0 && how === 'timeout') code = StatusCode.TIMEOUT;
    else if (code === 0 && how !== 'done') {
      const loading = this.#args.op === FileOperation.LOAD;
      code = loading ? StatusCode.FILE_WRITE_FAILED : StatusCode.ERROR;
    }
    if (this.#handle === 0) {
      this.#effects.ended(code);
      return;
    }
    const args = { tsfrHandle: this.#handle, blockNum: 0 };
    this.#effects.execute('FSTSFR', 'FSTSFR', args, () => this.#effects.ended(code));
  }
}
