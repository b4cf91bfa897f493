/** `net.Socket` over a module: the same methods, events and error codes. */
import type { TimerHandle, WincModule } from '../../driver/index.js';
import { isAddress, type SockAddr } from '../address.js';
import { openConnection } from '../client.js';
import { AF_INET, AF_INET6, IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_NODELAY } from '../constants.js';
import { socketsOf } from '../sockets.js';
import { SocketStream } from '../stream.js';
import { netError } from './errors.js';

export interface SocketOptions {
  readonly allowHalfOpen?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}
export type LookupCallback = (
  error: Error | null,
  address: string | { address: string; family: number }[],
  family?: number,
) => void;
export interface TcpConnectOptions extends SocketOptions {
  readonly port: number | string;
  readonly host?: string | null | undefined;
  readonly family?: number | string | undefined;
  readonly timeout?: number | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelay?: number | undefined;
  /** As of `dns.lookup`; without one the module resolves the name. */
  readonly lookup?:
    | ((hostname: string, options: { family: number; all: boolean }, done: LookupCallback) => void)
    | undefined;
}
export type ConnectArguments =
  | [options: TcpConnectOptions, connected?: (() => void) | undefined]
  | [port: number, connected?: (() => void) | undefined]
  | [port: number, host: string, connected?: (() => void) | undefined];

export interface AddressInfo {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

/**
 * The module has no FIN of its own to send: it closes both directions or none. After `end()` a client therefore keeps the
 * connection as long as the peer goes on sending, and closes after so much silence, ms. A server's side closes at once.
 */
const HALF_CLOSE_SILENCE_MS = 2000;
/** Keepalive without a delay of its own, s. */
const KEEP_ALIVE_S = 60;

export const addressInfo = ({ family, address, port }: SockAddr): AddressInfo => ({
  address,
  family: family === AF_INET6 ? 'IPv6' : 'IPv4',
  port,
});

export function normalizeConnect(args: ConnectArguments): [TcpConnectOptions, (() => void) | undefined] {
  const [first, second, third] = args;
  if (typeof first === 'object') return [first, second as (() => void) | undefined];
  if (typeof second === 'string') return [{ port: first, host: second }, third];
  return [{ port: first }, second];
}

export class Socket extends SocketStream {
  connecting = false;
  timeout: number | undefined;
  readonly module: WincModule;
  readonly #halfOpen: boolean;
  #accepted = false;
  #ends: { local: SockAddr; peer: SockAddr } | undefined;
  #noDelay: boolean | undefined;
  #keepAlive: number | undefined;
  #idleTimer: TimerHandle | undefined;
  #silenceTimer: TimerHandle | undefined;
  readonly #opening = new AbortController();

  constructor(module: WincModule, options: SocketOptions = {}, fd?: number) {
    super(socketsOf(module), undefined, { allowHalfOpen: options.allowHalfOpen ?? false });
    this.module = module;
    this.#halfOpen = options.allowHalfOpen ?? false;
    this.on('finish', () => this.#halfClosed());
    if (options.signal !== undefined) this.#obey(options.signal);
    if (fd !== undefined) {
      this.#accepted = true;
      this.#opened(fd);
    }
  }

  connect(...args: ConnectArguments): this {
    const [options, connected] = normalizeConnect(args);
    if (this.connecting || this.fd !== 0) throw new Error('The socket is connected already.');
    if (connected !== undefined) this.once('connect', connected);
    if (options.signal !== undefined) this.#obey(options.signal);
    if (options.timeout !== undefined) this.setTimeout(options.timeout);
    if (options.noDelay) this.setNoDelay(true);
    if (options.keepAlive) this.setKeepAlive(true, options.keepAliveInitialDelay);
    const port = Number(options.port);
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw Object.assign(new RangeError(`Port should be >= 0 and < 65536. Received ${options.port}.`), {
        code: 'ERR_SOCKET_BAD_PORT',
      });
    }
    this.connecting = true;
    void this.#open(options.host ?? 'localhost', port, options);
    return this;
  }

