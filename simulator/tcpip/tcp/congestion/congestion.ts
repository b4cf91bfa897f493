import type { TcpSettings } from '../options.js';
import { Cubic } from './cubic.js';
import { Reno } from './reno.js';

/** What a congestion control may see and move. Windows are in bytes. */
export interface CongestionWindow {
  cwnd: number;
  ssthresh: number;
  /** Bytes of a full segment. */
  readonly mss: number;
  /** Smoothed and least round-trip time, µs. */
  readonly srtt: number;
  readonly minRtt: number;
}

/**
 * How fast a connection may send. Loss detection and recovery are the connection's; this decides how the window grows
 * and how far it falls.
 */
export interface CongestionControl {
  readonly name: string;
  /** `bytes` more acknowledged while the window was the limit and nothing is lost. */
  acknowledged(window: CongestionWindow, bytes: number, nowMs: number): void;
  /** The slow start threshold after congestion with `flight` bytes in flight. */
  reduced(window: CongestionWindow, flight: number): number;
  /** The retransmission timer went off: the window starts over. */
  timedOut(window: CongestionWindow): void;
  /** The latest reduction was a mistake and is taken back. */
  undone(window: CongestionWindow): void;
}

/** RFC 5681 3.1, shared by all, counting bytes; at most eight segments at once (RFC 9406 4.2). */
export function slowStart(window: CongestionWindow, bytes: number): number {
  const room = Math.max(0, window.ssthresh - window.cwnd);
  const growth = Math.min(bytes, 8 * window.mss, room);
  window.cwnd += growth;
  return bytes - growth;
}

export const createCongestionControl = (name: TcpSettings['congestionControl']): CongestionControl =>
  name === 'reno' ? new Reno() : new Cubic();
