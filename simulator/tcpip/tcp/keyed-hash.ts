import type { Random } from '../contract.js';
import type { Address } from '../core/address.js';
import { random32 } from '../random.js';

/**
 * HalfSipHash-2-4 (Aumasson and Bernstein), the 32-bit member of the SipHash family, over addresses and a few numbers.
 * What a peer must not predict or forge is made with it: initial sequence numbers (RFC 6528), SYN cookies, Fast Open
 * cookies, ports (RFC 6056), table positions.
 */
export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  constructor(random: Random) {
    this.#key0 = random32(random);
    this.#key1 = random32(random);
  }

  /** 32 bits, signed. */
  of(local: Address, remote: Address, x: number, y: number): number {
    this.#v0 = this.#key0;
    this.#v1 = this.#key1;
    this.#v2 = 0x6c796765 ^ this.#key0;
    this.#v3 = 0x74656462 ^ this.#key1;
    if (!local.isV4) {
      this.#word(local.a);
      this.#word(local.b);
      this.#word(local.c);
      this.#word(remote.a);
      this.#word(remote.b);
      this.#word(remote.c);
    }
    this.#word(local.d);
    this.#word(remote.d);
    this.#word(x);
    this.#word(y);
    this.#word(local.isV4 ? 16 << 24 : 40 << 24);
    this.#v2 ^= 0xff;
    for (let i = 0; i < 4; i++) this.#round();
    return this.#v1 ^ this.#v3;
  }

  #word(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#round();
    this.#v0 ^= word;
  }

  #round(): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}
