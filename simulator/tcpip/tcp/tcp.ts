import type { Endpoint, Stack, TcpConnectOptions, TcpHandler, TcpListener, TcpRequest } from '../contract.js';
import { type Address, isMulticast, isUnspecified, sameAddress } from '../core/address.js';
import { fold } from '../core/checksum.js';
import { type EndpointText, optionalAddress, requireAddress, requirePort } from '../core/endpoints.js';
import type { Engine } from '../core/engine.js';
import type { Packet } from '../core/packet.js';
import { choosePort } from '../core/ports.js';
import { TokenBucket } from '../core/token-bucket.js';
import { StackError } from '../errors.js';
import type { Quote } from '../ip/icmp.js';
import type { Network, Transport } from '../ip/network.js';
import { random32 } from '../random.js';
import type { StackStats } from '../stats.js';
import { read16, read32 } from '../wire/bytes.js';
import { PROTOCOL_TCP } from '../wire/ipv4.js';
import { ACK, parseTcp, RST, Segment, SYN } from '../wire/tcp.js';
import { Connection } from './connection.js';
import { Demultiplexer } from './demultiplexer.js';
import { CookieCache } from './fast-open.js';
import { startConnect } from './handshake.js';
import { inputSegment } from './input.js';
import { KeyedHash } from './keyed-hash.js';
import { abortConnection, endConnection, failConnection, finishTimeWait } from './lifecycle.js';
import { Listener, type Request } from './listener.js';
import { defaultTcpOptions, type TcpOptions, type TcpSettings } from './options.js';
import { sendAck, tryOutput } from './output.js';
import { Passive } from './passive.js';
import { pathNarrowed } from './path-probing.js';
import { sendSegment } from './segment-output.js';
import { after, before } from './sequence.js';
import * as states from './states.js';

/** Connections kept in TIME-WAIT; beyond, the oldest end early. */
const MAX_TIME_WAIT = 16_384;
const DEFAULT_HOPS = 64;

/** TCP for one stack: its connections and listeners, and every segment's way to them. */
export class Tcp implements Transport {
  readonly network: Network;
  readonly engine: Engine;
  readonly stats: StackStats;
  readonly settings: TcpSettings;
  readonly text: EndpointText;
  /** The segment being built; used up by sending it. */
  readonly outgoing = new Segment();
  readonly cookies = new CookieCache();
  readonly secret: KeyedHash;
  readonly table: Demultiplexer;
  readonly passive: Passive;
  readonly #incoming = new Segment();
  readonly #listeners = new Map<number, Listener[]>();
  readonly #timeWait = new Set<Connection>();
  /** RFC 5961 7: an attacker must neither make us a flood nor count what is left of the limit. */
  readonly #challenges = new TokenBucket(1000, 100);
  #portCounter = 0;
  forwarder: Stack['tcpForwarder'];

  constructor(network: Network, text: EndpointText, options: TcpOptions) {
    this.network = network;
    this.engine = network.engine;
    this.stats = network.engine.stats;
    this.settings = { ...defaultTcpOptions, ...options };
    this.text = text;
    this.secret = new KeyedHash(this.engine.random);
    this.table = new Demultiplexer(random32(this.engine.random));
    this.passive = new Passive(this);
  }

  get takesForeign(): boolean {
    return this.forwarder !== undefined;
  }

  /** Called first by whatever the user calls. */
  enter(): void {
    if (!this.engine.busy) this.engine.refreshTime();
  }

  /** RFC 6528: a clock of 4 µs and a keyed hash of who talks to whom. */
  initialSequence(local: Address, localPort: number, remote: Address, remotePort: number): number {
    const clock = (this.engine.now * 250) % 0x1_0000_0000;
    return (this.secret.of(local, remote, localPort, remotePort) + clock) | 0;
  }

