import { fold } from '../core/checksum.js';
import { pseudoHeaderSum } from '../core/packet.js';
import { payloadStart, type Route } from '../ip/output.js';
import { write16 } from '../wire/bytes.js';
import { PROTOCOL_TCP } from '../wire/ipv4.js';
import { ACK, CWR, ECE, emitTcp, FIN, PSH, TCP_HEADER, URG } from '../wire/tcp.js';
import type { Connection } from './connection.js';
import { RECOVERY_FAST, TIMER_NONE } from './connection.js';
import { openFastOpen } from './handshake.js';
import { mtuProbeDue, startMtuProbe } from './path-probing.js';
import { fillSackBlocks } from './sack-blocks.js';
import { after, before } from './sequence.js';
import * as states from './states.js';
import { armSendTimer } from './timers.js';

/** Segments in flight at most, however small they are: the scoreboard is bounded too. */
const MAX_IN_FLIGHT = 16_384;
const MAX_OPTIONS = 40;
/** Segments of one burst that may carry the same time. */
const REFRESH_EVERY = 8;
/** ECT(0), RFC 3168 5. */
const ECN_CAPABLE = 2;
const TIMESTAMP_OPTION = 12;

/** Bytes believed to be in the network (RFC 6675 4, with RFC 6582's estimate where SACK is missing). */
export function pipe(c: Connection): number {
  const { scoreboard } = c;
  const sent = (c.nxt - c.una) | 0;
  return Math.max(
    0,
    sent - scoreboard.sackedBytes - scoreboard.lostBytes + scoreboard.resentBytes - c.renoSacked * c.mss,
  );
}

export function routeOf(c: Connection): Route | undefined {
  const { output } = c.tcp.network;
  if (c.route === undefined || !output.routeIsCurrent(c.route)) c.route = output.route(c.remoteAddress);
  return c.route;
}

/** The segment size in use: what peer, path and options leave (RFC 6691). */
export function updateSegmentSize(c: Connection): void {
  const { output } = c.tcp.network;
  const ip = c.remoteAddress.isV4 ? 20 : 40;
  let path = output.pathMtu(c.remoteAddress) - ip - TCP_HEADER;
  if (c.pathMss > 0) path = Math.min(path, c.pathMss);
  const options = c.timestampsOk ? TIMESTAMP_OPTION : 0;
  c.mss = Math.max(Math.min(c.peerMss, path) - options, 8);
}

/** Sends whatever may be sent now: what is lost, what is new, and an acknowledgement if one is due. */
export function tryOutput(c: Connection): void {
  const state = c.stateNumber;
  if (state < states.ESTABLISHED) {
    if (state === states.SYN_SENT && c.fastOpenWanted) openFastOpen(c);
    if (state !== states.SYN_RECEIVED || !c.fastOpenAccepted) return;
  }
  if (states.canTransmit(state) || state === states.SYN_RECEIVED) {
    if (c.scoreboard.lostBytes > c.scoreboard.resentBytes && c.frtoStep !== 2) sendLost(c);
    if (!c.finSent) sendNew(c);
    // Data waits, nothing is in flight to bring news of the window: ask for it (RFC 9293 3.8.6.1).
    if (c.timerKind === TIMER_NONE && c.scoreboard.count === 0 && c.sendBuffer.length > 0)
      armSendTimer(c, false);
  }
  if (c.ackNow) sendAck(c);
}

function sendLost(c: Connection): void {
  const { scoreboard } = c;
  for (let i = scoreboard.nextLost(); i >= 0; i = scoreboard.nextLost()) {
    const inFlight = pipe(c);
    if (inFlight > 0 && c.cwnd - inFlight < Math.min(c.mss, (scoreboard.end(i) - scoreboard.start(i)) | 0)) {
      c.cwndLimited = true;
      return;
    }
    resend(c, i);
  }
}

/** Sends record `index` of the scoreboard again. */
export function resend(c: Connection, index: number): void {
  const { scoreboard } = c;
  const start = scoreboard.start(index);
  const bufferEnd = (c.bufferSequence + c.sendBuffer.length) | 0;
  let end = scoreboard.end(index);
  const fin = after(end, bufferEnd);
  let length = fin ? (bufferEnd - start) | 0 : (end - start) | 0;
  let flags = ACK;
  if (length > c.mss) {
    length = c.mss;
    end = (start + length) | 0;
    scoreboard.split(index, end);
  } else if (fin) flags |= FIN;
  if (end === c.nxt && length > 0) flags |= PSH;
  scoreboard.markResent(index, c.tcp.engine.microseconds);
  c.retransmits++;
  c.undoResent++;
  c.tcp.stats.tcpRetransmits++;
  if (c.recovery === RECOVERY_FAST) c.prrOut += length;
  transmit(c, start, length, flags, true);
  // RFC 6675 5: the timer runs anew for the front, or it would go off before the answer can be here.
  armSendTimer(c, index === 0);
}

