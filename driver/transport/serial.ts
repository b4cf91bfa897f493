import type { SerialPort } from 'serialport';
import { WincError } from '../protocol/errors.js';
import type { ByteTransport, ByteTransportHandler, TransportOptions } from './transport.js';
import { integerOptions, parseTransportUrl } from './url.js';

/** 230400 8N1 without flow control is how every known module powers up. */
const defaults = { baud: [230400, 50, 4_000_000], rtscts: [0, 0, 1] } as const;

/** The two members of the `serialport` package this file needs; a test passes the package's mock. */
export interface SerialPortClass {
  new (options: { path: string; baudRate: number; rtscts: boolean; autoOpen: false; lock: true }): SerialPort;
}

/**
 * `serial:/dev/ttyUSB0?baud=230400&rtscts=1`. It is kept reading all the time, and never touches the modem lines:
 * they do not exist on a pty.
 */
class SerialTransport implements ByteTransport {
  readonly kind = 'bytes';
  readonly url: string;
  readonly #port: SerialPort;
  readonly #writing = new Set<(error: Error) => void>();
  #failure: Error | undefined;
  #asked = false;

  constructor(url: string, port: SerialPort) {
    this.url = url;
    this.#port = port;
  }

  start(handler: ByteTransportHandler): void {
    const port = this.#port;
    port.on('error', (error) => {
      this.#failure = error;
      // A write that failed leaves the stream half dead; the device is not coming back on this handle.
      if (port.isOpen && !port.closing) port.close();
    });
    port.on('data', (bytes: Buffer) => handler.data(bytes));
    const closed = (error?: Error | null) => {
      const reason = this.#lost(this.#failure ?? error ?? undefined);
      // The stream forgets writes that were waiting when it closed.
      for (const reject of this.#writing) reject(reason);
      this.#writing.clear();
      if (this.#asked) handler.closed();
      else handler.closed(reason);
    };
    if (port.isOpen) port.once('close', closed);
    else queueMicrotask(closed);
  }

  write(bytes: Uint8Array): Promise<void> {
    const port = this.#port;
    if (!port.isOpen || port.closing) return Promise.reject(this.#lost(this.#failure));
    return new Promise((resolve, reject) => {
      this.#writing.add(reject);
      const settle = (error?: Error | null) => {
        this.#writing.delete(reject);
        if (error) reject(this.#lost(error));
        else resolve();
      };
      port.write(bytes, undefined, (error) => {
        if (error) settle(error);
        else port.drain(settle);
      });
    });
  }

  close(): Promise<void> {
    this.#asked = true;
    const port = this.#port;
    if (!port.isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      port.once('close', () => resolve());
      if (!port.closing) port.close();
    });
  }

  setBaudRate(baudRate: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#port.update({ baudRate }, (error) => (error ? reject(this.#lost(error)) : resolve()));
    });
  }

  #lost(cause: Error | undefined): WincError {
    const why = cause === undefined ? 'it was unplugged' : cause.message;
    return new WincError('WINC_PORT_LOST', `${this.url}: the port is gone: ${why}.`, { cause });
  }
}

/** What the operating systems say, as worded by serialport's bindings, in the order they are looked for. */
const refusals: readonly (readonly [RegExp, `WINC_${string}`, string])[] = [
  [
    /cannot lock|temporarily unavailable|resource busy|EBUSY|EAGAIN/i,
    'WINC_PORT_LOCKED',
    'another program has it open',
  ],
  [
    /permission denied|access (is )?denied|EACCES|EPERM/i,
    'WINC_PORT_PERMISSION',
    'you may not open it (on Linux: join the group that owns it, usually dialout)',
  ],
  [
    /no such|cannot find|not found|file not found|ENOENT|ENXIO|ENODEV/i,
    'WINC_PORT_MISSING',
    'there is no such port',
  ],
];

function openError(url: string, cause: Error): WincError {
  const refusal = refusals.find(([pattern]) => pattern.test(cause.message));
  return refusal === undefined
    ? new WincError('WINC_PORT_FAILED', `${url}: cannot be opened: ${cause.message}.`, { cause })
    : new WincError(refusal[1], `${url}: ${refusal[2]}.`, { cause });
}

/** @throws WincError `WINC_URL`, `WINC_PORT_MISSING`, `WINC_PORT_LOCKED`, `WINC_PORT_PERMISSION`, `WINC_PORT_FAILED` */
export async function openSerial(
  url: string,
  options: TransportOptions,
  portClass?: SerialPortClass,
): Promise<ByteTransport> {
  const { address, query } = parseTransportUrl(url);
  if (address === '') throw new WincError('WINC_URL', `${url}: which port? For example serial:/dev/ttyUSB0.`);
  const { baud, rtscts } = integerOptions(url, query, defaults);
  const Port = portClass ?? (await import('serialport')).SerialPort;
  const port = new Port({ path: address, baudRate: baud, rtscts: rtscts === 1, autoOpen: false, lock: true });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(openError(url, error)) : resolve()));
  });
  if (options.signal?.aborted) {
    port.close();
    throw new WincError('WINC_ABORTED', 'Opening was aborted.', { cause: options.signal.reason });
  }
  return new SerialTransport(url, port);
}
