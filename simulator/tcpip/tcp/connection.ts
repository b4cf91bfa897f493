import type { Endpoint, TcpConnection, TcpHandler, TcpInfo, TcpState } from '../contract.js';
import type { Address } from '../core/address.js';
import { type AnyTimer, Timer } from '../core/timer-wheel.js';
import type { Route } from '../ip/output.js';
import {
  type CongestionControl,
  type CongestionWindow,
  createCongestionControl,
} from './congestion/congestion.js';
import { describeConnection } from './info.js';
import { abortConnection, closeConnection, shutdownConnection } from './lifecycle.js';
import { freeSpaceGrew, tryOutput } from './output.js';
import { ReceiveBuffer } from './receive-buffer.js';
import { Scoreboard } from './scoreboard.js';
import { SendBuffer } from './send-buffer.js';
import * as states from './states.js';
import type { Tcp } from './tcp.js';
import { onAckTimer, onIdleTimer, onLifeTimer, onSendTimer } from './timers.js';
import { tuneReceiveBuffer } from './tuning.js';

/** What the user is still to be told. */
export const EVENT_CONNECTED = 1;
export const EVENT_READABLE = 2;
export const EVENT_WRITABLE = 4;
export const EVENT_ACKNOWLEDGED = 8;
export const EVENT_CLOSED = 16;
export const EVENT_TIME_WAIT = 32;
export const EVENT_RELEASED = 64;

/** How far loss recovery is (RFC 6675, 6582, 5682). */
export const RECOVERY_NONE = 0;
/** Reacting to an ECN mark: no loss, but the window has been reduced for this round trip. */
export const RECOVERY_CWR = 1;
export const RECOVERY_FAST = 2;
/** After the retransmission timer. */
export const RECOVERY_LOSS = 3;

/** What the send timer is waiting for. */
export const TIMER_NONE = 0;
export const TIMER_RTO = 1;
export const TIMER_PROBE = 2;
export const TIMER_REORDER = 3;
export const TIMER_PERSIST = 4;

const nothing: TcpHandler = {};

/**
 * One TCP connection: its variables (RFC 9293 3.3.1 and those of the extensions), in one object of one shape. What
 * happens to them is in input, acknowledgment, recovery, output, timers and lifecycle.
 */
export class Connection implements TcpConnection, CongestionWindow {
  readonly tcp: Tcp;
  readonly localAddress: Address;
  readonly localPort: number;
  readonly remoteAddress: Address;
  readonly remotePort: number;
  /** In the table of connections. */
  readonly hash: number;
  hashNext: Connection | undefined = undefined;
  route: Route | undefined = undefined;
  handler: TcpHandler = nothing;
  context: unknown = undefined;
  stateNumber = states.CLOSED;
  /** Opened by a SYN of the peer's; `undefined` once handed to its user. */
  acceptor: ((connection: Connection) => TcpHandler | undefined) | undefined = undefined;
  passive = false;
  /** Told when a half-open connection is no longer half open. */
  onHalfOpenEnd: (() => void) | undefined = undefined;

  // Send sequence space.
  iss = 0;
  /** Oldest unacknowledged. */
  una = 0;
  /** Next to be sent for the first time. */
  nxt = 0;
  /** Sequence number of the send buffer's first byte. */
  bufferSequence = 0;
  window = 0;
  maxWindow = 0;
  /** Segment of the latest window update (RFC 9293 3.10.7.4). */
  windowSequence = 0;
  windowAcknowledgment = 0;
  sendScale = 0;
  finQueued = false;
  finSent = false;
  /** End of the latest segment smaller than full size, for Minshall's Nagle. */
  smallEnd = 0;
  noDelay = false;
  /** The user has more to come: a partial segment waits (MSG_MORE). */
  more = false;
  readonly sendBuffer = new SendBuffer();
  sendLimit: number;
  sendLimitFixed = false;
  wantsWritable = false;
  acknowledgedTotal = 0;

  // Receive sequence space.
  irs = 0;
  receiveNext = 0;
  /** Right edge of the window as advertised. */
  receiveAdvertised = 0;
  receiveScale = 0;
  readonly receiveBuffer = new ReceiveBuffer();
  receiveLimit: number;
  receiveLimitFixed = false;
  finReceived = false;
  /** A FIN beyond a gap: where it stands. */
  finSequence = 0;
  finPending = false;
  /** Nobody reads any more: data that comes is answered by RST. */
  readShut = false;

