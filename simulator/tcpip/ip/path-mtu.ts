import type { Address } from '../core/address.js';
import { AddressMap } from '../core/address-map.js';

/** What RFC 1191 6.3 and RFC 8201 4 suggest: try the full size again after ten minutes. */
const LIFETIME_MS = 600_000;
/** No path of IPv4 we believe in is narrower (RFC 791 says 68, which only attackers claim; Linux draws the line here). */
const MIN_IPV4 = 552;
const MIN_IPV6 = 1280;
const TABLE_LIMIT = 256;

interface Entry {
  mtu: number;
  expires: number;
}

/** Path MTUs learnt from ICMP, per destination (RFC 1191, RFC 8201). */
export class PathMtus {
  readonly #table = new AddressMap<Entry>(TABLE_LIMIT);

  /** The largest packet for `destination`, at most `linkMtu`. */
  get(destination: Address, linkMtu: number, now: number): number {
    if (this.#table.size === 0) return linkMtu;
    const entry = this.#table.get(destination);
    if (entry === undefined) return linkMtu;
    if (now < entry.expires) return Math.min(entry.mtu, linkMtu);
    this.#table.delete(destination);
    return linkMtu;
  }

  /** A router reports `mtu`. Answers whether that lowers what we used. */
  reduce(destination: Address, mtu: number, linkMtu: number, now: number): boolean {
    const current = this.get(destination, linkMtu, now);
    const believed = Math.max(mtu, destination.isV4 ? MIN_IPV4 : MIN_IPV6);
    if (believed >= current) return false;
    this.#table.set(destination, { mtu: believed, expires: now + LIFETIME_MS });
    return true;
  }

  clear(): void {
    this.#table.clear();
  }
}

/** For routers that report no MTU (RFC 1191 5): the next plateau below the packet that was too big. */
export function plateauBelow(length: number): number {
  for (const plateau of [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 508, 296, 68]) {
    if (plateau < length) return plateau;
  }
  return 68;
}
