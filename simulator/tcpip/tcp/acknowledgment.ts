import type { Segment } from '../wire/tcp.js';
import { ECE } from '../wire/tcp.js';
import {
  type Connection,
  EVENT_ACKNOWLEDGED,
  EVENT_WRITABLE,
  RECOVERY_CWR,
  RECOVERY_FAST,
  RECOVERY_LOSS,
  RECOVERY_NONE,
  TIMER_PERSIST,
} from './connection.js';
import { pipe, timestampNow } from './output.js';
import { mtuProbeArrived, onlyMtuProbeLost } from './path-probing.js';
import {
  detectLoss,
  duplicatesShowLoss,
  enterRecovery,
  leaveRecovery,
  markFrontLost,
  proportionalRate,
  rackDelivered,
  rackDuplicate,
  reduceForMark,
  undoReduction,
} from './recovery.js';
import { computeRto, sampleRtt } from './rtt.js';
import { EVER_RESENT, SACKED } from './scoreboard.js';
import { after, afterOrAt, before, beforeOrAt } from './sequence.js';
import { armSendTimer } from './timers.js';

/** What one acknowledgement brought; one object, used over and over. */
const news = {
  /** Bytes that have newly arrived at the peer, in order or not. */
  delivered: 0,
  /** Round-trip sample, µs; 0: none. */
  rtt: 0,
  /** Something sent only once, before the timeout, has arrived. */
  originalArrived: false,
  duplicateReported: false,
};

/**
 * Takes in the acknowledgement, the window and the selective acknowledgements of an acceptable segment (RFC 9293
 * 3.10.7.4 fifth, RFC 6675, RFC 8985). The acknowledgement number has been validated.
 */
export function acknowledge(c: Connection, segment: Segment): void {
  const ack = segment.acknowledgment;
  const advanced = (ack - c.una) | 0;
  const flight = (c.nxt - c.una) | 0;
  const windowChanged = updateWindow(c, segment);
  if (c.scoreboard.count === 0 && advanced <= 0) {
    if (c.timerKind === TIMER_PERSIST) {
      // The peer is there, however long its window stays shut (RFC 9293 3.8.6.1).
      c.stalledSince = c.tcp.engine.now;
      if (c.window > 0) c.backoff = 0;
    }
    // The second copy of what a tail loss probe carried has come: nothing was lost.
    if (segment.span === 0) c.probeOutstanding = false;
    if (windowChanged) armSendTimer(c, false);
    return;
  }
  news.delivered = 0;
  news.rtt = 0;
  news.originalArrived = false;
  news.duplicateReported = false;
  const echo = segment.hasTimestamps ? segment.timestampEcho : 0;
  const sackedBefore = c.scoreboard.sackedBytes;
  if (segment.sackCount > 0 && c.sackOk) takeSack(c, segment, echo);
  if (advanced > 0) takeCumulative(c, ack, advanced, echo);
  else countDuplicate(c, segment, windowChanged, sackedBefore);
  if (segment.flags & ECE && c.ecnOk && advanced > 0) reduceForMark(c);
  probeAnswered(c, ack, advanced, segment);
  if (!undoIfSpurious(c, advanced)) findLosses(c, advanced);
  moveWindow(c, advanced, flight);
  if (advanced > 0 || news.delivered > 0) armSendTimer(c, advanced > 0);
}

/** RFC 9293 3.10.7.4: only a segment not older than the one the window came with may change it. */
function updateWindow(c: Connection, segment: Segment): boolean {
  const { sequence, acknowledgment } = segment;
  const newer =
    before(c.windowSequence, sequence) ||
    (c.windowSequence === sequence && beforeOrAt(c.windowAcknowledgment, acknowledgment));
  if (!newer) return false;
  const window = segment.window << c.sendScale;
  c.windowSequence = sequence;
  c.windowAcknowledgment = acknowledgment;
  if (window > c.maxWindow) c.maxWindow = window;
  const changed = window !== c.window;
  c.window = window;
  return changed;
}

function takeSack(c: Connection, segment: Segment, echo: number): void {
  const { scoreboard } = c;
  const { sack, sackCount, acknowledgment } = segment;
  for (let b = 0; b < sackCount; b++) {
    const start = sack[2 * b];
    const end = sack[2 * b + 1];
    if (!before(start, end) || after(end, c.nxt)) continue;
    if (b === 0 && isDuplicateReport(segment, start, end, acknowledgment)) {
      news.duplicateReported = true;
      c.tcp.stats.tcpDuplicateSacks++;
      if (afterOrAt(start, c.undoMarker) && c.undoResent > 0) c.undoResent--;
      rackDuplicate(c);
      continue;
    }
    if (before(start, c.una)) continue;
    for (let i = scoreboard.find(start); i < scoreboard.count && beforeOrAt(scoreboard.end(i), end); i++) {
      const flags = scoreboard.flags(i);
      if (flags & SACKED || before(scoreboard.start(i), start)) continue;
      delivered(c, i, flags, echo);
      scoreboard.markSacked(i);
    }
    if (after(end, c.highestSacked)) c.highestSacked = end;
  }
}