  /** The same for all connections of two hosts, so that timestamps order them (RFC 7323 5.4, RFC 6191). */
  timestampOffset(local: Address, remote: Address): number {
    return this.secret.of(local, remote, 0x7323, 0);
  }

  create(local: Address, localPort: number, remote: Address, remotePort: number): Connection {
    const hash = this.table.hash(local, localPort, remote, remotePort);
    const c = new Connection(this, local, localPort, remote, remotePort, hash);
    c.timestampOffset = this.timestampOffset(local, remote);
    this.table.add(c);
    return c;
  }

  connect(to: Endpoint, handler: TcpHandler, options: TcpConnectOptions): Connection {
    const remote = requireAddress(to.address);
    const remotePort = requirePort(to.port, 1);
    this.enter();
    if (isUnspecified(remote) || this.network.isBroadcastOrGroup(remote)) {
      throw new StackError('ENETUNREACH', `${to.address} is no address of a host`);
    }
    const bound = optionalAddress(options.local?.address);
    const route = this.network.output.route(remote);
    if (route === undefined) throw new StackError('ENETUNREACH', `no route to ${to.address}`);
    const local = bound === undefined || isUnspecified(bound) ? route.source : bound;
    if (local.isV4 !== remote.isV4 || (!this.network.iface.owns(local) && !this.takesForeign)) {
      throw new StackError('EADDRNOTAVAIL', `${options.local?.address} is not an address of this host`);
    }
    if (this.table.count >= this.settings.maxConnections) {
      throw new StackError('ENOBUFS', 'too many connections');
    }
    const localPort = this.#claimPort(local, options.local?.port ?? 0, remote, remotePort);
    const c = this.create(local, localPort, remote, remotePort);
    c.handler = handler;
    if (options.receiveMemory !== undefined) c.useReceiveMemory(options.receiveMemory);
    c.fastOpenWanted = options.fastOpen === true && this.settings.fastOpen;
    this.stats.tcpActiveOpens++;
    startConnect(c);
    return c;
  }

  #claimPort(local: Address, wanted: number, remote: Address, remotePort: number): number {
    requirePort(wanted);
    const free = (port: number): boolean => {
      const other = this.table.find(local, port, remote, remotePort);
      // RFC 6191: timestamps tell a new connection's segments from the old one's.
      return other === undefined || (other.stateNumber === states.TIME_WAIT && other.timestampsOk);
    };
    let port: number | undefined = wanted;
    if (wanted === 0) {
      const offset = this.secret.of(local, remote, remotePort, 0x6056) + this.#portCounter++;
      port = choosePort(offset, (candidate) => free(candidate) && !this.#listeners.has(candidate));
      if (port === undefined) throw new StackError('EADDRNOTAVAIL', 'all ephemeral ports are in use');
    } else if (!free(wanted))
      throw new StackError('EADDRINUSE', `port ${wanted} is connected to ${remote} already`);
    const old = this.table.find(local, port, remote, remotePort);
    if (old !== undefined) finishTimeWait(old);
    return port;
  }

