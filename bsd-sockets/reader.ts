/**
 * The receiving half of a socket: a bounded buffer, filled in whichever way the module delivers. An event says itself
 * how it delivers, so a change of mode loses nothing that is under way:
 *
 *   polled        the event announces, `SOCKRD` fetches as much as there is room for
 *   asynchronous  the event brings data; nothing holds it back
 *   acknowledged  the event brings data with its position; `ASYNC_NEXT_SN` moves the module's window on
 */
import type { WincModule } from '../driver/index.js';
import { configIds, type ResponseOf, StatusCode, WincError } from '../driver/protocol/index.js';
import { addressOf, type SockAddr } from './address.js';
import { ByteQueue } from './buffers.js';
import { AsyncMode } from './constants.js';

export interface ReaderHooks {
  /** Something can be read that could not before. */
  received(): void;
  /** What was lost cannot be fetched again. */
  failed(error: Error): void;
}

/** Most that one `SOCKRD` asks for, bytes. */
const MAX_FETCH = 1460;
/** More reads ahead of their answers than this bring nothing. */
const MAX_FETCHES = 4;
const BUSY_RETRY_MS = 5;
/** `SOCKRD` in raw bytes, and as text with what is left. */
const [RAW, EXTENDED] = [2, 3] as const;

export abstract class Reader {
  protected readonly module: WincModule;
  protected readonly hooks: ReaderHooks;
  readonly capacity: number;
  #id: number | undefined;
  #mode: AsyncMode = AsyncMode.OFF;
  /** Bytes that came by events, and of those how many the caller took, and how many the module was told of. */
  #arrived = 0;
  #consumed = 0;
  #acknowledged = 0;
  #acknowledging = false;
  /** The next event's position is taken as it is. */
  #unknownPosition = false;
  /** Fetches under way. */
  #fetching = 0;
  #ended: (() => void) | undefined;

  constructor(module: WincModule, hooks: ReaderHooks, capacity: number) {
    this.module = module;
    this.hooks = hooks;
    this.capacity = capacity;
  }

  /** Bytes a read would give; of datagrams, the next one's. */
  abstract get available(): number;
  /** Fetches that may be under way at once. */
  protected abstract get depth(): number;
  /** Asks for what is announced, as far as there is room; undefined: nothing to ask for. */
  protected abstract nextFetch(): number | undefined;
  protected abstract fetch(id: number, length: number): Promise<void>;
  protected abstract forgetAnnounced(): void;

  get mode(): AsyncMode {
    return this.#mode;
  }

  start(id: number): void {
    this.#id = id;
    this.pump();
  }

  /** What is buffered stays readable. */
  stop(): void {
    this.#id = undefined;
    this.forgetAnnounced();
    this.#finish();
  }

  /** The settings that make the module deliver in this mode, in the order they are made. */
  settingsFor(mode: AsyncMode, frame: number): [id: number, value: number][] {
    const { ASYNC_WIN_SZ, ASYNC_MAX_FRM_SZ } = configIds.SOCKC;
    return [
      [ASYNC_WIN_SZ, mode === AsyncMode.ACKED ? this.capacity : 0],
      [ASYNC_MAX_FRM_SZ, mode === AsyncMode.OFF ? 0 : frame],
    ];
  }

