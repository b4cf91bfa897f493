import { ringPool } from './receive-buffer.js';

const SMALL_PIECE = 2048;
const LARGE_PIECE = 65_536;

class Piece {
  bytes: Uint8Array;
  start = 0;
  end = 0;
  /** The user's own memory, kept by reference until acknowledged. */
  external = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

const nothing = new Uint8Array(0);

/**
 * What the user has written and the peer not yet acknowledged: a list of pieces, pooled ones for copies, the user's own
 * for data handed over by reference. An idle connection holds none.
 */
export class SendBuffer {
  readonly #pieces: Piece[] = [];
  length = 0;
  /** The piece last read from, and the offset of its first byte: transmission goes forward mostly. */
  #cursor = 0;
  #cursorOffset = 0;
  /** What `reserve` gave out at the end of the last piece. */
  readonly #views: Uint8Array[] = [];

  write(data: Uint8Array, length: number): void {
    let from = 0;
    while (from < length) {
      const piece = this.#tail(length - from);
      const n = Math.min(length - from, piece.bytes.length - piece.end);
      if (n === 1) piece.bytes[piece.end] = data[from];
      else piece.bytes.set(n === data.length ? data : data.subarray(from, from + n), piece.end);
      piece.end += n;
      from += n;
    }
    this.length += length;
  }

  #tail(wanted: number): Piece {
    const pieces = this.#pieces;
    const last = pieces.length > 0 ? pieces[pieces.length - 1] : undefined;
    if (last !== undefined && !last.external && last.end < last.bytes.length) return last;
    const size = wanted > SMALL_PIECE || pieces.length > 0 ? LARGE_PIECE : SMALL_PIECE;
    const piece = new Piece(ringPool.take(size));
    pieces.push(piece);
    return piece;
  }

  writeReference(data: Uint8Array): void {
    if (data.length === 0) return;
    const piece = new Piece(data);
    piece.external = true;
    piece.end = data.length;
    this.#pieces.push(piece);
    this.length += data.length;
  }

  /** Free memory for up to `bytes`, to be filled and committed. Valid until the next call of anything here. */
  reserve(bytes: number): readonly Uint8Array[] {
    const views = this.#views;
    views.length = 0;
    if (bytes <= 0) return views;
    const piece = this.#tail(bytes);
    views.push(piece.bytes.subarray(piece.end, Math.min(piece.bytes.length, piece.end + bytes)));
    return views;
  }

  /** Queues the first `bytes` of what was reserved. */
  commit(bytes: number): void {
    const reserved = this.#views[0] ?? nothing;
    const n = Math.min(bytes, reserved.length);
    this.#views.length = 0;
    if (n === 0) return;
    this.#pieces[this.#pieces.length - 1].end += n;
    this.length += n;
  }

  /** Copies `length` bytes that begin `offset` after the first unacknowledged. */
  copy(offset: number, into: Uint8Array, at: number, length: number): void {
    const pieces = this.#pieces;
    let index = this.#cursor;
    let base = this.#cursorOffset;
    if (offset < base) {
      index = 0;
      base = 0;
    }
    let piece = pieces[index];
    while (offset >= base + piece.end - piece.start) {
      base += piece.end - piece.start;
      piece = pieces[++index];
    }
    this.#cursor = index;
    this.#cursorOffset = base;
    let from = piece.start + offset - base;
    let left = length;
    let to = at;
    for (;;) {
      const n = Math.min(left, piece.end - from);
      if (n <= 16) for (let i = 0; i < n; i++) into[to + i] = piece.bytes[from + i];
      else into.set(piece.bytes.subarray(from, from + n), to);
      left -= n;
      if (left === 0) return;
      to += n;
      piece = pieces[++index];
      from = piece.start;
    }
  }

  /** The peer has acknowledged `bytes` more. */
  drop(bytes: number): void {
    const pieces = this.#pieces;
    let left = bytes;
    let gone = 0;
    while (left > 0) {
      const piece = pieces[gone];
      const n = Math.min(left, piece.end - piece.start);
      piece.start += n;
      left -= n;
      if (piece.start < piece.end) break;
      if (!piece.external) ringPool.give(piece.bytes);
      gone++;
    }
    this.length -= bytes;
    if (gone > 0) {
      if (gone === pieces.length) pieces.length = 0;
      else pieces.splice(0, gone);
    }
    this.#cursor = Math.max(0, this.#cursor - gone);
    this.#cursorOffset = this.#cursor === 0 ? 0 : this.#cursorOffset - bytes;
  }

  clear(): void {
    for (const piece of this.#pieces) if (!piece.external) ringPool.give(piece.bytes);
    this.#pieces.length = 0;
    this.#views.length = 0;
    this.length = 0;
    this.#cursor = 0;
    this.#cursorOffset = 0;
  }
}
