/**
 * One socket: its state, its two halves, and the commands that move it on. It knows nothing of descriptors.
 */
import type { TimerHandle, WincModule } from '../driver/index.js';
import { IpVersion, Protocol } from '../driver/protocol/catalogue/socket.js';
import { StatusCode, statusError, WincError } from '../driver/protocol/index.js';
import { anyAddress, type Family, type SockAddr } from './address.js';
import {
  AsyncMode,
  MAX_TCP_PAYLOAD,
  MAX_UDP_PAYLOAD,
  SOMAXCONN,
  SocketEvent,
  SocketStatus,
} from './constants.js';
import { type ErrnoName, SocketError } from './errno.js';
import type { Setting } from './options.js';
import { DatagramReader, type ReaderHooks, StreamReader } from './reader.js';
import { type Call, type Input, type State, transition, type Verdict, verdict } from './state.js';
import { DatagramWriter, StreamWriter, type WriterHooks } from './writer.js';

export interface SocketOptions {
  readonly family: Family;
  readonly kind: 'stream' | 'datagram';
  readonly tls: boolean;
  readonly asyncMode: AsyncMode;
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
}

export interface SocketOwner {
  readonly module: WincModule;
  /** The module gave the socket its number. */
  opened(socket: Socket, id: number): void;
  event(socket: Socket, event: SocketEvent, status: SocketStatus): void;
  /** It is gone at the module too. */
  closed(socket: Socket): void;
}

/** What a failure of the module's means to a Berkeley program. */
const errnoOf: Readonly<Record<number, ErrnoName>> = {
  [StatusCode.SOCKET_CONNECT_FAILED]: 'ECONNREFUSED',
  [StatusCode.SOCKET_BIND_FAILED]: 'EADDRINUSE',
  [StatusCode.SOCKET_TLS_FAILED]: 'EPROTO',
  [StatusCode.NO_FREE_SOCKETS]: 'ENFILE',
  [StatusCode.SOCKET_REMOTE_NOT_SET]: 'EDESTADDRREQ',
  [StatusCode.STA_NOT_CONNECTED]: 'ENETDOWN',
  [StatusCode.NETWORK_INTF_DOWN]: 'ENETDOWN',
  [StatusCode.INVALID_PARAMETER]: 'EINVAL',
};

function errnoFor(error: Error, established: boolean): ErrnoName {
  const { code, status } = error as WincError;
  if (code === 'WINC_MODULE_RESET') return 'ENETRESET';
  if (code === 'WINC_BUSY') return 'ENOMEM';
  if (code === 'WINC_ARGUMENT') return 'EBADMSG';
  if (code === 'WINC_DATA_LOST') return 'ENOBUFS';
  if (code === 'WINC_CONNECT_TIMEOUT') return 'ETIMEDOUT';
  if (code !== 'WINC_STATUS' || status === undefined) return code === 'WINC_TIMEOUT' ? 'EIO' : 'ENETDOWN';
  return errnoOf[status] ?? (established ? 'ECONNRESET' : 'EIO');
}

/** A connection that has not come about in this time never will, ms. */
const CONNECT_TIMEOUT_MS = 120_000;
/** What is left to send when a socket is shut down has this long, ms. */
const FLUSH_TIMEOUT_MS = 30_000;

export class Socket {
  readonly kind: 'stream' | 'datagram';
  readonly family: Family;
  readonly tls: boolean;
  /** Connections of a listening socket that wait for `accept`. */
  readonly children: Socket[] = [];
  readonly reader: StreamReader | DatagramReader;
  readonly writer: StreamWriter | DatagramWriter;
  /** The descriptor; 0: it has none yet. */
  fd = 0;
  local: SockAddr | undefined;
  remote: SockAddr | undefined;
  /** Why it failed. */
  failure: Error | undefined;
  errno: ErrnoName | undefined;
  readonly #owner: SocketOwner;
  #state: State = 'opening';
  #id: number | undefined;
  #tlsIndex: number | undefined;
  /** Options set before the module knew the socket. */
  #early: Setting[] = [];
  #boundTo: SockAddr | undefined;
  #connectTimer: TimerHandle | undefined;
  #closing = false;

  constructor(owner: SocketOwner, options: SocketOptions) {
    this.#owner = owner;
    const { kind, family, receiveBuffer, sendBuffer } = options;
    this.kind = kind;
    this.family = family;
    this.tls = options.tls;
    const { module } = owner;
    const readerHooks: ReaderHooks = {
      received: () => this.#tell(SocketEvent.RECV),
      failed: (error) => this.fail(error),
    };
    const writerHooks: WriterHooks = {
      sent: () => this.#tell(SocketEvent.SEND),
      refused: () => this.#tell(SocketEvent.SEND, SocketStatus.ERROR),
      failed: (error) => this.fail(error),
    };
    if (kind === 'stream') {
      this.reader = new StreamReader(module, readerHooks, receiveBuffer);
      this.writer = new StreamWriter(module, writerHooks, sendBuffer, MAX_TCP_PAYLOAD[family]);
    } else {
      this.reader = new DatagramReader(module, readerHooks, receiveBuffer);
      this.writer = new DatagramWriter(module, writerHooks, sendBuffer);
    }
    this.reader.setMode(options.asyncMode);
  }

