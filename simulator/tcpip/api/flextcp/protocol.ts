/** What the two sides of a context say to each other through its queues: word 0 is the kind, word 1 the handle. */
import type { SharedQueue } from './queue.js';

/** From the application to the stack. Word 1: the application's number for connection or listener. */
export const Command = {
  /** address (4 words), port */
  CONNECTION_OPEN: 1,
  CONNECTION_CLOSE: 2,
  /** total of bytes done with, mod 2^32 */
  RECEIVE_DONE: 3,
  /** total of bytes given to send, mod 2^32 */
  SEND: 4,
  SEND_CLOSE: 5,
  /** number of the context it moves to, total received as told, whether CONN_RXCLOSED and CONN_TXCLOSED were */
  MOVE: 6,
  /** port, backlog, flags */
  LISTEN_OPEN: 7,
  /** the connection to accept into */
  LISTEN_ACCEPT: 8,
} as const;

/** From the stack to the application. */
export const Notice = {
  /** status, address (4 words), port, receive offset and size, send offset and size, local port */
  OPENED: 1,
  /** listener, and then as OPENED */
  ACCEPTED: 2,
  /** offset in the receive ring, length, total received before */
  RECEIVED: 3,
  /** total acknowledged, mod 2^32 */
  SENT: 4,
  RECEIVE_CLOSED: 5,
  SEND_CLOSED: 6,
  /** status */
  CLOSED: 7,
  /** as OPENED up to the rings, then totals: received, done with, given to send, acknowledged */
  MOVED: 8,
  /** status */
  LISTENING: 9,
  /** address (4 words), port */
  NEW_CONNECTION: 10,
} as const;

/** The rings of one connection in the arena. */
export interface Rings {
  readonly receiveOffset: number;
  readonly receiveSize: number;
  readonly sendOffset: number;
  readonly sendSize: number;
}

/** One context's pair of queues. */
export interface QueuePair {
  readonly commands: SharedQueue;
  readonly notices: SharedQueue;
}

export const queueRecords = 1024;
/** A handle has its context's number in the upper bits, so that no two in the system are the same; it fits a word. */
export const handlesPerContext = 1 << 20;
export const largestContext = 2047;
