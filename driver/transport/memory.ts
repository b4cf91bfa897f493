import { WincError } from '../protocol/errors.js';
import type { ByteTransport, ByteTransportHandler } from './transport.js';

/** One end of a cable without length. What is written arrives at the other end in order, one microtask later. */
export class MemoryTransport implements ByteTransport {
  readonly kind = 'bytes';
  readonly url: string;
  peer!: MemoryTransport;
  #handler: ByteTransportHandler | undefined;
  /** Arrived before `start`. */
  #early: Uint8Array[] = [];
  #open = true;

  constructor(url: string) {
    this.url = url;
  }

  start(handler: ByteTransportHandler): void {
    this.#handler = handler;
    for (const bytes of this.#early.splice(0)) handler.data(bytes);
    if (!this.#open) handler.closed(this.#gone());
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#open) throw this.#gone();
    const copy = bytes.slice();
    await null;
    this.peer.#deliver(copy);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#handler?.closed();
    await null;
    this.peer.unplug();
  }

  async setBaudRate(): Promise<void> {}

  /** As if the device had been pulled out: this end sees its stream end with an error. */
  unplug(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handler?.closed(this.#gone());
    this.peer.unplug();
  }

  #deliver(bytes: Uint8Array): void {
    if (!this.#open) return;
    if (this.#handler === undefined) this.#early.push(bytes);
    else this.#handler.data(bytes);
  }

  #gone(): WincError {
    return new WincError('WINC_PORT_LOST', `${this.url}: the port is gone: it was unplugged.`);
  }
}

/** Two ends of one cable. */
export function memoryPair(name = 'memory:'): [MemoryTransport, MemoryTransport] {
  const a = new MemoryTransport(name);
  const b = new MemoryTransport(name);
  a.peer = b;
  b.peer = a;
  return [a, b];
}
