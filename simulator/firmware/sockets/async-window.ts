import type { SocketConfig } from './options.js';

/** Which of the three ways received data goes to the host. AT reference, "Reading Socket Data". */
export type ReadMode = 'polled' | 'async' | 'acknowledged';

/**
 * The sliding window of the acknowledged mode, counted in bytes modulo 2^16: the host tells in ASYNC_NEXT_SN what it
 * expects next, and may be sent ASYNC_WIN_SZ bytes beyond that.
 */
export class AsyncWindow {
  readonly #config: SocketConfig;
  #sent = 0;

  constructor(config: SocketConfig) {
    this.#config = config;
  }

  get mode(): ReadMode {
    if (this.#config.number('ASYNC_MAX_FRM_SZ') === 0) return 'polled';
    return this.#config.number('ASYNC_WIN_SZ') === 0 ? 'async' : 'acknowledged';
  }

  /** Sequence number of the next byte to be sent. */
  get sequence(): number {
    return this.#sent;
  }

  /** Bytes the host takes now. */
  get room(): number {
    if (this.mode !== 'acknowledged') return Number.POSITIVE_INFINITY;
    const unacknowledged = (this.#sent - this.#config.number('ASYNC_NEXT_SN')) & 0xffff;
    return this.#config.number('ASYNC_WIN_SZ') - unacknowledged;
  }

  advance(bytes: number): void {
    this.#sent = (this.#sent + bytes) & 0xffff;
  }
}