  listen(
    local: Partial<Endpoint> & { port: number },
    users: Pick<Listener, 'accept' | 'request'>,
    options: { backlog?: number; fastOpen?: boolean },
  ): TcpListener {
    const address = optionalAddress(local.address);
    const any = address === undefined || isUnspecified(address);
    if (!any && !this.network.iface.owns(address) && !this.takesForeign) {
      throw new StackError('EADDRNOTAVAIL', `${local.address} is not an address of this host`);
    }
    let port = requirePort(local.port);
    if (port === 0) {
      const start = random32(this.engine.random);
      port = choosePort(start, (candidate) => !this.#listeners.has(candidate)) ?? 0;
    }
    const others = this.#listeners.get(port) ?? [];
    if (others.some((other) => sameBinding(other.address, address))) {
      throw new StackError('EADDRINUSE', `port ${port} is listened on already`);
    }
    const backlog = Math.max(1, options.backlog ?? this.settings.backlog);
    const listener = new Listener(this, address, port, {
      ...users,
      backlog,
      fastOpen: options.fastOpen === true,
    });
    others.push(listener);
    this.#listeners.set(port, others);
    return listener;
  }

  removeListener(listener: Listener): void {
    const listeners = this.#listeners.get(listener.port) ?? [];
    listeners.splice(listeners.indexOf(listener), 1);
    if (listeners.length === 0) this.#listeners.delete(listener.port);
  }

  findListener(address: Address, port: number): Listener | undefined {
    let general: Listener | undefined;
    for (const listener of this.#listeners.get(port) ?? []) {
      const bound = listener.address;
      if (bound === undefined || (isUnspecified(bound) && (!bound.isV4 || address.isV4))) general = listener;
      else if (sameAddress(bound, address)) return listener;
    }
    return general;
  }

  input(packet: Packet, foreign: boolean): void {
    const { stats } = this;
    const segment = this.#incoming;
    const { payloadAt: at, payloadLength: length } = packet;
    // RFC 1122 4.2.3.10: nothing for groups or broadcasts is a connection's.
    if (packet.linkBroadcast || isMulticast(packet.destination) || isUnspecified(packet.source)) {
      stats.malformedTcp++;
      return;
    }
    if (!parseTcp(packet.frame, at, length, segment)) {
      stats.malformedTcp++;
      return;
    }
    if (fold(packet.sum(at, length) + packet.pseudoSum(PROTOCOL_TCP, length)) !== 0xffff) {
      stats.badTcpChecksums++;
      return;
    }
    if (segment.sourcePort === 0 || segment.destinationPort === 0) {
      stats.malformedTcp++;
      return;
    }
    stats.tcpSegmentsIn++;
    if (segment.malformedOptions) stats.malformedTcpOptions++;
    const c = this.table.find(packet.destination, segment.destinationPort, packet.source, segment.sourcePort);
    if (c !== undefined && !this.#replaces(c, segment)) inputSegment(c, segment, packet);
    else this.passive.input(segment, packet, foreign);
  }

  /** RFC 9293 3.10.7.4 and RFC 6191: a new SYN that cannot be an old duplicate ends TIME-WAIT. */
  #replaces(c: Connection, segment: Segment): boolean {
    if (c.stateNumber !== states.TIME_WAIT || (segment.flags & (SYN | ACK | RST)) !== SYN) return false;
    const newer =
      c.timestampsOk && segment.hasTimestamps
        ? after(segment.timestampValue, c.recentTimestamp) ||
          (segment.timestampValue === c.recentTimestamp && after(segment.sequence, c.receiveNext))
        : !before(segment.sequence, c.receiveNext);
    if (!newer) return false;
    finishTimeWait(c);
    return true;
  }

  /** RFC 5961: "are you sure?", to a segment that could be a blind attacker's. */
  challenge(c: Connection): void {
    if (!this.#challenges.take(this.engine.now)) {
      this.stats.tcpChallengeAcksLimited++;
      return;
    }
    this.stats.tcpChallengeAcks++;
    sendAck(c);
  }

  /** Answers a segment that belongs to nothing (RFC 9293 3.10.7.1). */
  reset(segment: Segment, packet: Packet): void {
    if (segment.flags & RST) return;
    const acknowledged = (segment.flags & ACK) !== 0;
    const end = (segment.sequence + segment.span) | 0;
    const to = packet.source.clone();
    const from = packet.destination.clone();
    this.sendReset(
      from,
      segment.destinationPort,
      to,
      segment.sourcePort,
      acknowledged ? segment.acknowledgment : 0,
      acknowledged ? undefined : end,
    );
  }

  /** A reset with that sequence number, and that acknowledgement if any. */
  sendReset(
    from: Address,
    fromPort: number,
    to: Address,
    toPort: number,
    sequence: number,
    acknowledgment: number | undefined,
  ): void {
    const route = this.network.output.route(to);
    if (route === undefined) return;
    const out = this.outgoing;
    out.clearOptions();
    out.sourcePort = fromPort;
    out.destinationPort = toPort;
    out.sequence = sequence;
    out.acknowledgment = acknowledgment ?? 0;
    out.flags = acknowledgment === undefined ? RST : RST | ACK;
    out.window = 0;
    out.urgentPointer = 0;
    this.stats.tcpResetsOut++;
    const packet = this.network.output.packetFor(60);
    sendSegment(this, packet, route, from, out, 0, DEFAULT_HOPS, 0);
  }

  #quoted(quote: Quote): Connection | undefined {
    if (quote.length < 8) return undefined;
    const localPort = read16(quote.bytes, quote.at);
    const remotePort = read16(quote.bytes, quote.at + 2);
    const sequence = read32(quote.bytes, quote.at + 4);
    const c = this.table.find(quote.source, localPort, quote.destination, remotePort);
    // RFC 5927 4.1: only about something that is really in flight.
    if (c === undefined || before(sequence, c.una) || after(sequence, c.nxt)) return undefined;
    return c;
  }

