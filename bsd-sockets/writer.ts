/**
 * The sending half of a socket: a bounded buffer, and the writes that carry it to the module in order, each accepted
 * exactly once. A write the module has no room for (`SOCKET_NOT_READY`) is offered again, with everything behind it.
 */
import type { WincModule } from '../driver/index.js';
import { StatusCode, WincError } from '../driver/protocol/index.js';
import type { SockAddr } from './address.js';
import { SendRing } from './buffers.js';

export interface WriterHooks {
  /** The module accepted something: there is room again. */
  sent(): void;
  /** A datagram was refused for good; the ones behind it go on. */
  refused(error: Error): void;
  /** Nothing can be sent any more. */
  failed(error: Error): void;
}

export interface Piece {
  readonly data: Uint8Array;
  readonly to?: SockAddr | undefined;
  /** Sent before, and the answer was lost: the module may have it. */
  doubtful: boolean;
}

/** More writes ahead of their answers than this bring nothing. */
const MAX_DEPTH = 4;
const RETRY_MS = [2, 5, 10, 20, 50, 100, 200];
/** Times a write may be refused for its sequence number before the connection counts as broken. */
const MAX_SEQUENCE_ERRORS = 10;

export abstract class Writer {
  protected readonly module: WincModule;
  protected readonly hooks: WriterHooks;
  /** Sequence number of the first byte not accepted yet. */
  #accepted = 0;
  #inFlight: Piece[] = [];
  /** A write came back: wait until those behind it are back too, then offer them again. */
  #rewinding = false;
  #waiting = false;
  /** Its answer was lost: it goes out again exactly as it was. */
  #again: Piece | undefined;
  #refusals = 0;
  #sequenceErrors = 0;
  #id: number | undefined;
  #idle: (() => void)[] = [];

  constructor(module: WincModule, hooks: WriterHooks) {
    this.module = module;
    this.hooks = hooks;
  }

  /** Bytes that a `push` would take. */
  abstract get room(): number;
  abstract get empty(): boolean;
  /** The piece after those in flight; undefined if there is none. */
  protected abstract cut(inFlight: readonly Piece[]): Piece | undefined;
  protected abstract drop(piece: Piece): void;
  protected abstract clear(): void;
  protected abstract write(id: number, piece: Piece, seqNum: number | undefined): Promise<unknown>;
  /** Whether a refused piece can be skipped. */
  protected abstract readonly skips: boolean;

  /** The socket can send from now on. */
  start(id: number): void {
    this.#id = id;
    this.pump();
  }

  /** What is not accepted yet is forgotten. */
  stop(): void {
    this.#id = undefined;
    this.clear();
    this.#notifyIdle();
  }

  /** Calls back once nothing is left to send. */
  whenIdle(callback: () => void): void {
    if (this.#id === undefined || this.empty) callback();
    else this.#idle.push(callback);
  }

  protected pump(): void {
    const depth = Math.min(this.module.window, MAX_DEPTH);
    while (this.#id !== undefined && !this.#rewinding && !this.#waiting && this.#inFlight.length < depth) {
      const piece = this.#again ?? this.cut(this.#inFlight);
      if (piece === undefined) return;
      this.#again = undefined;
      const ahead = this.#inFlight.reduce((sum, each) => sum + each.data.length, 0);
      // A raw write of the AT wire has no place for a number, and never more than one is in flight there.
      const seqNum = this.module.wire === 'tlv' ? (this.#accepted + ahead) & 0xffff : undefined;
      this.#inFlight.push(piece);
      this.write(this.#id, piece, seqNum).then(
        () => this.#answered(piece, undefined),
        (error: WincError) => this.#answered(piece, error),
      );
    }
  }

  /** Answers come in the order of the writes. */
  #answered(piece: Piece, error: WincError | undefined): void {
    this.#inFlight.shift();
    if (this.#id === undefined) return;
    if (this.#rewinding) {
      // Only the first refusal counts; one accepted behind it would leave a hole.
      if (error === undefined)
        this.#fail(new WincError('WINC_PROTOCOL', 'The module accepted data out of order.'));
      else this.#rewound();
      return;
    }
    const known = error?.status === StatusCode.SOCKET_SEQUENCE_ERROR && piece.doubtful;
    if (error === undefined || known) this.#accept(piece);
    else this.#refuse(piece, error);
  }

  #accept(piece: Piece): void {
    this.#accepted = (this.#accepted + piece.data.length) & 0xffff;
    this.#refusals = 0;
    this.#sequenceErrors = 0;
    this.drop(piece);
    this.hooks.sent();
    this.pump();
    if (this.empty) this.#notifyIdle();
  }

  #refuse(piece: Piece, error: WincError): void {
    const { status, code } = error;
    const later = status === StatusCode.SOCKET_NOT_READY || code === 'WINC_BUSY';
    const lost = code === 'WINC_TIMEOUT' && this.module.wire === 'tlv';
    const outOfStep =
      status === StatusCode.SOCKET_SEQUENCE_ERROR && ++this.#sequenceErrors <= MAX_SEQUENCE_ERRORS;
    if (later || lost || outOfStep) {
      if (lost) piece.doubtful = true;
      if (piece.doubtful) this.#again = piece;
      this.#rewinding = true;
      this.#rewound();
    } else if (this.skips && code === 'WINC_STATUS') {
      this.drop(piece);
      this.hooks.refused(error);
      this.pump();
    } else {
      this.#fail(error);
    }
  }

