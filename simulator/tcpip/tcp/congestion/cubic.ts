import { type CongestionControl, type CongestionWindow, slowStart } from './congestion.js';

/** RFC 9438 4.1, 4.6. */
const C = 0.4;
const BETA = 0.7;
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

/** CUBIC (RFC 9438). Its window arithmetic is in segments, as the RFC's is. */
export class Cubic implements CongestionControl {
  readonly name = 'cubic';
  /** Window before the latest reduction, segments. */
  #wMax = 0;
  #priorWMax = 0;
  /** Start of the current congestion avoidance stage, ms; negative: none. */
  #epoch = -1;
  /** Seconds from the stage's start until the window is back at #wMax. */
  #k = 0;
  #origin = 0;
  /** What Reno would have reached (4.3). */
  #wEst = 0;

  acknowledged(window: CongestionWindow, bytes: number, nowMs: number): void {
    let left = bytes;
    if (window.cwnd < window.ssthresh) {
      left = slowStart(window, bytes);
      if (left === 0 || window.cwnd < window.ssthresh) return;
    }
    const { mss } = window;
    const cwnd = window.cwnd / mss;
    if (this.#epoch < 0) this.#begin(cwnd, nowMs);
    const t = (nowMs - this.#epoch) / 1000;
    const rtt = window.srtt / 1e6;
    const ahead = t + rtt - this.#k;
    const target = Math.min(Math.max(this.#origin + C * ahead * ahead * ahead, cwnd), 1.5 * cwnd);
    const segments = left / mss;
    this.#wEst += (this.#wEst >= this.#priorWMax && this.#wMax > 0 ? 1 : ALPHA) * (segments / cwnd);
    const now = t - this.#k;
    const cubic = this.#origin + C * now * now * now;
    if (cubic < this.#wEst) window.cwnd = Math.max(window.cwnd, Math.floor(this.#wEst * mss));
    else window.cwnd += Math.floor(((target - cwnd) / cwnd) * left);
  }

  #begin(cwnd: number, nowMs: number): void {
    this.#epoch = nowMs;
    this.#wEst = cwnd;
    if (this.#wMax > cwnd) {
      this.#k = Math.cbrt((this.#wMax - cwnd) / C);
      this.#origin = this.#wMax;
    } else {
      this.#k = 0;
      this.#origin = cwnd;
    }
  }

  reduced(window: CongestionWindow, flight: number): number {
    const cwnd = window.cwnd / window.mss;
    this.#epoch = -1;
    this.#priorWMax = cwnd;
    // Fast convergence (4.7): lower than last time means somebody new needs room.
    this.#wMax = cwnd < this.#wMax ? (cwnd * (1 + BETA)) / 2 : cwnd;
    return Math.max(
      Math.floor(Math.min(window.cwnd, Math.max(flight, window.cwnd >> 1)) * BETA),
      2 * window.mss,
    );
  }

  timedOut(): void {
    this.#epoch = -1;
  }

  undone(window: CongestionWindow): void {
    this.#epoch = -1;
    this.#wMax = Math.max(this.#wMax, window.cwnd / window.mss);
  }
}
