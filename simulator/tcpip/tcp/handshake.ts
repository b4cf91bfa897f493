import { payloadStart } from '../ip/output.js';
import { ACK, CWR, ECE, type Segment, SYN, TCP_HEADER } from '../wire/tcp.js';
import { type Connection, EVENT_CONNECTED, TIMER_NONE, TIMER_RTO } from './connection.js';
import { failConnection, moveTo } from './lifecycle.js';
import { routeOf, timestampNow } from './output.js';
import { sampleRtt } from './rtt.js';
import { sendSegment } from './segment-output.js';
import { after, before } from './sequence.js';
import * as states from './states.js';
import { disarmSendTimer, initializeWindow } from './timers.js';

/** The largest segment we take: what the link carries without options. */
export function announcedMss(c: Connection): number {
  const { network, settings } = c.tcp;
  const ip = c.remoteAddress.isV4 ? 20 : 40;
  return Math.min(network.output.mtu - ip - TCP_HEADER, settings.maxSegmentSize);
}

/** The smallest scale that can offer the largest buffer (RFC 7323 2.3). */
export function chooseScale(c: Connection): number {
  const { settings } = c.tcp;
  if (!settings.windowScaling) return 0;
  const largest = c.receiveLimitFixed ? c.receiveLimit : Math.max(c.receiveLimit, settings.maxReceiveBuffer);
  let scale = 0;
  while (scale < 14 && largest >> scale > 0xffff) scale++;
  return scale;
}

/** A window field of a SYN is never scaled. */
const synWindow = (c: Connection): number => Math.min(c.receiveLimit, 0xffff);

/** Starts an active open: SYN goes out, or waits for data if Fast Open is wanted. */
export function startConnect(c: Connection): void {
  const { tcp } = c;
  c.iss = tcp.initialSequence(c.localAddress, c.localPort, c.remoteAddress, c.remotePort);
  c.una = c.iss;
  c.nxt = (c.iss + 1) | 0;
  c.smallEnd = c.iss;
  c.bufferSequence = c.nxt;
  c.recoveryPoint = c.iss;
  c.highestSacked = c.iss;
  c.receiveScale = chooseScale(c);
  moveTo(c, states.ACTIVE_OPEN);
  c.stalledSince = tcp.engine.now;
  c.ecnOk = tcp.settings.ecn === 'on';
  if (!c.fastOpenWanted) sendSyn(c);
}

/** The first data is there (or the end of data): the SYN goes, with a cookie if we have one (RFC 7413 4.1). */
export function openFastOpen(c: Connection): void {
  c.fastOpenWanted = false;
  sendSyn(c, true);
}

function fillSyn(c: Connection, segment: Segment): void {
  const { settings } = c.tcp;
  segment.sourcePort = c.localPort;
  segment.destinationPort = c.remotePort;
  segment.sequence = c.iss;
  segment.urgentPointer = 0;
  segment.clearOptions();
  segment.mss = announcedMss(c);
  segment.window = synWindow(c);
  segment.sackPermitted = settings.sack;
  segment.windowScale = settings.windowScaling ? c.receiveScale : -1;
  if (settings.timestamps) {
    segment.hasTimestamps = true;
    segment.timestampValue = timestampNow(c);
    segment.timestampEcho = 0;
  }
}

function sendSyn(c: Connection, fastOpen = false): void {
  const { tcp } = c;
  const segment = tcp.outgoing;
  fillSyn(c, segment);
  segment.acknowledgment = 0;
  segment.flags = SYN | (c.ecnOk && c.backoff === 0 ? ECE | CWR : 0);
  let length = 0;
  if (fastOpen && c.backoff === 0) {
    const cookie = tcp.cookies.find(c.remoteAddress);
    segment.fastOpenLength = cookie?.bytes.length ?? 0;
    if (cookie !== undefined) {
      segment.fastOpenCookie.set(cookie.bytes);
      const room = Math.min(cookie.mss, segment.mss) - 20;
      length = Math.min(c.sendBuffer.length, Math.max(0, room));
    }
    c.fastOpenAsked = true;
  }
  c.fastOpenSynData = length;
  c.synSentAt = tcp.engine.microseconds;
  sendWithData(c, segment, length);
  armHandshake(c);
}

function sendSynAck(c: Connection): void {
  const segment = c.tcp.outgoing;
  fillSyn(c, segment);
  segment.acknowledgment = c.receiveNext;
  segment.flags = SYN | ACK | (c.ecnOk ? ECE : 0);
  segment.sackPermitted = c.sackOk;
  segment.hasTimestamps = c.timestampsOk;
  segment.timestampEcho = c.recentTimestamp;
  if (!c.scalingOk) segment.windowScale = -1;
  if (c.fastOpenCookie !== undefined) {
    segment.fastOpenLength = c.fastOpenCookie.length;
    segment.fastOpenCookie.set(c.fastOpenCookie);
  }
  c.receiveAdvertised = (c.receiveNext + segment.window) | 0;
  c.lastAckSent = c.receiveNext;
  c.synSentAt = c.tcp.engine.microseconds;
  sendWithData(c, segment, 0);
  armHandshake(c);
}

