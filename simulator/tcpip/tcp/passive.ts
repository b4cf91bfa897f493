import type { TcpHandler, TcpRequest } from '../contract.js';
import type { Packet } from '../core/packet.js';
import { ACK, CWR, ECE, FIN, RST, type Segment, SYN } from '../wire/tcp.js';
import { type Connection, EVENT_CONNECTED } from './connection.js';
import { isCookie, makeCookie } from './fast-open.js';
import { answerSyn, startAccept } from './handshake.js';
import { inputSegment, takeData } from './input.js';
import { type Listener, Request } from './listener.js';
import { sendSegment } from './segment-output.js';
import { SynCookies } from './syn-cookies.js';
import type { Tcp } from './tcp.js';

const MAX_REQUESTS = 4096;
/** A request nobody has decided on for so long is forgotten when room is needed. */
const REQUEST_LIFETIME_MS = 120_000;
const DEFAULT_HOPS = 64;

/** Segments that belong to no connection yet: SYNs for listeners and forwarders, floods, cookies, and strays. */
export class Passive {
  readonly #tcp: Tcp;
  readonly #requests = new Map<string, Request>();
  readonly #synCookies: SynCookies;
  /** When a listener last had to answer with cookies: only then can one come back. */
  #cookiesUntil = 0;

  constructor(tcp: Tcp) {
    this.#tcp = tcp;
    this.#synCookies = new SynCookies(tcp.secret);
  }

  input(segment: Segment, packet: Packet, foreign: boolean): void {
    const tcp = this.#tcp;
    const { flags } = segment;
    if (flags & RST) {
      if (this.#requests.size > 0) this.#requests.delete(keyOf(segment, packet));
      return;
    }
    const listener = foreign ? undefined : tcp.findListener(packet.destination, segment.destinationPort);
    if (flags & ACK) {
      if (listener !== undefined && this.#takeCookie(listener, segment, packet)) return;
      tcp.reset(segment, packet);
      return;
    }
    if ((flags & SYN) === 0 || flags & FIN) {
      // RFC 9293 3.10.7.1, 3.10.7.2: a closed port resets whatever it is, a listener ignores what is no SYN.
      if (listener === undefined) tcp.reset(segment, packet);
      else tcp.stats.malformedTcp++;
      return;
    }
    if (listener?.accept !== undefined) this.#syn(listener, listener.accept, segment, packet);
    else if (listener?.request !== undefined)
      this.#request(listener.request, segment, packet, listener.fastOpen);
    else if (tcp.forwarder !== undefined) this.#request(tcp.forwarder, segment, packet, false);
    else tcp.reset(segment, packet);
  }

  #syn(listener: Listener, accept: NonNullable<Listener['accept']>, segment: Segment, packet: Packet): void {
    const tcp = this.#tcp;
    if (listener.halfOpen >= listener.backlog || tcp.table.count >= tcp.settings.maxConnections) {
      if (tcp.settings.synCookies) this.#answerWithCookie(segment, packet);
      else tcp.stats.tcpSynDrops++;
      return;
    }
    const c = this.#create(segment, packet);
    c.acceptor = accept;
    listener.halfOpen++;
    c.onHalfOpenEnd = () => {
      listener.halfOpen--;
    };
    startAccept(c, segment);
    if (tcp.settings.fastOpen && listener.fastOpen && segment.fastOpenLength >= 0) {
      this.#fastOpen(c, segment, packet.frame);
    }
    answerSyn(c);
  }

  #create(segment: Segment, packet: Packet): Connection {
    const tcp = this.#tcp;
    tcp.stats.tcpPassiveOpens++;
    // One object for all connections to an address of ours.
    const local = tcp.network.iface.find(packet.destination)?.address ?? packet.destination.clone();
    return tcp.create(local, segment.destinationPort, packet.source.clone(), segment.sourcePort);
  }

