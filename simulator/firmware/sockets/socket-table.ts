/** The module's sockets by id. */
import type { StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { Board } from '../board.js';
import { DatagramSocket } from './datagram-socket.js';
import { ListenerSocket } from './listener-socket.js';
import { inherit } from './options.js';
import { StreamSocket } from './stream-socket.js';

export type ModuleSocket = StreamSocket | ListenerSocket | DatagramSocket;

/** Of each protocol, listeners included; sockets whose connection is over do not count. */
const MAX_SOCKETS = 10;
/** Ids kept for hosts that have not closed them yet. */
const MAX_FINISHED = 16;

export class SocketTable {
  readonly #board: Board;
  readonly #sockets = new Map<number, ModuleSocket>();
  #nextId: number;

  constructor(board: Board) {
    this.#board = board;
    this.#nextId = 1 + Math.floor(board.random() * 0x8000);
    board.onDrained(() => {
      for (const socket of this.#sockets.values()) socket.drained();
    });
    board.network.observers.push({
      down: () => {
        for (const socket of this.#sockets.values()) socket.networkDown();
      },
    });
  }

  open(protocol: 'tcp' | 'udp', family: 4 | 6 | undefined): ModuleSocket | undefined {
    const alive = [...this.#sockets.values()].filter(
      (socket) => socket.protocol === protocol && !socket.finished,
    );
    if (alive.length >= MAX_SOCKETS) return undefined;
    this.#dropFinished();
    const id = this.#freshId();
    const socket =
      protocol === 'tcp'
        ? new StreamSocket(this.#board, id, family)
        : new DatagramSocket(this.#board, id, family);
    this.#sockets.set(id, socket);
    return socket;
  }

  find(id: number): ModuleSocket | undefined {
    return this.#sockets.get(id);
  }

  all(): Iterable<ModuleSocket> {
    return this.#sockets.values();
  }

  /** SOCKBL on a socket nothing was done with yet. */
  listen(socket: StreamSocket, port: number, backlog: number | undefined): StatusName | undefined {
    const listener = new ListenerSocket(socket.id, socket.family, socket.config, socket.tls);
    const refusal = listener.listen(this.#board, port, backlog, (connection) => {
      const child = this.open('tcp', socket.family);
      if (!(child instanceof StreamSocket)) return undefined;
      inherit(listener.config, child.config);
      return child.adopt(connection, listener.tls);
    });
    if (refusal === undefined) this.#sockets.set(socket.id, listener);
    return refusal;
  }

  close(socket: ModuleSocket): void {
    this.#sockets.delete(socket.id);
    socket.close();
  }

  #freshId(): number {
    do {
      this.#nextId = this.#nextId >= 0xffff ? 1 : this.#nextId + 1;
    } while (this.#sockets.has(this.#nextId));
    return this.#nextId;
  }

  /** A host that never closes what its peer closed must not use up the memory. */
  #dropFinished(): void {
    const finished = [...this.#sockets.values()].filter((socket) => socket.finished);
    for (const socket of finished.slice(0, Math.max(0, finished.length - MAX_FINISHED))) this.close(socket);
  }
}
