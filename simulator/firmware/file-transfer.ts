/** Transfers of the FS-TSFR protocol: blocks by number, each answered with what is left. API reference, FSTSFR. */
import type { StatusName } from '../../driver/protocol/catalogue/statuses.js';
import { crc16 } from '../crc16.js';
import type { FileType, Reservation } from './files.js';

/** Block numbers have 8 bits and start with 1. */
const next = (block: number): number => (block + 1) & 0xff;
/** What a read without a length gets. */
const FIXED_BLOCK = 128;
/** Most in one answer, so that it fits a message of either wire. */
const MAX_BLOCK = 1024;

export interface Progress {
  readonly block: number;
  readonly remaining: number;
  readonly data?: Uint8Array;
}

/** Host to module. */
export class LoadTransfer {
  readonly type: FileType;
  readonly name: string;
  readonly #room: Reservation;
  readonly #data: Uint8Array;
  #at = 0;
  #block = 0;

  constructor(type: FileType, name: string, length: number, room: Reservation) {
    this.type = type;
    this.name = name;
    this.#data = new Uint8Array(length);
    this.#room = room;
  }

  get length(): number {
    return this.#data.length;
  }

  get progress(): Progress {
    return { block: this.#block, remaining: this.#data.length - this.#at };
  }

  get finished(): boolean {
    return this.#at === this.#data.length;
  }

  /**
   * The next block, or once more the one before, whose answer the host may have missed. A refused block can be sent
   * again.
   */
  write(block: number, data: Uint8Array, crc: number | undefined): StatusName | undefined {
    if (crc !== undefined && crc16(data) !== crc) return 'FILE_WRITE_FAILED';
    if (block === this.#block && this.#at > 0) return undefined;
    if (block !== next(this.#block) || data.length === 0 || data.length > this.#data.length - this.#at) {
      return 'INVALID_PARAMETER';
    }
    this.#data.set(data, this.#at);
    this.#at += data.length;
    this.#block = block;
    return this.finished ? this.#room.commit(this.#data) : undefined;
  }

  end(): void {
    this.#room.release();
  }
}

/** Module to host. */
export class StoreTransfer {
  readonly #data: Uint8Array;
  /** Start and end of the block sent last. */
  #start = 0;
  #end = 0;
  #block = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  get progress(): Progress {
    return { block: this.#block, remaining: this.#data.length - this.#end };
  }

  get finished(): boolean {
    return this.#end === this.#data.length;
  }

  /** The next block, or once more the one before; the last one is shorter than asked for. */
  read(block: number, length = FIXED_BLOCK): Progress | StatusName {
    if (block === next(this.#block) && !this.finished) this.#start = this.#end;
    else if (block !== this.#block || this.#end === 0) return 'INVALID_PARAMETER';
    this.#block = block;
    this.#end = Math.min(this.#start + Math.min(length, MAX_BLOCK), this.#data.length);
    return { ...this.progress, data: this.#data.subarray(this.#start, this.#end) };
  }

  end(): void {}
}

export type Transfer = LoadTransfer | StoreTransfer;

/** Transfers under way at once. */
const MAX_TRANSFERS = 4;

/** Transfers by handle. One that has ended by itself keeps its handle until another needs the place. */
export class Transfers {
  readonly #transfers = new Map<number, Transfer>();
  #nextHandle: number;

  /** @param start of the handles: arbitrary, never 0 */
  constructor(start: number) {
    this.#nextHandle = start;
  }

  get(handle: number): Transfer | undefined {
    return this.#transfers.get(handle);
  }

  /** Those that are not through. */
  get unfinished(): [number, Transfer][] {
    return [...this.#transfers].filter(([, transfer]) => !transfer.finished);
  }

  get full(): boolean {
    return this.unfinished.length >= MAX_TRANSFERS;
  }

  add(transfer: Transfer): number {
    if (this.#transfers.size >= MAX_TRANSFERS) this.#dropFinished();
    const handle = this.#nextHandle;
    this.#nextHandle = (handle % 0xffff) + 1;
    this.#transfers.set(handle, transfer);
    return handle;
  }

  end(handle: number): void {
    this.#transfers.get(handle)?.end();
    this.#transfers.delete(handle);
  }

  #dropFinished(): void {
    for (const [handle, transfer] of this.#transfers) if (transfer.finished) this.#transfers.delete(handle);
  }
}
