/** Received bytes of a stream socket on their way to the host: announced, read, or pushed. */
import { limits } from '../../../driver/protocol/catalogue/limits.js';
import type { Board } from '../board.js';
import { AsyncWindow } from './async-window.js';
import type { SocketConfig } from './options.js';

/** Where the bytes come from: a TCP connection, or what decrypts one. */
export interface ByteSource {
  readonly readable: number;
  /** Nothing comes any more, and everything has been read. */
  readonly ended: boolean;
  read(into: Uint8Array): number;
}

/** Most bytes in one event, whatever ASYNC_MAX_FRM_SZ says. */
const MAX_FRAME = 1500;

export class StreamReceiver {
  readonly #board: Board;
  readonly #id: number;
  readonly #config: SocketConfig;
  readonly #window: AsyncWindow;
  #source: ByteSource | undefined;
  /** Unread bytes the host knows of. */
  #announced = 0;
  /** The host reads with OUTPUT_MODE 3 and learns of more from the answers, until there is none. */
  #inBand = false;
  #closeReported = false;

  constructor(board: Board, id: number, config: SocketConfig) {
    this.#board = board;
    this.#id = id;
    this.#config = config;
    this.#window = new AsyncWindow(config);
  }

  attach(source: ByteSource): void {
    this.#source = source;
    this.#announced = 0;
    this.#inBand = false;
    this.pump();
  }

  /** Nothing more is read or reported. */
  detach(): void {
    this.#source = undefined;
  }

  get readable(): number {
    return this.#source?.readable ?? 0;
  }

  /** Tells or sends the host whatever it may have now. */
  pump(): void {
    if (this.#source === undefined) return;
    if (this.#window.mode === 'polled') this.#announce(this.#source);
    else this.#push(this.#source);
    if (this.#source.ended && !this.#closeReported) {
      this.#closeReported = true;
      this.#board.emit({ name: 'SOCKCL', form: 'SOCKET_CLOSE_RESPONSE', elements: { sockId: this.#id } });
    }
  }

  /** For SOCKRD: at most one segment's worth, as real modules answer. */
  read(length: number, inBand: boolean): Uint8Array {
    const source = this.#source;
    const data = new Uint8Array(Math.min(length, source?.readable ?? 0, limits.socketWrite));
    source?.read(data);
    this.#announced = Math.max(0, this.#announced - data.length);
    this.#inBand = inBand && this.readable > 0;
    if (this.#inBand) this.#announced = this.readable;
    return data;
  }

  #announce(source: ByteSource): void {
    const { readable } = source;
    if (readable <= this.#announced || this.#inBand || this.#board.congested) return;
    this.#announced = readable;
    this.#board.emit({
      name: 'SOCKRXT',
      form: 'TCP_RECEIVE_POLLED',
      elements: { sockId: this.#id, pendData: readable },
    });
  }

  #push(source: ByteSource): void {
    const frame = Math.min(this.#config.number('ASYNC_MAX_FRM_SZ'), MAX_FRAME);
    while (!this.#board.congested) {
      const length = Math.min(source.readable, frame, this.#window.room);
      if (length <= 0) return;
      const data = new Uint8Array(length);
      source.read(data);
      const sockId = this.#id;
      if (this.#window.mode === 'async') {
        this.#board.emit({ name: 'SOCKRXT', form: 'TCP_RECEIVE_ASYNC', elements: { sockId, length, data } });
      } else {
        const seqNum = this.#window.sequence;
        this.#board.emit({
          name: 'SOCKRXT',
          form: 'TCP_RECEIVE_ASYNC_RELIABLE',
          elements: { sockId, length, seqNum, data },
        });
      }
      this.#window.advance(length);
    }
  }
}
