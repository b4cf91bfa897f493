/** `net.Server` over a module. */
import { EventEmitter } from 'node:events';
import type { WincModule } from '../../driver/index.js';
import { anyAddress, type SockAddr } from '../address.js';
import { AF_INET, AF_INET6, SOCK_STREAM, SOMAXCONN, SocketEvent, SocketStatus } from '../constants.js';
import { Errno, errnoName } from '../errno.js';
import { type BsdSockets, socketsOf } from '../sockets.js';
import { socketFailure } from '../stream.js';
import { netError } from './errors.js';
import { type AddressInfo, addressInfo, Socket, type SocketOptions } from './socket.js';

export interface ListenOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly backlog?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface ServerOptions extends Pick<SocketOptions, 'allowHalfOpen'> {
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelay?: number | undefined;
}

/** The module has no port 0: one of these is tried, and another if it is taken. */
const FIRST_EPHEMERAL = 49152;
const EPHEMERAL_TRIES = 10;
export const ephemeralPort = (): number =>
  FIRST_EPHEMERAL + Math.floor(Math.random() * (65536 - FIRST_EPHEMERAL));

export class Server extends EventEmitter {
  listening = false;
  maxConnections: number | undefined;
  readonly module: WincModule;
  readonly #sockets: BsdSockets;
  readonly #options: ServerOptions;
  readonly #connections = new Set<Socket>();
  #fd = 0;
  #address: SockAddr | undefined;
  #closing = false;

  constructor(module: WincModule, options: ServerOptions = {}, onConnection?: (socket: Socket) => void) {
    super();
    this.module = module;
    this.#sockets = socketsOf(module);
    this.#options = options;
    if (onConnection !== undefined) this.on('connection', onConnection);
  }

  /** `listen(port?, host?, backlog?, callback?)` or `listen(options, callback?)`. */
  listen(...args: unknown[]): this {
    if (this.#fd !== 0 || this.#closing) {
      throw Object.assign(new Error('Listen method has been called more than once without closing.'), {
        code: 'ERR_SERVER_ALREADY_LISTEN',
      });
    }
    const callback = args.find((each): each is () => void => typeof each === 'function');
    if (callback !== undefined) this.once('listening', callback);
    const [first] = args;
    const given: ListenOptions = typeof first === 'object' && first !== null ? first : {};
    const numbers = args.filter((each): each is number => typeof each === 'number');
    const host = given.host ?? args.find((each): each is string => typeof each === 'string');
    const port = given.port ?? numbers[0] ?? 0;
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw Object.assign(new RangeError(`Port should be >= 0 and < 65536. Received ${port}.`), {
        code: 'ERR_SOCKET_BAD_PORT',
      });
    }
    given.signal?.addEventListener('abort', () => this.close(), { once: true });
    const family = host?.includes(':') ? AF_INET6 : AF_INET;
    this.#open(family, port, given.backlog ?? numbers[1] ?? SOMAXCONN, port === 0 ? EPHEMERAL_TRIES : 1);
    return this;
  }

  address(): AddressInfo | null {
    return this.#address === undefined ? null : addressInfo(this.#address);
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#connections.size);
    return this;
  }

  /** Listens no more; `close` when the last connection is gone. */
  close(callback?: (error?: Error) => void): this {
    if (callback !== undefined) {
      if (this.#fd === 0) {
        const error = Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' });
        this.once('close', () => callback(error));
      } else this.once('close', () => callback());
    }
    if (this.#closing) return this;
    this.#closing = true;
    this.listening = false;
    // Before OPEN it cannot be closed: then as soon as it is.
    if (this.#fd === 0 || this.#sockets.shutdown(this.#fd) === 0 || this.#sockets.errno === Errno.EBADF) {
      process.nextTick(() => this.#closed());
    }
    return this;
  }

  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd !== 0) await new Promise<void>((resolve) => this.close(() => resolve()));
  }

  #open(family: typeof AF_INET | typeof AF_INET6, port: number, backlog: number, tries: number): void {
    const sockets = this.#sockets;
    const wanted = port === 0 ? ephemeralPort() : port;
    const fd = sockets.socket(family, SOCK_STREAM);
    if (fd < 0) {
      const code = errnoName(sockets.errno) ?? 'EIO';
      process.nextTick(() => this.emit('error', netError({ errno: code }, 'listen', { port })));
      return;
    }
    this.#fd = fd;
    const address = { family, address: anyAddress(family), port: wanted };
    sockets.watch(fd, (_fd, event, status) => {
      if (event === SocketEvent.CLOSE) return;
      if (status === SocketStatus.ERROR) {
        const failure = socketFailure(sockets, fd, 'WINC_SOCKET_FAILED', 'Listening failed');
        const taken = sockets.listen(fd, backlog) < 0 && sockets.errno === Errno.EADDRINUSE;
        this.#fd = 0;
        sockets.shutdown(fd);
        if (taken && tries > 1) this.#open(family, port, backlog, tries - 1);
        else {
          const cause = taken ? { errno: 'EADDRINUSE', cause: failure } : failure;
          this.#failed(netError(cause, 'listen', { address: address.address, port: wanted }));
        }
      } else if (event === SocketEvent.OPEN) {
        if (this.#closing) sockets.shutdown(fd);
        else {
          sockets.bind(fd, address);
          sockets.listen(fd, backlog);
        }
      } else if (event === SocketEvent.LISTEN) {
        this.#address = address;
        this.listening = true;
        this.emit('listening');
      } else if (event === SocketEvent.CONNECT_REQ) this.#accept();
    });
  }

  #failed(error: Error): void {
    const listened = this.listening;
    this.listening = false;
    this.#address = undefined;
    this.emit('error', error);
    if (listened) {
      this.#closing = true;
      this.#closed();
    }
  }

  #accept(): void {
    const fd = this.#sockets.accept(this.#fd);
    if (fd < 0) return;
    if (this.maxConnections !== undefined && this.#connections.size >= this.maxConnections) {
      this.#sockets.shutdown(fd);
      this.emit('drop');
      return;
    }
    const socket = new Socket(this.module, { allowHalfOpen: this.#options.allowHalfOpen }, fd);
    if (this.#options.noDelay) socket.setNoDelay(true);
    if (this.#options.keepAlive) socket.setKeepAlive(true, this.#options.keepAliveInitialDelay);
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#closed();
    });
    this.emit('connection', socket);
  }

  #closed(): void {
    if (!this.#closing || this.#connections.size > 0) return;
    this.#closing = false;
    this.#fd = 0;
    this.#address = undefined;
    this.emit('close');
  }
}
