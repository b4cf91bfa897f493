/**
 * Joins a connection of the engine to a socket of the host so that each end believes it talks to the other: bytes with
 * back-pressure both ways, FIN for end, RST for reset. Neither side buffers more than its own window and one chunk.
 */
import type { Socket } from 'node:net';
import type { Clock, TcpConnection, TcpFailure, TcpHandler, TimerHandle } from '../../tcpip/contract.js';

/** A reset that came from the host waits so long for the bytes before it to be acknowledged, ms. */
const LAST_BYTES_MS = 5000;
/** A connection whose other end is gone without a word is noticed by keepalive. */
const KEEPALIVE_MS = 60_000;
const CHUNK_BYTES = 65_536;

export class TcpSplice {
  /** For `TcpRequest.accept` or `Stack.tcpConnect`. */
  readonly handler: TcpHandler = {
    connected: () => this.#start(),
    readable: () => this.#toHost(),
    writable: () => this.#toNetwork(),
    acknowledged: (total) => {
      this.#acknowledged = total;
      this.#resetIfDelivered();
    },
    closed: (failure) => this.#connectionClosed(failure),
  };

  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #done: () => void;
  #connection: TcpConnection | undefined;
  #connectionOver = false;
  #socketOver = false;
  #hostFull = false;
  #finSent = false;
  #finHeard = false;
  /** What the engine had no room for. */
  #rest: Uint8Array | undefined;
  #written = 0;
  #acknowledged = 0;
  #hostReset: TimerHandle | undefined;

  /**
   * @param socket  with `allowHalfOpen`; paused, or not connected yet
   * @param done  once, when both sides are closed
   */
  constructor(socket: Socket, clock: Clock, done: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#done = done;
    socket.setNoDelay(true);
    socket.on('drain', () => {
      this.#hostFull = false;
      this.#toHost();
    });
    socket.on('error', () => this.#hostFailed());
    socket.on('close', () => {
      this.#socketOver = true;
      this.#finish();
    });
  }

  /** The connection that `handler` was given to. */
  attach(connection: TcpConnection): void {
    this.#connection = connection;
    connection.setKeepAlive(KEEPALIVE_MS);
  }

  /** Resets both sides now. */
  abort(): void {
    this.#abortConnection();
    this.#socket.destroy();
  }

  #start(): void {
    const socket = this.#socket;
    socket.on('data', (chunk) => {
      this.#rest = chunk;
      this.#toNetwork();
    });
    // The end is told even to a paused socket, so that something may still wait here.
    socket.on('end', () => {
      this.#finHeard = true;
      this.#toNetwork();
    });
    socket.resume();
    this.#toHost();
  }

  #toNetwork(): void {
    const connection = this.#connection;
    if (this.#connectionOver || connection === undefined) return;
    if (this.#rest !== undefined) {
      const taken = connection.write(this.#rest);
      this.#written += taken;
      if (taken < this.#rest.length) {
        this.#rest = this.#rest.subarray(taken);
        this.#socket.pause();
        return;
      }
      this.#rest = undefined;
      this.#socket.resume();
    }
    if (this.#finHeard) connection.shutdown();
  }

  #toHost(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#socketOver) return;
    while (!this.#hostFull && connection.readable > 0) this.#writeToHost(connection);
    if (connection.ended && !this.#finSent) {
      this.#finSent = true;
      this.#socket.end();
    }
  }

  #writeToHost(connection: TcpConnection): void {
    const chunk = Buffer.allocUnsafe(Math.min(connection.readable, CHUNK_BYTES));
    this.#hostFull = !this.#socket.write(chunk.subarray(0, connection.read(chunk)));
  }

  #connectionClosed(failure: TcpFailure): void {
    this.#connectionOver = true;
    this.#hostReset?.cancel();
    if (failure === 'none') this.#toHost();
    else {
      // What came before the reset was acknowledged: the host gets it, however full it is.
      while (this.#connection !== undefined && this.#connection.readable > 0)
        this.#writeToHost(this.#connection);
      this.#socket.resetAndDestroy();
    }
    this.#finish();
  }

  /** The host's side was reset. What it sent before must still arrive: only then the reset goes on. */
  #hostFailed(): void {
    if (this.#connectionOver || this.#hostReset !== undefined) return;
    this.#hostReset = this.#clock.setTimer(() => this.#abortConnection(), LAST_BYTES_MS);
    this.#resetIfDelivered();
  }

  #resetIfDelivered(): void {
    if (this.#hostReset !== undefined && this.#rest === undefined && this.#acknowledged >= this.#written)
      this.#abortConnection();
  }

  #abortConnection(): void {
    this.#hostReset?.cancel();
    if (this.#connectionOver) return;
    this.#connectionOver = true;
    this.#connection?.abort();
    this.#finish();
  }

  #finish(): void {
    if (this.#connectionOver && this.#socketOver) this.#done();
  }
}
