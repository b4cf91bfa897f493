/** Datagrams from the simulated network to the host's: a socket per pair of ends, kept while it is used. */
import { createSocket, type Socket } from 'node:dgram';
import type { Clock, Endpoint, TimerHandle } from '../../tcpip/contract.js';
import { type Destination, endpointKey } from '../policy.js';

export interface UdpNatOptions {
  readonly clock: Clock;
  readonly destination: (address: string) => Destination;
  /** Flows at once, default 512; the one unused for longest makes room. */
  readonly limit?: number;
  /** A flow unused so long is forgotten, ms; default two minutes (RFC 4787 REQ-5). */
  readonly idleMs?: number;
}

/** Bytes a flow may have waiting in the kernel, and datagrams while its socket is not ready. */
const SEND_QUEUE_BYTES = 1 << 20;
const EARLY_DATAGRAMS = 16;

class Flow {
  lastUsed = 0;
  /** Answers to the sender, from the address it wrote to. */
  reply: (data: Uint8Array) => void = () => {};
  #early: Uint8Array[] | undefined = [];
  readonly #socket: Socket;

  constructor(address: string, port: number, family: 4 | 6, used: () => void) {
    this.#socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      lookup: (_name, _options, callback) => callback(null, address, family),
    });
    // A port that nobody listens on answers with an error: for UDP the same as no answer.
    this.#socket.on('error', () => {});
    this.#socket.on('message', (data) => {
      used();
      this.reply(data);
    });
    this.#socket.connect(port, address, () => {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const data of early) this.send(data);
    });
  }

  send(data: Uint8Array): void {
    if (this.#early !== undefined) {
      if (this.#early.length < EARLY_DATAGRAMS) this.#early.push(data);
    } else if (this.#socket.getSendQueueSize() < SEND_QUEUE_BYTES) this.#socket.send(data, () => {});
  }

  close(): void {
    this.#socket.close();
  }
}

export class UdpNat {
  readonly #options: UdpNatOptions;
  readonly #idleMs: number;
  /** Least recently used first. */
  readonly #flows = new Map<string, Flow>();
  #timer: TimerHandle | undefined;

  constructor(options: UdpNatOptions) {
    this.#options = options;
    this.#idleMs = options.idleMs ?? 120_000;
  }

  get flows(): number {
    return this.#flows.size;
  }

  /** The engine's `udpForwarder`. */
  readonly forward = (
    data: Uint8Array,
    from: Endpoint,
    to: Endpoint,
    reply: (data: Uint8Array) => void,
  ): void => {
    const destination = this.#options.destination(to.address);
    if (typeof destination === 'string' || to.port === 0) return;
    const key = `${endpointKey(from)}>${endpointKey(to)}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      if (this.#flows.size >= (this.#options.limit ?? 512)) this.#forgetOldest();
      flow = new Flow(destination.address, to.port, destination.family, () => this.#used(key));
      this.#flows.set(key, flow);
    }
    flow.reply = reply;
    this.#used(key);
    flow.send(data.slice());
  };

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#flows.size > 0) this.#forgetOldest();
  }

  #used(key: string): void {
    const flow = this.#flows.get(key);
    if (flow === undefined) return;
    flow.lastUsed = this.#options.clock.now();
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    this.#timer ??= this.#options.clock.setTimer(this.#sweep, this.#idleMs);
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const now = this.#options.clock.now();
    for (const flow of this.#flows.values()) {
      const left = flow.lastUsed + this.#idleMs - now;
      if (left > 0) {
        this.#timer = this.#options.clock.setTimer(this.#sweep, left);
        return;
      }
      this.#forgetOldest();
    }
  };

  #forgetOldest(): void {
    for (const [key, flow] of this.#flows) {
      this.#flows.delete(key);
      flow.close();
      return;
    }
  }
}
