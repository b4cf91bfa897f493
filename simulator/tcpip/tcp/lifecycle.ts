import type { TcpFailure } from '../contract.js';
import { ACK, RST } from '../wire/tcp.js';
import {
  type Connection,
  EVENT_ACKNOWLEDGED,
  EVENT_CLOSED,
  EVENT_READABLE,
  EVENT_RELEASED,
  EVENT_TIME_WAIT,
} from './connection.js';
import { transmit, tryOutput } from './output.js';
import * as states from './states.js';
import { disarmSendTimer } from './timers.js';

/** Moves the connection along the table; an event that means nothing in its state leaves it where it is. */
export function moveTo(c: Connection, event: number): void {
  const next = states.nextState(c.stateNumber, event);
  if (next >= 0) c.stateNumber = next;
}

/** The user sends no more (RFC 9293 3.10.4). */
export function shutdownConnection(c: Connection): void {
  if (c.finQueued) return;
  switch (c.stateNumber) {
    case states.CLOSED:
      return;
    case states.SYN_SENT:
      // With Fast Open wanted the SYN has not gone out, and the data behind it is still to go.
      if (c.fastOpenWanted && c.sendBuffer.length > 0) {
        c.finQueued = true;
        tryOutput(c);
        return;
      }
      if (c.sendBuffer.length > 0) {
        c.finQueued = true;
        return;
      }
      endConnection(c, 'aborted');
      return;
    case states.SYN_RECEIVED:
      // The FIN goes out when the handshake is complete; the state follows then.
      c.finQueued = true;
      return;
  }
  c.finQueued = true;
  moveTo(c, states.CLOSE);
  tryOutput(c);
}

/** RFC 2525 2.17: data nobody will read must not look delivered. */
export function closeConnection(c: Connection): void {
  if (c.stateNumber === states.CLOSED) return;
  if (c.receiveBuffer.length > 0) {
    abortConnection(c, 'aborted');
    return;
  }
  c.readShut = true;
  if (c.stateNumber === states.SYN_SENT) endConnection(c, 'aborted');
  else shutdownConnection(c);
  if (c.stateNumber === states.FIN_WAIT_2) c.armLife(c.tcp.settings.timeWaitMs);
}

/** RST, if the peer knows of us (RFC 9293 3.10.5). */
export function abortConnection(c: Connection, failure: TcpFailure): void {
  const state = c.stateNumber;
  if (state === states.CLOSED) return;
  if (state >= states.SYN_RECEIVED && state !== states.TIME_WAIT) {
    c.tcp.stats.tcpResetsOut++;
    transmit(c, c.nxt, 0, RST | ACK, true);
  }
  endConnection(c, failure);
}

export function failConnection(c: Connection, failure: TcpFailure): void {
  // RFC 9293 3.8.3: giving up is told to the peer, which may still be there.
  if (failure === 'timeout' && c.stateNumber >= states.SYN_RECEIVED) abortConnection(c, failure);
  else endConnection(c, failure);
}

/** Gone: the user is told, the table forgets it. What was received and not read stays readable. */
export function endConnection(c: Connection, failure: TcpFailure): void {
  if (c.stateNumber === states.CLOSED && c.released) return;
  const passiveAndUnknown = c.stateNumber === states.SYN_RECEIVED && c.acceptor !== undefined;
  const wasTimeWait = c.stateNumber === states.TIME_WAIT;
  c.stateNumber = states.CLOSED;
  c.failure = wasTimeWait ? 'none' : failure;
  c.onHalfOpenEnd?.();
  c.onHalfOpenEnd = undefined;
  release(c);
  // A listener's user never heard of a connection that did not come about.
  if (!passiveAndUnknown) c.notify(EVENT_CLOSED | EVENT_RELEASED);
}

function release(c: Connection): void {
  c.released = true;
  c.sendBuffer.clear();
  c.scoreboard.clear();
  disarmSendTimer(c);
  c.ackTimer.disarm();
  c.idleTimer?.disarm();
  c.lifeTimer?.disarm();
  c.tcp.forget(c);
}

/** Our FIN is acknowledged. */
export function finAcknowledged(c: Connection): void {
  moveTo(c, states.FIN_ACKED);
  if (c.handler.acknowledged !== undefined) c.notify(EVENT_ACKNOWLEDGED);
  switch (c.stateNumber) {
    case states.TIME_WAIT:
      enterTimeWait(c);
      break;
    case states.CLOSED:
      endConnection(c, 'none');
      break;
    case states.FIN_WAIT_2:
      if (c.readShut) c.armLife(c.tcp.settings.timeWaitMs);
      break;
  }
}

/** The peer's FIN is next (RFC 9293 3.10.7.4 eighth). */
export function finReceived(c: Connection): void {
  c.finReceived = true;
  c.receiveNext = (c.receiveNext + 1) | 0;
  c.ackNow = true;
  moveTo(c, states.FIN_CAME);
  c.notify(EVENT_READABLE);
  if (c.stateNumber === states.TIME_WAIT) enterTimeWait(c);
}

export function enterTimeWait(c: Connection): void {
  disarmSendTimer(c);
  c.ackTimer.disarm();
  c.idleTimer?.disarm();
  c.sendBuffer.clear();
  c.scoreboard.clear();
  c.armLife(c.tcp.settings.timeWaitMs);
  c.tcp.enteredTimeWait(c);
  c.failure = 'none';
  c.notify(EVENT_TIME_WAIT | EVENT_CLOSED);
}

/** 2 MSL are over, or nobody waits for the peer's FIN any more. */
export function finishTimeWait(c: Connection): void {
  if (c.stateNumber === states.CLOSED) return;
  const told = c.stateNumber === states.TIME_WAIT;
  moveTo(c, states.EXPIRED);
  c.stateNumber = states.CLOSED;
  release(c);
  c.notify(told ? EVENT_RELEASED : EVENT_CLOSED | EVENT_RELEASED);
}
