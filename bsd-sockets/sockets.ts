/**
 * The vendor's Berkeley API over one module. Nothing blocks: a function answers at once, `-1` with `errno` when there is
 * nothing to answer yet, and events tell when to ask again.
 */

import type { WincModule } from '../driver/index.js';
import { StatusCode } from '../driver/protocol/catalogue/statuses.js';
import { statusError, WincError } from '../driver/protocol/index.js';
import { addressOf, checkAddress, inetNtop, inetPton, type SockAddr } from './address.js';
import {
  AF_INET,
  AF_INET6,
  AsyncMode,
  IPPROTO_TCP,
  IPPROTO_TLS,
  IPPROTO_UDP,
  MSG_PEEK,
  MSG_TRUNC,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  SHUT_RDWR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOMAXCONN,
  SocketEvent,
  SocketStatus,
} from './constants.js';
import { Errno, type ErrnoName, SocketError } from './errno.js';
import { type OptionValue, settingFor } from './options.js';
import { DatagramReader, StreamReader } from './reader.js';
import { Socket, type SocketOptions, type SocketOwner } from './socket.js';
import { badDescriptor, type Call } from './state.js';
import { type DatagramWriter, StreamWriter } from './writer.js';

export interface SocketsOptions {
  /** Descriptors there are; the module itself has room for 10 TCP connections. */
  readonly maxSockets?: number;
  /** Bytes buffered on the host per socket, each way. The receive buffer is the window of the acknowledged mode. */
  readonly receiveBuffer?: number;
  readonly sendBuffer?: number;
  /** Default: acknowledged on the TLV wire, polled on the AT wire. */
  readonly asyncMode?: AsyncMode;
}

export type EventCallback = (socket: number, event: SocketEvent, status: SocketStatus) => void;
/** A `sockaddr` to be filled in. */
export type SockAddrOut = { -readonly [K in keyof SockAddr]: SockAddr[K] };
export interface PollFd {
  fd: number;
  events: number;
  revents: number;
}

type Protocol = 'tcp' | 'udp' | 'tls';
const protocolFor = (type: number, protocol: number): Protocol | undefined => {
  if (type === SOCK_DGRAM) return protocol === 0 || protocol === IPPROTO_UDP ? 'udp' : undefined;
  if (protocol === IPPROTO_TLS) return 'tls';
  return protocol === 0 || protocol === IPPROTO_TCP ? 'tcp' : undefined;
};

const fill = (into: SockAddrOut | undefined | null, from: SockAddr): void => {
  if (into) Object.assign(into, { family: from.family, address: from.address, port: from.port });
};

export class BsdSockets {
  /** Why the last function that answered -1 did so: a number of `Errno`. */
  errno = 0;
  readonly module: WincModule;
  readonly #maxSockets: number;
  readonly #buffers: Pick<SocketOptions, 'receiveBuffer' | 'sendBuffer' | 'asyncMode'>;
  readonly #byFd = new Map<number, Socket>();
  readonly #byId = new Map<number, Socket>();
  readonly #watchers = new Map<number, EventCallback>();
  readonly #owner: SocketOwner;
  readonly #undo: (() => void)[];
  #callback: EventCallback | undefined;
  #gone: WincError | undefined;

