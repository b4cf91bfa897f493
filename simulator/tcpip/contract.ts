/**
 * The engine's seams: what it needs from outside (`Clock`, `Random`, `Link`) and what it offers to whoever builds on
 * it (`Stack`). Everything here is callbacks and numbers: no promises, no streams, nothing per segment that a
 * caller did not ask for.
 */

export interface TimerHandle {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since an arbitrary start, monotonic. */
  now(): number;
  setTimer(callback: () => void, delayMs: number): TimerHandle;
}

/** Uniform in [0, 1), from a seed. */
export type Random = () => number;

/**
 * An Ethernet segment's one end. Frames are whole, without FCS. `transmit` reads the frame during the call only;
 * `receive` likewise lends it: whoever keeps a frame copies it.
 */
export interface Link {
  /** Largest IP packet, bytes. */
  readonly mtu: number;
  /** `length` bytes of `frame` are the frame. `false`: dropped, the queue below is full. */
  transmit(frame: Uint8Array, length: number): boolean;
  /** Set by the stack. */
  receive: (frame: Uint8Array, length: number) => void;
  /** Hands on, during the call, what waits to be received; the stack asks before its timers strike. */
  poll?(): void;
}

/** Addresses are text at this seam: `10.0.2.15`, RFC 5952 for IPv6, a scope after `%`. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export type TcpState =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

/** Why a connection ended. `none`: both sides closed in order. */
export type TcpFailure = 'none' | 'refused' | 'reset' | 'timeout' | 'unreachable' | 'aborted';

/** Every callback may be absent; none is called from inside a call the user makes on the same connection. */
export interface TcpHandler {
  /** ESTABLISHED. */
  connected?(): void;
  /** `readable` bytes grew, or end of stream was reached. */
  readable?(): void;
  /** Room in the send buffer after a short `write`. */
  writable?(): void;
  /** All bytes up to here (total, since the start) are acknowledged by the peer; once more when our FIN is. */
  acknowledged?(total: number): void;
  /** TIME-WAIT begins; `closed('none')` follows at once, `released` when it ends. */
  timeWait?(): void;
  /** Once; only `released` can follow. Unread data stays readable. */
  closed?(failure: TcpFailure): void;
  /** The connection is gone from the stack, TIME-WAIT over: its addresses and ports are free again. */
  released?(): void;
}

/** A look inside, for tables and diagnosis. Bytes, and milliseconds. */
export interface TcpInfo {
  readonly state: TcpState;
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly congestionControl: string;
  readonly srtt: number;
  readonly rttvar: number;
  readonly minRtt: number;
  readonly rto: number;
  readonly retransmits: number;
  readonly inFlight: number;
  readonly lost: number;
  readonly sendQueue: number;
  readonly receiveQueue: number;
  readonly sendWindow: number;
  readonly receiveWindow: number;
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  readonly mss: number;
  readonly sack: boolean;
  readonly timestamps: boolean;
  readonly windowScale: { readonly send: number; readonly receive: number } | undefined;
  readonly ecn: boolean;
  /** Data of our SYN was accepted, or data of the peer's SYN by us. */
  readonly fastOpen: boolean;
}

export interface TcpConnection {
  readonly state: TcpState;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  handler: TcpHandler;
  /** Free for the user. */
  context: unknown;
  /** Bytes that `read` would give now. */
  readonly readable: number;
  /** The peer's FIN came, and everything before it has been read. */
  readonly ended: boolean;
  /** Bytes that `write` would take now. */
  readonly writable: number;
  /** Copies as much as fits into the send buffer; answers how many bytes it took. 0 after `shutdown`. */
  write(data: Uint8Array): number;
  /** Copies up to `into.length` bytes and frees them; answers how many. */
  read(into: Uint8Array): number;
  /** As `read`, but leaves them there. `offset` skips bytes. */
  peek(into: Uint8Array, offset?: number): number;
  /** Sends from `data` itself, which must not change until `acknowledged` has passed it. Not bounded by `writable`. */
  writeReference(data: Uint8Array, more?: boolean): boolean;
  /** As `write`, the last byte marked urgent (RFC 9293 3.8.5); the peer gets it in line. */
  writeUrgent(data: Uint8Array): number;
  /** Free pieces of the send buffer, at most `bytes` together; fill them in order and `commit`. Valid until then. */
  reserveViews(bytes: number): readonly Uint8Array[];
  /** Queues the first `bytes` of what was reserved. `more`: a partial segment may wait for the rest. */
  commit(bytes: number, more?: boolean): void;
  /** While on, a partial segment waits; turning it off sends it. */
  setMore(more: boolean): void;
  /** What `read` would give, where it lies: at most two pieces, valid until control returns to the stack. */
  receiveViews(): readonly Uint8Array[];
  /** Frees that many bytes as if read. */
  consume(bytes: number): void;
  /** FIN after everything written so far; reading goes on. */
  shutdown(): void;
  /** `shutdown`, and nobody will read any more: unread or further data makes it a reset (RFC 2525 2.17). */
  close(): void;
  /** RST now. */
  abort(): void;
  /** Without progress for so long, the connection fails with `timeout` (RFC 5482); 0 restores the default. */
  setUserTimeout(ms: number): void;
  info(): TcpInfo;
  setNoDelay(on: boolean): void;
  /** `idleMs` 0 turns it off. */
  setKeepAlive(idleMs: number, intervalMs?: number, count?: number): void;
  setReceiveBuffer(bytes: number): void;
  setSendBuffer(bytes: number): void;
  /** IPv4 TOS or IPv6 traffic class, 0..255. */
  setTrafficClass(value: number): void;
}