function sendNew(c: Connection): void {
  const { sendBuffer } = c;
  const { engine } = c.tcp;
  restartAfterIdle(c, engine.now);
  for (let sent = 1; ; sent++) {
    // A long burst takes its time: timeouts count from when a segment is sent, not from the burst's start.
    if (sent % REFRESH_EVERY === 0) engine.refreshTime();
    const queued = (c.bufferSequence + sendBuffer.length - c.nxt) | 0;
    if (queued <= 0 && !c.finQueued) return;
    if (c.scoreboard.count >= MAX_IN_FLIGHT) return;
    const usable = (c.una + c.window - c.nxt) | 0;
    if (c.pathMss > 0 && mtuProbeDue(c, queued, usable)) {
      sendMtuProbe(c);
      continue;
    }
    const { mss } = c;
    let length = Math.min(queued, mss);
    if (queued > 0) {
      if (usable < length) {
        // Sender's silly window avoidance (RFC 9293 3.8.6.2.1); the persist timer overrides it.
        if (usable <= 0 || usable < c.maxWindow >> 1 || usable < mss >> 3) return;
        length = usable;
      }
      const inFlight = pipe(c);
      if (inFlight > 0 && c.cwnd - inFlight < length) {
        c.cwndLimited = true;
        return;
      }
      if (length < mss && length === queued && !mayBeSmall(c)) return;
    }
    const last = length === queued;
    const fin = last && c.finQueued;
    if (fin && queued === 0 && c.scoreboard.count > 0 && pipe(c) > c.cwnd) return;
    const flags = ACK | (last && length > 0 ? PSH : 0) | (fin ? FIN : 0);
    const start = c.nxt;
    c.nxt = (start + length + (fin ? 1 : 0)) | 0;
    if (length < mss) c.smallEnd = c.nxt;
    if (fin) c.finSent = true;
    if (c.scoreboard.count === 0) c.stalledSince = engine.now;
    c.scoreboard.push(start, c.nxt, engine.microseconds);
    c.lastSendAt = engine.now;
    if (c.recovery === RECOVERY_FAST) c.prrOut += length;
    transmit(c, start, length, flags, false);
    armSendTimer(c, false);
    if (fin) return;
  }
}

/** One segment larger than the path is known to take; the data behind it tells whether it arrived. */
function sendMtuProbe(c: Connection): void {
  const start = c.nxt;
  const length = startMtuProbe(c);
  c.nxt = (start + length) | 0;
  c.scoreboard.push(start, c.nxt, c.tcp.engine.microseconds);
  transmit(c, start, length, ACK, false);
  armSendTimer(c, false);
}

/** Nagle as Minshall changed it: a small segment waits only while another small one is unacknowledged. */
function mayBeSmall(c: Connection): boolean {
  if (c.finQueued) return true;
  if (c.more) return false;
  return c.noDelay || c.sendUrgentPending || !after(c.smallEnd, c.una);
}

/** RFC 5681 4.1: after a pause the window no longer says anything about the path. */
function restartAfterIdle(c: Connection, now: number): void {
  if (c.scoreboard.count > 0 || c.lastSendAt < 0 || now - c.lastSendAt < c.rto) return;
  const initial = initialWindow(c);
  if (c.cwnd > initial) {
    c.ssthresh = Math.max(c.ssthresh, (c.cwnd * 3) >> 2);
    c.cwnd = initial;
  }
}

/** RFC 6928, in bytes. */
export function initialWindow(c: Connection): number {
  return c.tcp.settings.initialWindow * c.mss;
}

/** A segment without data that carries the current acknowledgement and window. */
export function sendAck(c: Connection): void {
  transmit(c, c.nxt, 0, ACK, false);
}

