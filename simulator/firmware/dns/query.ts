/** One question on its way: asked of one server after another until one answers or the time is up. */
import type { StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { Clock, Endpoint, TimerHandle, UdpSocket } from '../../tcpip/contract.js';
import { StackError } from '../../tcpip/errors.js';
import type { ModuleStack } from '../module-stack.js';
import { type DnsQuestion, type DnsReply, decodeReply } from './message.js';

/** Times the question is sent before the time is up, going round the servers. */
const ATTEMPTS = 4;

export interface QueryPlan {
  readonly question: DnsQuestion;
  readonly id: number;
  /** The question as a message. */
  readonly message: Uint8Array;
  readonly servers: readonly Endpoint[];
  /** Milliseconds. */
  readonly timeout: number;
}

/** A reply, or why there is none. */
export type QueryResult = { readonly reply: DnsReply } | { readonly failure: StatusName };

export class DnsQuery {
  readonly #clock: Clock;
  readonly #plan: QueryPlan;
  readonly #accept: (reply: DnsReply) => boolean;
  readonly #done: (result: QueryResult) => void;
  readonly #deadline: number;
  /** Servers not worth asking again: unreachable, or without an answer of their own. */
  readonly #useless = new Set<Endpoint>();
  #socket: UdpSocket | undefined;
  #timer: TimerHandle | undefined;
  #sent = 0;

  /**
   * @param accept false: this server could not tell, ask another
   * @param done called once, possibly before {@link start} returns
   */
  constructor(
    clock: Clock,
    plan: QueryPlan,
    accept: (reply: DnsReply) => boolean,
    done: (result: QueryResult) => void,
  ) {
    this.#clock = clock;
    this.#plan = plan;
    this.#accept = accept;
    this.#done = done;
    this.#deadline = clock.now() + plan.timeout;
  }

  start(stack: ModuleStack): void {
    try {
      this.#socket = stack.udpBind(
        {},
        {
          message: (data, from) => this.#received(data, from),
          unreachable: (to) => this.#dismiss(to),
        },
      );
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      this.#end({ failure: 'DNS_ERROR' });
      return;
    }
    this.#send();
  }

  #end(result: QueryResult): void {
    this.#timer?.cancel();
    this.#socket?.close();
    this.#done(result);
  }

  #send(): void {
    this.#timer?.cancel();
    const { servers, timeout, message } = this.#plan;
    const left = servers.filter((server) => !this.#useless.has(server));
    const remaining = this.#deadline - this.#clock.now();
    if (left.length === 0) this.#end({ failure: 'DNS_ERROR' });
    else if (remaining <= 0) this.#end({ failure: 'DNS_TIMEOUT' });
    else {
      const server = left[this.#sent++ % left.length];
      this.#timer = this.#clock.setTimer(
        () => this.#send(),
        Math.min(remaining, Math.max(1, timeout / ATTEMPTS)),
      );
      try {
        this.#socket?.send(message, server);
      } catch (error) {
        if (!(error instanceof StackError)) throw error;
        this.#dismiss(server);
      }
    }
  }

  #received(data: Uint8Array, from: Endpoint): void {
    const { servers, id, question } = this.#plan;
    if (!servers.some((server) => sameEndpoint(server, from))) return;
    const reply = decodeReply(data, id, question);
    if (reply === undefined) return;
    if (this.#accept(reply)) this.#end({ reply });
    else this.#dismiss(from);
  }

  #dismiss(server: Endpoint): void {
    const found = this.#plan.servers.find((known) => sameEndpoint(known, server));
    if (found === undefined || this.#useless.has(found)) return;
    this.#useless.add(found);
    this.#send();
  }
}

const sameEndpoint = (a: Endpoint, b: Endpoint): boolean => a.address === b.address && a.port === b.port;
