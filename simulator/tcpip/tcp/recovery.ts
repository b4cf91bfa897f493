import { type Connection, RECOVERY_CWR, RECOVERY_FAST, RECOVERY_LOSS, RECOVERY_NONE } from './connection.js';
import { pipe, timestampNow } from './output.js';
import { EVER_RESENT, LOST, RESENT, SACKED } from './scoreboard.js';
import { after, afterOrAt, before } from './sequence.js';
import { armReorderTimer } from './timers.js';

const DUPLICATE_THRESHOLD = 3;

/** RFC 8985 6.2 step 2: a record has been delivered; the one sent last of all delivered decides. */
export function rackDelivered(c: Connection, end: number, sentAt: number, flags: number, echo: number): void {
  const rtt = (c.tcp.engine.microseconds - sentAt) | 0;
  if (flags & EVER_RESENT) {
    // The acknowledgement may be for the first copy: the segment it echoes is older than this one.
    if (c.timestampsOk && echo !== 0 && ((timestampNow(c) - echo) | 0) > rtt / 1000 + 1) return;
    if (rtt < c.minRtt) return;
  } else if (before(end, c.highestSacked)) c.rackReordering = true;
  if (c.rackValid && (before(sentAt, c.rackTime) || (sentAt === c.rackTime && before(end, c.rackEnd))))
    return;
  c.rackValid = true;
  c.rackTime = sentAt;
  c.rackEnd = end;
  c.rackRtt = rtt;
}

/** RFC 8985 6.2 step 4. */
function reorderWindow(c: Connection): number {
  if (!c.rackReordering && (c.recovery >= RECOVERY_FAST || c.scoreboard.sackedCount >= DUPLICATE_THRESHOLD))
    return 0;
  return Math.min(Math.floor((c.rackWindowFactor * Math.min(c.minRtt, c.srtt)) / 4), c.srtt);
}

/** RFC 8985 6.2 step 5: what was sent well before something that has been delivered is lost. */
export function detectLoss(c: Connection): void {
  const { scoreboard } = c;
  if (!c.rackValid) return;
  const window = reorderWindow(c);
  const now = c.tcp.engine.microseconds;
  let wait = 0;
  for (let i = 0; i < scoreboard.count; i++) {
    const flags = scoreboard.flags(i);
    const sentAt = scoreboard.time(i);
    // A tie tells nothing about what was sent again in the very instant in which the other one went and arrived:
    // taken for older, it would be lost anew with every acknowledgement, and two ends could talk for ever.
    const unordered = c.rackRtt === 0 && (flags & EVER_RESENT) !== 0;
    const later =
      after(sentAt, c.rackTime) ||
      (sentAt === c.rackTime && (unordered || !before(scoreboard.end(i), c.rackEnd)));
    if (later) {
      // First transmissions go out in order: nothing behind this one was sent before it.
      if ((flags & EVER_RESENT) === 0) break;
      continue;
    }
    if (flags & SACKED || (flags & (LOST | RESENT)) === LOST) continue;
    const remaining = (sentAt + c.rackRtt + window - now) | 0;
    if (remaining <= 0) scoreboard.markLost(i);
    else if (remaining > wait) wait = remaining;
  }
  if (wait > 0) armReorderTimer(c, wait / 1000);
}

/** RFC 8985 6.2 step 4: a duplicate report means we were too quick; be slower for a while. */
export function rackDuplicate(c: Connection): void {
  if (after(c.una, c.rackRoundEnd) || c.rackRoundEnd === 0) {
    c.rackRoundEnd = c.nxt;
    c.rackWindowFactor = Math.min(c.rackWindowFactor + 1, 64);
  }
  c.rackPersist = 16;
}

/** Without SACK: the segment at the left edge is lost (RFC 6582 3.2). */
export function markFrontLost(c: Connection): void {
  const { scoreboard } = c;
  if (scoreboard.count > 0 && (scoreboard.flags(0) & (LOST | RESENT)) !== LOST) scoreboard.markLost(0);
}

export const duplicatesShowLoss = (c: Connection): boolean => c.duplicateAcks >= DUPLICATE_THRESHOLD;

function rememberForUndo(c: Connection): void {
  c.priorCwnd = c.cwnd;
  c.priorSsthresh = c.ssthresh;
  c.undoMarker = c.una;
  c.undoResent = 0;
  c.canUndo = true;
}

