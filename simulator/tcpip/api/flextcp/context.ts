/** The application's side, in any thread that has a context descriptor. No function waits; -1 says that it cannot be done. */
import { Address, formatAddress, parseAddress } from '../../core/address.js';
import { Command, handlesPerContext, Notice, queueRecords, type Rings } from './protocol.js';
import { SharedQueue } from './queue.js';
import type { ContextDescriptor } from './service.js';

export type FlextcpEvent =
  | { readonly type: 'LISTEN_OPEN'; readonly status: number; readonly listener: FlextcpListener }
  | {
      readonly type: 'LISTEN_NEWCONN';
      readonly listener: FlextcpListener;
      readonly remoteIp: string;
      readonly remotePort: number;
    }
  | {
      readonly type: 'LISTEN_ACCEPT';
      readonly status: number;
      readonly listener: FlextcpListener;
      readonly connection: FlextcpConnection;
    }
  | {
      readonly type: 'CONN_OPEN' | 'CONN_CLOSED';
      readonly status: number;
      readonly connection: FlextcpConnection;
    }
  /** `buffer` is the received data itself; it stays until `rxDone` frees it. */
  | { readonly type: 'CONN_RECEIVED'; readonly connection: FlextcpConnection; readonly buffer: Uint8Array }
  | {
      readonly type: 'CONN_SENDBUF' | 'CONN_RXCLOSED' | 'CONN_TXCLOSED' | 'CONN_MOVED';
      readonly connection: FlextcpConnection;
    };

const noRings: Rings = { receiveOffset: 0, receiveSize: 0, sendOffset: 0, sendSize: 0 };

/** A connection's handle, the caller's to make; used once. */
export class FlextcpConnection {
  /** @internal 0: not used yet. */
  id = 0;
  /** @internal */
  context: FlextcpContext | undefined;
  /** @internal */
  rings: Rings = noRings;
  /** @internal Totals modulo 2^32. */
  done = 0;
  /** @internal */
  received = 0;
  /** @internal Sent or allocated for it. */
  allocated = 0;
  /** @internal */
  sent = 0;
  /** @internal */
  acknowledged = 0;
  /** @internal No more may be sent. */
  sendClosed = false;
  /** @internal CONN_RXCLOSED and CONN_TXCLOSED have been polled. */
  receiveEnded = false;
  /** @internal */
  sendEnded = false;
  /** Free for the user. */
  opaque: unknown;
  remoteIp = '';
  remotePort = 0;
  localPort = 0;
}

export class FlextcpListener {
  /** @internal */
  id = 0;
  /** Free for the user. */
  opaque: unknown;
}

/** Per-thread state of the API: one pair of queues. Only one thread may use it. */
export class FlextcpContext {
  readonly number: number;
  /** Called once after `poll` came back empty and there is something again. Keeps the event loop alive while set. */
  onReady: (() => void) | undefined;
  readonly #memory: SharedArrayBuffer;
  readonly #commands: SharedQueue;
  readonly #notices: SharedQueue;
  readonly #port: ContextDescriptor['port'];
  readonly #connections = new Map<number, FlextcpConnection>();
  readonly #listeners = new Map<number, FlextcpListener>();
  #nextHandle = 1;

  constructor(descriptor: ContextDescriptor) {
    const { number, memory, commandsOffset, noticesOffset, port } = descriptor;
    this.number = number;
    this.#memory = memory;
    this.#commands = new SharedQueue(memory, commandsOffset, queueRecords);
    this.#notices = new SharedQueue(memory, noticesOffset, queueRecords);
    this.#port = port;
    port.on('message', () => this.onReady?.());
  }

  /** The thread does not need its context any more. */
  close(): void {
    this.#port.close();
  }

