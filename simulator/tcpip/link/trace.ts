import type { Clock, Link } from '../contract.js';
import { FrameDecoder } from './decode.js';
import { Device } from './device.js';

/** Writes a decoded line for every frame that passes: seconds since the start, `>` out or `<` in, then the frame. */
export class TracedLink extends Device {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  readonly #decoder = new FrameDecoder();
  readonly #start: number;

  constructor(below: Link, clock: Clock, write: (line: string) => void) {
    super(below);
    this.#clock = clock;
    this.#write = write;
    this.#start = clock.now();
  }

  override transmit(frame: Uint8Array, length: number): boolean {
    this.#log('>', frame, length);
    const sent = this.below.transmit(frame, length);
    if (!sent) this.#write('          ! dropped below');
    return sent;
  }

  protected override inbound(frame: Uint8Array, length: number): void {
    this.#log('<', frame, length);
    this.receive(frame, length);
  }

  #log(direction: string, frame: Uint8Array, length: number): void {
    const seconds = (this.#clock.now() - this.#start) / 1000;
    this.#write(`${seconds.toFixed(6).padStart(10)} ${direction} ${this.#decoder.line(frame, length)}`);
  }
}