  vouches(quote: Quote): boolean {
    return this.#quoted(quote) !== undefined;
  }

  error(quote: Quote): void {
    if (quote.error === 'packet-too-big') {
      for (const c of this.table) {
        if (!sameAddress(c.remoteAddress, quote.destination) || c.stateNumber < states.ESTABLISHED) continue;
        pathNarrowed(c);
        tryOutput(c);
      }
      return;
    }
    const c = this.#quoted(quote);
    // RFC 5461 2.2, RFC 9293 3.9.2.2: once established such errors are soft.
    if (c === undefined || c.stateNumber !== states.SYN_SENT) return;
    switch (quote.error) {
      case 'port-unreachable':
      case 'protocol-unreachable':
        failConnection(c, 'refused');
        break;
      case 'net-unreachable':
      case 'host-unreachable':
      case 'prohibited':
        failConnection(c, 'unreachable');
        break;
    }
  }

  acceptRequest(request: Request, handler: TcpHandler, memory: Uint8Array | undefined): Connection {
    this.enter();
    return this.passive.acceptRequest(request, handler, memory);
  }

  refuseRequest(request: Request, how: Parameters<TcpRequest['refuse']>[0]): void {
    this.enter();
    this.passive.refuseRequest(request, how);
  }

  forgetRequest(request: Request): void {
    this.passive.forget(request);
  }

  decidedTwice(): StackError {
    return new StackError('EINVAL', 'this request has been decided already');
  }

  /** Something the peer acknowledged: it is there, and so is the router (RFC 4861 7.3.1). */
  forwardProgress(c: Connection): void {
    const neighbor = c.route?.neighbor;
    if (neighbor !== undefined) this.network.neighbors.confirm(neighbor);
  }

  enteredTimeWait(c: Connection): void {
    this.#timeWait.add(c);
    if (this.#timeWait.size <= MAX_TIME_WAIT) return;
    for (const oldest of this.#timeWait) {
      finishTimeWait(oldest);
      break;
    }
  }

  forget(c: Connection): void {
    this.#timeWait.delete(c);
    this.table.remove(c);
  }

  closeAll(): void {
    for (const listeners of [...this.#listeners.values()])
      for (const listener of [...listeners]) listener.close();
    for (const c of [...this.table]) {
      if (c.stateNumber === states.TIME_WAIT) finishTimeWait(c);
      else if (c.stateNumber === states.SYN_SENT) endConnection(c, 'aborted');
      else abortConnection(c, 'aborted');
    }
    this.passive.clear();
  }
}

function sameBinding(a: Address | undefined, b: Address | undefined): boolean {
  const generalA = a === undefined || isUnspecified(a);
  const generalB = b === undefined || isUnspecified(b);
  return generalA || generalB ? generalA && generalB : sameAddress(a, b);
}
