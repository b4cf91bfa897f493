import { expect } from 'chai';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import type { Link, TcpConnection, TcpHandler, TcpRequest } from '../../../../simulator/tcpip/contract.js';
import { parseAddress } from '../../../../simulator/tcpip/core/address.js';
import { fold } from '../../../../simulator/tcpip/core/checksum.js';
import { Packet } from '../../../../simulator/tcpip/core/packet.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { createStack, type EngineStack } from '../../../../simulator/tcpip/stack.js';
import type { TcpOptions } from '../../../../simulator/tcpip/tcp/options.js';
import { write16 } from '../../../../simulator/tcpip/wire/bytes.js';
import { writeIpv4 } from '../../../../simulator/tcpip/wire/ipv4.js';
import * as wire from '../../../../simulator/tcpip/wire/tcp.js';

const US = '10.0.0.1';
const PEER = '10.0.0.2';
const OUR_MAC = '02:00:00:00:00:01';
const PEER_MAC = '02:00:00:00:00:02';
const US_ADDRESS = parseAddress(US)!;
const PEER_ADDRESS = parseAddress(PEER)!;
const PEER_PORT = 5000;
const OUR_PORT = 80;
/** The peer's initial sequence number unless a script says `peer-iss`. */
const PEER_ISS = 1_000_000;

/** A segment the stack has sent. */
export interface Sent {
  readonly segment: wire.Segment;
  readonly data: Uint8Array;
  readonly at: number;
  readonly trafficClass: number;
}

export interface ScriptOptions {
  readonly tcp?: TcpOptions;
  readonly mtu?: number;
}

/** Extensions off unless a script asks for them: each case shows what it is about. */
const plain: TcpOptions = {
  sack: false,
  timestamps: false,
  windowScaling: false,
  ecn: 'off',
  fastOpen: false,
};

/** A stack on virtual time whose only peer is the script. */
export class Machine {
  readonly clock = new VirtualClock();
  readonly sent: Sent[] = [];
  readonly events: string[] = [];
  readonly stack: EngineStack;
  readonly link: Link;
  #connection: TcpConnection | undefined;
  #request: TcpRequest | undefined;
  ourIss = 0;
  ourPort = OUR_PORT;
  peerIss = PEER_ISS;
  peerPort = PEER_PORT;
  autoRead = false;
  lastTimestamp = 0;
  synCookie = false;
  #written = 0;

  constructor(options: ScriptOptions) {
    this.link = {
      mtu: options.mtu ?? 1500,
      transmit: (frame, length) => {
        this.#capture(frame.subarray(0, length));
        return true;
      },
      receive: () => {},
    };
    const tcp = { ...plain, ...options.tcp };
    this.stack = createStack({
      link: this.link,
      clock: this.clock,
      random: seededRandom(1),
      mac: OUR_MAC,
      tcp,
    });
    this.stack.addAddress(US, 24);
    this.stack.setNeighbor(PEER, PEER_MAC);
  }

  get connection(): TcpConnection {
    expect(this.#connection, 'a connection').to.not.equal(undefined);
    return this.#connection as TcpConnection;
  }

  #capture(frame: Uint8Array): void {
    if (frame[12] !== 0x08 || frame[13] !== 0x00 || frame[23] !== 6) return;
    const packet = new Packet(frame.length);
    packet.frame.set(frame);
    packet.source.readV4(frame, 26);
    packet.destination.readV4(frame, 30);
    const length = frame.length - 34;
    expect(fold(packet.sum(34, length) + packet.pseudoSum(6, length)), 'checksum').to.equal(0xffff);
    const segment = new wire.Segment();
    expect(wire.parseTcp(packet.frame, 34, length, segment), 'well formed').to.equal(true);
    expect(segment.malformedOptions, 'options well formed').to.equal(false);
    if (segment.flags & wire.SYN) {
      this.ourIss = segment.sequence;
      this.ourPort = segment.sourcePort;
    }
    if (segment.hasTimestamps) this.lastTimestamp = segment.timestampValue;
    const data = packet.frame.slice(segment.dataAt, segment.dataAt + segment.dataLength);
    this.sent.push({ segment, data, at: this.clock.now(), trafficClass: frame[15] });
  }

  #handler(): TcpHandler {
    return {
      connected: () => this.events.push('connected'),
      readable: () => {
        this.events.push('readable');
        if (this.autoRead) this.#connection?.read(new Uint8Array(1 << 20));
      },
      writable: () => this.events.push('writable'),
      timeWait: () => this.events.push('time-wait'),
      closed: (failure) => this.events.push(`closed ${failure}`),
      released: () => this.events.push('released'),
    };
  }

  listen(words: readonly string[]): void {
    const fastOpen = words.includes('fast-open');
    const backlog = Number(words[words.indexOf('backlog') + 1]) || 128;
    this.stack.tcpListen(
      { port: OUR_PORT },
      (connection) => {
        this.#connection = connection;
        this.#written = 0;
        return this.#handler();
      },
      { backlog, fastOpen },
    );
  }

  /** Nothing is decided until `accept`, `refuse` or `ignore`. */
  requests(words: readonly string[]): void {
    const decideLater = (request: TcpRequest): void => {
      this.events.push('request');
      this.#request = request;
    };
    this.stack.tcpListenRequests({ port: OUR_PORT }, decideLater, { fastOpen: words.includes('fast-open') });
  }

  decide(how: string): void {
    const request = this.#request!;
    if (how === 'accept') this.#connection = request.accept(this.#handler());
    else if (how === 'ignore') request.ignore();
    else request.refuse();
  }

  connect(words: readonly string[]): void {
    this.peerPort = OUR_PORT;
    this.#written = 0;
    const fastOpen = words.includes('fast-open');
    this.#connection = this.stack.tcpConnect({ address: PEER, port: OUR_PORT }, this.#handler(), {
      fastOpen,
    });
  }

  write(length: number): number {
    const data = Uint8Array.from({ length }, (_, i) => (this.#written + i) & 0xff);
    const taken = this.connection.write(data);
    this.#written += taken;
    return taken;
  }

  inject(
    segment: wire.Segment,
    data: Uint8Array,
    options: { raw?: Uint8Array; trafficClass?: number },
  ): void {
    const packet = new Packet(2048 + data.length);
    const { frame } = packet;
    frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
    segment.sourcePort = this.peerPort;
    segment.destinationPort = this.ourPort;
    let header = wire.emitTcp(segment, frame, 34);
    if (options.raw !== undefined) {
      frame.set(options.raw, 34 + header);
      header += options.raw.length;
      frame[34 + 12] = (header >> 2) << 4;
    }
    frame.set(data, 34 + header);
    const total = header + data.length;
    packet.source.set(PEER_ADDRESS);
    packet.destination.set(US_ADDRESS);
    write16(frame, 50, 0);
    write16(frame, 50, ~fold(packet.sum(34, total) + packet.pseudoSum(6, total)) & 0xffff);
    writeIpv4(
      frame,
      14,
      20,
      20 + total,
      options.trafficClass ?? 0,
      1,
      0x4000,
      64,
      6,
      PEER_ADDRESS,
      US_ADDRESS,
    );
    this.link.receive(frame, 34 + total);
  }
}
