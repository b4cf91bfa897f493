import type { Clock } from '../contract.js';
import { formatAddress, parseAddress, v4Address } from '../core/address.js';
import { StackError } from '../errors.js';

export interface LeasePoolOptions {
  readonly clock: Clock;
  /** The server's own, never handed out. */
  readonly address: string;
  readonly pool: readonly [string, string];
  readonly reservations?: Readonly<Record<string, string>>;
  readonly leaseSeconds?: number;
}

interface Binding {
  readonly client: string;
  readonly address: string;
  /** `declined`: somebody else was found to use it. */
  kind: 'offered' | 'bound' | 'declined';
  until: number;
}

/** An offer is held this long, ms. */
const offerMs = 60_000;
/** A declined address rests this long, ms. */
const declinedMs = 600_000;
const largestPool = 65_536;

/** Which client has which address, until when. As large as the pool and the reservations at most. */
export class LeasePool {
  readonly #clock: Clock;
  readonly #own: string;
  readonly #first: number;
  readonly #size: number;
  readonly #leaseMs: number;
  readonly #reserved: ReadonlyMap<string, string>;
  readonly #reservedAddresses: ReadonlySet<string>;
  readonly #byAddress = new Map<string, Binding>();
  readonly #byClient = new Map<string, Binding>();
  /** Where the search for a free address goes on: an address rests as long as possible before it is reused. */
  #next = 0;

  constructor(options: LeasePoolOptions) {
    const [first, last] = options.pool.map((text) => (parseAddress(text)?.d ?? 0) >>> 0);
    this.#clock = options.clock;
    this.#own = options.address;
    this.#first = first;
    this.#size = last - first + 1;
    if (this.#size < 1 || this.#size > largestPool) {
      throw new StackError('EINVAL', `a pool from ${options.pool[0]} to ${options.pool[1]}`);
    }
    this.#leaseMs = (options.leaseSeconds ?? 86_400) * 1000;
    const reserved = Object.entries(options.reservations ?? {});
    this.#reserved = new Map(reserved.map(([client, address]) => [client.toLowerCase(), address]));
    this.#reservedAddresses = new Set(this.#reserved.values());
  }

  current(): ReadonlyMap<string, string> {
    const now = this.#clock.now();
    const running = [...this.#byAddress.values()].filter(
      ({ kind, until }) => kind === 'bound' && until > now,
    );
    return new Map(running.map(({ client, address }) => [client, address]));
  }

  /** The address this client is offered: its reservation, what it had, what it asks for, the next free one. */
  offer(client: string, wanted: string | undefined): string | undefined {
    const before = this.#byClient.get(client);
    const candidates = [
      this.#reserved.get(client),
      before?.kind === 'declined' ? undefined : before?.address,
      wanted,
    ];
    const address =
      candidates.find((text) => text !== undefined && this.#allowed(client, text)) ?? this.#search(client);
    if (address === undefined) return undefined;
    const running = this.#byAddress.get(address);
    if (running?.client === client && running.kind === 'bound' && running.until > this.#clock.now())
      return address;
    this.#bind({ client, address, kind: 'offered', until: this.#clock.now() + offerMs });
    return address;
  }

  /** Binds, or extends. `false`: the address is not this client's to take. */
  take(client: string, address: string): boolean {
    const binding = this.#byAddress.get(address);
    const known = binding?.client === client && binding.kind !== 'declined';
    if (!(known || this.#reserved.get(client) === address) || !this.#allowed(client, address)) return false;
    this.#bind({ client, address, kind: 'bound', until: this.#clock.now() + this.#leaseMs });
    return true;
  }

  /** Whether this client has a record here, or somebody else has the address. */
  knows(client: string, address: string): boolean {
    return this.#byClient.has(client) || this.#reserved.has(client) || this.#byAddress.has(address);
  }

  forgetOffer(client: string): void {
    const binding = this.#byClient.get(client);
    if (binding?.kind === 'offered') this.#unbind(binding);
  }

  release(client: string, address: string): boolean {
    const binding = this.#byAddress.get(address);
    if (binding?.client !== client || binding.kind !== 'bound') return false;
    // The record stays, ended: the client gets the same address next time if nobody needs it.
    binding.until = this.#clock.now();
    return true;
  }

  decline(client: string, address: string): boolean {
    const binding = this.#byAddress.get(address);
    if (binding?.client !== client) return false;
    binding.kind = 'declined';
    binding.until = this.#clock.now() + declinedMs;
    this.#byClient.delete(client);
    return true;
  }

  #allowed(client: string, text: string): boolean {
    const index = ((parseAddress(text)?.d ?? 0) >>> 0) - this.#first;
    const mine = this.#reserved.get(client) === text;
    if (
      !mine &&
      (index < 0 || index >= this.#size || text === this.#own || this.#reservedAddresses.has(text))
    ) {
      return false;
    }
    const binding = this.#byAddress.get(text);
    if (binding === undefined || binding.until <= this.#clock.now()) return true;
    return binding.client === client && binding.kind !== 'declined';
  }

  #search(client: string): string | undefined {
    // First what nobody ever had, then whatever has run out.
    for (const fresh of [true, false]) {
      for (let i = 0; i < this.#size; i++) {
        const index = (this.#next + i) % this.#size;
        const text = formatAddress(v4Address(this.#first + index));
        if (!this.#allowed(client, text) || (fresh && this.#byAddress.has(text))) continue;
        this.#next = (index + 1) % this.#size;
        return text;
      }
    }
    return undefined;
  }

  #bind(binding: Binding): void {
    const [before, taken] = [this.#byClient.get(binding.client), this.#byAddress.get(binding.address)];
    if (before !== undefined) this.#unbind(before);
    if (taken !== undefined) this.#unbind(taken);
    this.#byAddress.set(binding.address, binding);
    this.#byClient.set(binding.client, binding);
  }

  #unbind(binding: Binding): void {
    if (this.#byAddress.get(binding.address) === binding) this.#byAddress.delete(binding.address);
    if (this.#byClient.get(binding.client) === binding) this.#byClient.delete(binding.client);
  }
}
