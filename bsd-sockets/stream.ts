import { Duplex, type DuplexOptions } from 'node:stream';
import { WincError } from '../driver/protocol/index.js';
import type { SockAddr } from './address.js';
import { SocketEvent, SocketStatus } from './constants.js';
import { Errno, errnoName } from './errno.js';
import type { BsdSockets } from './sockets.js';

/** What the layers below say, or the socket's own reason with its `errno`. */
export function socketFailure(
  sockets: BsdSockets,
  fd: number,
  code: `WINC_${string}`,
  what: string,
): WincError {
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
 * A descriptor as a Duplex. The module closes both directions or none: `end()` only waits until the module has everything,
 * and nothing can be sent once the peer has closed, so that the end of reading ends writing too (unless `allowHalfOpen`)
 * and gives the descriptor back. `destroy()` flushes and closes.
 */
export class SocketStream extends Duplex {
  readonly sockets: BsdSockets;
  bytesRead = 0;
  bytesWritten = 0;
  #fd = 0;
  readonly #chunk = new Uint8Array(8192);
  #wantsData = false;
  #pendingWrite: (() => void) | undefined;
  #closed: (() => void) | undefined;

  /** @param fd  connected; without one, reads and writes wait for `attach` */
  constructor(sockets: BsdSockets, fd?: number, options: DuplexOptions = {}) {
    super({ allowHalfOpen: false, ...options });
    this.sockets = sockets;
    if (fd !== undefined) this.attach(fd);
  }

  /** 0: none yet. */
  get fd(): number {
    return this.#fd;
  }

  /** Gives it its descriptor, connected. */
  attach(fd: number): void {
    this.#fd = fd;
    this.sockets.watch(fd, (_fd, event, status) => this.#event(event, status));
    this.#resumeWrite();
    this.#pull();
  }

  /** Both ends, once connected. */
  get ends(): { local: SockAddr; peer: SockAddr } | undefined {
    const local = { family: 0, address: '', port: 0 };
    const peer = { family: 0, address: '', port: 0 };
    const known =
      this.sockets.getsockname(this.#fd, local) === 0 && this.sockets.getpeername(this.#fd, peer) === 0;
    return known ? { local, peer } : undefined;
  }

  override _read(): void {
    this.#wantsData = true;
    this.#pull();
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    let sent = 0;
    const proceed = () => {
      while (this.#fd !== 0 && sent < data.length) {
        const count = this.sockets.send(this.#fd, data.subarray(sent));
        if (count >= 0) {
          sent += count;
          this.bytesWritten += count;
        } else if (this.sockets.errno === Errno.EWOULDBLOCK) {
          break;
        } else {
          this.#writeFailed(done);
          return;
        }
      }
      if (sent === data.length) done();
      else this.#pendingWrite = proceed;
    };
    proceed();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#fd === 0) this.#pendingWrite = () => this._final(done);
    else this.sockets.whenSent(this.#fd, () => done());
  }

  /** The peer is gone, but what it sent before is still to be read, if anyone reads. */
  #writeFailed(done: (error: Error) => void): void {
    const error = socketFailure(
      this.sockets,
      this.#fd,
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
    if (this.#fd === 0 || this.sockets.shutdown(this.#fd) < 0) done(error);
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
      this.#resumeWrite();
    }
  }

  #resumeWrite(): void {
    const proceed = this.#pendingWrite;
    this.#pendingWrite = undefined;
    proceed?.();
  }

  #pull(): void {
    while (this.#wantsData && this.#fd !== 0 && !this.destroyed) {
      const count = this.sockets.recv(this.#fd, this.#chunk);
      if (count > 0) {
        this.bytesRead += count;
        this.#wantsData = this.push(Buffer.from(this.#chunk.subarray(0, count)));
      } else if (count === 0) {
        this.#wantsData = false;
        this.push(null);
      } else {
        if (this.sockets.errno !== Errno.EWOULDBLOCK) {
          this.destroy(socketFailure(this.sockets, this.#fd, 'WINC_SOCKET_FAILED', 'The connection failed'));
        }
        return;
      }
    }
  }
}
