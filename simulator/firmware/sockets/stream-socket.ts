/** A TCP socket of the module. It outlives its connection: the id is the host's until SOCKCL. */
import { StatusCode, type StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { Endpoint, TcpHandler, TimerHandle } from '../../tcpip/contract.js';
import { StackError } from '../../tcpip/errors.js';
import type { Board } from '../board.js';
import type { ModuleConnection } from '../module-stack.js';
import { type Channel, plainChannel } from './channel.js';
import { endGently } from './end-gently.js';
import { applyOptions, type SocketConfig, socketConfig } from './options.js';
import { StreamReceiver } from './stream-receiver.js';

/** How long connecting may take, as in the ancestor's source. */
const CONNECT_TIMEOUT = 10_000;

type State = 'new' | 'connecting' | 'securing' | 'connected' | 'closed';

export class StreamSocket {
  readonly protocol = 'tcp';
  readonly id: number;
  readonly family: 4 | 6 | undefined;
  readonly config: SocketConfig;
  readonly #board: Board;
  readonly #receiver: StreamReceiver;
  #state: State = 'new';
  #connection: ModuleConnection | undefined;
  /** Once bytes may flow. */
  #channel: Channel | undefined;
  #tls = 0;
  #role: 'client' | 'server' = 'client';
  #timer: TimerHandle | undefined;
  /** Sequence number of the next byte the host writes. */
  #written = 0;
  /** Counts connection attempts, so that a late answer of the resolver finds nobody. */
  #attempt = 0;

  constructor(board: Board, id: number, family: 4 | 6 | undefined) {
    this.#board = board;
    this.id = id;
    this.family = family;
    this.config = socketConfig((param) => this.#configured(param));
    this.#receiver = new StreamReceiver(board, id, this.config);
  }

  /** Nothing was done with it since SOCKO. */
  get fresh(): boolean {
    return this.#state === 'new';
  }
  /** Its connection is over: only the id is still taken. */
  get finished(): boolean {
    return this.#state === 'closed';
  }
  /** Its TLS configuration, 1 to 4; 0: none. */
  get tls(): number {
    return this.#tls;
  }
  get remote(): Endpoint | undefined {
    return this.#connection?.remote;
  }
  get localPort(): number {
    return this.#connection?.local.port ?? 0;
  }

  /** SOCKBR: the outcome is an event. */
  connect(host: string, port: number): StatusName | undefined {
    if (this.#state !== 'new') return 'SOCKET_BIND_FAILED';
    if (!this.#board.network.up) return 'NETWORK_INTF_DOWN';
    this.#state = 'connecting';
    const attempt = ++this.#attempt;
    this.#board.resolver.lookup(host, this.family, (result) => {
      if (this.#state !== 'connecting' || this.#attempt !== attempt) return;
      if (result in StatusCode) this.#failed(result as StatusName);
      else this.#open({ address: result, port });
    });
    return undefined;
  }

  /**
   * SOCKTLS: with a configuration for the connection to come, or secures the one that stands.
   * @param index  1 to 4; 0: no TLS
   */
  secure(index: number): StatusName | undefined {
    if (this.#state === 'new' || this.#state === 'connecting') {
      this.#tls = index;
      return undefined;
    }
    if (this.#state !== 'connected' || this.#tls !== 0) return 'SOCKET_TLS_FAILED';
    this.#tls = index;
    const connection = this.#connection as ModuleConnection;
    if (index !== 0) this.#board.afterStatus(() => this.#startTls(connection));
    return undefined;
  }

  /**
   * A connection a listener accepted; its handler's `connected` is called next.
   * @param tls  the listener's TLS configuration; 0: none
   */
  adopt(connection: ModuleConnection, tls: number): TcpHandler {
    this.#connection = connection;
    this.#tls = tls;
    this.#role = 'server';
    connection.handler = this.#handler(connection);
    applyOptions(this.config, connection);
    return connection.handler;
  }

  /** SOCKWR: all or nothing. */
  write(data: Uint8Array, sequence: number | undefined): StatusName | undefined {
    const refusal = this.refuses(data.length, sequence);
    if (refusal !== undefined) return refusal;
    this.#channel?.write(data);
    this.#written = (this.#written + data.length) & 0xffff;
    return undefined;
  }

  /**
   * Why so many bytes could not be written now. A write refused for want of room moves the sequence number no further:
   * those the host sent behind it are refused for their numbers, until it comes back to the refused one.
   */
  refuses(length: number, sequence: number | undefined): StatusName | undefined {
    if (this.#state === 'closed') return 'SOCKET_SEND_FAILED';
    if (this.#state !== 'connected' || this.#channel === undefined) return 'SOCKET_NOT_READY';
    if (sequence !== undefined && sequence !== this.#written) return 'SOCKET_SEQUENCE_ERROR';
    return this.#channel.writable < length ? 'SOCKET_NOT_READY' : undefined;
  }

  read(length: number, inBand: boolean): Uint8Array | StatusName {
    if (this.#connection === undefined) return 'SOCKET_NOT_READY';
    const data = this.#receiver.read(length, inBand);
    this.#board.afterStatus(() => this.#receiver.pump());
    return data;
  }

  get readable(): number {
    return this.#receiver.readable;
  }

  /** The host takes output again. */
  drained(): void {
    this.#receiver.pump();
  }

  /** The network went away under the socket. */
  networkDown(): void {
    if (this.#state === 'new' || this.#state === 'closed') return;
    this.#timer?.cancel();
    this.#abort();
    this.#receiver.detach();
    this.#state = 'closed';
    this.#report('NETWORK_INTF_DOWN');
  }

  /** SOCKCL, command. What was written still goes out; what comes in is thrown away. */
  close(): void {
    this.#timer?.cancel();
    const state = this.#state;
    this.#state = 'closed';
    this.#attempt++;
    this.#receiver.detach();
    if (state === 'connected') this.#channel?.close();
    else if (state !== 'closed') this.#abort();
  }

  #abort(): void {
    if (this.#channel !== undefined) this.#channel.abort();
    else if (this.#connection !== undefined) {
      this.#connection.handler = {};
      this.#connection.abort();
    }
  }

  #open(remote: Endpoint): void {
    try {
      // Callbacks never come from inside the call that makes the connection.
      const handler: TcpHandler = {};
      const connection = this.#board.network.stack.tcpConnect(remote, handler);
      this.#connection = connection;
      connection.handler = this.#handler(connection);
      applyOptions(this.config, connection);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      this.#failed('SOCKET_CONNECT_FAILED');
      return;
    }
    this.#timer = this.#board.clock.setTimer(() => {
      this.#connection?.abort();
      this.#failed('SOCKET_CONNECT_FAILED');
    }, CONNECT_TIMEOUT);
  }

  #handler(connection: ModuleConnection): TcpHandler {
    return {
      connected: () => {
        this.#timer?.cancel();
        this.#established(connection);
      },
      readable: () => this.#receiver.pump(),
      closed: () => this.#connectionClosed(),
    };
  }

  #established(connection: ModuleConnection): void {
    this.#state = 'connected';
    this.#board.emit({
      name: 'SOCKIND',
      form: 'TCP_CONNECTION_ESTABLISHED',
      elements: {
        sockId: this.id,
        lclAddr: connection.local.address,
        lclPort: connection.local.port,
        rmtAddr: connection.remote.address,
        rmtPort: connection.remote.port,
      },
    });
    if (this.#tls !== 0) this.#startTls(connection);
    else this.#flow(plainChannel(connection, this.#board.clock));
  }

  #flow(channel: Channel): void {
    this.#channel = channel;
    this.#receiver.attach(channel);
  }

  #startTls(connection: ModuleConnection): void {
    if (this.#state !== 'connected') return;
    this.#state = 'securing';
    this.#receiver.detach();
    const channel = this.#board.tls.secure(connection, this.#tls, {
      role: this.#role,
      receiveBuffer: () => this.config.number('SO_RCVBUF'),
      sendBuffer: () => this.config.number('SO_SNDBUF'),
      secured: () => {
        this.#state = 'connected';
        this.#board.emit({ name: 'SOCKTLS', form: 'TLS_SUCCEED', elements: { sockId: this.id } });
        this.#receiver.attach(this.#channel as Channel);
      },
      failed: () => {
        this.#state = 'closed';
        this.#report('SOCKET_TLS_FAILED');
      },
      readable: () => this.#receiver.pump(),
      closed: () => this.#connectionClosed(),
    });
    if (channel === undefined) endGently(connection, this.#board.clock);
    this.#channel = channel;
  }

  /** However a connection ends, the host may read what came before, and is told SOCKCL, as in the ancestor. */
  #connectionClosed(): void {
    if (this.#state === 'connecting') this.#failed('SOCKET_CONNECT_FAILED');
    else if (this.#state === 'connected') {
      this.#state = 'closed';
      this.#receiver.pump();
    }
  }

  /** Back to a socket that may try again. */
  #failed(status: StatusName): void {
    this.#timer?.cancel();
    const connection = this.#connection;
    if (connection !== undefined) connection.handler = {};
    this.#connection = undefined;
    this.#state = 'new';
    this.#report(status);
  }

  #report(status: StatusName): void {
    this.#board.emit({
      name: 'SOCKERR',
      form: 'TCP_BIND_FAILED',
      elements: { sockId: this.id, errorCode: StatusCode[status] },
    });
  }

  #configured(param: string | undefined): void {
    if (param?.startsWith('ASYNC_')) this.#board.afterStatus(() => this.#receiver.pump());
    else if (this.#state === 'connected' || this.#state === 'securing') {
      applyOptions(this.config, this.#connection as ModuleConnection);
    }
  }
}
