import type { Connection } from './connection.js';

/** RFC 6298 2, in whole microseconds. */
export function sampleRtt(c: Connection, rttMicroseconds: number): void {
  const rtt = Math.max(1, rttMicroseconds);
  if (rtt < c.minRtt) c.minRtt = rtt;
  if (c.srtt === 0) {
    c.srtt = rtt;
    c.rttvar = rtt >> 1;
  } else {
    c.rttvar += (Math.abs(c.srtt - rtt) - c.rttvar) >> 2;
    c.srtt = Math.max(1, c.srtt + ((rtt - c.srtt) >> 3));
  }
  computeRto(c);
}

/** The timeout without backoff. Our clock ticks every millisecond. */
export function computeRto(c: Connection): void {
  const { minRtoMs, maxRtoMs } = c.tcp.settings;
  if (c.srtt === 0) return;
  // As Linux: the minimum bounds the variance term, so that a long path keeps a margin too.
  c.rto = Math.floor(Math.min(maxRtoMs, c.srtt / 1000 + Math.max(minRtoMs, (4 * c.rttvar) / 1000)));
}

/** The current timeout with its exponential backoff (RFC 6298 5.5). */
export const backedOff = (c: Connection): number =>
  Math.min(c.tcp.settings.maxRtoMs, c.rto * 2 ** Math.min(c.backoff, 16));
