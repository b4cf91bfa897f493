/**
 * The Internet checksum (RFC 1071). Sums are 16 bits in network order; the order of addition does not matter, so
 * partial sums of a pseudo-header, a header and data simply add up.
 */

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const swap = littleEndian ? (x: number): number => ((x & 0xff) << 8) | (x >>> 8) : (x: number): number => x;

/** Carries folded back in until 16 bits are left. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/** Sum over bytes at any alignment. An odd last byte counts as the high half of a word. */
export function sumBytes(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0;
  let i = at;
  for (const end = at + (length & ~1); i < end; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  if (length & 1) sum += bytes[i] << 8;
  return fold(sum);
}

/**
 * Sum over whole 32-bit words, whatever the machine's byte order: adding them in double precision is exact up to
 * 2^21 words and costs a third of what pairs of bytes do. `from` and `count` are in words.
 */
export function sumWords(words: Uint32Array, from: number, count: number, tail: number): number {
  let sum = tail;
  let i = from;
  for (const end = from + (count & ~7); i < end; i += 8) {
    sum +=
      words[i] +
      words[i + 1] +
      words[i + 2] +
      words[i + 3] +
      words[i + 4] +
      words[i + 5] +
      words[i + 6] +
      words[i + 7];
  }
  for (const end = from + count; i < end; i++) sum += words[i];
  const high = Math.floor(sum / 0x1_0000_0000);
  const low = sum - high * 0x1_0000_0000;
  return swap(fold((low & 0xffff) + (low >>> 16) + high));
}

/** The last one to three bytes of a range as they would stand in a machine word padded with zeros. */
export function tailWord(bytes: Uint8Array, at: number, length: number): number {
  const b0 = length > 0 ? bytes[at] : 0;
  const b1 = length > 1 ? bytes[at + 1] : 0;
  const b2 = length > 2 ? bytes[at + 2] : 0;
  return littleEndian ? b0 | (b1 << 8) | (b2 << 16) : ((b0 << 24) | (b1 << 16) | (b2 << 8)) >>> 0;
}
