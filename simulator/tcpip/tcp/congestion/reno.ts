import { type CongestionControl, type CongestionWindow, slowStart } from './congestion.js';

/** RFC 5681 with appropriate byte counting (RFC 3465). */
export class Reno implements CongestionControl {
  readonly name = 'reno';
  #counted = 0;

  acknowledged(window: CongestionWindow, bytes: number): void {
    if (window.cwnd < window.ssthresh) {
      slowStart(window, bytes);
      return;
    }
    this.#counted += bytes;
    if (this.#counted >= window.cwnd) {
      this.#counted -= window.cwnd;
      window.cwnd += window.mss;
    }
  }

  reduced(window: CongestionWindow, flight: number): number {
    this.#counted = 0;
    return Math.max(flight >> 1, 2 * window.mss);
  }

  timedOut(): void {
    this.#counted = 0;
  }

  undone(): void {}
}