/** A SYN nobody listens for, or that a listener wants to decide on later (user-mode NAT, DEFER). */
export interface TcpRequest {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** SYN-ACK; the connection exists from now, in SYN-RECEIVED. */
  accept(handler: TcpHandler, options?: { receiveMemory?: Uint8Array }): TcpConnection;
  /** RST, or an ICMP unreachable of that kind. */
  refuse(how?: 'reset' | 'host-unreachable' | 'net-unreachable'): void;
  /** No answer; the peer's next SYN is a new request. */
  ignore(): void;
}

export interface TcpConnectOptions {
  readonly local?: Partial<Endpoint>;
  /** RFC 7413: the SYN waits for the first `write` (or `shutdown`) and carries its data if a cookie is known. */
  readonly fastOpen?: boolean;
  /** Receive into this memory (its largest power of two) instead of a buffer of the stack's; no auto-tuning. */
  readonly receiveMemory?: Uint8Array;
}

export interface TcpListener {
  readonly local: Endpoint;
  /** Connections already accepted live on. */
  close(): void;
}

export interface UdpSocket {
  readonly local: Endpoint;
  /** @throws StackError `EMSGSIZE`, `ENETUNREACH`, `EACCES` (broadcast not enabled) */
  send(data: Uint8Array, to: Endpoint): void;
  close(): void;
  /** @throws StackError `EINVAL` if `group` is no multicast address */
  join(group: string): void;
  leave(group: string): void;
  setTrafficClass(value: number): void;
}

export interface UdpHandler {
  /** `data` is valid only during the call. `to` tells the destination, for multicast and interception. */
  message(data: Uint8Array, from: Endpoint, to: Endpoint): void;
  /** An ICMP error came back for something sent to `to`. */
  unreachable?(to: Endpoint): void;
}

export interface PingResult {
  readonly rttMs: number;
  readonly ttl: number;
  readonly bytes: number;
}

export interface AddressInfo {
  readonly address: string;
  readonly prefix: number;
  readonly origin: 'static' | 'dhcp' | 'slaac' | 'link-local';
}

/** `code` is a POSIX name. */
export interface StackErrorLike extends Error {
  readonly code: string;
}

/** A host on one link. */
export interface Stack {
  readonly mac: string;
  readonly addresses: readonly AddressInfo[];
  /** Every change of `addresses`, gateways or name servers. */
  onAddressChange: (() => void) | undefined;

  addAddress(address: string, prefix: number): void;
  removeAddress(address: string): void;
  setGateway(address: string | undefined): void;
  nameServers: string[];

  /** DHCPv4 client (RFC 2131): adds address, gateway and name servers when bound, renews, removes on expiry. */
  startDhcp(options?: { hostname?: string }): void;
  stopDhcp(): void;
  /** IPv6 link-local address, then SLAAC from router advertisements (RFC 4862). */
  startIpv6(): void;

  /** @throws StackError `EADDRINUSE`, `ENETUNREACH`, `EADDRNOTAVAIL` */
  tcpConnect(remote: Endpoint, handler: TcpHandler, options?: TcpConnectOptions): TcpConnection;
  /** `accept` gets each new connection once ESTABLISHED, and answers its handler; `undefined` resets it. */
  tcpListen(
    local: Partial<Endpoint> & { port: number },
    accept: (connection: TcpConnection) => TcpHandler | undefined,
    options?: { backlog?: number; fastOpen?: boolean },
  ): TcpListener;
  /** As `tcpListen`, but the user decides at the SYN, now or later. */
  tcpListenRequests(
    local: Partial<Endpoint> & { port: number },
    request: (request: TcpRequest) => void,
    options?: { fastOpen?: boolean },
  ): TcpListener;
  /**
   * Every SYN that no listener takes, to any destination address that reaches this stack (a router that answers for the
   * world). `undefined` restores RST.
   */
  tcpForwarder: ((request: TcpRequest) => void) | undefined;

  udpBind(local: Partial<Endpoint>, handler: UdpHandler, options?: { broadcast?: boolean }): UdpSocket;
  /** Every datagram no socket takes, to any destination; `reply` answers from the address it was sent to. */
  udpForwarder:
    | ((data: Uint8Array, from: Endpoint, to: Endpoint, reply: (data: Uint8Array) => void) => void)
    | undefined;

  /** ICMP echo. `done` gets the answer or the POSIX name of the failure (`ETIMEDOUT`, `EHOSTUNREACH`). Answers a cancel. */
  ping(
    address: string,
    options: { bytes?: number; ttl?: number; timeoutMs?: number },
    done: (result: PingResult | string) => void,
  ): () => void;
  /** An echo request to an address that is not ours, when forwarding for the world; `reply` sends the answer. */
  icmpForwarder: ((to: string, from: string, payload: Uint8Array, reply: () => void) => void) | undefined;

  /** Link down: connections stay, frames go nowhere. */
  setLinkUp(up: boolean): void;
  /** Aborts everything and cancels every timer. */
  close(): void;
}
