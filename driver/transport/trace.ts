import type { Clock, TimerHandle } from '../clock.js';
import { Secrets, StreamMask } from './redact.js';
import type { ByteTransport, ByteTransportHandler, Transport, TransportDevice } from './transport.js';

export interface TraceOptions {
  /** `text` (default): printable characters, the rest as `\xNN`, one record per line; `hex`: 32 bytes a record. */
  readonly format?: 'text' | 'hex';
}

/** Where records go: a stream, or anything that takes a line. */
export interface TraceOutput {
  write(line: string): unknown;
}

/** Bytes held back by the masking are shown at the latest after this time. */
const HOLD_MS = 50;
const named: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };

/** Printable ASCII as it is, the rest escaped. */
function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte >= 0x20 && byte < 0x7f && byte !== 0x5c) text += String.fromCharCode(byte);
    else text += named[byte] ?? `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

function* records(bytes: Uint8Array, format: 'text' | 'hex'): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const newline = format === 'text' ? bytes.indexOf(0x0a, at) : -1;
    const end = Math.min(newline < 0 ? bytes.length : newline + 1, at + (format === 'text' ? 512 : 32));
    const part = bytes.subarray(at, end);
    yield format === 'text'
      ? escapeBytes(part)
      : Buffer.from(part).toString('hex').replace(/../g, '$& ').trimEnd();
    at = end;
  }
}

class Tracer {
  readonly #output: TraceOutput;
  readonly #clock: Clock;
  readonly #format: 'text' | 'hex';
  readonly #start: number;
  readonly secrets = new Secrets();
  readonly #masks = { '>': new StreamMask(this.secrets), '<': new StreamMask(this.secrets) };
  #timer: TimerHandle | undefined;

  constructor(output: TraceOutput, clock: Clock, format: 'text' | 'hex') {
    this.#output = output;
    this.#clock = clock;
    this.#format = format;
    this.#start = clock.now();
  }

  record(direction: '>' | '<', bytes: Uint8Array): void {
    this.#print(direction, this.#masks[direction].push(bytes));
    this.#timer ??= this.#clock.setTimer(() => this.flush(), HOLD_MS);
  }

  note(text: string): void {
    this.flush();
    this.#line('-', text);
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const direction of ['>', '<'] as const) this.#print(direction, this.#masks[direction].flush());
  }

  #print(direction: '>' | '<', bytes: Uint8Array): void {
    for (const record of records(bytes, this.#format)) this.#line(direction, record);
  }

  #line(direction: string, text: string): void {
    const seconds = (this.#clock.now() - this.#start) / 1000;
    this.#output.write(`${seconds.toFixed(6).padStart(12)} ${direction} ${text}\n`);
  }
}

class TracedBytes implements ByteTransport {
  readonly kind = 'bytes';
  readonly url: string;
  readonly #inner: ByteTransport;
  readonly #tracer: Tracer;

  constructor(inner: ByteTransport, tracer: Tracer) {
    this.url = inner.url;
    this.#inner = inner;
    this.#tracer = tracer;
    tracer.note(`open ${inner.url}`);
  }

  start(handler: ByteTransportHandler): void {
    this.#inner.start({
      data: (bytes) => {
        this.#tracer.record('<', bytes);
        handler.data(bytes);
      },
      closed: (error) => {
        this.#tracer.note(error === undefined ? 'closed' : `closed: ${error.message}`);
        handler.closed(error);
      },
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#tracer.record('>', bytes);
    return this.#inner.write(bytes);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  setBaudRate(baud: number): Promise<void> {
    this.#tracer.note(`${baud} baud`);
    return this.#inner.setBaudRate(baud);
  }

  hide(secret: Uint8Array): void {
    this.#tracer.secrets.hide(secret);
    this.#inner.hide?.(secret);
  }
}

/**
 * Records what passes, one line per record: seconds since the opening, `>` host to module or `<` module to host, the
 * bytes. Secrets that the session hides appear as `***`. It watches byte transports; an SPI bus passes unseen.
 */
export function traceDevice(output: TraceOutput, options: TraceOptions = {}): TransportDevice {
  return (inner: Transport, clock: Clock) =>
    inner.kind === 'bytes'
      ? new TracedBytes(inner, new Tracer(output, clock, options.format ?? 'text'))
      : inner;
}