  /** At most `max` events. Handles in them are the caller's own, but in CONN_MOVED from another thread. */
  poll(max: number): FlextcpEvent[] {
    const events: FlextcpEvent[] = [];
    let tell = false;
    while (events.length < max) {
      const record = this.#notices.front();
      if (record === undefined) {
        if (this.#notices.sleep()) break;
        continue;
      }
      const event = this.#event(record);
      if (this.#notices.shift()) tell = true;
      if (event !== undefined) events.push(event);
    }
    if (tell) this.#port.postMessage(0);
    return events;
  }

  /** Blocks the thread until there are events, at most `timeoutMs`. Not on a main thread. */
  block(timeoutMs: number): boolean {
    return this.#notices.wait(timeoutMs);
  }

  /** Event CONN_OPEN follows. */
  connectionOpen(connection: FlextcpConnection, dstIp: string, dstPort: number): number {
    const address = parseAddress(dstIp);
    if (connection.id !== 0 || address === undefined || !(dstPort > 0 && dstPort < 65_536)) return -1;
    const record = this.#commands.slot();
    if (record === undefined) return -1;
    this.#register(connection);
    record.set([Command.CONNECTION_OPEN, connection.id, address.a, address.b, address.c, address.d, dstPort]);
    return this.#push();
  }

  /** Event CONN_CLOSED follows; until then the connection's memory is in use. What was received and not read is lost. */
  connectionClose(connection: FlextcpConnection): number {
    return this.#command(connection, Command.CONNECTION_CLOSE);
  }

  /** `length` received bytes, oldest first, are done with. */
  rxDone(connection: FlextcpConnection, length: number): number {
    if (!(length >= 0 && length <= ((connection.received - connection.done) | 0))) return -1;
    if (this.#command(connection, Command.RECEIVE_DONE, (connection.done + length) | 0) < 0) return -1;
    connection.done = (connection.done + length) | 0;
    return 0;
  }

  /** Memory for up to `length` bytes in one piece; it may be shorter at the ring's end. */
  txAlloc(connection: FlextcpConnection, length: number): Uint8Array {
    const at = connection.allocated & (connection.rings.sendSize - 1);
    return this.#allocate(connection, Math.min(length, connection.rings.sendSize - at))[0];
  }

  /** As `txAlloc`, in two pieces where the ring wraps; the second is empty otherwise. */
  txAlloc2(connection: FlextcpConnection, length: number): readonly [Uint8Array, Uint8Array] {
    return this.#allocate(connection, length);
  }

  /** Sends the next `length` bytes of what was allocated. */
  txSend(connection: FlextcpConnection, length: number): number {
    if (!(length >= 0 && length <= ((connection.allocated - connection.sent) | 0)) || connection.sendClosed)
      return -1;
    if (this.#command(connection, Command.SEND, (connection.sent + length) | 0) < 0) return -1;
    connection.sent = (connection.sent + length) | 0;
    return 0;
  }

  /** End of stream after what was sent. Event CONN_TXCLOSED follows. */
  txClose(connection: FlextcpConnection): number {
    if (connection.sendClosed || this.#command(connection, Command.SEND_CLOSE) < 0) return -1;
    connection.sendClosed = true;
    return 0;
  }

  /** Whether the context's queue takes another send. */
  txPossible(connection: FlextcpConnection): number {
    return connection.context === this && this.#commands.room > 0 ? 0 : -1;
  }

  /** From now on events go to context `to`, by default this one; CONN_MOVED is its first. Asked of the present owner. */
  connectionMove(connection: FlextcpConnection, to: number = this.number): number {
    const owner = connection.context;
    const { received, receiveEnded, sendEnded } = connection;
    if (owner === undefined) return -1;
    if (owner.#command(connection, Command.MOVE, to, received, Number(receiveEnded), Number(sendEnded)) < 0)
      return -1;
    owner.#connections.delete(connection.id);
    connection.context = undefined;
    if (to === this.number) this.#connections.set(connection.id, connection);
    return 0;
  }

  /** Event LISTEN_OPEN follows. */
  listenOpen(listener: FlextcpListener, port: number, backlog: number, flags = 0): number {
    if (listener.id !== 0 || !(port > 0 && port < 65_536)) return -1;
    const record = this.#commands.slot();
    if (record === undefined) return -1;
    listener.id = this.#handle();
    this.#listeners.set(listener.id, listener);
    record.set([Command.LISTEN_OPEN, listener.id, port, backlog, flags]);
    return this.#push();
  }

  /** Event LISTEN_ACCEPT follows when there is somebody. Several may be posted ahead. */
  listenAccept(listener: FlextcpListener, connection: FlextcpConnection): number {
    if (connection.id !== 0 || !this.#listeners.has(listener.id)) return -1;
    const record = this.#commands.slot();
    if (record === undefined) return -1;
    this.#register(connection);
    record.set([Command.LISTEN_ACCEPT, listener.id, connection.id]);
    return this.#push();
  }

  #handle(): number {
    let id: number;
    do id = this.number * handlesPerContext + (this.#nextHandle++ % handlesPerContext);
    while (this.#connections.has(id) || this.#listeners.has(id));
    return id;
  }

  #register(connection: FlextcpConnection): void {
    connection.id = this.#handle();
    connection.context = this;
    this.#connections.set(connection.id, connection);
  }

  #command(connection: FlextcpConnection, kind: number, ...words: readonly number[]): number {
    if (connection.context !== this) return -1;
    const record = this.#commands.slot();
    if (record === undefined) return -1;
    record[0] = kind;
    record[1] = connection.id;
    record.set(words, 2);
    return this.#push();
  }

  #push(): number {
    if (this.#commands.push()) this.#port.postMessage(0);
    return 0;
  }

  #allocate(connection: FlextcpConnection, length: number): readonly [Uint8Array, Uint8Array] {
    const { sendOffset, sendSize } = connection.rings;
    const free = sendSize - ((connection.allocated - connection.acknowledged) | 0);
    const size = connection.sendClosed || connection.context !== this ? 0 : Math.min(length, free);
    const at = connection.allocated & (sendSize - 1);
    const first = Math.min(size, sendSize - at);
    connection.allocated = (connection.allocated + size) | 0;
    return [
      new Uint8Array(this.#memory, sendOffset + at, first),
      new Uint8Array(this.#memory, sendOffset, size - first),
    ];
  }

  #event(record: Int32Array): FlextcpEvent | undefined {
    const [kind, id] = record;
    if (kind === Notice.LISTENING || kind === Notice.NEW_CONNECTION) return this.#listenerEvent(record);
    if (kind === Notice.MOVED) return this.#moved(record);
    const connection = this.#connections.get(id);
    if (connection === undefined) return undefined;
    switch (kind) {
      case Notice.OPENED:
        return { type: 'CONN_OPEN', status: this.#opened(connection, record), connection };
      case Notice.ACCEPTED: {
        const listener = this.#listeners.get(record[12]);
        const status = this.#opened(connection, record);
        return listener && { type: 'LISTEN_ACCEPT', status, listener, connection };
      }
      case Notice.RECEIVED: {
        const [, , offset, length, before] = record;
        connection.received = (before + length) | 0;
        return { type: 'CONN_RECEIVED', connection, buffer: new Uint8Array(this.#memory, offset, length) };
      }
      case Notice.SENT:
        connection.acknowledged = record[2];
        return { type: 'CONN_SENDBUF', connection };
      case Notice.RECEIVE_CLOSED:
        connection.receiveEnded = true;
        return { type: 'CONN_RXCLOSED', connection };
      case Notice.SEND_CLOSED:
        connection.sendClosed = true;
        connection.sendEnded = true;
        return { type: 'CONN_TXCLOSED', connection };
      case Notice.CLOSED:
        this.#forget(connection);
        return { type: 'CONN_CLOSED', status: record[2], connection };
      default:
        return undefined;
    }
  }

  #listenerEvent(record: Int32Array): FlextcpEvent | undefined {
    const [kind, id, status, , , , port] = record;
    const listener = this.#listeners.get(id);
    if (listener === undefined) return undefined;
    if (kind === Notice.NEW_CONNECTION) {
      return { type: 'LISTEN_NEWCONN', listener, remoteIp: addressText(record, 2), remotePort: port };
    }
    if (status < 0) this.#listeners.delete(id);
    return { type: 'LISTEN_OPEN', status, listener };
  }

  /** From another thread a connection arrives as a number only: it gets a handle here. */
  #moved(record: Int32Array): FlextcpEvent {
    const connection = this.#connections.get(record[1]) ?? new FlextcpConnection();
    connection.id = record[1];
    connection.context = this;
    this.#connections.set(connection.id, connection);
    readOpened(connection, record);
    [connection.received, connection.done, connection.sent, connection.acknowledged] = record.subarray(
      12,
      16,
    );
    connection.allocated = connection.sent;
    return { type: 'CONN_MOVED', connection };
  }

  #opened(connection: FlextcpConnection, record: Int32Array): number {
    if (record[2] < 0) this.#forget(connection);
    else {
      readOpened(connection, record);
      connection.localPort = record[13];
    }
    return record[2];
  }

  #forget(connection: FlextcpConnection): void {
    this.#connections.delete(connection.id);
    connection.context = undefined;
    connection.rings = noRings;
  }
}

const addressText = (record: Int32Array, at: number): string =>
  formatAddress(new Address(record[at], record[at + 1], record[at + 2], record[at + 3]));

function readOpened(connection: FlextcpConnection, record: Int32Array): void {
  connection.remoteIp = addressText(record, 3);
  connection.remotePort = record[7];
  connection.rings = {
    receiveOffset: record[8],
    receiveSize: 2 ** record[9],
    sendOffset: record[10],
    sendSize: 2 ** record[11],
  };
}