/** `length` bytes from the start of the send buffer ride along. */
function sendWithData(c: Connection, segment: Segment, length: number): void {
  const route = routeOf(c);
  if (route === undefined) return;
  const { tcp } = c;
  const packet = tcp.network.output.packetFor(TCP_HEADER + 40 + length);
  sendSegment(tcp, packet, route, c.localAddress, segment, length, c.hops, c.trafficClass & ~3, (header) => {
    if (length > 0) c.sendBuffer.copy(0, packet.frame, payloadStart(c.remoteAddress) + header, length);
  });
}

/** RFC 6298 2.1: one second before anything is known, doubling. */
function armHandshake(c: Connection): void {
  const { engine } = c.tcp;
  c.timerKind = TIMER_RTO;
  engine.wheel.armAt(c.sendTimer, engine.now + 1000 * 2 ** c.backoff);
}

export function retransmitHandshake(c: Connection): void {
  const { tcp } = c;
  if (c.backoff >= tcp.settings.synRetries || tcp.engine.now - c.stalledSince >= c.userTimeout) {
    failConnection(c, 'timeout');
    return;
  }
  c.backoff++;
  tcp.stats.tcpRetransmits++;
  c.retransmits++;
  if (c.stateNumber === states.SYN_SENT) {
    if (c.fastOpenAsked) tcp.stats.tcpFastOpenFallbacks++;
    // Middleboxes eat SYNs with what they do not know: the second try is plain (RFC 7413 4.1.3, RFC 3168 6.1.1.1).
    c.ecnOk = false;
    sendSyn(c);
  } else resendSynAck(c);
}

export function resendSynAck(c: Connection): void {
  sendSynAck(c);
}

/** What a SYN or SYN-ACK tells of the peer; `ours` says what we had offered. */
export function takeSynOptions(c: Connection, segment: Segment): void {
  const { settings } = c.tcp;
  c.irs = segment.sequence;
  c.receiveNext = (segment.sequence + 1) | 0;
  c.receiveAdvertised = (c.receiveNext + synWindow(c)) | 0;
  // RFC 9293 3.7.1: no option means 536, or 1220 for IPv6. A silly one is not believed.
  const fallback = c.remoteAddress.isV4 ? 536 : 1220;
  c.peerMss = segment.mss === 0 ? fallback : Math.max(segment.mss, 64);
  c.sackOk = settings.sack && segment.sackPermitted;
  c.scalingOk = settings.windowScaling && segment.windowScale >= 0;
  if (c.scalingOk) c.sendScale = segment.windowScale;
  else c.receiveScale = 0;
  c.timestampsOk = settings.timestamps && segment.hasTimestamps;
  if (c.timestampsOk) {
    c.recentTimestamp = segment.timestampValue;
    c.recentTimestampAt = c.tcp.engine.now;
  }
  if (segment.userTimeout > 0) adoptUserTimeout(c, segment.userTimeout);
  c.window = segment.window;
  c.maxWindow = segment.window;
  c.windowSequence = segment.sequence;
  c.windowAcknowledgment = segment.acknowledgment;
}

/** RFC 5482 3.1: the longer of both, within bounds. */
export function adoptUserTimeout(c: Connection, seconds: number): void {
  const asked = Math.max(100_000, seconds * 1000);
  c.userTimeout = Math.min(Math.max(c.userTimeout, asked), 3_600_000);
}

/** Passive open: the peer's SYN makes the connection, ours goes back. */
export function startAccept(c: Connection, segment: Segment): void {
  const { tcp } = c;
  c.passive = true;
  c.receiveScale = chooseScale(c);
  c.iss = tcp.initialSequence(c.localAddress, c.localPort, c.remoteAddress, c.remotePort);
  c.una = c.iss;
  c.nxt = (c.iss + 1) | 0;
  c.smallEnd = c.iss;
  c.bufferSequence = c.nxt;
  c.recoveryPoint = c.iss;
  c.highestSacked = c.iss;
  takeSynOptions(c, segment);
  const asked = (segment.flags & (ECE | CWR)) === (ECE | CWR);
  c.ecnOk = asked && tcp.settings.ecn !== 'off';
  moveTo(c, states.SYN_CAME);
  c.stalledSince = tcp.engine.now;
  initializeWindow(c);
}