  get state(): State {
    return this.#state;
  }

  /** Where a datagram socket was bound to. */
  get boundTo(): SockAddr | undefined {
    return this.#boundTo;
  }

  get id(): number | undefined {
    return this.#id;
  }

  /** Largest datagram. */
  get maxDatagram(): number {
    return MAX_UDP_PAYLOAD[this.family];
  }

  allows(call: Call): Verdict {
    return verdict(this.kind, call, this.#state);
  }

  /** `socket()`: asks the module for it. */
  open(): void {
    const { module } = this.#owner;
    const protocol = this.kind === 'stream' ? Protocol.TCP : Protocol.UDP;
    const protocolVersion = this.family === 4 ? IpVersion.IPV4 : IpVersion.IPV6;
    void this.#guard(async () => {
      const [response] = await module.call('SOCKO', { protocol, protocolVersion });
      const id = response?.elements.sockId;
      if (id === undefined)
        throw new WincError('WINC_PROTOCOL', 'The module opened a socket and did not say which.');
      this.#id = id;
      this.#owner.opened(this, id);
      if (this.reader.mode !== AsyncMode.OFF) await this.#applyMode();
      for (const setting of this.#early.splice(0)) await this.#configure(() => this.#apply(setting));
      if (!this.#go('opened')) return;
      if (this.kind === 'datagram') this.#startHalves();
      this.#tell(SocketEvent.OPEN);
    });
  }

  /** A connection of a listening socket: it exists already, with the listener's read mode. */
  adopt(id: number, local: SockAddr, remote: SockAddr): void {
    this.#id = id;
    this.#owner.opened(this, id);
    this.#go('opened');
    this.#go('connect');
    this.established(local, remote);
  }

  set(setting: Setting): void {
    if (setting.kind === 'tls') this.#tlsIndex = setting.index;
    else if (setting.kind === 'asyncMode') {
      this.reader.setMode(setting.mode);
      if (this.#id !== undefined) void this.#configure(() => this.#applyMode());
    } else if (this.#id === undefined) this.#early.push(setting);
    else void this.#configure(() => this.#apply(setting));
  }

  /** @throws SocketError `EAGAIN` (a datagram socket waits for the module) */
  bind(address: SockAddr): void {
    if (this.kind === 'stream') {
      this.local = address;
      return;
    }
    if (this.#boundTo !== undefined) return;
    this.#boundTo = address;
    this.#go('bind');
    void this.#guard(async () => {
      await this.#owner.module.call('SOCKBL', { sockId: this.#id as number, lclPort: address.port });
      this.local = { ...address, address: anyAddress(this.family) };
      if (this.#go('ready')) this.#tell(SocketEvent.LISTEN);
    });
    throw new SocketError('EAGAIN');
  }

  /** @throws SocketError `EADDRINUSE` (not bound), `EAGAIN` (waits for the module) */
  listen(backlog: number): void {
    const { local } = this;
    if (local === undefined) throw new SocketError('EADDRINUSE');
    const pendSkts = Math.min(Math.max(Math.trunc(backlog), 1), SOMAXCONN);
    this.#requireTls();
    this.#go('listen');
    void this.#guard(async () => {
      await this.#startTls();
      await this.#owner.module.call('SOCKBL', { sockId: this.#id as number, lclPort: local.port, pendSkts });
      if (this.#go('listens')) this.#tell(SocketEvent.LISTEN);
    });
    throw new SocketError('EAGAIN');
  }

  /** @throws SocketError `EINPROGRESS`; `EISCONN` for a datagram socket that has a peer */
  connect(address: SockAddr): void {
    if (this.kind === 'datagram' && this.remote !== undefined) throw new SocketError('EISCONN');
    this.#requireTls();
    this.#go('connect');
    const { module } = this.#owner;
    const { address: rmtAddr, port: rmtPort } = address;
    void this.#guard(async () => {
      await this.#startTls();
      await module.call('SOCKBR', { sockId: this.#id as number, rmtAddr, rmtPort });
      if (this.kind === 'datagram') {
        this.remote = address;
        if (this.#go('ready')) this.#tell(SocketEvent.CONNECT);
      }
    });
    if (this.kind === 'stream') {
      const late = () => this.fail(new WincError('WINC_CONNECT_TIMEOUT', 'The peer did not answer.'));
      this.#connectTimer = module.clock.setTimer(late, CONNECT_TIMEOUT_MS);
    }
    throw new SocketError('EINPROGRESS');
  }

  /** `SOCKIND` for this socket. */
  established(local: SockAddr, remote: SockAddr): void {
    if (this.#state !== 'connecting') return;
    this.local = local;
    this.remote = remote;
    this.#go(this.tls ? 'securing' : 'established');
    if (!this.tls) this.#startHalves();
    this.#tell(SocketEvent.CONNECT);
  }

  /** `SOCKTLS` for this socket. */
  secured(): void {
    if (!this.#go('secured')) return;
    this.#startHalves();
    this.#tell(SocketEvent.TLS_CONNECT);
  }

  /** `SOCKCL` for this socket: the end, once everything sent before it is here. */
  peerClosed(): void {
    if (this.#state === 'connecting' || this.#state === 'securing') {
      this.fail(statusError('SOCKBR', StatusCode.SOCKET_CONNECT_FAILED));
      return;
    }
    this.reader.end(() => {
      if (this.#go('peerClosed')) this.#tell(SocketEvent.DISCONNECT);
    });
  }

  fail(error: Error): void {
    const before = this.#state;
    if (before === 'closing') {
      this.failure ??= error;
      this.#close();
      return;
    }
    if (!this.#go('fail')) return;
    const established = before === 'connected' || before === 'ended';
    this.failure = error;
    this.errno = errnoFor(error, established);
    this.reader.stop();
    this.writer.stop();
    this.#tell(SocketEvent.ERROR, SocketStatus.ERROR);
  }

  /** `shutdown()`: what was sent still goes out, then the module closes it. */
  shutdown(): void {
    const { module } = this.#owner;
    const flushes = this.#state === 'connected' || this.#state === 'open';
    this.#go('shutdown');
    this.reader.stop();
    for (const child of this.children.splice(0)) child.shutdown();
    if (!flushes) {
      this.#close();
      return;
    }
    const timer = module.clock.setTimer(() => this.writer.stop(), FLUSH_TIMEOUT_MS);
    this.writer.whenIdle(() => {
      timer.cancel();
      this.#close();
    });
  }

  #close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.writer.stop();
    const gone = () => {
      this.#go('closed');
      this.#owner.closed(this);
    };
    const sockId = this.#id;
    // Of one the module never opened, or lost, there is nothing to close; that it is gone is all that matters.
    if (sockId === undefined || this.errno === 'ENETRESET') queueMicrotask(gone);
    else this.#owner.module.call('SOCKCL', { sockId }).then(gone, gone);
  }

  #startHalves(): void {
    const id = this.#id as number;
    this.writer.start(id);
    this.reader.start(id);
  }

  #requireTls(): void {
    if (this.tls && this.#tlsIndex === undefined) throw new SocketError('EINVAL');
  }

  async #startTls(): Promise<void> {
    if (this.#tlsIndex === undefined) return;
    await this.#owner.module.call('SOCKTLS', { sockId: this.#id as number, tlsConf: this.#tlsIndex });
  }

  async #applyMode(): Promise<void> {
    const frame = this.kind === 'stream' ? MAX_TCP_PAYLOAD[this.family] : this.maxDatagram;
    for (const [id, val] of this.reader.settingsFor(this.reader.mode, frame)) {
      await this.#owner.module.call('SOCKC', { sockId: this.#id as number, id, val });
    }
  }

  async #apply(setting: Setting): Promise<void> {
    const { module } = this.#owner;
    const sockId = this.#id as number;
    if (setting.kind === 'config') {
      await module.call('SOCKC', { sockId, id: setting.id, val: setting.value });
    } else if (setting.kind === 'group') {
      const mcastPort = (this.#boundTo as SockAddr).port;
      await module.call('SOCKBM', { sockId, mcastAddr: setting.address, mcastPort });
    }
  }

  /** Runs commands in the background; their failure is the socket's. */
  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** As `#guard`, but an option the module refuses leaves the socket as it is. */
  #configure(work: () => Promise<void>): Promise<void> {
    return work().catch((error: WincError) => {
      if (error.code === 'WINC_STATUS') this.#tell(SocketEvent.ERROR, SocketStatus.ERROR);
      else this.fail(error);
    });
  }

  #go(input: Input): boolean {
    const next = transition(this.#state, input);
    if (next === undefined) return false;
    this.#state = next;
    if (next !== 'connecting' && next !== 'securing') this.#connectTimer?.cancel();
    return true;
  }

  #tell(event: SocketEvent, status: SocketStatus = SocketStatus.OK): void {
    this.#owner.event(this, event, status);
  }
}