  get pending(): boolean {
    return this.fd === 0;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get localAddress(): string | undefined {
    return this.#ends?.local.address;
  }
  get localPort(): number | undefined {
    return this.#ends?.local.port;
  }
  get localFamily(): string | undefined {
    return this.#ends && addressInfo(this.#ends.local).family;
  }
  get remoteAddress(): string | undefined {
    return this.#ends?.peer.address;
  }
  get remotePort(): number | undefined {
    return this.#ends?.peer.port;
  }
  get remoteFamily(): string | undefined {
    return this.#ends && addressInfo(this.#ends.peer).family;
  }

  address(): AddressInfo | Record<never, never> {
    return this.#ends === undefined ? {} : addressInfo(this.#ends.local);
  }

  /** Fires `timeout` after so much silence in both directions; 0 ends it. */
  setTimeout(ms: number, callback?: () => void): this {
    this.timeout = ms;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    this.#active();
    return this;
  }

  setNoDelay(on = true): this {
    this.#noDelay = on;
    if (this.fd !== 0) this.sockets.setsockopt(this.fd, IPPROTO_TCP, TCP_NODELAY, on);
    return this;
  }

  setKeepAlive(on = false, initialDelay = 0): this {
    this.#keepAlive = on ? Math.min(Math.ceil(initialDelay / 1000) || KEEP_ALIVE_S, 65535) : 0;
    if (this.fd !== 0) this.sockets.setsockopt(this.fd, SOL_SOCKET, SO_KEEPALIVE, this.#keepAlive);
    return this;
  }

  /** The module's port holds the process, not its sockets. */
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** The module cannot be told to reset a connection: it is closed. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  override push(chunk: Uint8Array | null, encoding?: BufferEncoding): boolean {
    this.#active();
    return super.push(chunk, encoding);
  }

  override _write(data: Buffer, encoding: string, done: (error?: Error | null) => void): void {
    this.#active();
    super._write(data, encoding, (error) => {
      this.#active();
      done(error && netError(error, 'write'));
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.connecting = false;
    this.#idleTimer?.cancel();
    this.#silenceTimer?.cancel();
    this.#opening.abort();
    const shown = error !== null && !('syscall' in error) ? this.#named(error) : error;
    super._destroy(shown, (failure) => {
      // Node tells whether it ended in an error.
      done(failure);
    });
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    return event === 'close' ? super.emit('close', this.errored !== null) : super.emit(event, ...args);
  }

  #named(error: Error): Error {
    return String((error as { code?: string }).code).startsWith('WINC_') ? netError(error, 'read') : error;
  }

  async #open(host: string, port: number, options: TcpConnectOptions): Promise<void> {
    try {
      const address = await this.#resolve(host, options);
      const fd = await openConnection(this.module, address, port, {
        signal: this.#opening.signal,
        timeoutMs: 120_000,
      });
      if (this.destroyed) {
        this.sockets.shutdown(fd);
        return;
      }
      this.#opened(fd);
      this.emit('connect');
      this.emit('ready');
    } catch (error) {
      if (!this.destroyed) this.destroy(netError(error, 'connect', { address: host, port }));
    }
  }

  async #resolve(host: string, { lookup, family }: TcpConnectOptions): Promise<string> {
    if (isAddress(AF_INET, host) || isAddress(AF_INET6, host)) return host;
    const wanted = family === 6 || family === 'IPv6' ? 6 : 4;
    if (lookup === undefined) {
      const address = await this.module.resolve(host, { family: wanted, signal: this.#opening.signal });
      this.emit('lookup', null, address, wanted, host);
      return address;
    }
    return new Promise((resolve, reject) => {
      lookup(host, { family: wanted, all: false }, (error, address, of) => {
        const found = typeof address === 'string' ? address : address?.[0]?.address;
        this.emit('lookup', error, found, of ?? wanted, host);
        if (error !== null && error !== undefined) reject(error);
        else resolve(found ?? host);
      });
    });
  }

  #opened(fd: number): void {
    this.connecting = false;
    this.attach(fd);
    this.#ends = this.ends;
    if (this.#noDelay !== undefined) this.setNoDelay(this.#noDelay);
    if (this.#keepAlive !== undefined) {
      this.sockets.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, this.#keepAlive);
    }
    this.#active();
  }

  #active(): void {
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
    const { clock } = this.module;
    if (this.timeout) this.#idleTimer = clock.setTimer(() => this.emit('timeout'), this.timeout);
    if (this.#silenceTimer !== undefined) this.#halfClosed();
  }

  /** Everything is written and the peer may still be sending. */
  #halfClosed(): void {
    this.#silenceTimer?.cancel();
    if (this.destroyed || this.readableEnded) return;
    if (this.#accepted && !this.#halfOpen) {
      this.destroy();
      return;
    }
    this.#silenceTimer = this.module.clock.setTimer(() => this.destroy(), HALF_CLOSE_SILENCE_MS);
  }

  #obey(signal: AbortSignal): void {
    const abort = () =>
      this.destroy(
        Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' }),
      );
    if (signal.aborted) process.nextTick(abort);
    else {
      signal.addEventListener('abort', abort, { once: true });
      this.once('close', () => signal.removeEventListener('abort', abort));
    }
  }
}