export function answerSyn(c: Connection): void {
  sendSynAck(c);
}

/** SYN-SENT (RFC 9293 3.10.7.3). */
export function inputSynSent(c: Connection, segment: Segment, reset: () => void): boolean {
  const { flags, acknowledgment } = segment;
  const dataEnd = (c.bufferSequence + c.fastOpenSynData) | 0;
  if (flags & ACK && (!after(acknowledgment, c.iss) || after(acknowledgment, dataEnd))) {
    if ((flags & RST_FLAG) === 0) reset();
    return false;
  }
  if (flags & RST_FLAG) {
    if (flags & ACK) failConnection(c, 'refused');
    return false;
  }
  if ((flags & SYN) === 0) return false;
  takeSynOptions(c, segment);
  rememberCookie(c, segment);
  if (flags & ACK) {
    c.ecnOk = c.ecnOk && (flags & (ECE | CWR)) === ECE;
    completeActive(c, segment);
    return true;
  }
  // Simultaneous open (RFC 9293 figure 7): our SYN again, now with an acknowledgement.
  c.ecnOk = false;
  moveTo(c, states.SYN_CAME);
  initializeWindow(c);
  c.backoff = 0;
  sendSynAck(c);
  return false;
}

const RST_FLAG = 0x04;

function rememberCookie(c: Connection, segment: Segment): void {
  if (!c.fastOpenAsked || segment.fastOpenLength <= 0) return;
  const bytes = segment.fastOpenCookie.slice(0, segment.fastOpenLength);
  c.tcp.cookies.remember(c.remoteAddress, bytes, c.peerMss);
}

function completeActive(c: Connection, segment: Segment): void {
  const { tcp } = c;
  moveTo(c, states.SYN_ACK_CAME);
  c.una = segment.acknowledgment;
  c.windowAcknowledgment = segment.acknowledgment;
  if (c.backoff === 0) sampleRtt(c, (tcp.engine.microseconds - c.synSentAt) | 0);
  takeFastOpenResult(c, segment.acknowledgment);
  finishHandshake(c);
  // RFC 7323 4.3 applies from here on; the handshake's third segment goes at once unless data carries it.
  c.ackNow = true;
  c.notify(EVENT_CONNECTED);
  c.wantOutput();
}

/** The peer took the data of our SYN, or part of it, or none: what it did not take is sent as if for the first time. */
function takeFastOpenResult(c: Connection, ack: number): void {
  if (c.fastOpenSynData === 0) return;
  const taken = (ack - c.bufferSequence) | 0;
  if (taken > 0) {
    c.sendBuffer.drop(taken);
    c.bufferSequence = ack;
    c.acknowledgedTotal += taken;
    c.fastOpenAccepted = true;
    c.tcp.stats.tcpFastOpens++;
  } else c.tcp.stats.tcpFastOpenFallbacks++;
  c.nxt = c.bufferSequence;
  c.fastOpenSynData = 0;
}

function finishHandshake(c: Connection): void {
  const { backoff } = c;
  disarmSendTimer(c);
  initializeWindow(c);
  // RFC 6298 5.7: after a lost SYN the estimate starts anew and careful.
  if (backoff > 0) {
    if (c.srtt === 0) c.rto = Math.max(c.rto, 3000);
    c.cwnd = c.mss;
  }
  c.backoff = 0;
  c.quickAcks = 8;
  c.lastReceivedAt = c.tcp.engine.now;
  c.stalledSince = c.tcp.engine.now;
  c.timerKind = TIMER_NONE;
}

/** The handshake's last segment came (RFC 9293 3.10.7.4, SYN-RECEIVED). Answers whether it acknowledges our SYN. */
export function completePassive(c: Connection, segment: Segment): boolean {
  const ack = segment.acknowledgment;
  if (!after(ack, c.iss) || after(ack, c.nxt)) return false;
  moveTo(c, states.SYN_ACKED);
  // With Fast Open the data sent before the handshake ended is in flight already.
  c.una = before(c.una, (c.iss + 1) | 0) ? (c.iss + 1) | 0 : c.una;
  c.window = segment.window << c.sendScale;
  c.maxWindow = Math.max(c.maxWindow, c.window);
  c.windowSequence = segment.sequence;
  c.windowAcknowledgment = ack;
  if (c.backoff === 0) sampleRtt(c, (c.tcp.engine.microseconds - c.synSentAt) | 0);
  const early = c.scoreboard.count > 0;
  if (!early) finishHandshake(c);
  c.onHalfOpenEnd?.();
  c.onHalfOpenEnd = undefined;
  if (!c.fastOpenAccepted) c.notify(EVENT_CONNECTED);
  return true;
}
