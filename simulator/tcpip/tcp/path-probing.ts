import { type Connection, RECOVERY_NONE } from './connection.js';
import { updateSegmentSize } from './output.js';

/** RFC 4821 7.2: what most paths take when the first size does not get through. */
const BASE_MSS = 1024;
const MIN_MSS_V4 = 536 - 40;
const MIN_MSS_V6 = 1220;

/** Timeouts in a row before the path is suspected, and before a size most paths take is doubted too. */
const SUSPICION = 3;
const DEEPER_SUSPICION = 6;

/** Full segments time out again and again: perhaps routers drop them and no ICMP comes back (RFC 4821 7.6, RFC 2923). */
export function suspectBlackHole(c: Connection): void {
  const { scoreboard } = c;
  const front = scoreboard.count > 0 ? (scoreboard.end(0) - scoreboard.start(0)) | 0 : 0;
  const smallest = c.remoteAddress.isV4 ? MIN_MSS_V4 : MIN_MSS_V6;
  const base = Math.max(BASE_MSS, smallest);
  if (front < c.mss || c.mss <= smallest || c.backoff !== (c.mss > base ? SUSPICION : DEEPER_SUSPICION))
    return;
  c.pathMss = c.mss > base ? base : Math.max(c.mss >> 1, smallest);
  c.tcp.stats.tcpBlackHoles++;
  updateSegmentSize(c);
}

/** An ICMP error or the path table says the path is narrower: cut what is in flight anew (RFC 1191 6.5, RFC 8201 5.4). */
export function pathNarrowed(c: Connection): void {
  const before = c.mss;
  updateSegmentSize(c);
  if (c.mss >= before) return;
  c.tcp.stats.tcpPathMtuReductions++;
  const { scoreboard } = c;
  for (let i = 0; i < scoreboard.count; i++) {
    if (((scoreboard.end(i) - scoreboard.start(i)) | 0) > c.mss) scoreboard.markLost(i);
  }
  // No congestion: the window stays as it is, counted in bytes.
  if (c.recovery === RECOVERY_NONE) c.cwnd = Math.max(c.cwnd, 2 * c.mss);
}
