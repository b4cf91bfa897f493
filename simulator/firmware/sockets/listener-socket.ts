/** A listening TCP socket. Every connection becomes a socket of its own, configured as this one. */
import type { StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { TcpHandler, TcpListener } from '../../tcpip/contract.js';
import { StackError } from '../../tcpip/errors.js';
import type { Board } from '../board.js';
import type { ModuleConnection } from '../module-stack.js';
import type { SocketConfig } from './options.js';

export class ListenerSocket {
  readonly protocol = 'tcp';
  readonly id: number;
  readonly family: 4 | 6 | undefined;
  readonly config: SocketConfig;
  readonly remote = undefined;
  readonly finished = false;
  /** TLS configuration of the connections to come; 0: none. */
  tls: number;
  #listener: TcpListener | undefined;

  /** @param config  and `tls` of the socket SOCKBL turned into this listener */
  constructor(id: number, family: 4 | 6 | undefined, config: SocketConfig, tls: number) {
    this.id = id;
    this.family = family;
    this.config = config;
    this.tls = tls;
  }

  get localPort(): number {
    return this.#listener?.local.port ?? 0;
  }

  /** @param accept answers what handles the connection; undefined resets it */
  listen(
    board: Board,
    port: number,
    backlog: number | undefined,
    accept: (connection: ModuleConnection) => TcpHandler | undefined,
  ): StatusName | undefined {
    try {
      this.#listener = board.network.stack.tcpListen(
        { port },
        accept,
        backlog === undefined ? {} : { backlog },
      );
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      return 'SOCKET_BIND_FAILED';
    }
    return undefined;
  }

  /** SOCKTLS, 0 to 4. */
  secure(index: number): undefined {
    this.tls = index;
  }

  drained(): void {}

  networkDown(): void {}

  /** Connections accepted before live on. */
  close(): void {
    this.#listener?.close();
  }
}
