import type { Clock } from '../../tcpip/contract.js';
import type { DnsQuestion, DnsReply } from './message.js';

/** "A small answer cache": questions kept. API reference, DNS, "Cache Control". */
const ENTRIES = 16;

/** Replies until the shortest lifetime among their records ends. */
export class DnsCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, { readonly reply: DnsReply; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(question: DnsQuestion): DnsReply | undefined {
    const key = keyOf(question);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > this.#clock.now()) return entry.reply;
    this.#entries.delete(key);
    return undefined;
  }

  /** @param maxTtl seconds; a shorter lifetime of a record counts */
  put(question: DnsQuestion, reply: DnsReply, maxTtl: number): void {
    const ttl = reply.answers.reduce((shortest, { ttl }) => Math.min(shortest, ttl), maxTtl);
    if (reply.answers.length === 0 || ttl <= 0) return;
    const key = keyOf(question);
    this.#entries.delete(key);
    if (this.#entries.size >= ENTRIES) {
      const oldest = this.#entries.keys().next().value;
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, { reply, until: this.#clock.now() + ttl * 1000 });
  }

  clear(): void {
    this.#entries.clear();
  }
}

const keyOf = ({ name, type }: DnsQuestion): string => `${type} ${name.toLowerCase()}`;
