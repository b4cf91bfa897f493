import { closeSync, openSync, writeSync } from 'node:fs';
import type { Link } from '../contract.js';
import { Device } from './device.js';
import { PcapngWriter } from './pcapng.js';

export interface CaptureFileOptions {
  /** Milliseconds since 1970; the machine's time by default. */
  readonly now?: () => number;
  readonly resolution?: 6 | 9;
  readonly snapLength?: number;
  /** The disk failed: nothing more is written, the traffic goes on. */
  readonly onError?: (error: Error) => void;
}

/** Wall-clock milliseconds with the fine steps of the monotonic clock. */
const wallClock = (): number => performance.timeOrigin + performance.now();

/** A pcapng file that grows as packets pass. Buffers at most 64 KiB. */
export class CaptureFile {
  readonly writer: PcapngWriter;
  #file: number | undefined;

  /** @throws the file system's error if `path` cannot be written */
  constructor(path: string, options: CaptureFileOptions = {}) {
    const { onError, ...rest } = options;
    this.#file = openSync(path, 'w');
    this.writer = new PcapngWriter({
      now: wallClock,
      ...rest,
      sink: (chunk) => {
        if (this.#file === undefined) return;
        try {
          for (let at = 0; at < chunk.length; ) at += writeSync(this.#file, chunk, at);
        } catch (error) {
          this.#release();
          onError?.(error as Error);
        }
      },
    });
    this.writer.flush();
  }

  /** Everything so far reaches the file. */
  flush(): void {
    this.writer.flush();
  }

  close(): void {
    this.writer.flush();
    this.#release();
  }

  #release(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
  }
}

/** Records every frame that passes, in both directions, as one interface of `writer`. */
export class CapturedLink extends Device {
  readonly #writer: PcapngWriter;
  readonly #interface: number;

  constructor(below: Link, writer: PcapngWriter, name: string) {
    super(below);
    this.#writer = writer;
    this.#interface = writer.interface(name);
  }

  override transmit(frame: Uint8Array, length: number): boolean {
    const sent = this.below.transmit(frame, length);
    const comment = sent ? undefined : 'dropped: the queue below is full';
    this.#writer.packet(this.#interface, frame, length, { direction: 'out', comment });
    return sent;
  }

  protected override inbound(frame: Uint8Array, length: number): void {
    this.#writer.packet(this.#interface, frame, length, { direction: 'in' });
    this.receive(frame, length);
  }
}