/** Something is lost: reduce once, then repair (RFC 6675 5, RFC 6937). */
export function enterRecovery(c: Connection): void {
  c.tcp.stats.tcpFastRecoveries++;
  if (c.recovery === RECOVERY_NONE) {
    rememberForUndo(c);
    c.ssthresh = c.congestion.reduced(c, (c.nxt - c.una) | 0);
    if (c.ecnOk) c.reducedForEcn = true;
  }
  c.recovery = RECOVERY_FAST;
  c.recoveryPoint = c.nxt;
  c.prrDelivered = 0;
  c.prrOut = 0;
  c.prrFlight = Math.max(c.mss, (c.nxt - c.una) | 0);
}

/** RFC 3168 6.1.2: react as to a loss, at most once per window. */
export function reduceForMark(c: Connection): void {
  if (c.recovery !== RECOVERY_NONE) return;
  c.tcp.stats.tcpCongestionMarks++;
  rememberForUndo(c);
  c.canUndo = false;
  c.ssthresh = c.congestion.reduced(c, (c.nxt - c.una) | 0);
  c.cwnd = c.ssthresh;
  c.recovery = RECOVERY_CWR;
  c.recoveryPoint = c.nxt;
  c.reducedForEcn = true;
}

/** RFC 6937 3: as much goes out as has been delivered, scaled to end at `ssthresh`. */
export function proportionalRate(c: Connection, delivered: number): void {
  c.prrDelivered += delivered;
  const inFlight = pipe(c);
  let count: number;
  if (inFlight > c.ssthresh) {
    count = Math.ceil((c.prrDelivered * c.ssthresh) / c.prrFlight) - c.prrOut;
  } else {
    const limit = Math.max(c.prrDelivered - c.prrOut, delivered) + c.mss;
    count = Math.min(c.ssthresh - inFlight, limit);
  }
  if (c.prrOut === 0) count = Math.max(count, c.mss);
  c.cwnd = inFlight + Math.max(0, count);
}

/** Everything that was in flight when recovery began has arrived. */
export function leaveRecovery(c: Connection): void {
  if (c.recovery !== RECOVERY_LOSS) c.cwnd = c.ssthresh;
  c.recovery = RECOVERY_NONE;
  c.duplicateAcks = 0;
  c.renoSacked = 0;
  c.frtoStep = 0;
  c.canUndo = false;
  if (c.rackPersist > 0 && --c.rackPersist === 0) c.rackWindowFactor = 1;
}

/** The reduction was a mistake: reordering or a late acknowledgement, not a loss. */
export function undoReduction(c: Connection): void {
  c.cwnd = Math.max(c.cwnd, c.priorCwnd);
  c.ssthresh = Math.max(c.ssthresh, c.priorSsthresh);
  c.congestion.undone(c);
  const { scoreboard } = c;
  for (let i = 0; i < scoreboard.count; i++) if (scoreboard.flags(i) & LOST) scoreboard.clearLost(i);
  c.recovery = RECOVERY_NONE;
  c.duplicateAcks = 0;
  c.renoSacked = 0;
  c.frtoStep = 0;
  c.canUndo = false;
  c.cwndLimited = false;
  c.backoff = 0;
}

/** The retransmission timer went off (RFC 5681 3.1, RFC 6675 5.1): all that is not acknowledged counts as lost. */
export function enterLoss(c: Connection): void {
  const { scoreboard } = c;
  if (c.recovery !== RECOVERY_LOSS || afterOrAt(c.una, c.recoveryPoint)) {
    rememberForUndo(c);
    c.ssthresh = c.congestion.reduced(c, (c.nxt - c.una) | 0);
    c.frtoStep = 1;
  } else {
    c.frtoStep = 0;
    c.canUndo = false;
  }
  c.congestion.timedOut(c);
  // A peer that acknowledged its left edge only selectively has thrown data away (RFC 2018 8).
  const reneged = scoreboard.count > 0 && (scoreboard.flags(0) & SACKED) !== 0;
  for (let i = 0; i < scoreboard.count; i++) {
    if (reneged && scoreboard.flags(i) & SACKED) scoreboard.clearSacked(i);
    if ((scoreboard.flags(i) & SACKED) === 0) scoreboard.markLost(i);
  }
  c.recovery = RECOVERY_LOSS;
  c.recoveryPoint = c.nxt;
  c.cwnd = c.mss;
  c.duplicateAcks = 0;
  c.renoSacked = 0;
  c.rackValid = false;
}
