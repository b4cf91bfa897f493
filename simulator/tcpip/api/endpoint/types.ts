import type { Endpoint, Stack } from '../../contract.js';
import type { TcpEndpoint } from './endpoint.js';
import type { TcpListener } from './listener.js';

/** OpenThread's `otInstance` here: the stack. */
export type Instance = Stack;
export type SockAddr = Endpoint;

export const OtError = { NONE: 0, FAILED: 1 } as const;
export type OtError = (typeof OtError)[keyof typeof OtError];

/** A piece of memory, possibly followed by another. The first `length` bytes of `data` count. */
export interface LinkedBuffer {
  next?: LinkedBuffer | undefined;
  data: Uint8Array;
  length: number;
}

export const DisconnectedReason = { NORMAL: 0, REFUSED: 1, RESET: 2, TIME_WAIT: 3, TIMED_OUT: 4 } as const;
export type DisconnectedReason = (typeof DisconnectedReason)[keyof typeof DisconnectedReason];

export const IncomingConnectionAction = { ACCEPT: 0, DEFER: 1, REFUSE: 2 } as const;
export type IncomingConnectionAction =
  (typeof IncomingConnectionAction)[keyof typeof IncomingConnectionAction];

/** For `connect`. */
export const CONNECT_NO_FAST_OPEN = 1;
/** For `sendByReference` and `sendByExtension`. */
export const SEND_MORE_TO_COME = 1;

/** Bytes, for paths of few or of many wireless hops. */
export const RECEIVE_BUFFER_SIZE_FEW_HOPS = 2599;
export const RECEIVE_BUFFER_SIZE_MANY_HOPS = 4158;

export interface EndpointInitializeArgs {
  readonly context?: unknown;
  readonly established?: ((endpoint: TcpEndpoint) => void) | undefined;
  /** The buffer is the application's again, with whatever extensions were made to it. */
  readonly sendDone?: ((endpoint: TcpEndpoint, buffer: LinkedBuffer) => void) | undefined;
  readonly bytesAcked?: ((endpoint: TcpEndpoint, bytes: number) => void) | undefined;
  /** What is sent now goes out now. */
  readonly sendReady?: ((endpoint: TcpEndpoint) => void) | undefined;
  readonly receiveAvailable?:
    | ((endpoint: TcpEndpoint, available: number, endOfStream: boolean, remaining: number) => void)
    | undefined;
  readonly disconnected?: ((endpoint: TcpEndpoint, reason: DisconnectedReason) => void) | undefined;
  /** Where received bytes are kept; the engine uses its largest power of two. */
  readonly receiveBuffer: Uint8Array;
}

export type AcceptDecision =
  | { readonly action: typeof IncomingConnectionAction.ACCEPT; readonly into: TcpEndpoint }
  | { readonly action: typeof IncomingConnectionAction.DEFER | typeof IncomingConnectionAction.REFUSE };

export interface ListenerInitializeArgs {
  readonly context?: unknown;
  readonly acceptReady: (listener: TcpListener, peer: SockAddr) => AcceptDecision;
  readonly acceptDone?: ((listener: TcpListener, endpoint: TcpEndpoint, peer: SockAddr) => void) | undefined;
}
