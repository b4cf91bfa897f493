import type { Stack, TcpConnection, TcpFailure, TcpHandler, TcpRequest } from '../../contract.js';
import { parseAddress } from '../../core/address.js';
import { StackError } from '../../errors.js';

/** What `createConnection` may end with. */
export type FlowError = 'Refused' | 'Timeout';
/** What writing may end with: nothing more can be sent on this flow. */
export type FlowWriteError = 'Closed';

export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** The peer has closed, or the flow is dead, and everything that came before has been read. */
export const eof = Symbol('eof');

export interface Keepalive {
  /** Idle time before the first probe, ms. */
  readonly after: number;
  /** Between probes, ms. */
  readonly interval: number;
  /** Probes without answer that end the flow. */
  readonly probes: number;
}

export interface Listener {
  /** Runs for each connected flow. What it throws resets the flow. */
  readonly process: (flow: Flow) => void | Promise<void>;
  readonly keepalive?: Keepalive;
}

const done: Result<void, never> = { ok: true, value: undefined };
const closed: Result<never, FlowWriteError> = { ok: false, error: 'Closed' };
const endOfFile: Result<typeof eof, never> = { ok: true, value: eof };

/** One read gives at most this much. */
const readLimit = 65_536;

interface PendingWrite {
  readonly buffers: readonly Uint8Array[];
  /** First buffer not yet taken whole, and how much of it is. */
  index: number;
  offset: number;
  /** Settle when the peer has acknowledged all, not already when the stack has taken all. */
  readonly acknowledged: boolean;
  readonly settle: (result: Result<void, FlowWriteError>) => void;
}

/** A TCP connection as MirageOS programs know it: promises of results, no exceptions. */
export class Flow {
  readonly #connection: TcpConnection;
  readonly #readers: ((result: Result<Uint8Array | typeof eof, never>) => void)[] = [];
  readonly #writes: PendingWrite[] = [];
  /** Writes whose bytes are all in the stack, and the total at which the peer has them. */
  readonly #unacknowledged: { readonly total: number; readonly settle: PendingWrite['settle'] }[] = [];
  readonly #closers: (() => void)[] = [];
  #written = 0;
  #closing = false;
  #over = false;

  /** @internal Takes the connection over. */
  constructor(connection: TcpConnection, keepalive: Keepalive | undefined) {
    this.#connection = connection;
    if (keepalive !== undefined)
      connection.setKeepAlive(keepalive.after, keepalive.interval, keepalive.probes);
  }

  /** @internal Callbacks of an established connection. */
  get handler(): TcpHandler {
    return {
      readable: () => this.#serveReaders(),
      writable: () => this.#serveWriters(),
      acknowledged: (total) => this.#settleAcknowledged(total),
      closed: () => this.#end(),
    };
  }

  /** Address and port of the peer. */
  dst(): readonly [string, number] {
    const { address, port } = this.#connection.remote;
    return [address, port];
  }

  /** Own address and port. */
  src(): readonly [string, number] {
    const { address, port } = this.#connection.local;
    return [address, port];
  }

  /**
   * A fresh buffer with at least one byte, or `eof`: the peer has closed, reset, or no longer answers keepalive probes. Reads
   * that wait are served in order.
   */
  read(): Promise<Result<Uint8Array | typeof eof, never>> {
    return new Promise((resolve) => {
      this.#readers.push(resolve);
      this.#serveReaders();
    });
  }

  /** Settles when the stack has taken all bytes. The buffer must not be changed until then. */
  write(buffer: Uint8Array): Promise<Result<void, FlowWriteError>> {
    return this.writev([buffer]);
  }

  writev(buffers: readonly Uint8Array[]): Promise<Result<void, FlowWriteError>> {
    return this.#queue(buffers, false);
  }

  /** Sends without waiting to fill segments; settles when the peer has acknowledged all bytes. */
  writeNodelay(buffer: Uint8Array): Promise<Result<void, FlowWriteError>> {
    return this.writevNodelay([buffer]);
  }

  writevNodelay(buffers: readonly Uint8Array[]): Promise<Result<void, FlowWriteError>> {
    return this.#queue(buffers, true);
  }