  // Acknowledging.
  /** Bytes received since the last acknowledgement went out. */
  unacknowledged = 0;
  /** The largest segment the peer has sent: two of these are acknowledged at once. */
  peerSegment = 1;
  ackNow = false;
  lastAckSent = 0;
  /** Acknowledge at once while the peer's window is still small. */
  quickAcks = 0;
  duplicateSackStart = 0;
  duplicateSackEnd = 0;
  /** The range that changed last goes into the first SACK block (RFC 2018 4). */
  latestRangeStart = 0;
  outOfWindowAckAt = -1000;

  // Options in use.
  mss = 536;
  /** The peer's MSS option, or the default (RFC 9293 3.7.1). */
  peerMss = 536;
  sackOk = false;
  timestampsOk = false;
  scalingOk = false;
  ecnOk = false;
  timestampOffset = 0;
  recentTimestamp = 0;
  recentTimestampAt = 0;

  // Round-trip time, µs, and the timer built on it, ms.
  srtt = 0;
  rttvar = 0;
  minRtt = 0x7fffffff;
  rto = 1000;
  backoff = 0;

  // Congestion and loss.
  readonly congestion: CongestionControl;
  cwnd = 0;
  ssthresh = 0x7fffffff;
  readonly scoreboard = new Scoreboard();
  recovery = RECOVERY_NONE;
  /** Recovery ends when everything before this is acknowledged. */
  recoveryPoint = 0;
  duplicateAcks = 0;
  /** Segments known to have left the network without SACK: one per duplicate acknowledgement. */
  renoSacked = 0;
  /** Highest sequence number selectively acknowledged (RFC 8985). */
  highestSacked = 0;
  rackTime = 0;
  rackEnd = 0;
  rackRtt = 0;
  rackReordering = false;
  rackWindowFactor = 1;
  rackPersist = 0;
  rackRoundEnd = 0;
  rackValid = false;
  probeEnd = 0;
  probeOutstanding = false;
  probeResent = false;
  /** Bytes delivered and sent in this recovery (RFC 6937). */
  prrDelivered = 0;
  prrOut = 0;
  prrFlight = 0;
  /** Before the latest reduction, to take it back. */
  priorCwnd = 0;
  priorSsthresh = 0;
  undoMarker = 0;
  undoResent = 0;
  canUndo = false;
  /** F-RTO (RFC 5682): 0 off, 1 and 2 its steps. */
  frtoStep = 0;
  /** Flight when the latest acknowledgement came, to tell whether the window was the limit. */
  cwndLimited = false;
  lastSendAt = -1;
  retransmits = 0;

  // ECN (RFC 3168 6.1).
  echoCongestion = false;
  reducedForEcn = false;

  // Path MTU (RFC 4821).
  /** What probing has found the path to take, below what ICMP told; 0: nothing. */
  pathMss = 0;
  /** A probe for a larger size in flight (RFC 4821 7.3); size 0: none. */
  mtuProbeSize = 0;
  mtuProbeEnd = 0;
  /** Sizes from here on have failed. */
  mtuSearchLimit = 0;
  mtuProbeAt = 0;

  // Urgent data (RFC 9293 3.8.5) going out; what comes in is delivered in line, as RFC 6093 advises.
  sendUrgent = 0;
  sendUrgentPending = false;

  // Fast Open (RFC 7413).
  fastOpenWanted = false;
  fastOpenAsked = false;
  fastOpenSynData = 0;
  /** A cookie for the peer, in our SYN-ACK. */
  fastOpenCookie: Uint8Array | undefined = undefined;
  synSentAt = 0;
  fastOpenAccepted = false;

  // Timers.
  timerKind = TIMER_NONE;
  /** When the retransmission timer proper is due, whatever the send timer waits for first. */
  rtoDue = 0;
  readonly sendTimer: Timer<Connection>;
  readonly ackTimer: Timer<Connection>;
  /** Keepalive, made when first wanted. */
  idleTimer: AnyTimer | undefined = undefined;
  /** TIME-WAIT and FIN-WAIT-2. */
  lifeTimer: AnyTimer | undefined = undefined;
  keepAliveIdle = 0;
  keepAliveInterval = 75_000;
  keepAliveCount = 9;
  keepAliveProbes = 0;
  lastReceivedAt = 0;
  userTimeout: number;
  /** Still to be told to the peer (RFC 5482 3.1). */
  userTimeoutPending = false;
  /** When the oldest unacknowledged data began to wait. */
  stalledSince = 0;

