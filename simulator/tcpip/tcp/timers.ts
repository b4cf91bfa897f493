import { ACK, FIN, PSH } from '../wire/tcp.js';
import {
  type Connection,
  RECOVERY_CWR,
  RECOVERY_NONE,
  TIMER_NONE,
  TIMER_PERSIST,
  TIMER_PROBE,
  TIMER_REORDER,
  TIMER_RTO,
} from './connection.js';
import { retransmitHandshake } from './handshake.js';
import { failConnection, finishTimeWait } from './lifecycle.js';
import { initialWindow, resend, sendAck, transmit, tryOutput, updateSegmentSize } from './output.js';
import { mtuProbeFailed, suspectBlackHole } from './path-probing.js';
import { detectLoss, enterLoss, enterRecovery } from './recovery.js';
import { backedOff } from './rtt.js';
import { SACKED } from './scoreboard.js';
import * as states from './states.js';
import { fitBuffers } from './tuning.js';

/** RFC 8985 7.2: what a peer may delay its acknowledgement. */
const WORST_DELAYED_ACK_MS = 200;
/** On a short path the host's own pauses are longer than two round trips; they are no reason to probe. */
const MIN_PROBE_MS = 10;

/** Sets the send timer to what comes next; `restart`: from now, because something was acknowledged. */
export function armSendTimer(c: Connection, restart: boolean): void {
  const { engine } = c.tcp;
  if (c.scoreboard.count === 0) {
    const waiting = states.canTransmit(c.stateNumber) && c.sendBuffer.length > 0;
    if (!waiting) disarmSendTimer(c);
    else if (c.timerKind !== TIMER_PERSIST || restart) {
      c.timerKind = TIMER_PERSIST;
      engine.wheel.armAt(c.sendTimer, engine.now + Math.max(backedOff(c), c.tcp.settings.minRtoMs));
    }
    return;
  }
  if (restart || c.timerKind === TIMER_NONE || c.timerKind === TIMER_PERSIST) {
    c.rtoDue = engine.now + backedOff(c);
  } else if (c.timerKind === TIMER_REORDER) return;
  if (mayProbe(c)) {
    // RFC 8985 7.2: a probe comes before the timeout, at its time if need be.
    c.timerKind = TIMER_PROBE;
    engine.wheel.armAt(c.sendTimer, Math.min(engine.now + probeTimeout(c), c.rtoDue));
    return;
  }
  c.timerKind = TIMER_RTO;
  engine.wheel.armAt(c.sendTimer, c.rtoDue);
}

export function disarmSendTimer(c: Connection): void {
  c.timerKind = TIMER_NONE;
  c.sendTimer.disarm();
}

/** RFC 8985 6.3: look again when the reordering window has passed. */
export function armReorderTimer(c: Connection, delayMs: number): void {
  c.timerKind = TIMER_REORDER;
  c.tcp.engine.wheel.armAt(c.sendTimer, c.tcp.engine.now + delayMs);
}

/** RFC 8985 7.2: only while nothing is known to be lost, and one probe at a time. */
function mayProbe(c: Connection): boolean {
  return (
    c.sackOk &&
    c.srtt > 0 &&
    !c.probeOutstanding &&
    (c.recovery === RECOVERY_NONE || c.recovery === RECOVERY_CWR) &&
    c.scoreboard.sackedBytes === 0 &&
    c.backoff === 0
  );
}

function probeTimeout(c: Connection): number {
  const twice = (2 * c.srtt) / 1000;
  return Math.max(MIN_PROBE_MS, c.scoreboard.count === 1 ? twice + WORST_DELAYED_ACK_MS : twice);
}

export function onSendTimer(c: Connection): void {
  const kind = c.timerKind;
  c.timerKind = TIMER_NONE;
  switch (c.stateNumber) {
    case states.CLOSED:
    case states.TIME_WAIT:
    case states.FIN_WAIT_2:
      return;
    case states.SYN_SENT:
    case states.SYN_RECEIVED:
      retransmitHandshake(c);
      return;
  }
  switch (kind) {
    case TIMER_PROBE:
      sendTailProbe(c);
      break;
    case TIMER_REORDER:
      detectLoss(c);
      if (c.scoreboard.lostBytes > 0 && c.recovery <= RECOVERY_CWR) enterRecovery(c);
      tryOutput(c);
      if (c.timerKind === TIMER_NONE) armSendTimer(c, true);
      break;
    case TIMER_PERSIST:
      probeWindow(c);
      break;
    default:
      retransmissionTimeout(c);
  }
}

