/** What of TCP a stack does and how; every field has a default. */
export interface TcpOptions {
  /** RFC 9438 or RFC 5681. */
  readonly congestionControl?: 'cubic' | 'reno';
  /** Bytes a connection may receive ahead of its user at first, and at most once auto-tuning has grown it. */
  readonly receiveBuffer?: number;
  readonly maxReceiveBuffer?: number;
  /** Bytes the user may write ahead of the peer. */
  readonly sendBuffer?: number;
  readonly maxSendBuffer?: number;
  /** RFC 2018, 6675, 8985. */
  readonly sack?: boolean;
  /** RFC 7323. */
  readonly timestamps?: boolean;
  readonly windowScaling?: boolean;
  /** RFC 3168: never, when the peer asks, or asked for by us too. */
  readonly ecn?: 'off' | 'accept' | 'on';
  /** RFC 7413, either role. Listeners and connections still choose one by one. */
  readonly fastOpen?: boolean;
  /** Segments (RFC 6928). */
  readonly initialWindow?: number;
  /** Largest segment we accept, below what the link takes. */
  readonly maxSegmentSize?: number;
  readonly minRtoMs?: number;
  readonly maxRtoMs?: number;
  readonly delayedAckMs?: number;
  /** 2 MSL. */
  readonly timeWaitMs?: number;
  /** Retransmissions of a SYN or SYN-ACK before giving up. */
  readonly synRetries?: number;
  /** Without progress for so long, a connection is given up (RFC 9293 3.8.3, R2). */
  readonly userTimeoutMs?: number;
  /** Connections in all states together. */
  readonly maxConnections?: number;
  /** Half-open connections of a listener before SYN cookies take over. */
  readonly backlog?: number;
  readonly synCookies?: boolean;
}

export type TcpSettings = Required<TcpOptions>;

export const defaultTcpOptions: TcpSettings = {
  congestionControl: 'cubic',
  receiveBuffer: 65_536,
  maxReceiveBuffer: 4 << 20,
  sendBuffer: 65_536,
  maxSendBuffer: 4 << 20,
  sack: true,
  timestamps: true,
  windowScaling: true,
  ecn: 'accept',
  fastOpen: true,
  initialWindow: 10,
  maxSegmentSize: 65_495,
  // RFC 6298 2.4 says 1 s and calls it conservative; every current stack uses 200 ms.
  minRtoMs: 200,
  maxRtoMs: 120_000,
  delayedAckMs: 40,
  timeWaitMs: 60_000,
  synRetries: 5,
  userTimeoutMs: 900_000,
  maxConnections: 65_536,
  backlog: 128,
  synCookies: true,
};