/** Builds and sends one segment of the connection, from the send buffer. */
export function transmit(
  c: Connection,
  sequence: number,
  length: number,
  flags: number,
  again: boolean,
): void {
  const { tcp } = c;
  const route = routeOf(c);
  acknowledgementSent(c, length);
  if (route === undefined) return;
  const { output } = tcp.network;
  const packet = output.packetFor(TCP_HEADER + MAX_OPTIONS + length);
  const at = payloadStart(c.remoteAddress);
  const segment = tcp.outgoing;
  segment.sourcePort = c.localPort;
  segment.destinationPort = c.remotePort;
  segment.sequence = sequence;
  segment.acknowledgment = c.receiveNext;
  segment.window = windowField(c);
  segment.urgentPointer = 0;
  segment.clearOptions();
  let trafficClass = c.trafficClass;
  let bits = flags;
  if (c.ecnOk) {
    trafficClass &= ~3;
    if (c.echoCongestion) bits |= ECE;
    if (length > 0 && !again) {
      trafficClass |= ECN_CAPABLE;
      if (c.reducedForEcn) {
        bits |= CWR;
        c.reducedForEcn = false;
      }
    }
  }
  if (c.timestampsOk) {
    segment.hasTimestamps = true;
    segment.timestampValue = timestampNow(c);
    segment.timestampEcho = c.recentTimestamp;
  }
  if (c.sackOk && (c.receiveBuffer.ranges.length > 0 || c.duplicateSackStart !== c.duplicateSackEnd)) {
    fillSackBlocks(c, segment, length);
  }
  if (c.userTimeoutPending && length === 0 && segment.sackCount === 0) {
    segment.userTimeout = Math.ceil(c.userTimeout / 1000);
    c.userTimeoutPending = false;
  }
  if (c.sendUrgentPending && after(c.sendUrgent, sequence)) {
    bits |= URG;
    segment.urgentPointer = Math.min((c.sendUrgent - sequence) | 0, 0xffff);
  }
  segment.flags = bits;
  const header = emitTcp(segment, packet.frame, at);
  if (length > 0) c.sendBuffer.copy((sequence - c.bufferSequence) | 0, packet.frame, at + header, length);
  const total = header + length;
  const pseudo = pseudoHeaderSum(c.localAddress, c.remoteAddress, PROTOCOL_TCP, total);
  write16(packet.frame, at + 16, ~fold(packet.sum(at, total) + pseudo) & 0xffff);
  tcp.stats.tcpSegmentsOut++;
  output.send(packet, route, c.localAddress, PROTOCOL_TCP, total, c.hops, trafficClass, true);
}

/** RFC 7323 5.4: milliseconds with an offset of the connection's own. */
export const timestampNow = (c: Connection): number => (c.tcp.engine.now + c.timestampOffset) | 0;

function acknowledgementSent(c: Connection, length: number): void {
  c.ackNow = false;
  c.unacknowledged = 0;
  c.lastAckSent = c.receiveNext;
  if (length === 0 && c.quickAcks > 0) c.quickAcks--;
  c.ackTimer.disarm();
}

/** Bytes free for the peer. */
export const receiveSpace = (c: Connection): number => c.receiveLimit - c.receiveBuffer.length;

/**
 * The window field of the next segment; moves the advertised edge. Never takes back what was offered, and offers more
 * only in steps worth having (RFC 9293 3.8.6.2.2).
 */
export function windowField(c: Connection): number {
  const { receiveScale } = c;
  const offered = Math.max(0, (c.receiveAdvertised - c.receiveNext) | 0);
  const space = Math.max(0, receiveSpace(c));
  let window = offered;
  if (space - offered >= Math.min(c.receiveLimit >> 1, c.mss))
    window = (space >> receiveScale) << receiveScale;
  if (window < offered) window = offered;
  // An edge between two steps of the scale is rounded up, for the peer may rely on it, unless the buffer would have to
  // grow for that; RFC 7323 2.4 allows for what rounding down then takes back, and we still accept it.
  let field = (window + (1 << receiveScale) - 1) >> receiveScale;
  if (field << receiveScale > space) field = window >> receiveScale;
  field = Math.min(0xffff, field);
  const edge = (c.receiveNext + (field << receiveScale)) | 0;
  if (after(edge, c.receiveAdvertised)) c.receiveAdvertised = edge;
  return field;
}

/** The user has taken data: tell the peer if that opens the window enough to matter. */
export function freeSpaceGrew(c: Connection): void {
  const state = c.stateNumber;
  if (!states.canReceive(state) || state === states.SYN_RECEIVED) return;
  const offered = (c.receiveAdvertised - c.receiveNext) | 0;
  const gain = receiveSpace(c) - Math.max(0, offered);
  if (gain < Math.min(c.receiveLimit >> 1, 2 * c.mss)) return;
  // With half the window still open an update can wait for the next acknowledgement.
  if (offered > c.receiveLimit >> 1 && before(c.receiveNext, c.receiveAdvertised)) return;
  c.tcp.enter();
  if (c.tcp.engine.busy) {
    c.ackNow = true;
    c.wantOutput();
  } else sendAck(c);
}
