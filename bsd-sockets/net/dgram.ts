/** `dgram.Socket` over a module. */
import { EventEmitter } from 'node:events';
import type { WincModule } from '../../driver/index.js';
import { anyAddress, isAddress, type SockAddr } from '../address.js';
import {
  AF_INET,
  AF_INET6,
  IP_ADD_MEMBERSHIP,
  IPPROTO_IP,
  IPPROTO_UDP,
  IPV6_ADD_MEMBERSHIP,
  SOCK_DGRAM,
  SocketEvent,
  SocketStatus,
} from '../constants.js';
import { Errno, errnoName } from '../errno.js';
import { type BsdSockets, socketsOf } from '../sockets.js';
import { netError } from './errors.js';
import { ephemeralPort } from './server.js';
import { type AddressInfo, addressInfo } from './socket.js';

export interface RemoteInfo extends AddressInfo {
  readonly size: number;
}
type SendCallback = (error: Error | null, bytes: number) => void;
interface Outgoing {
  readonly data: Buffer;
  readonly to: SockAddr | undefined;
  readonly done: SendCallback | undefined;
}

/** Datagrams waiting for room; more fail with ENOBUFS, as an interface whose queue is full would have it. */
const QUEUE_LIMIT = 256;
const LARGEST = 1472;

const toBuffer = (message: unknown): Buffer => {
  if (typeof message === 'string') return Buffer.from(message);
  if (Array.isArray(message)) return Buffer.concat(message.map(toBuffer));
  const { buffer, byteOffset, byteLength } = message as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength);
};

export class DatagramSocket extends EventEmitter {
  readonly module: WincModule;
  readonly #sockets: BsdSockets;
  readonly #family: typeof AF_INET | typeof AF_INET6;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(LARGEST);
  readonly #queue: Outgoing[] = [];
  #open = false;
  #closed = false;
  #wanted: (() => void)[] = [];
  #bound: SockAddr | undefined;
  #peer: SockAddr | undefined;

  constructor(module: WincModule, type: 'udp4' | 'udp6') {
    super();
    this.module = module;
    this.#sockets = socketsOf(module);
    this.#family = type === 'udp6' ? AF_INET6 : AF_INET;
    this.#fd = this.#sockets.socket(this.#family, SOCK_DGRAM, IPPROTO_UDP);
    if (this.#fd < 0) {
      const error = this.#error('socket');
      process.nextTick(() => this.emit('error', error));
    } else this.#sockets.watch(this.#fd, (_fd, event, status) => this.#event(event, status));
  }

