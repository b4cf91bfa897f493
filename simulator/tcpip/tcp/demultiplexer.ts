import { type Address, sameAddress } from '../core/address.js';
import type { Connection } from './connection.js';

const SMALLEST = 64;

/** Connections by their four numbers: a chained hash table that doubles when full, with a key against crafted ports. */
export class Demultiplexer {
  #buckets: (Connection | undefined)[] = new Array(SMALLEST).fill(undefined);
  readonly #key: number;
  count = 0;
  #latest: Connection | undefined;

  constructor(key: number) {
    this.#key = key | 1;
  }

  hash(local: Address, localPort: number, remote: Address, remotePort: number): number {
    let hash = Math.imul(remote.d ^ this.#key, 0x9e3779b1) ^ Math.imul(remote.c + remote.b, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15) ^ ((remotePort << 16) | localPort), 0xc2b2ae3d) ^ remote.a;
    hash = Math.imul(hash ^ (hash >>> 13) ^ local.d, this.#key);
    return hash ^ (hash >>> 16);
  }

  find(local: Address, localPort: number, remote: Address, remotePort: number): Connection | undefined {
    const latest = this.#latest;
    if (latest !== undefined && matches(latest, local, localPort, remote, remotePort)) return latest;
    const hash = this.hash(local, localPort, remote, remotePort);
    let c = this.#buckets[hash & (this.#buckets.length - 1)];
    while (c !== undefined && !matches(c, local, localPort, remote, remotePort)) c = c.hashNext;
    if (c !== undefined) this.#latest = c;
    return c;
  }

  add(c: Connection): void {
    if (this.count >= this.#buckets.length) this.#grow();
    const bucket = c.hash & (this.#buckets.length - 1);
    c.hashNext = this.#buckets[bucket];
    this.#buckets[bucket] = c;
    this.count++;
  }

  remove(c: Connection): void {
    if (this.#latest === c) this.#latest = undefined;
    const bucket = c.hash & (this.#buckets.length - 1);
    let before: Connection | undefined;
    let at = this.#buckets[bucket];
    while (at !== undefined && at !== c) {
      before = at;
      at = at.hashNext;
    }
    if (at === undefined) return;
    if (before === undefined) this.#buckets[bucket] = c.hashNext;
    else before.hashNext = c.hashNext;
    c.hashNext = undefined;
    this.count--;
  }

  *[Symbol.iterator](): IterableIterator<Connection> {
    for (const head of this.#buckets) {
      for (let c = head; c !== undefined; c = c.hashNext) yield c;
    }
  }

  #grow(): void {
    const all = [...this];
    this.#buckets = new Array(this.#buckets.length * 2).fill(undefined);
    this.count = 0;
    for (const c of all) this.add(c);
  }
}

const matches = (
  c: Connection,
  local: Address,
  localPort: number,
  remote: Address,
  remotePort: number,
): boolean =>
  c.remotePort === remotePort &&
  c.localPort === localPort &&
  sameAddress(c.remoteAddress, remote) &&
  sameAddress(c.localAddress, local);