  /**
   * Sends what was written and then the end of the stream; settles when the peer has ended its side, too. Meanwhile reading
   * goes on, and must if the peer sends more than the receive buffer holds.
   */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#closing = true;
    if (this.#writes.length === 0) this.#connection.shutdown();
    await new Promise<void>((resolve) => this.#closers.push(resolve));
  }

  /** @internal */
  abort(): void {
    this.#connection.abort();
    this.#end();
  }

  #queue(buffers: readonly Uint8Array[], acknowledged: boolean): Promise<Result<void, FlowWriteError>> {
    if (this.#closing || this.#over) return Promise.resolve(closed);
    return new Promise((settle) => {
      this.#writes.push({ buffers, index: 0, offset: 0, acknowledged, settle });
      this.#serveWriters();
    });
  }

  #serveReaders(): void {
    const connection = this.#connection;
    while (this.#readers.length > 0) {
      if (connection.readable > 0) {
        const buffer = new Uint8Array(Math.min(connection.readable, readLimit));
        connection.read(buffer);
        this.#readers.shift()?.({ ok: true, value: buffer });
      } else if (connection.ended || this.#over) this.#readers.shift()?.(endOfFile);
      else return;
    }
  }

  #serveWriters(): void {
    const connection = this.#connection;
    for (let write = this.#writes[0]; write !== undefined && !this.#over; write = this.#writes[0]) {
      // Nagle is per connection here: it stays off while a write asks for that.
      connection.setNoDelay(write.acknowledged);
      for (; write.index < write.buffers.length; write.index++) {
        const buffer = write.buffers[write.index];
        const taken = connection.write(buffer.subarray(write.offset));
        this.#written += taken;
        write.offset += taken;
        if (write.offset < buffer.length) return;
        write.offset = 0;
      }
      this.#writes.shift();
      if (write.acknowledged && this.#written > 0) {
        this.#unacknowledged.push({ total: this.#written, settle: write.settle });
      } else write.settle(done);
    }
    if (this.#closing && this.#writes.length === 0 && !this.#over) connection.shutdown();
  }

  #settleAcknowledged(total: number): void {
    while (this.#unacknowledged.length > 0 && this.#unacknowledged[0].total <= total) {
      this.#unacknowledged.shift()?.settle(done);
    }
  }

  #end(): void {
    this.#over = true;
    for (const { settle } of this.#writes.splice(0)) settle(closed);
    for (const { settle } of this.#unacknowledged.splice(0)) settle(closed);
    for (const resolve of this.#closers.splice(0)) resolve();
    this.#serveReaders();
  }
}

/** The TCP device: makes flows to others and takes those that come. */
export class FlowTcp {
  readonly #stack: Stack;
  readonly #flows = new Set<Flow>();
  #forwarder: Stack['tcpForwarder'];
  #listening = false;

  private constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** On top of a stack. */
  static connect(stack: Stack): Promise<FlowTcp> {
    return Promise.resolve(new FlowTcp(stack));
  }

  /**
   * A flow to `address`, `port` once the handshake is done. `Refused`: answered by a reset or an unreachable; `Timeout`:
   * not answered, or nowhere to send to.
   * @throws StackError `EINVAL` if the address is none
   */
  async createConnection(
    [address, port]: readonly [string, number],
    { keepalive }: { keepalive?: Keepalive } = {},
  ): Promise<Result<Flow, FlowError>> {
    if (parseAddress(address) === undefined) throw new StackError('EINVAL', `"${address}" is no IP address`);
    return new Promise((resolve) => {
      const fail = (failure: TcpFailure): void =>
        resolve({ ok: false, error: failure === 'timeout' ? 'Timeout' : 'Refused' });
      try {
        const connection: TcpConnection = this.#stack.tcpConnect(
          { address, port },
          {
            connected: () => resolve({ ok: true, value: this.#flow(connection, keepalive) }),
            closed: fail,
          },
        );
      } catch {
        fail('timeout');
      }
    });
  }

  /**
   * From now on a SYN to one of the stack's own addresses is decided by `listeners`: none for its port, and it is reset.
   * Ports that somebody else listens on stay his.
   */
  input(listeners: (port: number) => Listener | undefined): void {
    if (!this.#listening) this.#forwarder = this.#stack.tcpForwarder;
    this.#listening = true;
    this.#stack.tcpForwarder = (request) => this.#decide(request, listeners);
  }

  /** Stops listening and ends all flows. */
  async disconnect(): Promise<void> {
    if (this.#listening) this.#stack.tcpForwarder = this.#forwarder;
    this.#listening = false;
    for (const flow of [...this.#flows]) flow.abort();
    this.#flows.clear();
  }

  #decide(request: TcpRequest, listeners: (port: number) => Listener | undefined): void {
    const { address, port } = request.local;
    if (!this.#stack.addresses.some((own) => own.address === address)) {
      if (this.#forwarder === undefined) request.refuse('reset');
      else this.#forwarder(request);
      return;
    }
    const listener = listeners(port);
    if (listener === undefined) {
      request.refuse('reset');
      return;
    }
    const connection = request.accept({
      connected: () => {
        const flow = this.#flow(connection, listener.keepalive);
        Promise.resolve()
          .then(() => listener.process(flow))
          .catch(() => flow.abort());
      },
    });
  }

  #flow(connection: TcpConnection, keepalive: Keepalive | undefined): Flow {
    const flow = new Flow(connection, keepalive);
    const { handler } = flow;
    connection.handler = {
      ...handler,
      closed: (failure) => {
        this.#flows.delete(flow);
        handler.closed?.(failure);
      },
    };
    this.#flows.add(flow);
    return flow;
  }
}
