import { TCP_HEADER } from '../wire/tcp.js';
import { type Connection, RECOVERY_NONE } from './connection.js';
import { pipe, updateSegmentSize } from './output.js';
import { LOST } from './scoreboard.js';

/** RFC 4821 7.2: what most paths take when the first size does not get through. */
const BASE_MSS = 1024;
const MIN_MSS_V4 = 536 - 40;
const MIN_MSS_V6 = 1220;

/** When to look for a wider path again, and how much wider it must be to matter. */
const FIRST_PROBE_MS = 30_000;
const NEXT_PROBE_MS = 1_000;
const NEXT_SEARCH_MS = 600_000;
const SMALLEST_GAIN = 32;
const TIMESTAMP_OPTION = 12;

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
  c.mtuSearchLimit = 0;
  c.mtuProbeAt = c.tcp.engine.now + FIRST_PROBE_MS;
  c.tcp.stats.tcpBlackHoles++;
  updateSegmentSize(c);
}

/** The segment size that only the path's true width could forbid, options taken off. */
function widest(c: Connection): number {
  const { output } = c.tcp.network;
  const ip = c.remoteAddress.isV4 ? 20 : 40;
  const path = Math.min(c.peerMss, output.pathMtu(c.remoteAddress) - ip - TCP_HEADER);
  return c.mtuSearchLimit > 0 ? Math.min(path, c.mtuSearchLimit) : path;
}

/** RFC 4821 7.2: halfway to what has failed, or all the way at the first try. */
const probeSize = (c: Connection): number =>
  c.mtuSearchLimit > 0 ? (c.pathMss + widest(c)) >> 1 : widest(c);

/** RFC 4821 7.3: only with the window open, nothing lost, and enough behind it to show a loss by duplicates. */
export function mtuProbeDue(c: Connection, queued: number, usable: number): boolean {
  if (c.mtuProbeSize > 0 || c.recovery !== RECOVERY_NONE || c.tcp.engine.now < c.mtuProbeAt) return false;
  const size = probeSize(c);
  if (size - c.pathMss < SMALLEST_GAIN) return false;
  const needed = size + 4 * c.mss;
  return queued >= needed && usable >= needed && c.cwnd - pipe(c) >= needed;
}

/** Marks the next segment as the probe; answers its length. */
export function startMtuProbe(c: Connection): number {
  const options = c.timestampsOk ? TIMESTAMP_OPTION : 0;
  c.mtuProbeSize = probeSize(c);
  const length = c.mtuProbeSize - options;
  c.mtuProbeEnd = (c.nxt + length) | 0;
  return length;
}

export function mtuProbeArrived(c: Connection): void {
  c.pathMss = c.mtuSearchLimit === 0 ? 0 : c.mtuProbeSize;
  c.mtuProbeSize = 0;
  c.mtuProbeAt = c.tcp.engine.now;
  updateSegmentSize(c);
}

export function mtuProbeFailed(c: Connection): void {
  c.mtuSearchLimit = c.mtuProbeSize;
  c.mtuProbeSize = 0;
  // A narrower search goes on soon, a finished one starts anew after a while (RFC 4821 7.4).
  const over = probeSize(c) - c.pathMss < SMALLEST_GAIN;
  if (over) c.mtuSearchLimit = 0;
  c.mtuProbeAt = c.tcp.engine.now + (over ? NEXT_SEARCH_MS : NEXT_PROBE_MS);
}

/** The loss of the probe alone is no congestion (RFC 4821 7.6.1): its data goes again in smaller pieces. */
export function onlyMtuProbeLost(c: Connection): boolean {
  const { scoreboard } = c;
  const index = scoreboard.find((c.mtuProbeEnd - 1) | 0);
  if (index >= scoreboard.count || (scoreboard.flags(index) & LOST) === 0) return false;
  const alone = scoreboard.lostBytes === ((scoreboard.end(index) - scoreboard.start(index)) | 0);
  mtuProbeFailed(c);
  return alone;
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