/** RFC 2883 4: the first block repeats what is acknowledged, or lies within the second. */
function isDuplicateReport(segment: Segment, start: number, end: number, ack: number): boolean {
  if (beforeOrAt(end, ack)) return true;
  const { sack, sackCount } = segment;
  return sackCount > 1 && afterOrAt(start, sack[2]) && beforeOrAt(end, sack[3]);
}

function delivered(c: Connection, index: number, flags: number, echo: number): void {
  const { scoreboard } = c;
  const sentAt = scoreboard.time(index);
  const end = scoreboard.end(index);
  news.delivered += (end - scoreboard.start(index)) | 0;
  if ((flags & EVER_RESENT) === 0) {
    news.rtt = Math.max(1, (c.tcp.engine.microseconds - sentAt) | 0);
    if (beforeOrAt(end, c.recoveryPoint)) news.originalArrived = true;
  }
  rackDelivered(c, end, sentAt, flags, echo);
}

function takeCumulative(c: Connection, ack: number, advanced: number, echo: number): void {
  const { scoreboard, tcp } = c;
  while (scoreboard.count > 0 && beforeOrAt(scoreboard.end(0), ack)) {
    const flags = scoreboard.flags(0);
    if ((flags & SACKED) === 0) delivered(c, 0, flags, echo);
    scoreboard.popFront();
  }
  if (scoreboard.count > 0 && before(scoreboard.start(0), ack)) {
    news.delivered += (ack - scoreboard.start(0)) | 0;
    scoreboard.trimFront(ack);
  }
  c.una = ack;
  // RFC 8985 6.2 step 3: the highest delivered, one way or the other.
  if (before(c.highestSacked, ack)) c.highestSacked = ack;
  c.duplicateAcks = 0;
  if (c.renoSacked > 0)
    c.renoSacked = Math.max(0, c.renoSacked - Math.max(1, Math.ceil(advanced / c.mss)) + 1);
  const data = Math.min((ack - c.bufferSequence) | 0, c.sendBuffer.length);
  if (data > 0) {
    c.sendBuffer.drop(data);
    c.bufferSequence = (c.bufferSequence + data) | 0;
    c.acknowledgedTotal += data;
    if (c.handler.acknowledged !== undefined) c.notify(EVENT_ACKNOWLEDGED);
    if (c.wantsWritable) announceRoom(c);
  }
  if (c.sendUrgentPending && afterOrAt(ack, c.sendUrgent)) c.sendUrgentPending = false;
  if (news.rtt > 0) sampleRtt(c, news.rtt);
  else if (c.timestampsOk && echo !== 0) {
    // RFC 7323 4.1: timestamps tell even for what was sent twice.
    const rtt = (timestampNow(c) - echo) | 0;
    if (rtt >= 0 && rtt < 3_600_000) sampleRtt(c, Math.max(rtt, 1) * 1000);
  }
  if (c.backoff > 0) {
    c.backoff = 0;
    computeRto(c);
  }
  if (c.mtuProbeSize > 0 && afterOrAt(ack, c.mtuProbeEnd)) mtuProbeArrived(c);
  c.stalledSince = tcp.engine.now;
  tcp.forwardProgress(c);
}

/** Writable again once a quarter is free: a callback per segment would be a waste. */
function announceRoom(c: Connection): void {
  if (!c.sendLimitFixed && 2 * c.cwnd > c.sendLimit) {
    c.sendLimit = Math.min(2 * c.cwnd, c.tcp.settings.maxSendBuffer);
  }
  if (c.sendBuffer.length > c.sendLimit - (c.sendLimit >> 2)) return;
  c.wantsWritable = false;
  c.notify(EVENT_WRITABLE);
}

/** RFC 5681 2: what counts as a duplicate acknowledgement. */
function countDuplicate(c: Connection, segment: Segment, windowChanged: boolean, sackedBefore: number): void {
  if (segment.acknowledgment !== c.una || segment.span !== 0 || c.scoreboard.count === 0) return;
  if (c.sackOk) {
    if (c.scoreboard.sackedBytes > sackedBefore) c.duplicateAcks++;
    return;
  }
  if (windowChanged) return;
  c.duplicateAcks++;
  // Each says that one segment has left the network; never more than there are, less the missing one.
  if (c.renoSacked < c.scoreboard.count - 1) {
    c.renoSacked++;
    news.delivered += c.mss;
  }
}