  setMode(mode: AsyncMode): void {
    if (this.#mode !== mode && this.#arrived > 0) this.#unknownPosition = true;
    this.#mode = mode;
  }

  /** Calls back once everything the module had is here. */
  end(callback: () => void): void {
    this.#ended = callback;
    this.pump();
  }

  /** Events may have been lost: ask the module what it has. */
  abstract recheck(): void;

  /** Data came with an event. False: it is a repetition, or the socket failed over it. */
  protected accept(length: number, position: number | undefined): boolean {
    if (position !== undefined) {
      if (this.#unknownPosition) this.#arrived = this.#consumed = this.#acknowledged = position;
      this.#unknownPosition = false;
      const ahead = (position - this.#arrived) & 0xffff;
      if (ahead !== 0) {
        if (ahead < 0x8000)
          this.fail(new WincError('WINC_DATA_LOST', 'Received data was lost on the way to the host.'));
        return false;
      }
    }
    this.#arrived += length;
    return true;
  }

  /** The caller took bytes that had come with an event. */
  protected consumed(length: number): void {
    this.#consumed = Math.min(this.#consumed + length, this.#arrived);
    this.#acknowledge();
    this.pump();
  }

  protected fail(error: Error): void {
    this.stop();
    this.hooks.failed(error);
  }

  protected pump(): void {
    while (this.#fetching < this.depth && this.#id !== undefined) {
      const length = this.nextFetch();
      if (length === undefined) {
        if (this.#fetching === 0) this.#finish();
        return;
      }
      this.#fetching++;
      this.fetch(this.#id, length)
        .catch((error: WincError) => this.#fetchFailed(error))
        .finally(() => {
          this.#fetching--;
          this.pump();
        });
    }
  }

  /** True while announced data is not here yet. */
  protected abstract get outstanding(): boolean;

  #finish(): void {
    if (this.#ended === undefined || this.outstanding) return;
    const ended = this.#ended;
    this.#ended = undefined;
    ended();
  }

  async #fetchFailed(error: WincError): Promise<void> {
    if (error.code === 'WINC_BUSY') {
      await new Promise<void>((resolve) => this.module.clock.setTimer(resolve, BUSY_RETRY_MS));
    } else if (this.#ended !== undefined && error.status === StatusCode.SOCKET_ID_NOT_FOUND) {
      // Closed at both ends: there was nothing left.
      this.forgetAnnounced();
    } else {
      this.fail(error);
    }
  }

  /** Half the window is free again: say so. One statement at a time; each tells the whole. */
  #acknowledge(): void {
    const due = this.#consumed - this.#acknowledged >= this.capacity / 2;
    if (!due || this.#mode !== AsyncMode.ACKED || this.#acknowledging || this.#id === undefined) return;
    const consumed = this.#consumed;
    this.#acknowledging = true;
    this.module
      .call('SOCKC', { sockId: this.#id, id: configIds.SOCKC.ASYNC_NEXT_SN, val: consumed & 0xffff })
      .then(() => {
        this.#acknowledged = consumed;
      })
      // The next read tries again; a socket that is gone fails by its own event.
      .catch(() => {})
      .finally(() => {
        this.#acknowledging = false;
        this.#acknowledge();
      });
  }
}

export class StreamReader extends Reader {
  readonly #queue = new ByteQueue();
  #announced = 0;
  /** Bytes of it that are asked for already. */
  #asked = 0;
  /** Whether that much is there is a guess. */
  #doubtful = false;

  get available(): number {
    return this.#queue.length;
  }

  protected get outstanding(): boolean {
    return this.#announced > 0;
  }

  /** Where several commands may be in flight, so may several reads: they travel, and are answered, together. */
  protected get depth(): number {
    return this.#doubtful ? 1 : Math.min(this.module.window, MAX_FETCHES);
  }

  /** `SOCKRXT`, polled: bytes the module holds, all told. */
  announce(pending: number): void {
    this.#announced = Math.max(this.#announced, pending);
    this.pump();
  }

  /** `SOCKRXT` with data. */
  arrive(data: Uint8Array, position: number | undefined): void {
    if (!this.accept(data.length, position)) return;
    if (this.#queue.length + data.length > this.capacity) {
      this.fail(
        new WincError('WINC_DATA_LOST', 'Data came faster than it was read, and nothing holds it back.'),
      );
      return;
    }
    this.#queue.push(data);
    this.hooks.received();
  }

  read(into: Uint8Array): number {
    const count = this.#queue.read(into);
    this.consumed(count);
    return count;
  }

  peek(into: Uint8Array): number {
    return this.#queue.peek(into);
  }

  recheck(): void {
    if (this.mode !== AsyncMode.OFF) return;
    this.#doubtful = true;
    this.announce(1);
  }

  protected forgetAnnounced(): void {
    this.#announced = 0;
    this.#doubtful = false;
  }

  /** Large reads only, unless the caller has nothing to read meanwhile. */
  protected nextFetch(): number | undefined {
    const wanted = Math.min(this.#announced - this.#asked, MAX_FETCH);
    const room = this.capacity - this.#queue.length - this.#asked;
    if (wanted <= 0 || (room < wanted && this.#queue.length + this.#asked > 0)) return undefined;
    // A short rest waits for the answers under way: by then there may be more.
    if (this.#asked > 0 && wanted < MAX_FETCH) return undefined;
    return Math.min(wanted, room);
  }

  protected async fetch(sockId: number, length: number): Promise<void> {
    // Raw bytes do not tell their number: only for what is known to be there.
    const outputMode = this.module.wire === 'at' && !this.#doubtful ? RAW : EXTENDED;
    this.#doubtful = false;
    this.#asked += length;
    let answered = false;
    // At once: the next announcement may follow in the same breath, and already counts without what was read.
    const onResponse = ({ elements }: ResponseOf<'SOCKRD'>) => {
      const { data } = elements;
      if (!answered) this.#asked -= length;
      answered = true;
      if ('pendData' in elements) this.#announced = elements.pendData;
      else if (data.length < length) this.#announced = 0;
      else this.#announced = Math.max(0, this.#announced - data.length);
      if (data.length === 0) return;
      this.#queue.push(data);
      this.hooks.received();
    };
    try {
      await this.module.call('SOCKRD', { sockId, outputMode, length }, { onResponse });
      if (!answered) this.#announced = 0;
    } finally {
      if (!answered) this.#asked -= length;
    }
  }
}

export interface Datagram {
  readonly data: Uint8Array;
  readonly from: SockAddr;
  /** It came with an event and counts against the window. */
  readonly windowed: boolean;
}

/** Datagrams waiting in one socket. */
const MAX_DATAGRAMS = 32;

export class DatagramReader extends Reader {
  #queue: Datagram[] = [];
  #bytes = 0;
  /** Length of the oldest datagram the module holds; undefined: none is announced. */
  #announced: number | undefined;
  #dropped = 0;

  get available(): number {
    return this.#queue[0]?.data.length ?? 0;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Datagrams that found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  protected get outstanding(): boolean {
    return this.#announced !== undefined;
  }

  /** Only the answer tells whether there is another one. */
  protected get depth(): number {
    return 1;
  }

  /** `SOCKRXU`, polled: the length of the oldest datagram. */
  announce(length: number): void {
    this.#announced ??= length;
    this.pump();
  }

  /** `SOCKRXU` with data. */
  arrive(data: Uint8Array, from: SockAddr, position: number | undefined): void {
    if (!this.accept(data.length, position)) return;
    this.#push({ data, from, windowed: true });
  }

  peek(): Datagram | undefined {
    return this.#queue[0];
  }

  read(): Datagram | undefined {
    const datagram = this.#queue.shift();
    if (datagram === undefined) return undefined;
    this.#bytes -= datagram.data.length;
    // All of it, even if the caller takes only a part: the rest is gone, and the window must not shrink over it.
    this.consumed(datagram.windowed ? datagram.data.length : 0);
    return datagram;
  }

  recheck(): void {
    if (this.mode === AsyncMode.OFF) this.announce(MAX_FETCH);
  }

  protected forgetAnnounced(): void {
    this.#announced = undefined;
  }

  protected nextFetch(): number | undefined {
    if (this.#announced === undefined || this.#queue.length >= MAX_DATAGRAMS) return undefined;
    return this.#bytes === 0 || this.#bytes + this.#announced <= this.capacity
      ? Math.max(1, this.#announced)
      : undefined;
  }

  protected async fetch(sockId: number, length: number): Promise<void> {
    const onResponse = ({ form, elements }: ResponseOf<'SOCKRD'>) => {
      this.#announced = undefined;
      if (form !== 'SOCKET_READ_RESPONSE_UDP_EXTENDED') return;
      const { data, pendData, pendDatagram, rmtAddr, rmtPort } = elements;
      if (pendDatagram > 0) this.#announced = pendData;
      this.#push({ data, from: addressOf(String(rmtAddr), rmtPort), windowed: false });
    };
    await this.module.call('SOCKRD', { sockId, outputMode: EXTENDED, length }, { onResponse });
  }

  #push(datagram: Datagram): void {
    if (this.#queue.length >= MAX_DATAGRAMS || this.#bytes + datagram.data.length > 2 * this.capacity) {
      this.#dropped++;
      if (datagram.windowed) this.consumed(datagram.data.length);
      return;
    }
    this.#queue.push(datagram);
    this.#bytes += datagram.data.length;
    this.hooks.received();
  }
}
