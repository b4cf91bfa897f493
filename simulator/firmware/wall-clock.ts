import type { Clock } from '../tcpip/contract.js';

/** Seconds between 1900 (NTP) and 1970 (Unix). */
export const NTP_EPOCH = 2_208_988_800;

/** The module's own idea of the time: unknown until SNTP or the host sets it. */
export class WallClock {
  readonly #clock: Clock;
  #offsetMs: number | undefined;
  /** Time came from the network. */
  onSynchronised: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970; undefined while the time is not set. */
  now(): number | undefined {
    return this.#offsetMs === undefined ? undefined : this.#clock.now() + this.#offsetMs;
  }

  set(unixMs: number): void {
    this.#offsetMs = unixMs - this.#clock.now();
  }

  synchronise(unixMs: number): void {
    this.set(unixMs);
    this.onSynchronised();
  }
}