/** RFC 8985 7.4.2: a tail loss probe that repaired a loss is congestion all the same; one not needed is not. */
function probeAnswered(c: Connection, ack: number, advanced: number, segment: Segment): void {
  if (!c.probeOutstanding || before(ack, c.probeEnd)) return;
  if (!c.probeResent || news.duplicateReported) c.probeOutstanding = false;
  else if (after(ack, c.probeEnd)) {
    c.probeOutstanding = false;
    if (c.recovery !== RECOVERY_NONE) return;
    enterRecovery(c);
    leaveRecovery(c);
  } else if (advanced <= 0 && segment.span === 0) c.probeOutstanding = false;
}

/** True: the latest reduction has been taken back (RFC 5682, and by D-SACK as RFC 3708 describes). */
function undoIfSpurious(c: Connection, advanced: number): boolean {
  if (c.recovery === RECOVERY_LOSS && c.frtoStep > 0 && c.canUndo) {
    if (c.sackOk) {
      if (!news.originalArrived) return false;
    } else if (!frtoWithoutSack(c, advanced)) return false;
    c.tcp.stats.tcpSpuriousTimeouts++;
    undoReduction(c);
    return true;
  }
  if (c.canUndo && c.recovery >= RECOVERY_FAST && news.duplicateReported && c.undoResent === 0) {
    undoReduction(c);
    return true;
  }
  return false;
}

/** RFC 5682 2.1: send something new after the first acknowledgement; the second tells. */
function frtoWithoutSack(c: Connection, advanced: number): boolean {
  if (advanced <= 0 || afterOrAt(c.una, c.recoveryPoint)) {
    if (c.frtoStep === 2) c.cwnd = Math.min(c.cwnd, 3 * c.mss);
    c.frtoStep = 0;
    return false;
  }
  if (c.frtoStep === 2) return true;
  const unsent = (c.bufferSequence + c.sendBuffer.length - c.nxt) | 0;
  const room = (c.una + c.window - c.nxt) | 0;
  if (unsent <= 0 || room < Math.min(c.mss, unsent)) {
    c.frtoStep = 0;
    return false;
  }
  c.frtoStep = 2;
  c.cwnd = pipe(c) + 2 * c.mss;
  return false;
}

function findLosses(c: Connection, advanced: number): void {
  const { scoreboard } = c;
  if (c.sackOk) {
    if (scoreboard.sackedBytes > 0 || c.recovery !== RECOVERY_NONE) detectLoss(c);
  } else if (c.recovery === RECOVERY_FAST) {
    // RFC 6582 3.2 step 5: a partial acknowledgement shows the next hole.
    if (advanced > 0 && before(c.una, c.recoveryPoint)) markFrontLost(c);
  } else if (c.recovery !== RECOVERY_LOSS && duplicatesShowLoss(c)) {
    markFrontLost(c);
  }
  if (c.mtuProbeSize > 0 && scoreboard.lostBytes > 0 && onlyMtuProbeLost(c)) return;
  const lost = scoreboard.lostBytes > scoreboard.resentBytes;
  if (lost && (c.recovery === RECOVERY_NONE || c.recovery === RECOVERY_CWR)) enterRecovery(c);
}

function moveWindow(c: Connection, advanced: number, flight: number): void {
  if (c.recovery !== RECOVERY_NONE && afterOrAt(c.una, c.recoveryPoint)) {
    // RFC 6582 3.2: without SACK the last segment of the window may be acknowledged by old duplicates.
    if (c.recovery === RECOVERY_LOSS && advanced > 0 && c.cwnd < c.ssthresh) {
      c.cwnd = Math.min(c.ssthresh, c.cwnd + Math.min(advanced, 2 * c.mss));
    }
    leaveRecovery(c);
    return;
  }
  if (c.recovery === RECOVERY_FAST) {
    if (news.delivered > 0) proportionalRate(c, news.delivered);
    return;
  }
  if (advanced <= 0) return;
  const limited = c.cwndLimited || (c.cwnd < c.ssthresh && c.cwnd < 2 * flight);
  c.cwndLimited = false;
  if (c.recovery === RECOVERY_LOSS) {
    if (c.frtoStep !== 2) c.cwnd += Math.min(advanced, 2 * c.mss, Math.max(0, c.ssthresh - c.cwnd) + c.mss);
  } else if (limited && c.recovery === RECOVERY_NONE) {
    c.congestion.acknowledged(c, advanced, c.tcp.engine.now);
  }
}