  // Auto-tuning of the receive buffer.
  /** Bytes the user has taken since `tuneAt`. */
  tuneCopied = 0;
  tuneAt = 0;
  /** Bytes per millisecond when the buffer last grew. */
  tuneRate = 0;

  trafficClass = 0;
  hops = 64;

  // Telling the user.
  events = 0;
  deferred = false;
  failure: Parameters<NonNullable<TcpHandler['closed']>>[0] = 'none';
  closedTold = false;
  released = false;
  outputWanted = false;
  readonly #views: Uint8Array[] = [];

  constructor(
    tcp: Tcp,
    local: Address,
    localPort: number,
    remote: Address,
    remotePort: number,
    hash: number,
  ) {
    const { settings } = tcp;
    this.tcp = tcp;
    this.localAddress = local;
    this.localPort = localPort;
    this.remoteAddress = remote;
    this.remotePort = remotePort;
    this.hash = hash;
    this.sendLimit = settings.sendBuffer;
    this.receiveLimit = settings.receiveBuffer;
    this.userTimeout = settings.userTimeoutMs;
    this.congestion = createCongestionControl(settings.congestionControl);
    this.sendTimer = new Timer<Connection>(this, onSendTimer);
    this.ackTimer = new Timer<Connection>(this, onAckTimer);
  }

  get state(): TcpState {
    return states.stateNames[this.stateNumber];
  }

  get local(): Endpoint {
    return this.tcp.text.endpoint(this.localAddress, this.localPort);
  }

  get remote(): Endpoint {
    return this.tcp.text.endpoint(this.remoteAddress, this.remotePort);
  }

  get readable(): number {
    return this.receiveBuffer.length;
  }

  get ended(): boolean {
    return this.finReceived && this.receiveBuffer.length === 0;
  }

  get mayWrite(): boolean {
    return !this.finQueued && this.stateNumber >= states.SYN_SENT && this.stateNumber <= states.CLOSE_WAIT;
  }

  get writable(): number {
    return this.mayWrite ? Math.max(0, this.sendLimit - this.sendBuffer.length) : 0;
  }

  write(data: Uint8Array): number {
    const length = Math.min(data.length, this.writable);
    if (length < data.length && this.mayWrite) this.wantsWritable = true;
    if (length === 0) return 0;
    this.sendBuffer.write(data, length);
    this.#sendSoon(false);
    return length;
  }

  writeReference(data: Uint8Array, more = false): boolean {
    if (!this.mayWrite) return false;
    this.sendBuffer.writeReference(data);
    this.#sendSoon(more);
    return true;
  }

  writeUrgent(data: Uint8Array): number {
    const length = Math.min(data.length, this.writable);
    if (length === 0) return 0;
    this.sendBuffer.write(data, length);
    this.sendUrgent = (this.bufferSequence + this.sendBuffer.length) | 0;
    this.sendUrgentPending = true;
    this.#sendSoon(false);
    return length;
  }

  reserveViews(bytes: number): readonly Uint8Array[] {
    return this.sendBuffer.reserve(Math.min(bytes, this.writable));
  }

  commit(bytes: number, more = false): void {
    if (!this.mayWrite) return;
    this.sendBuffer.commit(bytes);
    this.#sendSoon(more);
  }

  setMore(more: boolean): void {
    this.more = more;
    if (!more) this.#sendSoon(false);
  }

