/**
 * The floor: what a TCP in JavaScript must at least do per segment, and nothing else. Build headers, copy 1448 bytes in,
 * checksum, verify both checksums, copy out; one acknowledgement for every second segment. No connections, no state, no
 * timers, no calls between layers.
 */
const MSS = 1448;
const RING = 1 << 18;
const HEADERS = 66;

function sum16(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0;
  let i = at;
  for (const end = at + (length & ~7); i < end; i += 8) {
    sum +=
      ((bytes[i] << 8) | bytes[i + 1]) +
      ((bytes[i + 2] << 8) | bytes[i + 3]) +
      ((bytes[i + 4] << 8) | bytes[i + 5]) +
      ((bytes[i + 6] << 8) | bytes[i + 7]);
  }
  const end = at + length;
  for (; i + 1 < end; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  if (i < end) sum += bytes[i] << 8;
  return sum;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

const read32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;

const segmentSum = (frame: Uint8Array, length: number): number =>
  fold(sum16(frame, 34, 32 + length) + sum16(frame, 26, 8) + 6 + 32 + length);

function build(
  frame: Uint8Array,
  sequence: number,
  acknowledgment: number,
  data: Uint8Array,
  from: number,
  length: number,
): number {
  frame[12] = 8;
  frame[13] = 0;
  frame[14] = 0x45;
  write16(frame, 16, 52 + length);
  frame[22] = 64;
  frame[23] = 6;
  write32(frame, 26, 0x0a090001);
  write32(frame, 30, 0x0a090002);
  write16(frame, 24, 0);
  write16(frame, 24, ~fold(sum16(frame, 14, 20)) & 0xffff);
  write16(frame, 34, 1000);
  write16(frame, 36, 2000);
  write32(frame, 38, sequence);
  write32(frame, 42, acknowledgment);
  frame[46] = 0x80;
  frame[47] = 16;
  write16(frame, 48, 60000);
  write16(frame, 50, 0);
  frame[54] = 1;
  frame[55] = 1;
  frame[56] = 8;
  frame[57] = 10;
  write32(frame, 58, sequence);
  write32(frame, 62, acknowledgment);
  if (length > 0) frame.set(data.subarray(from, from + length), HEADERS);
  write16(frame, 50, ~segmentSum(frame, length) & 0xffff);
  return HEADERS + length;
}

function receive(frame: Uint8Array, total: number, ring: Uint8Array, state: { next: number }): void {
  const length = total - HEADERS;
  if (frame[12] !== 8 || fold(sum16(frame, 14, 20)) !== 0xffff) throw new Error('bad header');
  if (segmentSum(frame, length) !== 0xffff) throw new Error('bad checksum');
  const sequence = read32(frame, 38);
  if (length === 0) return;
  if (sequence !== state.next) throw new Error('out of order');
  const at = sequence & (RING - 1);
  if (at + length <= RING) ring.set(frame.subarray(HEADERS, total), at);
  else {
    const first = RING - at;
    ring.set(frame.subarray(HEADERS, HEADERS + first), at);
    ring.set(frame.subarray(HEADERS + first, total), 0);
  }
  state.next = (sequence + length) >>> 0;
}

/** Megabytes per second of one run over `total` bytes. */
export function floorRun(total = 64 << 20): number {
  const sending = new Uint8Array(RING);
  const receiving = new Uint8Array(RING);
  const pool: Uint8Array[] = [new Uint8Array(2048), new Uint8Array(2048)];
  const data = { next: 0 };
  const acknowledgments = { next: 0 };
  const started = performance.now();
  let segments = 0;
  for (let sequence = 0; sequence < total; ) {
    const at = sequence & (RING - 1);
    const length = Math.min(MSS, total - sequence, RING - at);
    const frame = pool.pop() as Uint8Array;
    receive(frame, build(frame, sequence >>> 0, 1, sending, at, length), receiving, data);
    pool.push(frame);
    sequence += length;
    if (++segments & 1) continue;
    const answer = pool.pop() as Uint8Array;
    receive(answer, build(answer, 1, sequence >>> 0, sending, 0, 0), receiving, acknowledgments);
    pool.push(answer);
  }
  return total / 1e3 / (performance.now() - started);
}
