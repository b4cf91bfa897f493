/**
 * AT on a UART: the byte stream of a host ⇄ requests and messages. What a module does on this wire and no document
 * says (prompt, echo, where CR and LF stand, when events are held back) is done here and nowhere else.
 */
import {
  type AtFormat,
  type BasicCommand,
  decodeCommandLine,
  defaultFormat,
  encodeEvent,
  encodeResponse,
  encodeStatus,
  type ParsedCommand,
  withFormatBits,
} from '../../../driver/protocol/at/index.js';
import type { Elements, Event, Request, Response } from '../../../driver/protocol/messages.js';
import type { Clock } from '../../tcpip/contract.js';
import type { Exchange, FirmwarePort, Frontend } from '../frontend.js';
import { FileTransfer, isFileTransfer } from './file-transfer.js';
import { InputQueue } from './input-queue.js';
import { LineEditor } from './line-editor.js';
import { PacedLine } from './paced-line.js';
import { RawReadStream, type RawStream, RawWriteStream } from './raw-stream.js';

/** Bytes under way to the host, where the speed is paced: a line without flow control loses what comes on top. */
const OUTPUT_CAPACITY = 64 * 1024;
/** Bytes of a host that types ahead. */
const INPUT_CAPACITY = 16 * 1024;
/** Output waiting at which the host counts as slow, and no longer. */
const CONGESTED = 8 * 1024;
const RELIEVED = 2 * 1024;
/** Output gathered before it goes out in one piece. */
const BATCH = 2 * 1024;
/** How often to look whether a slow host has caught up, in milliseconds. */
const RELIEF_CHECK = 5;
/** Events held back while a command or a raw transfer is under way; the latest ones are lost beyond that. */
const MAX_HELD = 512;

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const RAW = latin1('#');

export interface AtFrontendOptions {
  readonly clock: Clock;
  /** Bytes for the host, lent for the call. */
  output(bytes: Uint8Array): void;
  /** Bytes the host has not taken yet, beyond those waiting here. */
  outputWaiting?(): number;
  /** Let bytes take the time they take on a wire, in both directions, at the speed AT+IPR sets. */
  readonly paced?: boolean;
}

/** What the bytes of the host are at the moment. `off`: nobody listens. `busy`: kept until the command has ended. */
type Mode = 'off' | 'command' | 'busy' | 'payload' | 'stream';

type Extended = Extract<ParsedCommand, { request: Request }>;

export class AtFrontend implements Frontend {
  /** Events lost because too many were held back. */
  droppedEvents = 0;
  readonly #options: AtFrontendOptions;
  readonly #input: PacedLine;
  readonly #output: PacedLine;
  readonly #queue = new InputQueue(INPUT_CAPACITY);
  readonly #editor: LineEditor;
  #firmware: FirmwarePort | undefined;
  #mode: Mode = 'off';
  #format: AtFormat = defaultFormat;
  #held: Omit<Event, 'kind'>[] = [];
  #draining = false;
  readonly #batch = new Uint8Array(BATCH);
  #batched = 0;
  #congested = false;
  /** The payload of a write in raw mode, as far as it is here. */
  #payload = new Uint8Array(0);
  #payloadAt = 0;
  #afterPayload: (payload: Uint8Array) => void = () => {};
  #stream: RawStream | undefined;

