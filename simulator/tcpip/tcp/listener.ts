import type { Endpoint, TcpConnection, TcpHandler, TcpListener, TcpRequest } from '../contract.js';
import type { Address } from '../core/address.js';
import type { Packet } from '../core/packet.js';
import { Segment } from '../wire/tcp.js';
import type { Connection } from './connection.js';
import type { Tcp } from './tcp.js';

/** A port that is listened on, either way: connections once established, or requests at the SYN. */
export class Listener implements TcpListener {
  readonly #tcp: Tcp;
  /** `undefined`: all. */
  readonly address: Address | undefined;
  readonly port: number;
  readonly backlog: number;
  readonly fastOpen: boolean;
  readonly accept: ((connection: Connection) => TcpHandler | undefined) | undefined;
  readonly request: ((request: TcpRequest) => void) | undefined;
  halfOpen = 0;
  closed = false;

  constructor(
    tcp: Tcp,
    address: Address | undefined,
    port: number,
    users: Pick<Listener, 'accept' | 'request' | 'backlog' | 'fastOpen'>,
  ) {
    this.#tcp = tcp;
    this.address = address;
    this.port = port;
    this.accept = users.accept;
    this.request = users.request;
    this.backlog = users.backlog;
    this.fastOpen = users.fastOpen;
  }

  get local(): Endpoint {
    return { address: this.address?.toString() ?? '0.0.0.0', port: this.port };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#tcp.removeListener(this);
  }
}

/** A SYN that waits for its user's decision. */
export class Request implements TcpRequest {
  readonly #tcp: Tcp;
  readonly key: string;
  readonly segment: Segment;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** The IP packet's start, to quote if it is refused by ICMP. */
  readonly quote: Uint8Array;
  readonly since: number;
  /** The SYN's options and data are kept, for its listener takes part in Fast Open. */
  readonly fastOpen: boolean;
  /** Data of the SYN, if `fastOpen`. */
  readonly data: Uint8Array;
  #decided = false;

  constructor(tcp: Tcp, key: string, segment: Segment, packet: Packet, fastOpen: boolean) {
    this.#tcp = tcp;
    this.key = key;
    this.fastOpen = fastOpen;
    this.segment = copySegment(segment);
    const { dataAt, dataLength } = segment;
    this.data = fastOpen ? packet.frame.slice(dataAt, dataAt + dataLength) : nothing;
    this.segment.dataLength = this.data.length;
    this.localAddress = packet.destination.clone();
    this.remoteAddress = packet.source.clone();
    this.local = tcp.text.endpoint(this.localAddress, segment.destinationPort);
    this.remote = tcp.text.endpoint(this.remoteAddress, segment.sourcePort);
    this.quote = packet.frame.slice(packet.ipAt, packet.payloadAt + packet.payloadLength);
    this.since = tcp.engine.now;
  }

  accept(handler: TcpHandler, options: { receiveMemory?: Uint8Array } = {}): TcpConnection {
    this.#decide();
    return this.#tcp.acceptRequest(this, handler, options.receiveMemory);
  }

  refuse(how: 'reset' | 'host-unreachable' | 'net-unreachable' = 'reset'): void {
    this.#decide();
    this.#tcp.refuseRequest(this, how);
  }

  ignore(): void {
    this.#decide();
  }

  #decide(): void {
    if (this.#decided) throw this.#tcp.decidedTwice();
    this.#decided = true;
    this.#tcp.forgetRequest(this);
  }
}

const nothing = new Uint8Array(0);

/** The options and numbers of a SYN, without its data. */
function copySegment(segment: Segment): Segment {
  const copy = new Segment();
  copy.sourcePort = segment.sourcePort;
  copy.destinationPort = segment.destinationPort;
  copy.sequence = segment.sequence;
  copy.acknowledgment = segment.acknowledgment;
  copy.flags = segment.flags;
  copy.window = segment.window;
  copy.mss = segment.mss;
  copy.windowScale = segment.windowScale;
  copy.sackPermitted = segment.sackPermitted;
  copy.hasTimestamps = segment.hasTimestamps;
  copy.timestampValue = segment.timestampValue;
  copy.timestampEcho = segment.timestampEcho;
  copy.userTimeout = segment.userTimeout;
  copy.fastOpenLength = segment.fastOpenLength;
  copy.fastOpenCookie.set(segment.fastOpenCookie);
  return copy;
}
