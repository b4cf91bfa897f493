/** The module's DNS client: one question at a time to one server after another, until the time is up. */

import { isIpv4, isIpv6 } from '../../driver/protocol/address.js';
import { DnsProtoPref, RecordType } from '../../driver/protocol/catalogue/dns.js';
import type { StatusName } from '../../driver/protocol/catalogue/statuses.js';
import type { Clock, Endpoint, Random } from '../tcpip/contract.js';
import { ConfigTable } from './config-table.js';
import { DnsCache } from './dns/cache.js';
import { type DnsQuestion, type DnsReply, encodeQuery, isQueryName } from './dns/message.js';
import { DnsQuery } from './dns/query.js';
import type { Network } from './network.js';

export interface ResolverOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
}

/** Questions under way at once. */
const MAX_PENDING = 8;
const Rcode = { OK: 0, NXDOMAIN: 3 } as const;
const DNSSEC_AWARE = 1;
const DNSSEC_AUTHENTICATED = 2;

export type Resolved =
  | { readonly reply: DnsReply; readonly failure?: StatusName }
  | { readonly failure: StatusName };

export class Resolver {
  /** AT+DNSC. The defaults of timeout and cache are ours: the reference names none. */
  readonly config: ConfigTable<'DNSC'>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #network: Network;
  readonly #cache: DnsCache;
  #pending = 0;

  constructor({ clock, random, network }: ResolverOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#network = network;
    this.#cache = new DnsCache(clock);
    this.config = new ConfigTable('DNSC', {
      defaults: {
        DNS_AUTO: 1,
        DNS_TIMEOUT: 5000,
        DNS_PROTO_PREF: DnsProtoPref.A_AAAA,
        DNS_CACHE_TTL: 0xffff,
      },
      changed: () => this.#cache.clear(),
    });
    network.observers.push({ down: () => this.#cache.clear() });
  }

  /** Asks for the addresses of a host; an address is its own answer. `done` may be called at once. */
  lookup(host: string, family: 4 | 6 | undefined, done: (result: string | StatusName) => void): void {
    if (isIpv4(host) || isIpv6(host)) {
      const matches = family === undefined || family === (isIpv4(host) ? 4 : 6);
      done(matches ? host : 'INVALID_PARAMETER');
      return;
    }
    const types = this.addressTypes(family);
    let failure: StatusName = 'DNS_RECORD_NOT_FOUND';
    const next = (): void => {
      const type = types.shift();
      if (type === undefined) {
        done(failure);
        return;
      }
      this.resolve({ name: host, type }, (result) => {
        const found = 'reply' in result && result.reply.answers.find((answer) => answer.type === type);
        if (found) done(String(found.data).toLowerCase());
        else {
          failure = result.failure ?? failure;
          next();
        }
      });
    };
    next();
  }

  /** A, AAAA or both, in the configured order. */
  addressTypes(family: 4 | 6 | undefined): number[] {
    if (family !== undefined) return [family === 4 ? RecordType.A : RecordType.AAAA];
    switch (this.config.number('DNS_PROTO_PREF')) {
      case DnsProtoPref.A:
        return [RecordType.A];
      case DnsProtoPref.AAAA:
        return [RecordType.AAAA];
      case DnsProtoPref.AAAA_A:
        return [RecordType.AAAA, RecordType.A];
      default:
        return [RecordType.A, RecordType.AAAA];
    }
  }

  /** `done` is called once, at once if the answer is known. */
  resolve(question: DnsQuestion, done: (result: Resolved) => void): void {
    const known = this.#cache.get(question);
    if (known !== undefined) {
      done({ reply: known });
      return;
    }
    const servers = this.#servers();
    if (!isQueryName(question.name) || servers.length === 0 || this.#pending >= MAX_PENDING) {
      done({ failure: 'DNS_ERROR' });
      return;
    }
    this.#pending++;
    this.#ask(question, servers, (result) => {
      this.#pending--;
      done(result);
    });
  }

  #servers(): Endpoint[] {
    const addresses = this.config.number('DNS_AUTO')
      ? this.#network.stack.nameServers
      : (this.config.list('DNS_SVR') as string[]);
    const port = this.config.number('DNS_SRV_PORT');
    return addresses.map((address) => ({ address, port }));
  }

  #ask(question: DnsQuestion, servers: readonly Endpoint[], done: (result: Resolved) => void): void {
    const id = Math.floor(this.#random() * 0x1_0000);
    const mode = this.config.number('DNS_DNSSEC_MODE');
    const message = encodeQuery(id, question, {
      dnssec: mode >= DNSSEC_AWARE,
      checkingDisabled: mode === DNSSEC_AWARE,
    });
    const timeout = this.config.number('DNS_TIMEOUT');
    const plan = { question, id, message, servers, timeout };
    const conclusive = ({ rcode }: DnsReply): boolean => rcode === Rcode.OK || rcode === Rcode.NXDOMAIN;
    const query = new DnsQuery(this.#clock, plan, conclusive, (result) => {
      done('reply' in result ? this.#judge(question, result.reply, mode) : result);
    });
    query.start(this.#network.stack);
  }

  #judge(question: DnsQuestion, reply: DnsReply, mode: number): Resolved {
    if (reply.truncated) return { reply, failure: 'DNS_TRUNCATED_RESPONSE' };
    if (mode === DNSSEC_AUTHENTICATED && !reply.authenticated)
      return { reply, failure: 'DNS_AUTH_DATA_ERROR' };
    if (reply.rcode === Rcode.NXDOMAIN) return { reply, failure: 'DNS_NON_EXISTENT_DOMAIN' };
    if (!reply.answers.some(({ type }) => type === question.type))
      return { reply, failure: 'DNS_RECORD_NOT_FOUND' };
    this.#cache.put(question, reply, this.config.number('DNS_CACHE_TTL'));
    return { reply };
  }
}