  constructor(options: AtFrontendOptions) {
    this.#options = options;
    const { clock } = options;
    this.#input = new PacedLine(clock, INPUT_CAPACITY, (bytes) => this.#received(bytes));
    this.#output = new PacedLine(clock, OUTPUT_CAPACITY, (bytes) => options.output(bytes));
    this.#editor = new LineEditor({
      echo: (bytes) => this.#put(bytes),
      line: (line) => this.#execute(line),
      prompt: () => this.#write(this.#promptText),
    });
  }

  attach(firmware: FirmwarePort): void {
    this.#firmware = firmware;
  }

  /** Bytes of the host, lent for the call. */
  receive(bytes: Uint8Array): void {
    this.#input.write(bytes);
  }

  /** Bytes lost on the way in and out. */
  get dropped(): number {
    return this.#input.dropped + this.#output.dropped + this.#queue.dropped;
  }

  /** Once it was true, the firmware is told when the host has caught up. */
  get congested(): boolean {
    if (!this.#congested && this.#waiting() > CONGESTED) {
      this.#congested = true;
      this.#awaitRelief();
    }
    return this.#congested;
  }

  booting(): void {
    this.#mode = 'off';
    this.#stream?.cancel();
    this.#stream = undefined;
    this.#held = [];
    this.#queue.clear();
    this.#editor.reset();
    this.#format = defaultFormat;
  }

  booted(banner: string): void {
    this.#mode = 'command';
    this.event({ name: 'BOOT', form: 'SYSTEM_BOOT', elements: { banner } });
  }

  baudChanged(baud: number): void {
    if (!this.#options.paced) return;
    this.#input.setSpeed(baud);
    this.#output.setSpeed(baud);
  }

  event(event: Omit<Event, 'kind'>): void {
    if (this.#mode === 'off') return;
    if (this.#mode !== 'command') {
      if (this.#stream?.event(event)) return;
      if (this.#held.length < MAX_HELD) this.#held.push(event);
      else this.droppedEvents++;
      return;
    }
    this.#write(`\r${encodeEvent(event, this.#format)}\r\n${this.#promptText}`);
  }

  /** After every status, every event and every empty line, as long as the echo is on. */
  get #promptText(): string {
    return this.#editor.echoing ? '>' : '';
  }

  #write(text: string): void {
    this.#put(latin1(text));
  }

  /** While input is handled, output is gathered: an echo is not a system call per character. */
  #put(bytes: Uint8Array): void {
    if (!this.#draining || bytes.length > this.#batch.length - this.#batched) this.#flush();
    if (!this.#draining || bytes.length > this.#batch.length) this.#output.write(bytes);
    else {
      this.#batch.set(bytes, this.#batched);
      this.#batched += bytes.length;
    }
  }

  #flush(): void {
    const length = this.#batched;
    this.#batched = 0;
    if (length > 0) this.#output.write(this.#batch.subarray(0, length));
  }

  #waiting(): number {
    return this.#output.waiting + (this.#options.outputWaiting?.() ?? 0);
  }

  #awaitRelief(): void {
    this.#options.clock.setTimer(() => {
      if (this.#waiting() > RELIEVED) this.#awaitRelief();
      else {
        this.#congested = false;
        this.#firmware?.drained();
      }
    }, RELIEF_CHECK);
  }

  #received(bytes: Uint8Array): void {
    if (this.#mode === 'off') return;
    this.#queue.push(bytes);
    this.#drain();
  }

  /** Handles what is queued for as long as anybody takes it. A host that answers inside our output waits its turn. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (this.#queue.length > 0 && this.#mode !== 'busy' && this.#mode !== 'off') {
        if (this.#mode === 'command') this.#editor.feed(this.#queue.shift());
        else if (this.#mode === 'payload') this.#collectPayload();
        else this.#stream?.input(this.#queue.takeAll());
      }
    } finally {
      this.#draining = false;
      this.#flush();
    }
  }

  #execute(line: Uint8Array): void {
    this.#mode = 'busy';
    const { basics, extended, status } = decodeCommandLine(line, this.#format);
    for (const basic of basics) this.#apply(basic);
    if (status !== undefined) this.#end(status);
    else if (extended === undefined) this.#end(0);
    else if ('status' in extended) this.#end(extended.status);
    else this.#request(extended);
  }

  /** `AT&K`, flow control, changes nothing that could be seen here. */
  #apply({ name, value }: BasicCommand): void {
    if (name === 'E') this.#editor.echoing = value === 1;
    else if (name === 'F') this.#format = withFormatBits(this.#format, value);
    else if (name === 'M') this.#format = { ...this.#format, numeric: value === 1 };
    else if (name === 'V') this.#format = { ...this.#format, verbosity: value as AtFormat['verbosity'] };
  }

  #request({ request, raw }: Extended): void {
    const length = request.args.length as number | undefined;
    if (isFileTransfer(request)) this.#beginFileTransfer(request);
    else if (raw === 'write') this.#beginWrite(request, length ?? 0);
    else if (raw === 'read' && length === 0) this.#beginReadStream(request);
    else
      this.#run(request, raw === 'read' ? (data) => this.#rawAnswer(data) : undefined, (code) =>
        this.#end(code),
      );
  }

  /** @param data instead of an information line, for an answer that goes out raw */
  #run(
    request: Request,
    data: ((bytes: Uint8Array) => void) | undefined,
    done: (code: number) => void,
  ): void {
    this.#submit({
      request,
      respond: (response) => {
        if (data !== undefined) data(payloadOf(response));
        else this.#write(`${encodeResponse(response, this.#format)}\r\n`);
      },
      finish: ({ code }) => done(code),
    });
  }

  #submit(exchange: Exchange): void {
    const firmware = this.#firmware;
    if (firmware === undefined) throw new Error('no firmware attached');
    firmware.execute(exchange);
  }

  #rawAnswer(data: Uint8Array): void {
    this.#put(RAW);
    this.#put(data);
  }

  /** The firmware may refuse before a byte of payload is sent. */
  #beginWrite(request: Request, length: number): void {
    this.#submit({
      request,
      payloadFollows: true,
      respond: () => {},
      finish: ({ code }) => {
        if (code !== 0) this.#end(code);
        else if (length === 0) this.#beginWriteStream(request);
        else this.#beginPayload(request, length);
      },
    });
  }

  #beginPayload(request: Request, length: number): void {
    this.#payload = new Uint8Array(length);
    this.#payloadAt = 0;
    this.#afterPayload = (data) => {
      this.#mode = 'busy';
      this.#run({ ...request, args: { ...request.args, data } }, undefined, (code) => this.#end(code));
    };
    this.#mode = 'payload';
    this.#put(RAW);
    this.#drain();
  }

  #collectPayload(): void {
    const { length } = this.#payload;
    this.#payloadAt += this.#queue.take(this.#payload.subarray(this.#payloadAt, length));
    if (this.#payloadAt === length) this.#afterPayload(this.#payload);
  }

  #beginWriteStream(request: Request): void {
    this.#beginStream(
      new RawWriteStream(this.#options.clock, {
        send: (data, done) => {
          const args = { ...request.args, length: data.length, data };
          this.#run({ ...request, args }, undefined, done);
        },
        ended: (code) => this.#endStream(code),
      }),
    );
  }

  #beginReadStream(request: Request): void {
    const stream = new RawReadStream(this.#options.clock, request.args.sockId as number, {
      read: (length, done) => {
        let data: Uint8Array = new Uint8Array(0);
        const args = { ...request.args, length };
        this.#run(
          { ...request, args },
          (bytes) => (data = bytes),
          (code) => done(code, data),
        );
      },
      output: (data) => this.#put(data),
      ended: (code) => this.#endStream(code),
    });
    stream.begin((code) => {
      if (code === 0) this.#beginStream(stream);
      else this.#end(code);
    });
  }

  #beginFileTransfer(request: Request): void {
    const transfer = new FileTransfer(this.#options.clock, request, {
      execute: (command, form, args, done) => {
        let elements: Elements | undefined;
        this.#submit({
          request: { kind: 'request', command, form, args, seq: 0 },
          respond: (response) => (elements = response.elements),
          finish: ({ code }) => done(code, elements),
        });
      },
      output: (bytes) => this.#put(bytes),
      ended: (code) => this.#endStream(code),
    });
    transfer.begin((code) => {
      if (code === 0) this.#beginStream(transfer);
      else this.#end(code);
    });
  }

  #beginStream(stream: RawStream): void {
    this.#stream = stream;
    this.#mode = 'stream';
    this.#put(RAW);
    stream.start();
    this.#drain();
  }

  #endStream(code: number): void {
    this.#stream = undefined;
    this.#end(code);
  }

  /** The status line, then the events held back, then whatever the host has typed ahead. */
  #end(code: number): void {
    this.#write(`${encodeStatus({ code }, this.#format)}\r\n${this.#promptText}`);
    this.#mode = 'command';
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.event(event);
    this.#drain();
  }
}

const payloadOf = ({ elements }: Omit<Response, 'kind' | 'seq'>): Uint8Array =>
  elements.data instanceof Uint8Array ? elements.data : new Uint8Array(0);
