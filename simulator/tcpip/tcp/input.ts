import type { Packet } from '../core/packet.js';
import { ACK, CWR, FIN, RST, type Segment, SYN } from '../wire/tcp.js';
import { acknowledge } from './acknowledgment.js';
import { type Connection, EVENT_READABLE } from './connection.js';
import { adoptUserTimeout, completePassive, inputSynSent, resendSynAck } from './handshake.js';
import { abortConnection, endConnection, finAcknowledged, finReceived } from './lifecycle.js';
import { sendAck } from './output.js';
import { after, before, beforeOrAt } from './sequence.js';
import * as states from './states.js';
import { armAckTimer } from './timers.js';

/** RFC 7323 5.5: a timestamp this old says nothing any more. */
const TIMESTAMP_LIFETIME_MS = 24 * 86_400_000;
/** Acknowledgements of nonsense, at most one in so long per connection: two confused ends must not storm. */
const OUT_OF_WINDOW_ACK_MS = 500;
/** Congestion experienced, RFC 3168 5. */
const CE = 3;

/** One segment for an existing connection: RFC 9293 3.10.7.3 and 3.10.7.4, with RFC 5961, 7323, 2018. */
export function inputSegment(c: Connection, segment: Segment, packet: Packet): void {
  const { tcp } = c;
  c.lastReceivedAt = tcp.engine.now;
  if (c.keepAliveProbes > 0) c.keepAliveProbes = 0;
  if (c.stateNumber === states.SYN_SENT) {
    if (!inputSynSent(c, segment, () => tcp.reset(segment, packet))) return;
    segment.sequence = (segment.sequence + 1) | 0;
    segment.flags &= ~SYN;
    takeText(c, segment, packet);
    return;
  }
  if (c.stateNumber === states.SYN_RECEIVED && segment.flags & SYN && segment.sequence === c.irs) {
    if ((segment.flags & ACK) === 0) {
      resendSynAck(c);
      return;
    }
    // Simultaneous open: the SYN is known, the acknowledgement is news.
    segment.sequence = (segment.sequence + 1) | 0;
    segment.flags &= ~SYN;
  }
  if (!timestampsPass(c, segment) || !isAcceptable(c, segment)) return;
  const { flags } = segment;
  if (flags & RST) {
    takeReset(c, segment);
    return;
  }
  if (flags & SYN) {
    // RFC 5961 4: whoever sends this has either lost its state or never had it.
    tcp.challenge(c);
    return;
  }
  if ((flags & ACK) === 0 || !acknowledgmentPasses(c, segment, packet)) return;
  if (segment.userTimeout > 0) adoptUserTimeout(c, segment.userTimeout);
  acknowledge(c, segment);
  if (c.finSent && c.una === c.nxt && c.stateNumber !== states.TIME_WAIT) {
    finAcknowledged(c);
    if (c.stateNumber === states.CLOSED) return;
  }
  takeText(c, segment, packet);
  if (c.ackNow || c.sendBuffer.length > 0 || c.finQueued) c.wantOutput();
}

/** RFC 7323 5.3 R1 to R3. */
function timestampsPass(c: Connection, segment: Segment): boolean {
  if (!c.timestampsOk || segment.flags & RST) return true;
  const { tcp } = c;
  if (!segment.hasTimestamps) {
    // R0: once agreed on, every segment has them.
    tcp.stats.tcpPawsDrops++;
    return false;
  }
  const { now } = tcp.engine;
  const older = before(segment.timestampValue, c.recentTimestamp);
  if (older && now - c.recentTimestampAt < TIMESTAMP_LIFETIME_MS) {
    tcp.stats.tcpPawsDrops++;
    acknowledgeNonsense(c, segment);
    return false;
  }
  if (beforeOrAt(segment.sequence, c.lastAckSent)) {
    c.recentTimestamp = segment.timestampValue;
    c.recentTimestampAt = now;
  }
  return true;
}

/** RFC 9293 3.10.7.4 first: does any of it lie in the window? */
function isAcceptable(c: Connection, segment: Segment): boolean {
  const { sequence } = segment;
  const { span } = segment;
  const next = c.receiveNext;
  const window = Math.max(0, (c.receiveAdvertised - next) | 0);
  const offset = (sequence - next) | 0;
  // Exactly next: its acknowledgement counts even when the window is shut.
  if (offset === 0) return true;
  if (span === 0 ? offset > 0 && offset <= window : offset + span > 0 && offset < window) return true;
  const { tcp } = c;
  if (segment.flags & RST) {
    tcp.stats.tcpOutOfWindow++;
    return false;
  }
  if (offset < 0) tcp.stats.tcpDuplicates++;
  else tcp.stats.tcpOutOfWindow++;
  if (segment.dataLength > 0 && offset + segment.dataLength <= 0 && c.sackOk) {
    c.duplicateSackStart = sequence;
    c.duplicateSackEnd = (sequence + segment.dataLength) | 0;
  }
  if (c.stateNumber === states.TIME_WAIT && segment.flags & FIN) c.armLife(tcp.settings.timeWaitMs);
  // An old segment may still bring news about what we sent, if its acknowledgement is good.
  acknowledgeNonsense(c, segment);
  return false;
}

function acknowledgeNonsense(c: Connection, segment: Segment): void {
  const { now } = c.tcp.engine;
  const bare = segment.dataLength === 0 && (segment.flags & (SYN | FIN)) === 0;
  if (bare && now - c.outOfWindowAckAt < OUT_OF_WINDOW_ACK_MS) return;
  if (bare) c.outOfWindowAckAt = now;
  if (c.stateNumber === states.SYN_RECEIVED) resendSynAck(c);
  else sendAck(c);
}

