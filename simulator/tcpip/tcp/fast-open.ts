import type { Address } from '../core/address.js';
import { AddressMap } from '../core/address-map.js';
import type { Segment } from '../wire/tcp.js';
import type { KeyedHash } from './keyed-hash.js';

const COOKIE_LENGTH = 8;
const CACHE_LIMIT = 1024;

export interface RememberedCookie {
  readonly bytes: Uint8Array;
  /** The server's MSS, to know how much data its SYN may carry (RFC 7413 4.1.3). */
  readonly mss: number;
}

/** Cookies other servers gave us (RFC 7413 4.1.3). */
export class CookieCache {
  readonly #cookies = new AddressMap<RememberedCookie>(CACHE_LIMIT);

  find(server: Address): RememberedCookie | undefined {
    return this.#cookies.get(server);
  }

  remember(server: Address, bytes: Uint8Array, mss: number): void {
    this.#cookies.set(server, { bytes, mss });
  }
}

/** The cookie we give a client: proof that it receives what is sent to its address (RFC 7413 4.1.2). */
export function makeCookie(hash: KeyedHash, local: Address, remote: Address): Uint8Array {
  const cookie = new Uint8Array(COOKIE_LENGTH);
  const view = new DataView(cookie.buffer);
  view.setInt32(0, hash.of(local, remote, 0x7413, 0));
  view.setInt32(4, hash.of(local, remote, 0x7413, 1));
  return cookie;
}

/** Compared in full whatever differs first. */
export function isCookie(cookie: Uint8Array, segment: Segment): boolean {
  if (segment.fastOpenLength !== cookie.length) return false;
  let difference = 0;
  for (let i = 0; i < cookie.length; i++) difference |= cookie[i] ^ segment.fastOpenCookie[i];
  return difference === 0;
}