/** RFC 8985 7.3: new data if there is any and room for it, else the last segment again. */
function sendTailProbe(c: Connection): void {
  const { scoreboard } = c;
  c.tcp.stats.tcpTailLossProbes++;
  const before = c.nxt;
  const { cwnd } = c;
  c.cwnd += c.mss;
  tryOutput(c);
  c.cwnd = cwnd;
  c.probeResent = c.nxt === before;
  c.probeOutstanding = true;
  if (c.probeResent) {
    let last = scoreboard.count - 1;
    while (last > 0 && scoreboard.flags(last) & SACKED) last--;
    resend(c, last);
  }
  c.probeEnd = c.nxt;
  c.timerKind = TIMER_RTO;
  c.rtoDue = c.tcp.engine.now + backedOff(c);
  c.tcp.engine.wheel.armAt(c.sendTimer, c.rtoDue);
}

/** RFC 6298 5.4 to 5.7. */
function retransmissionTimeout(c: Connection): void {
  const { tcp, scoreboard } = c;
  if (scoreboard.count === 0) return;
  tcp.stats.tcpTimeouts++;
  if (tcp.engine.now - c.stalledSince >= c.userTimeout) {
    failConnection(c, 'timeout');
    return;
  }
  c.backoff++;
  if (c.mtuProbeSize > 0) mtuProbeFailed(c);
  suspectBlackHole(c);
  enterLoss(c);
  c.probeOutstanding = false;
  // The window may have shut meanwhile: the front goes out in any case, as a probe.
  c.timerKind = TIMER_NONE;
  tryOutput(c);
  if (c.timerKind === TIMER_NONE) armSendTimer(c, true);
}

/** RFC 9293 3.8.6.1, 3.8.6.2.1: what the window lets through, or one byte beyond a window of zero. */
function probeWindow(c: Connection): void {
  const { tcp } = c;
  if (c.scoreboard.count > 0 || c.sendBuffer.length === 0) return;
  if (tcp.engine.now - c.stalledSince >= c.userTimeout && c.backoff > 0) {
    failConnection(c, 'timeout');
    return;
  }
  const usable = (c.una + c.window - c.nxt) | 0;
  const queued = (c.bufferSequence + c.sendBuffer.length - c.nxt) | 0;
  if (usable > 0 && queued > 0) {
    const length = Math.min(usable, queued, c.mss);
    const last = length === queued;
    const fin = last && c.finQueued;
    const start = c.nxt;
    c.nxt = (start + length + (fin ? 1 : 0)) | 0;
    if (fin) c.finSent = true;
    c.scoreboard.push(start, c.nxt, tcp.engine.microseconds);
    transmit(c, start, length, ACK | (last ? PSH : 0) | (fin ? FIN : 0), false);
    armSendTimer(c, true);
    return;
  }
  tcp.stats.tcpWindowProbes++;
  if (c.backoff === 0) c.stalledSince = tcp.engine.now;
  c.backoff++;
  // An old byte brings an acknowledgement with the current window as well as a new one, and fills no buffer.
  transmit(c, (c.una - 1) | 0, 0, ACK, true);
  c.timerKind = TIMER_PERSIST;
  tcp.engine.wheel.armAt(c.sendTimer, tcp.engine.now + backedOff(c));
}

export function onAckTimer(c: Connection): void {
  if (c.unacknowledged > 0 || c.ackNow) sendAck(c);
}

export function armAckTimer(c: Connection): void {
  if (c.ackTimer.armed) return;
  c.tcp.engine.wheel.armAt(c.ackTimer, c.tcp.engine.now + c.tcp.settings.delayedAckMs);
}

/** Keepalive (RFC 9293 3.8.4). */
export function onIdleTimer(c: Connection): void {
  const { tcp } = c;
  const { engine } = tcp;
  if (c.keepAliveIdle === 0 || c.stateNumber < states.ESTABLISHED || c.stateNumber === states.TIME_WAIT)
    return;
  const timer = c.idleTimer;
  if (timer === undefined) return;
  const quiet = engine.now - c.lastReceivedAt;
  if (quiet < c.keepAliveIdle || c.scoreboard.count > 0) {
    c.keepAliveProbes = 0;
    engine.wheel.arm(timer, Math.max(1, c.keepAliveIdle - quiet));
    return;
  }
  if (c.keepAliveProbes >= c.keepAliveCount) {
    failConnection(c, 'timeout');
    return;
  }
  c.keepAliveProbes++;
  tcp.stats.tcpKeepAliveProbes++;
  transmit(c, (c.nxt - 1) | 0, 0, ACK, true);
  engine.wheel.arm(timer, c.keepAliveInterval);
}

export function onLifeTimer(c: Connection): void {
  if (c.stateNumber === states.TIME_WAIT || c.stateNumber === states.FIN_WAIT_2) finishTimeWait(c);
}

/** Values that depend on the segment size, once it is known. */
export function initializeWindow(c: Connection): void {
  updateSegmentSize(c);
  fitBuffers(c);
  c.cwnd = initialWindow(c);
}
