/** A connection as a Node stream. The full `net` API is a layer of its own; this is what a simple client needs. */
import { Duplex } from 'node:stream';
import type { WincModule } from '../driver/index.js';
import { WincError } from '../driver/protocol/index.js';
import { isAddress, type SockAddr } from './address.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  IPPROTO_TLS,
  SOCK_STREAM,
  SocketEvent,
  SocketStatus,
  TLS_CONF_IDX,
} from './constants.js';
import { Errno, errnoName } from './errno.js';
import { type BsdSockets, socketsOf } from './sockets.js';

export interface ConnectOptions {
  /** Until the connection stands, the name's look-up included, ms. Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** 4 (default) or 6, where the host is a name. */
  readonly family?: 4 | 6;
  /** TLS by the module, with this configuration (1..4). */
  readonly tlsConfig?: number;
}

/** What the layers below say, or the socket's own reason with its `errno`. */
function failureOf(sockets: BsdSockets, fd: number, code: `WINC_${string}`, what: string): WincError {
  const cause = sockets.failure(fd);
  if (cause instanceof WincError && !['WINC_STATUS', 'WINC_CONNECT_TIMEOUT'].includes(cause.code))
    return cause;
  const errno = sockets.recv(fd, null) < 0 ? (errnoName(sockets.errno) ?? 'EIO') : 'ENOTCONN';
  const { status, statusName } = (cause ?? {}) as Partial<WincError>;
  return new WincError(code, `${what}: ${errno}.`, {
    errno,
    cause,
    ...(status !== undefined && { status }),
    ...(statusName !== undefined && { statusName }),
  });
}

/**
 * A descriptor as a Duplex. The module closes both directions or none, so `end()` only waits until everything is
 * accepted; `destroy()`, or the peer's end, closes.
 */
export class SocketStream extends Duplex {
  readonly sockets: BsdSockets;
  readonly fd: number;
  readonly #chunk = new Uint8Array(8192);
  #wantsData = false;
  #pendingWrite: (() => void) | undefined;
  #closed: (() => void) | undefined;

  /** @param fd  connected */
  constructor(sockets: BsdSockets, fd: number) {
    super({ allowHalfOpen: true });
    this.sockets = sockets;
    this.fd = fd;
    sockets.watch(fd, (_fd, event, status) => this.#event(event, status));
  }

  get localAddress(): SockAddr | undefined {
    const address = { family: 0, address: '', port: 0 };
    return this.sockets.getsockname(this.fd, address) === 0 ? address : undefined;
  }

  get remoteAddress(): SockAddr | undefined {
    const address = { family: 0, address: '', port: 0 };
    return this.sockets.getpeername(this.fd, address) === 0 ? address : undefined;
  }

  override _read(): void {
    this.#wantsData = true;
    this.#pull();
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    let sent = 0;
    const proceed = () => {
      while (sent < data.length) {
        const count = this.sockets.send(this.fd, data.subarray(sent));
        if (count < 0 && this.sockets.errno === Errno.EWOULDBLOCK) {
          this.#pendingWrite = proceed;
          return;
        }
        if (count < 0) {
          this.#writeFailed(done);
          return;
        }
        sent += count;
      }
      done();
    };
    proceed();
  }

  /** The peer is gone, but what it sent before is still to be read, if anyone reads. */
  #writeFailed(done: (error: Error) => void): void {
    const error = failureOf(
      this.sockets,
      this.fd,
      'WINC_SOCKET_FAILED',
      'The connection is closed for sending',
    );
    const fail = () => done(error);
    if (this.readableFlowing === null || this.readableEnded) fail();
    else this.once('end', fail);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#pendingWrite = undefined;
    this.#closed = () => done(error);
    if (this.sockets.shutdown(this.fd) < 0) done(error);
  }

