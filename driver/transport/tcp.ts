import { connect, type Socket } from 'node:net';
import { WincError } from '../protocol/errors.js';
import type { ByteTransport, ByteTransportHandler, TransportOptions } from './transport.js';
import { integerOptions, parseHostPort, parseTransportUrl } from './url.js';

const CONNECT_TIMEOUT_MS = 5000;

/** A UART over a TCP connection: `tcp:host:port`, `tcp:[::1]:port`. */
class TcpTransport implements ByteTransport {
  readonly kind = 'bytes';
  readonly url: string;
  readonly #socket: Socket;
  #asked = false;

  constructor(url: string, socket: Socket) {
    this.url = url;
    this.#socket = socket;
  }

  start(handler: ByteTransportHandler): void {
    const socket = this.#socket;
    let failure: Error | undefined;
    socket.on('data', (bytes) => handler.data(bytes));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('end', () => socket.destroy());
    const closed = () => {
      if (this.#asked) handler.closed();
      else handler.closed(lost(this.url, failure));
    };
    if (socket.destroyed) queueMicrotask(closed);
    else socket.once('close', closed);
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(lost(this.url, error)) : resolve()));
    });
  }

  close(): Promise<void> {
    this.#asked = true;
    const socket = this.#socket;
    if (socket.closed) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once('close', () => resolve());
      socket.destroy();
    });
  }

  async setBaudRate(): Promise<void> {}
}

function lost(url: string, cause: Error | undefined): WincError {
  const why = cause === undefined ? 'the other end closed it' : cause.message;
  return new WincError('WINC_PORT_LOST', `${url}: the connection ended: ${why}.`, { cause });
}

/** @throws WincError `WINC_URL`, `WINC_PORT_MISSING`, `WINC_ABORTED` */
export function openTcp(url: string, options: TransportOptions): Promise<ByteTransport> {
  const { address, query } = parseTransportUrl(url);
  integerOptions(url, query, {});
  const { host, port } = parseHostPort(url, address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const settle = () => {
      timer.cancel();
      options.signal?.removeEventListener('abort', aborted);
      socket.removeListener('error', failed);
    };
    const giveUp = (error: WincError) => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const failed = (cause: NodeJS.ErrnoException) =>
      giveUp(
        new WincError(
          'WINC_PORT_MISSING',
          `${url}: nothing answers there (${cause.code ?? cause.message}).`,
          {
            cause,
          },
        ),
      );
    const aborted = () =>
      giveUp(new WincError('WINC_ABORTED', 'Opening was aborted.', { cause: options.signal?.reason }));
    const timer = options.clock.setTimer(
      () => giveUp(new WincError('WINC_PORT_MISSING', `${url}: no answer within ${CONNECT_TIMEOUT_MS} ms.`)),
      CONNECT_TIMEOUT_MS,
    );
    options.signal?.addEventListener('abort', aborted, { once: true });
    socket.once('error', failed);
    socket.once('connect', () => {
      settle();
      resolve(new TcpTransport(url, socket));
    });
  });
}