  /** `bind(port?, address?, callback?)` or `bind({ port }, callback?)`. The module listens on all its addresses. */
  bind(...args: unknown[]): this {
    const callback = args.find((each): each is () => void => typeof each === 'function');
    if (callback !== undefined) this.once('listening', callback);
    const [first] = args;
    const options = typeof first === 'object' && first !== null ? (first as { port?: number }) : undefined;
    const port = options?.port ?? (typeof first === 'number' ? first : 0);
    this.#whenOpen(() => {
      this.#bound = {
        family: this.#family,
        address: anyAddress(this.#family),
        port: port === 0 ? ephemeralPort() : port,
      };
      if (this.#sockets.bind(this.#fd, this.#bound) < 0 && this.#sockets.errno !== Errno.EAGAIN) {
        this.emit('error', this.#error('bind'));
      }
    });
    return this;
  }

  connect(port: number, address?: string | (() => void), callback?: () => void): void {
    const connected = typeof address === 'function' ? address : callback;
    if (connected !== undefined) this.once('connect', connected);
    const host = typeof address === 'string' ? address : this.#loopback();
    this.#whenOpen(() => {
      this.#peer = { family: this.#family, address: host, port };
      if (this.#sockets.connect(this.#fd, this.#peer) < 0 && this.#sockets.errno !== Errno.EINPROGRESS) {
        this.emit('error', this.#error('connect'));
      }
    });
  }

  /** `send(message, port?, address?, callback?)` or `send(message, offset, length, port?, address?, callback?)`. */
  send(message: unknown, ...args: unknown[]): void {
    const callback = args.find((each): each is SendCallback => typeof each === 'function');
    const rest = args.filter((each) => typeof each !== 'function');
    let data = toBuffer(message);
    if (typeof rest[1] === 'number') {
      data = data.subarray(rest[0] as number, (rest[0] as number) + rest[1]);
      rest.splice(0, 2);
    }
    const [port, host] = rest as [number | undefined, string | undefined];
    const to =
      port === undefined ? undefined : { family: this.#family, address: host ?? this.#loopback(), port };
    const outgoing = { data, to, done: callback };
    if (this.#queue.length >= QUEUE_LIMIT) this.#sent(outgoing, netError({ errno: 'ENOBUFS' }, 'send'));
    else {
      this.#queue.push(outgoing);
      this.#whenOpen(() => this.#flush());
    }
  }

  address(): AddressInfo {
    if (this.#bound === undefined) throw netError({ errno: 'EBADF' }, 'getsockname');
    return addressInfo(this.#bound);
  }

  remoteAddress(): AddressInfo {
    if (this.#peer === undefined) throw netError({ errno: 'ENOTCONN' }, 'getpeername');
    return addressInfo(this.#peer);
  }

  addMembership(group: string): void {
    const option = this.#family === AF_INET ? IP_ADD_MEMBERSHIP : IPV6_ADD_MEMBERSHIP;
    if (this.#bound === undefined) this.bind();
    this.#whenOpen(() => {
      if (this.#sockets.setsockopt(this.#fd, IPPROTO_IP, option, { multiaddr: group }) < 0) {
        this.emit('error', this.#error('addMembership'));
      }
    });
  }

  /** `close` once everything is sent and the module has closed it. */
  close(callback?: () => void): this {
    if (callback !== undefined) this.once('close', callback);
    this.#whenOpen(() => {
      this.#flush();
      this.#sockets.shutdown(this.#fd);
    });
    return this;
  }

  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  #loopback(): string {
    return this.#family === AF_INET ? '127.0.0.1' : '::1';
  }

  #whenOpen(action: () => void): void {
    if (this.#open) action();
    else this.#wanted.push(action);
  }

  #event(event: SocketEvent, status: SocketStatus): void {
    if (event === SocketEvent.CLOSE) {
      this.#closed = true;
      this.emit('close');
    } else if (status === SocketStatus.ERROR && event !== SocketEvent.SEND) {
      this.#open = true;
      this.emit('error', netError(this.#sockets.failure(this.#fd) ?? {}, 'recvmsg'));
    } else if (event === SocketEvent.OPEN) {
      this.#open = true;
      for (const action of this.#wanted.splice(0)) action();
    } else if (event === SocketEvent.LISTEN) this.emit('listening');
    else if (event === SocketEvent.CONNECT) {
      this.emit('connect');
      this.#flush();
    } else if (event === SocketEvent.SEND) this.#flush();
    else if (event === SocketEvent.RECV) this.#receive();
  }

  #receive(): void {
    const from = { family: 0, address: '', port: 0 };
    while (!this.#closed) {
      const size = this.#sockets.recvfrom(this.#fd, this.#buffer, LARGEST, 0, from);
      if (size < 0) return;
      const message = Buffer.from(this.#buffer.subarray(0, size));
      this.emit('message', message, { ...addressInfo(from), size });
    }
  }

  #flush(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (next.to !== undefined && !isAddress(this.#family, next.to.address)) {
        this.#resolve(next.to.address, next);
        return;
      }
      const count = this.#sockets.sendto(this.#fd, next.data, 0, next.to);
      if (count < 0 && this.#sockets.errno === Errno.EWOULDBLOCK) return;
      this.#queue.shift();
      this.#sent(next, count < 0 ? this.#error('send') : null);
    }
  }

  /** The first in the queue goes to a name: the others wait behind it. */
  #resolve(name: string, outgoing: Outgoing): void {
    this.#queue.shift();
    const family = this.#family === AF_INET ? 4 : 6;
    const blocked = this.#queue.splice(0);
    this.module.resolve(name, { family }).then(
      (address) => {
        const to = { ...(outgoing.to as SockAddr), address };
        this.#queue.unshift({ ...outgoing, to }, ...blocked);
        this.#flush();
      },
      (error) => {
        this.#sent(outgoing, netError(error, 'send', { address: name }));
        this.#queue.unshift(...blocked);
        this.#flush();
      },
    );
  }

  #sent({ data, done }: Outgoing, error: Error | null): void {
    if (done !== undefined) process.nextTick(done, error, error === null ? data.length : 0);
    else if (error !== null) process.nextTick(() => this.emit('error', error));
  }

  #error(syscall: string): Error {
    return netError({ errno: errnoName(this.#sockets.errno) ?? 'EIO' }, syscall);
  }
}