  #sendSoon(more: boolean): void {
    this.more = more;
    this.tcp.enter();
    tryOutput(this);
  }

  read(into: Uint8Array): number {
    const length = this.receiveBuffer.peek(into, 0);
    if (length > 0) this.consume(length);
    return length;
  }

  peek(into: Uint8Array, offset = 0): number {
    return this.receiveBuffer.peek(into, offset);
  }

  receiveViews(): readonly Uint8Array[] {
    return this.receiveBuffer.views(this.#views);
  }

  consume(bytes: number): void {
    const length = Math.min(bytes, this.receiveBuffer.length);
    if (length <= 0) return;
    this.receiveBuffer.consume(length);
    if (!this.receiveLimitFixed) tuneReceiveBuffer(this, length);
    freeSpaceGrew(this);
  }

  shutdown(): void {
    this.tcp.enter();
    shutdownConnection(this);
  }

  close(): void {
    this.tcp.enter();
    closeConnection(this);
  }

  abort(): void {
    this.tcp.enter();
    abortConnection(this, 'aborted');
  }

  setNoDelay(on: boolean): void {
    this.noDelay = on;
    if (on) this.#sendSoon(this.more);
  }

  setKeepAlive(idleMs: number, intervalMs = 75_000, count = 9): void {
    this.keepAliveIdle = Math.max(0, idleMs);
    this.keepAliveInterval = Math.max(1, intervalMs);
    this.keepAliveCount = Math.max(1, count);
    this.keepAliveProbes = 0;
    if (idleMs <= 0) {
      this.idleTimer?.disarm();
      return;
    }
    this.idleTimer ??= new Timer<Connection>(this, onIdleTimer);
    this.tcp.enter();
    this.lastReceivedAt = this.tcp.engine.now;
    this.tcp.engine.wheel.arm(this.idleTimer, this.keepAliveIdle);
  }

  setUserTimeout(ms: number): void {
    this.userTimeout = ms > 0 ? ms : this.tcp.settings.userTimeoutMs;
    this.userTimeoutPending = ms > 0;
  }

  setReceiveBuffer(bytes: number): void {
    this.receiveLimit = Math.max(256, Math.min(bytes, 1 << 30));
    this.receiveLimitFixed = true;
    if (this.stateNumber >= states.ESTABLISHED) freeSpaceGrew(this);
  }

  setSendBuffer(bytes: number): void {
    this.sendLimit = Math.max(256, Math.min(bytes, 1 << 30));
    this.sendLimitFixed = true;
  }

  useReceiveMemory(memory: Uint8Array): void {
    this.receiveBuffer.useMemory(memory);
    this.setReceiveBuffer(this.receiveBuffer.capacity);
  }

  setTrafficClass(value: number): void {
    this.trafficClass = value & 0xff;
  }

  info(): TcpInfo {
    return describeConnection(this);
  }

  armLife(delayMs: number): void {
    this.lifeTimer ??= new Timer<Connection>(this, onLifeTimer);
    this.tcp.engine.wheel.arm(this.lifeTimer, delayMs);
  }

  /** Tells the user of `events`, once the engine is done with what it is doing. */
  notify(events: number): void {
    this.events |= events;
    if (this.deferred) return;
    this.deferred = true;
    this.tcp.engine.defer(this);
  }

  /** Has `tryOutput` run at the end, when the user has had its say. */
  wantOutput(): void {
    this.outputWanted = true;
    if (this.deferred) return;
    this.deferred = true;
    this.tcp.engine.defer(this);
  }

  runDeferred(): void {
    this.deferred = false;
    const { events } = this;
    this.events = 0;
    try {
      if (events !== 0) this.#tell(events);
    } finally {
      // What the peer is owed does not depend on the user's callbacks.
      if (this.outputWanted) {
        this.outputWanted = false;
        tryOutput(this);
      }
    }
  }

  #tell(events: number): void {
    if (events & EVENT_CONNECTED) {
      if (this.acceptor !== undefined) this.#hand(this.acceptor);
      else this.handler.connected?.();
    }
    if (!this.closedTold) {
      if (events & EVENT_ACKNOWLEDGED) this.handler.acknowledged?.(this.acknowledgedTotal);
      if (events & EVENT_READABLE) this.handler.readable?.();
      if (events & EVENT_WRITABLE) this.handler.writable?.();
      if (events & EVENT_TIME_WAIT) this.handler.timeWait?.();
      if (events & EVENT_CLOSED) {
        this.closedTold = true;
        this.handler.closed?.(this.failure);
      }
    }
    if (events & EVENT_RELEASED) this.handler.released?.();
  }

  /** Established by a peer: the listener's user takes it or not. */
  #hand(acceptor: (connection: Connection) => TcpHandler | undefined): void {
    this.acceptor = undefined;
    if (this.stateNumber === states.CLOSED) return;
    const handler = acceptor(this);
    if (handler === undefined) {
      abortConnection(this, 'aborted');
      return;
    }
    this.handler = handler;
    handler.connected?.();
  }
}
