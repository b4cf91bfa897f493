import type { PingResult, Stack } from '../contract.js';
import { type Address, sameAddress } from '../core/address.js';
import type { EndpointText } from '../core/endpoints.js';
import type { Packet } from '../core/packet.js';
import { Timer } from '../core/timer-wheel.js';
import { read16, read32 } from '../wire/bytes.js';
import { ICMP_HEADER } from '../wire/icmp.js';
import type { Quote } from './icmp.js';
import type { EchoUsers, Network } from './network.js';

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_BYTES = 32;
const MAX_BYTES = 65_500;
const MAX_PENDING = 1024;

interface Pending {
  readonly to: Address;
  readonly sequence: number;
  readonly sentAt: number;
  readonly timer: Timer<Pending>;
  readonly done: (result: PingResult | string) => void;
}

/** Echo requests of ours and their answers, and those of others to addresses we stand in for. */
export class Echo implements EchoUsers {
  readonly #network: Network;
  readonly #text: EndpointText;
  readonly #identifier: number;
  readonly #pending = new Map<number, Pending>();
  #sequence = 0;
  forwarder: Stack['icmpForwarder'];

  constructor(network: Network, text: EndpointText) {
    this.#network = network;
    this.#text = text;
    this.#identifier = Math.floor(network.engine.random() * 0x10000);
    network.registerEcho(this);
  }

  readonly takesForeign = (): boolean => this.forwarder !== undefined;

  ping(
    to: Address,
    options: { bytes?: number; ttl?: number; timeoutMs?: number },
    done: (result: PingResult | string) => void,
  ): () => void {
    const { engine, icmp } = this.#network;
    if (!engine.busy) engine.refreshTime();
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const sequence = this.#sequence;
    const timer = new Timer<Pending>(
      { to, sequence, sentAt: engine.microseconds, done } as Pending,
      (pending) => this.#finish(pending.sequence, 'ETIMEDOUT'),
    );
    const pending: Pending = { ...timer.owner, timer };
    const later = (result: string): (() => void) => {
      engine.defer({ runDeferred: () => done(result) });
      return () => {};
    };
    if (this.#pending.size >= MAX_PENDING || this.#pending.has(sequence)) return later('ENOBUFS');
    const size = Math.max(0, Math.min(options.bytes ?? DEFAULT_BYTES, MAX_BYTES));
    const data = Uint8Array.from({ length: size }, (_, i) => 0x61 + (i % 23));
    this.#pending.set(sequence, pending);
    engine.wheel.arm(timer, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    if (!icmp.sendEcho(to, this.#identifier, sequence, data, options.ttl ?? 64)) {
      this.#pending.delete(sequence);
      timer.disarm();
      return later('ENETUNREACH');
    }
    return () => {
      timer.disarm();
      this.#pending.delete(sequence);
    };
  }

  #finish(sequence: number, result: PingResult | string): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    this.#pending.delete(sequence);
    pending.timer.disarm();
    this.#network.engine.defer({ runDeferred: () => pending.done(result) });
  }

  readonly echoReply = (
    from: Address,
    identifier: number,
    sequence: number,
    hops: number,
    bytes: number,
  ): void => {
    const pending = this.#pending.get(sequence);
    if (identifier !== this.#identifier || pending === undefined) return;
    // Whoever answers a group or broadcast answers for itself.
    if (!sameAddress(from, pending.to) && !this.#network.isBroadcastOrGroup(pending.to)) return;
    const rttMs = ((this.#network.engine.microseconds - pending.sentAt) | 0) / 1000;
    this.#finish(sequence, { rttMs, ttl: hops, bytes });
  };

  /** An ICMP error quoting an echo request of ours. */
  error(quote: Quote): void {
    if (quote.length < ICMP_HEADER || read16(quote.bytes, quote.at + 4) !== this.#identifier) return;
    const result = quote.error === 'net-unreachable' ? 'ENETUNREACH' : 'EHOSTUNREACH';
    if (quote.error !== 'packet-too-big') this.#finish(read16(quote.bytes, quote.at + 6), result);
  }

  readonly echoForeign = (packet: Packet): boolean => {
    const { forwarder } = this;
    if (forwarder === undefined) return false;
    const { frame, payloadAt: at, payloadLength: length } = packet;
    const data = frame.slice(at + ICMP_HEADER, at + length);
    const rest = read32(frame, at + 4);
    const to = packet.destination.clone();
    const from = packet.source.clone();
    forwarder(this.#text.address(to), this.#text.address(from), data, () => {
      this.#network.icmp.sendEchoReply(from, to, rest, data);
    });
    return true;
  };
}
