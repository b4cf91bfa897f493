import type { TcpState } from '../contract.js';

/** The states of RFC 9293 3.3.2, in the order of their numbers. */
export const stateNames: readonly TcpState[] = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

export const CLOSED = 0;
export const LISTEN = 1;
export const SYN_SENT = 2;
export const SYN_RECEIVED = 3;
export const ESTABLISHED = 4;
export const FIN_WAIT_1 = 5;
export const FIN_WAIT_2 = 6;
export const CLOSE_WAIT = 7;
export const CLOSING = 8;
export const LAST_ACK = 9;
export const TIME_WAIT = 10;

/** What can move a connection from one state to another. */
export const ACTIVE_OPEN = 0;
export const PASSIVE_OPEN = 1;
/** A SYN, without an acknowledgement of ours. */
export const SYN_CAME = 2;
/** A SYN that acknowledges ours. */
export const SYN_ACK_CAME = 3;
/** Our SYN is acknowledged. */
export const SYN_ACKED = 4;
/** The user has nothing more to send. */
export const CLOSE = 5;
/** The peer's FIN is next in sequence. */
export const FIN_CAME = 6;
/** Our FIN is acknowledged. */
export const FIN_ACKED = 7;
/** 2 MSL passed, or the connection is no longer wanted in FIN-WAIT-2. */
export const EXPIRED = 8;
/** RST in either direction, a timeout, an abort. */
export const FAILED = 9;

const EVENTS = 10;
const NONE = -1;

/** RFC 9293 3.3.2, figure 5: one row per state, one column per event in the order above. */
const transitions: readonly (readonly number[])[] = [
  [SYN_SENT, LISTEN, SYN_RECEIVED, NONE, NONE, CLOSED, NONE, NONE, NONE, CLOSED],
  [SYN_SENT, NONE, SYN_RECEIVED, NONE, NONE, CLOSED, NONE, NONE, NONE, CLOSED],
  [NONE, NONE, SYN_RECEIVED, ESTABLISHED, NONE, CLOSED, NONE, NONE, NONE, CLOSED],
  // With Fast Open, FINs may pass before the handshake is complete (RFC 7413 4.2).
  [NONE, NONE, NONE, NONE, ESTABLISHED, FIN_WAIT_1, CLOSE_WAIT, NONE, NONE, CLOSED],
  [NONE, NONE, NONE, NONE, NONE, FIN_WAIT_1, CLOSE_WAIT, NONE, NONE, CLOSED],
  [NONE, NONE, NONE, NONE, NONE, NONE, CLOSING, FIN_WAIT_2, NONE, CLOSED],
  [NONE, NONE, NONE, NONE, NONE, NONE, TIME_WAIT, NONE, CLOSED, CLOSED],
  [NONE, NONE, NONE, NONE, NONE, LAST_ACK, NONE, NONE, NONE, CLOSED],
  [NONE, NONE, NONE, NONE, NONE, NONE, NONE, TIME_WAIT, NONE, CLOSED],
  [NONE, NONE, NONE, NONE, NONE, NONE, NONE, CLOSED, NONE, CLOSED],
  [NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, CLOSED, CLOSED],
];

const table = Int8Array.from(transitions.flat());

/** The state after `event`, or -1 where it means nothing. */
export const nextState = (state: number, event: number): number => table[state * EVENTS + event];

/** Data of the user's may still go out, or be sent again. */
export const canTransmit = (state: number): boolean =>
  state === ESTABLISHED ||
  state === CLOSE_WAIT ||
  state === FIN_WAIT_1 ||
  state === CLOSING ||
  state === LAST_ACK;

/** Data of the peer's may still come. */
export const canReceive = (state: number): boolean =>
  state === ESTABLISHED || state === FIN_WAIT_1 || state === FIN_WAIT_2 || state === SYN_RECEIVED;
