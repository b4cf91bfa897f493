import type { Random } from './contract.js';

/**
 * xoshiro128** (Blackman and Vigna), seeded through splitmix32 so that neighbouring seeds give unrelated
 * sequences. For simulations and tests; what must not be guessed (initial sequence numbers, ports, cookies) takes
 * its keys from a source the embedder chooses.
 */
export function seededRandom(seed: number): Random {
  let mix = seed | 0;
  const next32 = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = next32();
  let b = next32();
  let c = next32();
  let d = next32() | 1;
  return () => {
    const scaled = Math.imul(b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return (result >>> 0) / 0x1_0000_0000;
  };
}

/** 32 random bits as a signed integer. */
export function random32(random: Random): number {
  return Math.floor(random() * 0x1_0000_0000) | 0;
}

/** Fills `bytes` from `random`. */
export function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.floor(random() * 256);
  return bytes;
}

/** The machine's cryptographic source, 32 bits a number, drawn in blocks. */
export const secureRandom: Random = (() => {
  const block = new Uint32Array(64);
  let left = 0;
  return () => {
    if (left === 0) {
      crypto.getRandomValues(block);
      left = block.length;
    }
    return block[--left] / 0x1_0000_0000;
  };
})();