  #event(event: SocketEvent, status: SocketStatus): void {
    if (event === SocketEvent.CLOSE) {
      this.#closed?.();
    } else if (status === SocketStatus.ERROR) {
      // Everything received before the failure is read first.
      this.#wantsData = true;
      this.#pull();
    } else if (event === SocketEvent.RECV || event === SocketEvent.DISCONNECT) {
      this.#pull();
    } else if (event === SocketEvent.SEND) {
      const proceed = this.#pendingWrite;
      this.#pendingWrite = undefined;
      proceed?.();
    }
  }

  #pull(): void {
    while (this.#wantsData && !this.destroyed) {
      const count = this.sockets.recv(this.fd, this.#chunk);
      if (count > 0) this.#wantsData = this.push(Buffer.from(this.#chunk.subarray(0, count)));
      else if (count === 0) {
        this.#wantsData = false;
        this.push(null);
      } else {
        if (this.sockets.errno !== Errno.EWOULDBLOCK) {
          this.destroy(failureOf(this.sockets, this.fd, 'WINC_SOCKET_FAILED', 'The connection failed'));
        }
        return;
      }
    }
  }
}

/**
 * Connects through the module.
 * @param host  a name or an address
 * @throws WincError `WINC_STATUS` (`DNS_…`), `WINC_CONNECT_FAILED` with `errno`, `WINC_CONNECT_TIMEOUT`, `WINC_ABORTED`,
 *   `WINC_SOCKET` (no descriptor), or the module's own failure
 */
export async function connectTcp(
  module: WincModule,
  host: string,
  port: number,
  options: ConnectOptions = {},
): Promise<SocketStream> {
  const { signal, timeoutMs = 30_000, tlsConfig } = options;
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new WincError('WINC_ARGUMENT', 'The port must be a whole number from 1 to 65535.');
  }
  const deadline = module.clock.now() + timeoutMs;
  const isV6 = isAddress(AF_INET6, host);
  const isName = !isV6 && !isAddress(AF_INET, host);
  const family = isV6 || (isName && options.family === 6) ? AF_INET6 : AF_INET;
  const address = isName ? await module.resolve(host, { family, timeoutMs, signal }) : host;
  const sockets = socketsOf(module);
  const fd = sockets.socket(family, SOCK_STREAM, tlsConfig === undefined ? IPPROTO_TCP : IPPROTO_TLS);
  if (fd < 0) {
    const errno = errnoName(sockets.errno) ?? 'EIO';
    throw new WincError('WINC_SOCKET', `No socket to be had: ${errno}.`, { errno });
  }
  if (tlsConfig !== undefined) sockets.setsockopt(fd, IPPROTO_TLS, TLS_CONF_IDX, tlsConfig);
  const where = `Connecting to ${host}:${port}`;
  const connected = tlsConfig === undefined ? SocketEvent.CONNECT : SocketEvent.TLS_CONNECT;
  await new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => {
      timer.cancel();
      signal?.removeEventListener('abort', aborted);
      settle();
    };
    const give = (error: WincError) =>
      end(() => {
        // Before OPEN it cannot be closed: then as soon as it is.
        const closing = () => sockets.shutdown(fd) === 0;
        if (!closing()) sockets.watch(fd, () => void closing());
        reject(error);
      });
    const aborted = () =>
      give(new WincError('WINC_ABORTED', `${where} was aborted.`, { cause: signal?.reason }));
    const timer = module.clock.setTimer(
      () =>
        give(new WincError('WINC_CONNECT_TIMEOUT', `${where}: no answer in time.`, { errno: 'ETIMEDOUT' })),
      Math.max(0, deadline - module.clock.now()),
    );
    signal?.addEventListener('abort', aborted, { once: true });
    sockets.watch(fd, (_fd, event, status) => {
      if (status === SocketStatus.ERROR)
        give(failureOf(sockets, fd, 'WINC_CONNECT_FAILED', `${where} failed`));
      else if (event === SocketEvent.OPEN) sockets.connect(fd, { family, address, port });
      else if (event === connected) end(resolve);
    });
    if (signal?.aborted) aborted();
  });
  return new SocketStream(sockets, fd);
}
