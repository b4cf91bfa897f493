/** The far end of a fake connection, as a stream `node:tls` can run over. */
import { readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import type { Bench } from './bench.js';
import type { FakeConnection } from './fake-stack.js';

/** A file of firmware-fixtures/tls; see make.sh there. */
export const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../../../firmware-fixtures/tls/${name}`, import.meta.url));

export class FarEnd extends Duplex {
  readonly #connection: FakeConnection;
  /** The module's end was passed on. */
  #ended = false;
  /** Ours was. */
  #finished = false;

  constructor(connection: FakeConnection) {
    super();
    this.#connection = connection;
    connection.onOutput = () => setImmediate(() => this.#take());
    this.#take();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const data = Buffer.from(chunk);
    this.#later(() => this.#connection.deliver(data));
    done();
  }

  override _final(done: () => void): void {
    this.#end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#end();
    done(error);
  }

  #end(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#later(() => this.#connection.end());
  }

  #later(action: () => void): void {
    setImmediate(() => {
      if (!this.#connection.aborted) action();
    });
  }

  #take(): void {
    const connection = this.#connection;
    const { written } = connection;
    if (written.length > 0) {
      connection.written = Buffer.alloc(0);
      connection.room += written.length;
      this.push(written);
      connection.handler.writable?.();
    }
    if (this.#ended || (connection.state !== 'FIN-WAIT-1' && connection.state !== 'CLOSED')) return;
    this.#ended = true;
    this.push(null);
  }
}

/** What the module says until it matches; the handshake runs beside the virtual clock. */
export async function heard(bench: Bench, pattern: RegExp): Promise<string> {
  let text = '';
  for (let i = 0; i < 2000 && !pattern.test(text); i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    text += bench.take();
  }
  return text;
}
