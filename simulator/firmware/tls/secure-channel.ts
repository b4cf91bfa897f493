/**
 * TLS over one connection of the module: `node:tls` does the cryptography, what is trusted is decided here, by the
 * module's files and clock.
 */
import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { TcpStream } from '../../tcpip/api/stream.js';
import type { Clock, TimerHandle } from '../../tcpip/contract.js';
import type { ModuleConnection } from '../module-stack.js';
import type { Channel } from '../sockets/channel.js';
import { endGently } from '../sockets/end-gently.js';
import { problem, problemOf, type TlsProblem } from './problem.js';

/** So long what was written may take to go out once closed, ms. */
const CLOSE_MS = 60_000;

/** As node:tls gives a peer's certificates: each with the one that issued it, a root with itself. */
interface LinkedCertificate {
  readonly raw: Buffer;
  readonly issuerCertificate?: LinkedCertificate;
}

/** The leaf first; empty: the peer showed none. */
function certificatesOf(socket: TLSSocket): X509Certificate[] {
  const found: X509Certificate[] = [];
  let current: LinkedCertificate | undefined = socket.getPeerCertificate(true);
  while (current?.raw !== undefined && found.length < 16) {
    found.push(new X509Certificate(current.raw));
    current = current.issuerCertificate === current ? undefined : current.issuerCertificate;
  }
  return found;
}

/** The records' way: ends in order even when given up, so that the alert that says why arrives. */
class RecordStream extends TcpStream<ModuleConnection> {
  readonly #clock: Clock;

  constructor(connection: ModuleConnection, clock: Clock) {
    super(connection);
    this.#clock = clock;
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    endGently(this.connection, this.#clock);
    done(error);
  }
}

/** What the handshake brought. */
export interface Peer {
  /** The leaf first; empty: it showed none. */
  readonly certificates: readonly X509Certificate[];
  /** What OpenSSL found wrong with them, by the host's clock. */
  readonly authorizationError: string | undefined;
  /** An earlier session went on; its certificates were checked then. */
  readonly resumed: boolean;
  session(): Buffer | undefined;
}

export interface SecureChannelOptions {
  readonly connection: ModuleConnection;
  readonly clock: Clock;
  readonly role:
    | { readonly kind: 'client'; readonly options: ConnectionOptions }
    | { readonly kind: 'server'; readonly options: TlsOptions };
  /** Milliseconds until the handshake must be done. */
  readonly handshakeMs: number;
  /** Bytes the host may leave unread, besides one record's. */
  readonly receiveBuffer: () => number;
  readonly sendBuffer: () => number;
  /** Whether the peer is trusted. */
  judge(peer: Peer): TlsProblem | undefined;
  secured(): void;
  /** Once, instead of `secured`. */
  failed(problem: TlsProblem): void;
  /** More to read, or the end. */
  readable(): void;
  closed(): void;
}

export class SecureChannel implements Channel {
  readonly #options: SecureChannelOptions;
  readonly #records: RecordStream;
  /** Of the handshake, then of closing. */
  #timer: TimerHandle;
  #socket: TLSSocket | undefined;
  #state: 'shaking hands' | 'open' | 'over' = 'shaking hands';
  readonly #chunks: Buffer[] = [];
  #unread = 0;
  #peerEnded = false;

  /** Takes over the connection's handler. */
  constructor(options: SecureChannelOptions) {
    this.#options = options;
    const { clock, role, handshakeMs } = options;
    this.#records = new RecordStream(options.connection, clock);
    this.#records.on('error', () => {});
    if (role.kind === 'client') {
      const socket = connect({ ...role.options, socket: this.#records });
      this.#socket = socket;
      socket.once('secureConnect', () => this.#shaken(socket));
      socket.on('error', (error) => this.#broken(error));
    } else {
      const server = createServer(role.options);
      server.on('secureConnection', (socket) => {
        this.#socket = socket;
        socket.on('error', (error) => this.#broken(error));
        this.#shaken(socket);
      });
      server.on('tlsClientError', (error) => this.#broken(error));
      server.emit('connection', this.#records);
    }
    this.#timer = clock.setTimer(() => this.#fail(problem('WANT_READ')), handshakeMs);
  }

  get readable(): number {
    return this.#unread;
  }
  get ended(): boolean {
    return this.#peerEnded && this.#unread === 0;
  }
  get writable(): number {
    if (this.#state !== 'open') return 0;
    return Math.max(0, this.#options.sendBuffer() - (this.#socket as TLSSocket).writableLength);
  }

  read(into: Uint8Array): number {
    let count = 0;
    while (count < into.length && this.#chunks.length > 0) {
      const [chunk] = this.#chunks;
      const piece = chunk.subarray(0, into.length - count);
      into.set(piece, count);
      count += piece.length;
      if (piece.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(piece.length);
    }
    this.#unread -= count;
    if (this.#unread < this.#options.receiveBuffer()) this.#socket?.resume();
    return count;
  }

  write(data: Uint8Array): void {
    // Lent by the caller, who may use the bytes again before they are encrypted.
    this.#socket?.write(Uint8Array.from(data));
  }

  close(): void {
    this.#drop();
    const socket = this.#socket;
    // A peer that takes nothing more does not keep it for ever.
    this.#timer = this.#options.clock.setTimer(() => this.abort(), CLOSE_MS);
    socket?.on('data', () => {});
    socket?.resume();
    socket?.end(() => {
      this.#timer.cancel();
      this.#records.destroy();
    });
  }

  abort(): void {
    this.#drop();
    const { connection } = this.#options;
    connection.handler = {};
    connection.abort();
    this.#socket?.destroy();
    this.#records.destroy();
  }

  #drop(): void {
    this.#state = 'over';
    this.#timer.cancel();
    this.#chunks.length = 0;
    this.#unread = 0;
  }

  #shaken(socket: TLSSocket): void {
    if (this.#state !== 'shaking hands') return;
    const found = this.#options.judge({
      certificates: certificatesOf(socket),
      authorizationError: socket.authorizationError?.toString(),
      resumed: socket.isSessionReused(),
      session: () => socket.getSession(),
    });
    if (found !== undefined) {
      this.close();
      this.#options.failed(found);
      return;
    }
    this.#state = 'open';
    this.#timer.cancel();
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('end', () => this.#finished());
    socket.on('close', () => {
      this.#finished();
      if (this.#state === 'open') this.#options.closed();
    });
    this.#options.secured();
  }

  #received(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#chunks.push(chunk);
    this.#unread += chunk.length;
    if (this.#unread >= this.#options.receiveBuffer()) this.#socket?.pause();
    this.#options.readable();
  }

  #finished(): void {
    if (this.#state !== 'open' || this.#peerEnded) return;
    this.#peerEnded = true;
    this.#options.readable();
  }

  /** Before the handshake is done that is its failure, afterwards the end of the connection. */
  #broken(error: Error): void {
    if (this.#state === 'shaking hands') this.#fail(problemOf(error));
    else this.#finished();
  }

  #fail(found: TlsProblem): void {
    if (this.#state !== 'shaking hands') return;
    this.#drop();
    this.#socket?.destroy();
    this.#records.destroy();
    this.#options.failed(found);
  }
}