  constructor(module: WincModule, options: SocketsOptions = {}) {
    this.module = module;
    this.#maxSockets = options.maxSockets ?? 20;
    this.#buffers = {
      receiveBuffer: options.receiveBuffer ?? 16384,
      sendBuffer: options.sendBuffer ?? 16384,
      asyncMode: options.asyncMode ?? (module.wire === 'tlv' ? AsyncMode.ACKED : AsyncMode.OFF),
    };
    this.#owner = {
      module,
      opened: (socket, id) => this.#byId.set(id, socket),
      event: (socket, event, status) => this.#tell(socket.fd, event, status),
      closed: (socket) => this.#forget(socket),
    };
    this.#undo = this.#listen();
  }

  /** The one callback of the vendor's API; `undefined` ends it. */
  registerEventCallback(callback: EventCallback | undefined): void {
    this.#callback = callback;
  }

  /** A callback for one descriptor, besides the common one; it ends with the descriptor. */
  watch(fd: number, callback: EventCallback): void {
    this.#watchers.set(fd, callback);
  }

  /** What a socket failed of; `errno` is its short form. */
  failure(fd: number): Error | undefined {
    return this.#byFd.get(fd)?.failure;
  }

  /** Calls back once the module has taken everything that was sent, or can take no more. */
  whenSent(fd: number, callback: () => void): void {
    const socket = this.#live(fd);
    if (socket === undefined) callback();
    else socket.writer.whenIdle(callback);
  }

  /** @returns a descriptor from 1 on; -1: `EAFNOSUPPORT`, `EINVAL`, `EPROTONOSUPPORT`, `ENFILE`, `EFAULT` */
  socket(domain: number, type: number, protocol = 0): number {
    return this.#answer(() => {
      if (domain !== AF_INET && domain !== AF_INET6) throw new SocketError('EAFNOSUPPORT');
      if (type !== SOCK_STREAM && type !== SOCK_DGRAM) throw new SocketError('EINVAL');
      const which = protocolFor(type, protocol);
      if (which === undefined) throw new SocketError('EPROTONOSUPPORT');
      if (this.#gone !== undefined) throw new SocketError('EFAULT');
      const socket = new Socket(this.#owner, {
        ...this.#buffers,
        family: domain,
        kind: which === 'udp' ? 'datagram' : 'stream',
        tls: which === 'tls',
      });
      this.#give(socket, 'ENFILE');
      socket.open();
      return socket.fd;
    });
  }

  /**
   * The local port; the module listens on all its addresses. A TCP socket only notes it, even before OPEN; a UDP socket
   * answers `EAGAIN` until the module has it, and is told by LISTEN.
   * @returns 0; -1: `EBADF`, `EFAULT`, `EAFNOSUPPORT`, `EINVAL`, `EAGAIN`, `EADDRINUSE`
   */
  bind(fd: number, address: SockAddr | undefined): number {
    return this.#call('bind', fd, (socket) => {
      const checked = checkAddress(socket.family, address);
      if (checked.port === 0) throw new SocketError('EINVAL');
      socket.bind(checked);
    });
  }

  /**
   * @param backlog  connections at once: 0 means 1, at most SOMAXCONN
   * @returns 0 once it listens; -1: `EAGAIN` until then, `EADDRINUSE` (not bound, or taken), `EOPNOTSUPP`, `EBADF`
   */
  listen(fd: number, backlog: number): number {
    return this.#call('listen', fd, (socket) => socket.listen(backlog));
  }

  /** @returns the connection's descriptor; -1: `EWOULDBLOCK` (none waits), `ENOMEM`, `EBADF`, `EINVAL` */
  accept(fd: number, address?: SockAddrOut): number {
    return this.#answer(() => {
      const socket = this.#require('accept', fd);
      const [child] = socket.children;
      if (child === undefined) throw new SocketError('EWOULDBLOCK');
      this.#give(child, 'ENOMEM');
      socket.children.shift();
      fill(address, child.remote as SockAddr);
      return child.fd;
    });
  }

  /**
   * The address may be a host name, which the module resolves.
   * @returns never 0; -1: `EAGAIN` before OPEN, `EINPROGRESS` until CONNECT, then `EISCONN`; `ENOTSOCK`, `EFAULT`,
   *   `EAFNOSUPPORT`, `EINVAL`, `EOPNOTSUPP`; after a failure its reason, such as `ECONNREFUSED`
   */
  connect(fd: number, address: SockAddr | undefined): number {
    return this.#call('connect', fd, (socket) => {
      const checked = checkAddress(socket.family, address, true);
      if (checked.port === 0) throw new SocketError('EINVAL');
      socket.connect(checked);
    });
  }

  /** @returns bytes taken, perhaps not all; -1: `EWOULDBLOCK`, `ENOTCONN`, `EDESTADDRREQ`, `EMSGSIZE`, `ENOTSOCK`, `EBADF` */
  send(fd: number, data: Uint8Array, _flags = 0): number {
    return this.sendto(fd, data, _flags, undefined);
  }

  /** As `send`; a datagram goes to `address`, whole or not at all. */
  sendto(fd: number, data: Uint8Array, _flags: number, address: SockAddr | undefined): number {
    return this.#answer(() => {
      const socket = this.#require('send', fd);
      if (!(data instanceof Uint8Array)) throw new SocketError('EFAULT');
      const { writer } = socket;
      if (writer instanceof StreamWriter) {
        const count = writer.push(data);
        if (count === 0 && data.length > 0) throw new SocketError('EWOULDBLOCK');
        return count;
      }
      return this.#sendDatagram(socket, writer, data, address);
    });
  }

  /**
   * @param buffer  may be null with a length of 0: with MSG_PEEK and MSG_TRUNC this answers how much there is
   * @returns bytes; 0 at the end of the stream; -1: `EWOULDBLOCK`, `ENOTCONN`, `ENOTSOCK`, `EBADF`, `EFAULT`; after the
   *   last byte of a connection that failed, its reason
   */
  recv(fd: number, buffer: Uint8Array | null, length = buffer?.length ?? 0, flags = 0): number {
    return this.recvfrom(fd, buffer, length, flags);
  }

  /** As `recv`. What a datagram has beyond `length` is lost; MSG_TRUNC answers its true length. */
  recvfrom(
    fd: number,
    buffer: Uint8Array | null,
    length = buffer?.length ?? 0,
    flags = 0,
    address?: SockAddrOut | null,
  ): number {
    return this.#answer(() => {
      const socket = this.#require('recv', fd);
      if (length > (buffer?.length ?? 0)) throw new SocketError('EFAULT');
      const into = (buffer ?? new Uint8Array(0)).subarray(0, length);
      const { reader } = socket;
      if (reader instanceof StreamReader) {
        if (reader.available === 0) return this.#nothingToRead(socket);
        if (socket.remote !== undefined) fill(address, socket.remote);
        if ((flags & MSG_PEEK) === 0) return reader.read(into);
        return (flags & MSG_TRUNC) !== 0 ? reader.available : reader.peek(into);
      }
      return this.#receiveDatagram(socket, reader, into, flags, address);
    });
  }

  /**
   * Closes; what was sent still goes out first. The descriptor is gone at once and free again after CLOSE.
   * @param how  SHUT_RDWR: the module closes both directions or none
   * @returns 0; -1: `EBADF`, `ENOTSOCK` (before OPEN), `EINVAL`
   */
  shutdown(fd: number, how: number = SHUT_RDWR): number {
    return this.#call('shutdown', fd, (socket) => {
      if (how !== SHUT_RDWR) throw new SocketError('EINVAL');
      socket.shutdown();
    });
  }

  /**
   * Takes effect in order with everything else; one the module refuses is told by ERROR. Options set before OPEN are kept.
   * @returns 0; -1: `EBADF`, `ENOPROTOOPT`, `EINVAL`
   */
  setsockopt(fd: number, level: number, name: number, value: OptionValue): number {
    return this.#answer(() => {
      const socket = this.#live(fd);
      if (socket === undefined) throw new SocketError('EBADF');
      const setting = settingFor(level, name, value, socket);
      if (setting.kind === 'group' && socket.boundTo === undefined) throw new SocketError('EINVAL');
      socket.set(setting);
      return 0;
    });
  }

  /**
   * @param timeout  must be 0
   * @returns how many have something in `revents`; -1: `EINVAL`, `EFAULT`
   */
  poll(fds: PollFd[], count = fds?.length, timeout = 0): number {
    return this.#answer(() => {
      if (!Array.isArray(fds)) throw new SocketError('EFAULT');
      if (timeout !== 0 || count > this.#maxSockets || count > fds.length) throw new SocketError('EINVAL');
      let ready = 0;
      for (const each of fds.slice(0, count)) {
        each.revents = each.fd < 0 ? 0 : this.#readiness(each.fd, each.events);
        if (each.revents !== 0) ready++;
      }
      return ready;
    });
  }

  /** @returns 0; -1: `ENOTSOCK`, `ENOTCONN` (no address yet), `EFAULT` */
  getsockname(fd: number, address: SockAddrOut): number {
    return this.#name(fd, address, (socket) => socket.local);
  }

  /** @returns 0; -1: `ENOTSOCK`, `ENOTCONN`, `EFAULT` */
  getpeername(fd: number, address: SockAddrOut): number {
    return this.#name(fd, address, (socket) => socket.remote);
  }

  /** @returns 1 and the address in `into`; 0: `text` is none; -1: `EAFNOSUPPORT` */
  inet_pton(family: number, text: string, into: Uint8Array): number {
    return this.#answer(() => inetPton(family, text, into));
  }

  /** @returns the text; null: `EAFNOSUPPORT`, `ENOSPC` */
  inet_ntop(family: number, bytes: Uint8Array, size = 46): string | null {
    let text: string | null = null;
    this.#answer(() => {
      text = inetNtop(family, bytes, size);
      return 0;
    });
    return text;
  }

  /** Listens no more; open sockets stay as they are at the module. */
  dispose(): void {
    for (const each of this.#undo.splice(0)) each();
  }

  #sendDatagram(
    socket: Socket,
    writer: DatagramWriter,
    data: Uint8Array,
    address: SockAddr | undefined,
  ): number {
    const to = address === undefined ? undefined : checkAddress(socket.family, address, true);
    if (to?.port === 0) throw new SocketError('EINVAL');
    if (to === undefined && socket.remote === undefined) throw new SocketError('EDESTADDRREQ');
    if (data.length > socket.maxDatagram) throw new SocketError('EMSGSIZE');
    if (!writer.push(data, to)) throw new SocketError('EWOULDBLOCK');
    return data.length;
  }

  #receiveDatagram(
    socket: Socket,
    reader: DatagramReader,
    into: Uint8Array,
    flags: number,
    address: SockAddrOut | null | undefined,
  ): number {
    const datagram = (flags & MSG_PEEK) !== 0 ? reader.peek() : reader.read();
    if (datagram === undefined) return this.#nothingToRead(socket);
    fill(address, datagram.from);
    into.set(datagram.data.subarray(0, into.length));
    return (flags & MSG_TRUNC) !== 0 ? datagram.data.length : Math.min(into.length, datagram.data.length);
  }

  #nothingToRead({ state, errno }: Socket): number {
    if (state === 'ended') return 0;
    throw new SocketError(state === 'failed' ? (errno ?? 'EIO') : 'EWOULDBLOCK');
  }

  #readiness(fd: number, events: number): number {
    const socket = this.#live(fd);
    if (socket === undefined) return POLLNVAL;
    const { state, reader, writer, children } = socket;
    const waiting = reader instanceof DatagramReader ? reader.waiting : reader.available;
    let ready = 0;
    if (waiting > 0 || (state === 'listening' && children.length > 0)) ready |= POLLIN;
    const sends = state === 'connected' || (socket.kind === 'datagram' && state === 'open');
    if (sends && writer.room > 0) ready |= POLLOUT;
    ready &= events;
    if (state === 'ended') ready |= POLLHUP;
    if (state === 'failed') ready |= POLLERR;
    return ready;
  }

  #name(fd: number, address: SockAddrOut, of: (socket: Socket) => SockAddr | undefined): number {
    return this.#call('name', fd, (socket) => {
      if (address === undefined || address === null) throw new SocketError('EFAULT');
      const name = of(socket);
      if (name === undefined) throw new SocketError('ENOTCONN');
      fill(address, name);
    });
  }

  #live(fd: number): Socket | undefined {
    const socket = this.#byFd.get(fd);
    return socket?.state === 'closing' ? undefined : socket;
  }

  /** The socket, if the function may go on with it. */
  #require(call: Call, fd: number): Socket {
    const socket = this.#live(fd);
    if (socket === undefined) throw new SocketError(badDescriptor(call));
    const verdict = socket.allows(call);
    if (verdict === 'go') return socket;
    throw new SocketError(verdict === 'error' || verdict === 'done' ? (socket.errno ?? 'EIO') : verdict);
  }

  #call(call: Call, fd: number, action: (socket: Socket) => void): number {
    return this.#answer(() => {
      if (this.#live(fd)?.allows(call) === 'done') return 0;
      action(this.#require(call, fd));
      return 0;
    });
  }

  #answer(action: () => number): number {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.errno = Errno[error.errno];
      return -1;
    }
  }

  #give(socket: Socket, full: ErrnoName): void {
    for (let fd = 1; fd <= this.#maxSockets; fd++) {
      if (this.#byFd.has(fd)) continue;
      socket.fd = fd;
      this.#byFd.set(fd, socket);
      return;
    }
    throw new SocketError(full);
  }

  #forget(socket: Socket): void {
    const { fd, id } = socket;
    if (id !== undefined && this.#byId.get(id) === socket) this.#byId.delete(id);
    if (fd === 0) return;
    this.#byFd.delete(fd);
    const watcher = this.#watchers.get(fd);
    this.#watchers.delete(fd);
    watcher?.(fd, SocketEvent.CLOSE, SocketStatus.OK);
    this.#callback?.(fd, SocketEvent.CLOSE, SocketStatus.OK);
  }

  /** A connection nobody has accepted yet has no descriptor to tell of. */
  #tell(fd: number, event: SocketEvent, status: SocketStatus): void {
    if (fd === 0) return;
    this.#watchers.get(fd)?.(fd, event, status);
    this.#callback?.(fd, event, status);
  }

  #listen(): (() => void)[] {
    const { module } = this;
    const find = (id: number) => this.#byId.get(id);
    return [
      module.on('SOCKIND', ({ elements }) => {
        const local = addressOf(String(elements.lclAddr), elements.lclPort);
        const remote = addressOf(String(elements.rmtAddr), elements.rmtPort);
        const socket = find(elements.sockId);
        if (socket === undefined) this.#incoming(elements.sockId, local, remote);
        else socket.established(local, remote);
      }),
      module.on('SOCKRXT', (event) => {
        const reader = find(event.elements.sockId)?.reader;
        if (!(reader instanceof StreamReader)) return;
        if (event.form === 'TCP_RECEIVE_POLLED') reader.announce(event.elements.pendData);
        else if (event.form === 'TCP_RECEIVE_ASYNC') reader.arrive(event.elements.data, undefined);
        else reader.arrive(event.elements.data, event.elements.seqNum);
      }),
      module.on('SOCKRXU', (event) => {
        const reader = find(event.elements.sockId)?.reader;
        if (!(reader instanceof DatagramReader)) return;
        const { elements } = event;
        if (!('data' in elements)) reader.announce(elements.pendData);
        else {
          const from = addressOf(String(elements.rmtAddr), elements.rmtPort);
          reader.arrive(elements.data, from, 'seqNum' in elements ? elements.seqNum : undefined);
        }
      }),
      module.on('SOCKCL', ({ elements }) => find(elements.sockId)?.peerClosed()),
      module.on('SOCKTLS', ({ elements }) => find(elements.sockId)?.secured()),
      module.on('SOCKERR', ({ elements }) =>
        find(elements.sockId)?.fail(statusError('The socket', elements.errorCode)),
      ),
      module.on('failed', ({ command, code }) => this.#failedLater(command, code)),
      module.on('resync', () => {
        for (const socket of this.#byId.values()) socket.reader.recheck();
      }),
      module.on('reset', () => this.#failAll(new WincError('WINC_MODULE_RESET', 'The module restarted.'))),
      module.on('close', (error) => {
        this.#gone = error ?? new WincError('WINC_CLOSED', 'The module was closed.');
        this.#failAll(this.#gone);
      }),
    ];
  }

  /** A connection for whoever listens on that port. */
  #incoming(id: number, local: SockAddr, remote: SockAddr): void {
    // It may come in the same breath as the status of the command that made it listen.
    const listener = [...this.#byFd.values()].find(
      ({ state, local: own }) => (state === 'listening' || state === 'starting') && own?.port === local.port,
    );
    if (listener === undefined || listener.children.length >= SOMAXCONN) {
      this.module.call('SOCKCL', { sockId: id }).catch(() => {});
      return;
    }
    const child = new Socket(this.#owner, {
      ...this.#buffers,
      family: listener.family,
      kind: 'stream',
      tls: listener.tls,
      asyncMode: listener.reader.mode,
    });
    child.adopt(id, local, remote);
    listener.children.push(child);
    this.#tell(listener.fd, SocketEvent.CONNECT_REQ, SocketStatus.OK);
  }

  /** `+SOCKBR:ERROR…` names no socket: it can only be the one that has waited longest. */
  #failedLater(command: string | undefined, code: number): void {
    const states =
      command === 'SOCKBR' ? ['connecting'] : command === 'SOCKBL' ? ['starting', 'binding'] : [];
    const socket = [...this.#byFd.values()].find(({ state }) => states.includes(state));
    socket?.fail(statusError(command, code < 0 ? StatusCode.ERROR : code));
  }

  #failAll(error: Error): void {
    const sockets = new Set([...this.#byFd.values(), ...this.#byId.values()]);
    this.#byId.clear();
    for (const socket of sockets) socket.fail(error);
  }
}

const known = new WeakMap<WincModule, BsdSockets>();

/** The sockets of a module: one table, whoever asks. */
export function socketsOf(module: WincModule): BsdSockets {
  const sockets = known.get(module) ?? new BsdSockets(module);
  known.set(module, sockets);
  return sockets;
}
