import { Duplex } from 'node:stream';
import type { TcpConnection, TcpFailure, TcpHandler } from '../contract.js';
import { StackError, type StackErrorCode } from '../errors.js';

const failureCodes: Readonly<Record<Exclude<TcpFailure, 'none'>, readonly [StackErrorCode, string]>> = {
  refused: ['ECONNREFUSED', 'connection refused'],
  reset: ['ECONNRESET', 'connection reset by the peer'],
  timeout: ['ETIMEDOUT', 'no answer'],
  unreachable: ['EHOSTUNREACH', 'no route to the host'],
  aborted: ['ECONNRESET', 'connection aborted'],
};

/** @internal The error that stands for a failed connection. */
export function failureError(failure: Exclude<TcpFailure, 'none'>): StackError {
  const [code, message] = failureCodes[failure];
  return new StackError(code, message);
}

/** What a stream needs of a connection. */
export type StreamedConnection = Pick<
  TcpConnection,
  'state' | 'handler' | 'readable' | 'ended' | 'read' | 'write' | 'shutdown' | 'abort'
>;

/**
 * A connection as a Node stream: `end` is the FIN, the peer's FIN is the end of reading, backpressure both ways. Emits
 * `connect`. Destroying it before both are done resets the connection.
 */
export class TcpStream<C extends StreamedConnection = TcpConnection> extends Duplex {
  readonly #connection: C;
  #over = false;
  #pulling = false;
  #whenConnected: (() => void) | undefined;
  #failAfterReading: Exclude<TcpFailure, 'none'> | undefined;
  #rest: { chunk: Uint8Array; done: () => void } | undefined;

  /** Takes the connection's handler over. */
  constructor(connection: C) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    connection.handler = this.#handler();
  }

  /** For `tcpListen`: `stack.tcpListen({ port }, (connection) => new TcpStream(connection).handler)`. */
  get handler(): TcpHandler {
    return this.#connection.handler;
  }

  get connection(): C {
    return this.#connection;
  }

  #handler(): TcpHandler {
    return {
      connected: () => {
        this.#whenConnected?.();
        this.#whenConnected = undefined;
        this.emit('connect');
      },
      readable: () => this.#pull(),
      writable: () => this.#push(),
      closed: (failure) => {
        this.#over = true;
        if (failure === 'none') {
          this.#pull();
          this.#push();
        } else if (this.#connection.ended || this.#connection.readable === 0)
          this.destroy(failureError(failure));
        else this.#failAfterReading = failure;
      },
    };
  }

  override _read(): void {
    this.#pulling = true;
    this.#pull();
  }

  /** Into the stream, while it wants more. */
  #pull(): void {
    const connection = this.#connection;
    while (this.#pulling && connection.readable > 0) {
      const chunk = Buffer.allocUnsafe(Math.min(connection.readable, 65_536));
      connection.read(chunk);
      this.#pulling = this.push(chunk);
    }
    if (!this.#pulling || connection.readable > 0) return;
    if (this.#failAfterReading !== undefined) this.destroy(failureError(this.#failAfterReading));
    else if (connection.ended) {
      this.#pulling = false;
      this.push(null);
    }
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#rest = { chunk, done };
    this.#push();
  }

  #push(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    if (this.#over) {
      this.#rest = undefined;
      rest.done();
      return;
    }
    const taken = this.#connection.write(rest.chunk);
    if (taken === rest.chunk.length) {
      this.#rest = undefined;
      rest.done();
    } else rest.chunk = rest.chunk.subarray(taken);
  }

  override _final(done: () => void): void {
    const finish = (): void => {
      if (!this.#over) this.#connection.shutdown();
      done();
    };
    // A stream may be ended before it is connected; a connection would take that as given up (RFC 9293 3.10.4).
    if (this.#connection.state === 'SYN-SENT') this.#whenConnected = finish;
    else finish();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#rest = undefined;
    const orderly = error === null && this.writableFinished && this.readableEnded;
    if (!this.#over && !orderly) this.#connection.abort();
    done(error);
  }
}