/** RFC 5961 3.2: only the very next sequence number resets. */
function takeReset(c: Connection, segment: Segment): void {
  const { tcp } = c;
  if (segment.sequence !== c.receiveNext) {
    tcp.challenge(c);
    return;
  }
  tcp.stats.tcpResetsIn++;
  // RFC 1337: a reset must not end TIME-WAIT.
  if (c.stateNumber === states.TIME_WAIT) return;
  const refused = c.stateNumber === states.SYN_RECEIVED && !c.passive;
  endConnection(c, refused ? 'refused' : 'reset');
}

/** RFC 9293 3.10.7.4 fifth, with the lower bound of RFC 5961 5.2. */
function acknowledgmentPasses(c: Connection, segment: Segment, packet: Packet): boolean {
  const { tcp } = c;
  const ack = segment.acknowledgment;
  if (c.stateNumber === states.SYN_RECEIVED) {
    if (!completePassive(c, segment)) {
      tcp.reset(segment, packet);
      return false;
    }
    if (c.finQueued) moveAfterHandshake(c);
    return true;
  }
  if (after(ack, c.nxt) || before(ack, (c.una - Math.max(c.maxWindow, 1)) | 0)) {
    tcp.challenge(c);
    return false;
  }
  return true;
}

/** The user had nothing to send but the end, before the handshake was complete. */
function moveAfterHandshake(c: Connection): void {
  c.stateNumber = states.nextState(c.stateNumber, states.CLOSE);
}

/** Data and FIN (RFC 9293 3.10.7.4 seventh and eighth). */
function takeText(c: Connection, segment: Segment, packet: Packet): void {
  if (c.stateNumber === states.ESTABLISHED && c.finQueued && !c.finSent) moveAfterHandshake(c);
  if (c.ecnOk) {
    if (segment.flags & CWR) c.echoCongestion = false;
    if ((packet.trafficClass & 3) === CE) {
      if (!c.echoCongestion) c.ackNow = true;
      c.echoCongestion = true;
    }
  }
  if (segment.dataLength === 0 && (segment.flags & FIN) === 0) return;
  if (!states.canReceive(c.stateNumber)) {
    // A FIN again in TIME-WAIT: our acknowledgement was lost.
    c.ackNow = true;
    if (c.stateNumber === states.TIME_WAIT && segment.flags & FIN) c.armLife(c.tcp.settings.timeWaitMs);
    return;
  }
  if (segment.dataLength > 0) takeData(c, segment, packet.frame);
  if (segment.flags & FIN && c.stateNumber !== states.CLOSED) {
    const position = (segment.sequence + segment.dataLength) | 0;
    if (!after(position, c.receiveAdvertised)) {
      c.finPending = true;
      c.finSequence = position;
    }
    c.ackNow = true;
  }
  if (c.finPending && c.finSequence === c.receiveNext && c.stateNumber !== states.CLOSED) {
    c.finPending = false;
    finReceived(c);
  }
}

export function takeData(c: Connection, segment: Segment, frame: Uint8Array): void {
  const { tcp, receiveBuffer } = c;
  let { sequence, dataAt: at, dataLength: length } = segment;
  const old = (c.receiveNext - sequence) | 0;
  if (old > 0) {
    tcp.stats.tcpDuplicates++;
    if (c.sackOk) {
      c.duplicateSackStart = sequence;
      c.duplicateSackEnd = (sequence + Math.min(old, length)) | 0;
    }
    c.ackNow = true;
    if (old >= length) return;
    sequence = c.receiveNext;
    at += old;
    length -= old;
  }
  const room = (c.receiveAdvertised - sequence) | 0;
  if (length > room) {
    c.ackNow = true;
    segment.flags &= ~FIN;
    if (room <= 0) return;
    length = room;
  }
  if (c.finPending) {
    // Nothing can follow a FIN.
    const limit = (c.finSequence - sequence) | 0;
    if (limit <= 0) return;
    length = Math.min(length, limit);
  }
  if (c.readShut) {
    abortConnection(c, 'aborted');
    return;
  }
  if (sequence === c.receiveNext) takeInOrder(c, frame, at, length);
  else {
    tcp.stats.tcpOutOfOrder++;
    c.ackNow = true;
    const end = (sequence + length) | 0;
    if (receiveBuffer.covers(sequence, end)) {
      if (c.sackOk) {
        c.duplicateSackStart = sequence;
        c.duplicateSackEnd = end;
      }
    } else if (!receiveBuffer.insert(c.receiveNext, sequence, frame, at, length)) return;
    c.latestRangeStart = sequence;
  }
}

function takeInOrder(c: Connection, frame: Uint8Array, at: number, length: number): void {
  const { receiveBuffer } = c;
  if (!receiveBuffer.append(frame, at, length)) {
    c.ackNow = true;
    return;
  }
  c.receiveNext = (c.receiveNext + length) | 0;
  if (receiveBuffer.ranges.length > 0) {
    const joined = receiveBuffer.join(c.receiveNext);
    c.receiveNext = (c.receiveNext + joined) | 0;
    // RFC 5681 4.2: at once while a gap is being filled.
    c.ackNow = true;
  }
  c.unacknowledged += length;
  if (length > c.peerSegment) c.peerSegment = length;
  if (c.unacknowledged >= 2 * c.peerSegment || c.quickAcks > 0) c.ackNow = true;
  else armAckTimer(c);
  c.notify(EVENT_READABLE);
}
