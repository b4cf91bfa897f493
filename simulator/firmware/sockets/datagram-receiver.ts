/** Received datagrams on their way to the host: announced, read, or pushed. */
import { limits } from '../../../driver/protocol/catalogue/limits.js';
import type { Endpoint } from '../../tcpip/contract.js';
import type { Board } from '../board.js';
import { AsyncWindow } from './async-window.js';
import type { SocketConfig } from './options.js';

interface Datagram {
  readonly from: Endpoint;
  readonly data: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** What a read answers, with what OUTPUT_MODE 3 tells besides. */
export interface DatagramRead {
  readonly data: Uint8Array;
  readonly from: Endpoint | undefined;
  /** Bytes the next read would find. */
  readonly pending: number;
  readonly datagrams: number;
}

export class DatagramReceiver {
  readonly #board: Board;
  readonly #id: number;
  readonly #config: SocketConfig;
  readonly #window: AsyncWindow;
  readonly #queue: Datagram[] = [];
  #queuedBytes = 0;
  /** Taken out of the queue by SOCKRDBUF, with what is unread of it. */
  #buffered: Datagram | undefined;
  /** One notification until the queue was emptied, or the host read without being told of the rest. */
  #announced = false;
  /** Datagrams for which there was no room. */
  dropped = 0;

  constructor(board: Board, id: number, config: SocketConfig) {
    this.#board = board;
    this.#id = id;
    this.#config = config;
    this.#window = new AsyncWindow(config);
  }

  receive(data: Uint8Array, from: Endpoint): void {
    if (this.#queuedBytes + data.length > this.#config.number('SO_RCVBUF')) {
      this.dropped++;
      return;
    }
    this.#queue.push({ from, data: data.slice() });
    this.#queuedBytes += data.length;
    this.pump();
  }

  pump(): void {
    if (this.#window.mode === 'polled') this.#announce();
    else this.#push();
  }

  /** SOCKRD: the oldest datagram, of which the rest is lost, and what SOCKRDBUF left of the one before. */
  read(length: number, inBand: boolean): DatagramRead {
    const datagram = this.#take();
    this.#buffered = undefined;
    const data = datagram?.data.subarray(0, Math.min(length, limits.socketWriteTo)) ?? NOTHING;
    return this.#answer(data, datagram?.from, this.#queue[0]?.data.length ?? 0, inBand);
  }

  /** SOCKRDBUF: the oldest datagram, piece by piece. */
  readBuffered(length: number, inBand: boolean): DatagramRead {
    const datagram = this.#buffered ?? this.#take();
    const data = datagram?.data.subarray(0, length) ?? NOTHING;
    const left = datagram?.data.subarray(data.length) ?? NOTHING;
    this.#buffered = datagram && left.length > 0 ? { from: datagram.from, data: left } : undefined;
    const pending = this.#buffered ? left.length : (this.#queue[0]?.data.length ?? 0);
    return this.#answer(data, datagram?.from, pending, inBand);
  }

  #take(): Datagram | undefined {
    const datagram = this.#queue.shift();
    if (datagram !== undefined) this.#queuedBytes -= datagram.data.length;
    return datagram;
  }

  #answer(data: Uint8Array, from: Endpoint | undefined, pending: number, inBand: boolean): DatagramRead {
    // A host that reads in band learns of the rest from the answer; any other is told of it, once this one is read up.
    const told = inBand && this.#queue.length > 0;
    if (!told && this.#buffered === undefined) this.#announced = false;
    return { data, from, pending, datagrams: this.#queue.length };
  }

  #announce(): void {
    const oldest = this.#queue[0];
    if (oldest === undefined || this.#announced || this.#board.congested) return;
    this.#announced = true;
    this.#board.emit({
      name: 'SOCKRXU',
      form: 'UDP_RECEIVE_POLLED',
      elements: {
        sockId: this.#id,
        rmtAddr: oldest.from.address,
        rmtPort: oldest.from.port,
        pendData: oldest.data.length,
        pendDatagram: this.#queue.length,
      },
    });
  }

  #push(): void {
    const frame = this.#config.number('ASYNC_MAX_FRM_SZ');
    const acknowledged = this.#window.mode === 'acknowledged';
    for (let oldest = this.#queue[0]; oldest !== undefined; oldest = this.#queue[0]) {
      // What exceeds a frame, or a whole window, could never be sent: it is lost, as the reference says.
      const most = acknowledged ? Math.min(frame, this.#config.number('ASYNC_WIN_SZ')) : frame;
      const length = Math.min(oldest.data.length, most);
      if (this.#board.congested || length > this.#window.room) return;
      this.#take();
      const head = { sockId: this.#id, rmtAddr: oldest.from.address, rmtPort: oldest.from.port, length };
      const data = oldest.data.subarray(0, length);
      if (acknowledged) {
        this.#board.emit({
          name: 'SOCKRXU',
          form: 'UDP_RECEIVE_ASYNC_RELIABLE',
          elements: { ...head, seqNum: this.#window.sequence, data },
        });
      } else this.#board.emit({ name: 'SOCKRXU', form: 'UDP_RECEIVE_ASYNC', elements: { ...head, data } });
      this.#window.advance(length);
    }
  }
}