  #rewound(): void {
    if (this.#inFlight.length > 0) return;
    this.#rewinding = false;
    this.#waiting = true;
    const delay = RETRY_MS[Math.min(this.#refusals++, RETRY_MS.length - 1)];
    this.module.clock.setTimer(() => {
      this.#waiting = false;
      this.pump();
    }, delay);
  }

  #fail(error: Error): void {
    this.stop();
    this.hooks.failed(error);
  }

  #notifyIdle(): void {
    for (const callback of this.#idle.splice(0)) callback();
  }
}

/** Bytes of a connection. */
export class StreamWriter extends Writer {
  protected readonly skips = false;
  readonly #ring: SendRing;
  readonly #maxPiece: number;

  constructor(module: WincModule, hooks: WriterHooks, capacity: number, maxPiece: number) {
    super(module, hooks);
    this.#ring = new SendRing(capacity);
    this.#maxPiece = maxPiece;
  }

  get room(): number {
    return this.#ring.room;
  }

  get empty(): boolean {
    return this.#ring.length === 0;
  }

  /** Takes what fits; answers how much. */
  push(data: Uint8Array): number {
    const count = this.#ring.push(data);
    this.pump();
    return count;
  }

  protected cut(inFlight: readonly Piece[]): Piece | undefined {
    const ahead = inFlight.reduce((sum, { data }) => sum + data.length, 0);
    const length = Math.min(this.#maxPiece, this.#ring.length - ahead);
    if (length <= 0) return undefined;
    const data = new Uint8Array(length);
    this.#ring.copy(ahead, data);
    return { data, doubtful: false };
  }

  protected drop({ data }: Piece): void {
    this.#ring.drop(data.length);
  }

  protected clear(): void {
    this.#ring.clear();
  }

  protected write(sockId: number, { data }: Piece, seqNum: number | undefined): Promise<unknown> {
    return this.module.call('SOCKWR', { sockId, length: data.length, seqNum, data });
  }
}

/** Datagrams waiting in one socket. */
const MAX_DATAGRAMS = 16;

export class DatagramWriter extends Writer {
  protected readonly skips = true;
  readonly #capacity: number;
  #queue: Piece[] = [];
  #bytes = 0;

  constructor(module: WincModule, hooks: WriterHooks, capacity: number) {
    super(module, hooks);
    this.#capacity = capacity;
  }

  get room(): number {
    return this.#queue.length < MAX_DATAGRAMS ? Math.max(0, this.#capacity - this.#bytes) : 0;
  }

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** All or nothing. @param to  none: where the socket is connected to */
  push(data: Uint8Array, to: SockAddr | undefined): boolean {
    if (this.room < data.length || this.room === 0) return false;
    this.#queue.push({ data: data.slice(), to, doubtful: false });
    this.#bytes += data.length;
    this.pump();
    return true;
  }

  protected cut(inFlight: readonly Piece[]): Piece | undefined {
    return this.#queue[inFlight.length];
  }

  protected drop({ data }: Piece): void {
    this.#queue.shift();
    this.#bytes -= data.length;
  }

  protected clear(): void {
    this.#queue = [];
    this.#bytes = 0;
  }

  protected write(sockId: number, { data, to }: Piece, seqNum: number | undefined): Promise<unknown> {
    const { length } = data;
    if (to === undefined) return this.module.call('SOCKWR', { sockId, length, seqNum, data });
    const rmtAddr = to.address;
    return this.module.call('SOCKWRTO', { sockId, rmtAddr, rmtPort: to.port, length, seqNum, data });
  }
}