  /** RFC 7413 4.2: data of the SYN is taken if its cookie is right; else the peer gets one for next time. */
  #fastOpen(c: Connection, segment: Segment, frame: Uint8Array): void {
    const tcp = this.#tcp;
    const cookie = makeCookie(tcp.secret, c.localAddress, c.remoteAddress);
    if (!isCookie(cookie, segment)) {
      c.fastOpenCookie = cookie;
      if (segment.fastOpenLength > 0) tcp.stats.tcpFastOpenFallbacks++;
      return;
    }
    tcp.stats.tcpFastOpens++;
    c.fastOpenAccepted = true;
    segment.sequence = (segment.sequence + 1) | 0;
    // A FIN of the SYN is left for the peer to send again, once the handshake is complete.
    if (segment.dataLength > 0) takeData(c, segment, frame);
    c.ackNow = false;
    c.ackTimer.disarm();
    c.notify(EVENT_CONNECTED);
  }

  #answerWithCookie(segment: Segment, packet: Packet): void {
    const tcp = this.#tcp;
    const { engine, settings } = tcp;
    const to = packet.source.clone();
    const from = packet.destination.clone();
    const route = tcp.network.output.route(to);
    if (route === undefined) return;
    tcp.stats.tcpSynCookiesSent++;
    this.#cookiesUntil = engine.now + 2 * 64_000;
    const ecn = (segment.flags & (ECE | CWR)) === (ECE | CWR) && settings.ecn !== 'off';
    const timestamps = settings.timestamps && segment.hasTimestamps;
    const out = tcp.outgoing;
    out.clearOptions();
    out.sourcePort = segment.destinationPort;
    out.destinationPort = segment.sourcePort;
    out.sequence = this.#synCookies.make(segment, packet, engine.now);
    out.acknowledgment = (segment.sequence + 1) | 0;
    out.flags = SYN | ACK | (ecn && timestamps ? ECE : 0);
    out.window = Math.min(settings.receiveBuffer, 0xffff);
    out.urgentPointer = 0;
    const ip = to.isV4 ? 20 : 40;
    out.mss = Math.min(tcp.network.output.mtu - ip - 20, settings.maxSegmentSize);
    if (timestamps) {
      const now = (engine.now + tcp.timestampOffset(from, to)) | 0;
      out.hasTimestamps = true;
      out.timestampValue = this.#synCookies.timestamp(segment, now, ecn);
      out.timestampEcho = segment.timestampValue;
      out.sackPermitted = settings.sack && segment.sackPermitted;
      out.windowScale =
        settings.windowScaling && segment.windowScale >= 0 ? cookieScale(settings.maxReceiveBuffer) : -1;
    }
    sendSegment(tcp, tcp.network.output.packetFor(60), route, from, out, 0, DEFAULT_HOPS, 0);
  }

  /** An acknowledgement out of nowhere may be that of a cookie: then the connection is rebuilt from it. */
  #takeCookie(listener: Listener, segment: Segment, packet: Packet): boolean {
    const tcp = this.#tcp;
    if (tcp.engine.now > this.#cookiesUntil || listener.accept === undefined || segment.flags & SYN)
      return false;
    const options = this.#synCookies.check(segment, packet, tcp.engine.now);
    if (options === undefined) return false;
    if (tcp.table.count >= tcp.settings.maxConnections) return true;
    tcp.stats.tcpSynCookiesAccepted++;
    const { sequence, acknowledgment, flags, window } = segment;
    const c = this.#create(segment, packet);
    c.acceptor = listener.accept;
    // The SYN as it must have been.
    segment.sequence = (sequence - 1) | 0;
    segment.flags = SYN | (options.ecn ? ECE | CWR : 0);
    segment.mss = options.mss;
    segment.windowScale = options.windowScale;
    segment.sackPermitted = options.sackPermitted;
    startAccept(c, segment);
    c.iss = (acknowledgment - 1) | 0;
    c.una = c.iss;
    c.nxt = acknowledgment;
    c.smallEnd = c.iss;
    c.bufferSequence = acknowledgment;
    c.recoveryPoint = c.iss;
    c.highestSacked = c.iss;
    // The time the SYN-ACK went out is not known.
    c.backoff = 1;
    segment.sequence = sequence;
    segment.acknowledgment = acknowledgment;
    segment.flags = flags;
    segment.window = window;
    c.lastAckSent = sequence;
    inputSegment(c, segment, packet);
    return true;
  }

  #request(user: (request: TcpRequest) => void, segment: Segment, packet: Packet, fastOpen: boolean): void {
    const tcp = this.#tcp;
    const key = keyOf(segment, packet);
    const known = this.#requests.get(key);
    // A SYN again: the user is still thinking. With another number it is a new attempt.
    if (known !== undefined && known.segment.sequence === segment.sequence) return;
    if (this.#requests.size >= MAX_REQUESTS && !this.#dropOldRequest()) {
      tcp.stats.tcpSynDrops++;
      return;
    }
    const request = new Request(tcp, key, segment, packet, fastOpen);
    this.#requests.set(key, request);
    tcp.engine.defer({ runDeferred: () => user(request) });
  }

  #dropOldRequest(): boolean {
    for (const [key, { since }] of this.#requests) {
      if (this.#tcp.engine.now - since < REQUEST_LIFETIME_MS) return false;
      this.#requests.delete(key);
      return true;
    }
    return false;
  }

  forget(request: Request): void {
    if (this.#requests.get(request.key) === request) this.#requests.delete(request.key);
  }

  acceptRequest(request: Request, handler: TcpHandler, memory: Uint8Array | undefined): Connection {
    const tcp = this.#tcp;
    const { segment, localAddress, remoteAddress } = request;
    const old = tcp.table.find(localAddress, segment.destinationPort, remoteAddress, segment.sourcePort);
    if (old !== undefined) return old;
    tcp.stats.tcpPassiveOpens++;
    const c = tcp.create(localAddress, segment.destinationPort, remoteAddress, segment.sourcePort);
    c.handler = handler;
    if (memory !== undefined) c.useReceiveMemory(memory);
    startAccept(c, segment);
    if (tcp.settings.fastOpen && request.fastOpen && segment.fastOpenLength >= 0) {
      this.#fastOpen(c, segment, request.data);
    }
    answerSyn(c);
    return c;
  }

  refuseRequest(request: Request, how: Parameters<TcpRequest['refuse']>[0]): void {
    const tcp = this.#tcp;
    const { segment, localAddress, remoteAddress, quote } = request;
    if (how === 'host-unreachable' || how === 'net-unreachable') {
      const why = how === 'host-unreachable' ? 'host' : 'net';
      tcp.network.icmp.sendError(remoteAddress, localAddress, quote, why);
      return;
    }
    const end = (segment.sequence + 1) | 0;
    tcp.sendReset(localAddress, segment.destinationPort, remoteAddress, segment.sourcePort, 0, end);
  }

  clear(): void {
    this.#requests.clear();
  }
}

const keyOf = (segment: Segment, packet: Packet): string =>
  `${packet.source}/${segment.sourcePort}/${packet.destination}/${segment.destinationPort}`;

/** The scale every connection from a cookie has: it must be the same when the cookie comes back. */
function cookieScale(largest: number): number {
  let scale = 0;
  while (scale < 14 && largest >> scale > 0xffff) scale++;
  return scale;
}
