/** A UDP socket of the module. */
import { StatusCode, type StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { Endpoint, UdpSocket } from '../../tcpip/contract.js';
import { StackError } from '../../tcpip/errors.js';
import type { Board } from '../board.js';
import { DatagramReceiver } from './datagram-receiver.js';
import { type SocketConfig, socketConfig } from './options.js';

export class DatagramSocket {
  readonly protocol = 'udp';
  readonly id: number;
  readonly family: 4 | 6 | undefined;
  readonly config: SocketConfig;
  readonly receiver: DatagramReceiver;
  readonly finished = false;
  readonly #board: Board;
  #socket: UdpSocket | undefined;
  #remote: Endpoint | undefined;
  #resolving = false;
  #closed = false;
  #written = 0;

  constructor(board: Board, id: number, family: 4 | 6 | undefined) {
    this.#board = board;
    this.id = id;
    this.family = family;
    this.config = socketConfig((param) => {
      if (param?.startsWith('ASYNC_')) board.afterStatus(() => this.receiver.pump());
      else this.#socket?.setTrafficClass(this.config.number('IP_TOS'));
    });
    this.receiver = new DatagramReceiver(board, id, this.config);
  }

  get remote(): Endpoint | undefined {
    return this.#remote;
  }
  get localPort(): number {
    return this.#socket?.local.port ?? 0;
  }

  /** SOCKBL. */
  bind(port: number): StatusName | undefined {
    return this.#socket === undefined && this.#bind(port) ? undefined : 'SOCKET_BIND_FAILED';
  }

  /** SOCKBR: where SOCKWR sends to. */
  connect(host: string, port: number): StatusName | undefined {
    if (!this.#bound()) return 'SOCKET_BIND_FAILED';
    this.#resolving = true;
    this.#board.resolver.lookup(host, this.family, (result) => {
      this.#resolving = false;
      if (this.#closed) return;
      if (!(result in StatusCode)) this.#remote = { address: result, port };
      else {
        const errorCode = StatusCode[result as StatusName];
        this.#board.emit({
          name: 'SOCKERR',
          form: 'TCP_BIND_FAILED',
          elements: { sockId: this.id, errorCode },
        });
      }
    });
    return undefined;
  }

  /** SOCKBM. A socket bound before keeps its port. */
  join(group: string, port: number): StatusName | undefined {
    if (this.#socket === undefined && !this.#bind(port)) return 'SOCKET_BIND_FAILED';
    try {
      this.#socket?.join(group);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      return 'MULTICAST_ERROR';
    }
    this.#remote ??= { address: group, port };
    return undefined;
  }

  /** SOCKWR, and SOCKWRTO with a destination: sent at once or not at all. */
  send(data: Uint8Array, sequence: number | undefined, to = this.#remote): StatusName | undefined {
    const refusal = this.refuses(sequence, to);
    if (refusal !== undefined) return refusal;
    try {
      this.#socket?.send(data, to as Endpoint);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      return 'SOCKET_SEND_FAILED';
    }
    this.#written = (this.#written + data.length) & 0xffff;
    return undefined;
  }

  refuses(sequence: number | undefined, to = this.#remote): StatusName | undefined {
    if (to === undefined) return this.#resolving ? 'SOCKET_NOT_READY' : 'SOCKET_REMOTE_NOT_SET';
    if (!this.#bound()) return 'SOCKET_BIND_FAILED';
    return sequence !== undefined && sequence !== this.#written ? 'SOCKET_SEQUENCE_ERROR' : undefined;
  }

  drained(): void {
    this.receiver.pump();
  }

  networkDown(): void {}

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #bound(): boolean {
    return this.#socket !== undefined || this.#bind(undefined);
  }

  #bind(port: number | undefined): boolean {
    try {
      this.#socket = this.#board.network.stack.udpBind(
        port === undefined ? {} : { port },
        { message: (data, from) => this.receiver.receive(data, from) },
        { broadcast: true },
      );
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      return false;
    }
    this.#socket.setTrafficClass(this.config.number('IP_TOS'));
    return true;
  }
}
