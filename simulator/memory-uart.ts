import type { UartLine } from './uart-line.js';

/** A UART in this process: the host's end is `toModule` and `onData`. */
export class MemoryUart implements UartLine {
  readonly name = 'memory';
  readonly waiting = 0;
  readonly dropped = 0;
  receive: (bytes: Uint8Array) => void = () => {};
  /** Module to host. The bytes are lent for the call. */
  onData: (bytes: Uint8Array) => void = () => {};
  #closed = false;

  /** Host to module. The bytes are lent for the call. */
  toModule(bytes: Uint8Array): void {
    if (!this.#closed) this.receive(bytes);
  }

  write(bytes: Uint8Array): void {
    if (!this.#closed) this.onData(bytes);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
