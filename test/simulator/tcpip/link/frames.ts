/** Frames for the tests of this folder, built byte by byte so that they do not share the engine's code. */

const macOf = (index: number): number[] => [0x02, 0, 0, 0, index >> 8, index & 255];

/** Ethernet with the experimental type 0x88b5 and a payload. */
export function plain(
  from: number,
  to: number | 'all' | 'group',
  payload: readonly number[] = [],
): Uint8Array {
  const destination =
    to === 'all' ? Array<number>(6).fill(255) : to === 'group' ? [1, 0, 0x5e, 0, 0, 1] : macOf(to);
  return Uint8Array.from([...destination, ...macOf(from), 0x88, 0xb5, ...payload]);
}

export const fromHex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

/** RFC 1071 over `length` bytes from `at`: 0xffff where the checksum inside is right. */
export function onesSum(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += i % 2 === 0 ? bytes[at + i] << 8 : bytes[at + i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** IPv4 with UDP ports 1 and 2, the header checksum right, the UDP one absent. */
export function udp4(ecn: number, payload: readonly number[], identification = 0): Uint8Array {
  const total = 28 + payload.length;
  const header = [
    0x45,
    ecn,
    total >> 8,
    total & 255,
    identification >> 8,
    identification & 255,
    0,
    0,
    64,
    17,
    0,
    0,
  ];
  const frame = Uint8Array.from([
    ...macOf(2),
    ...macOf(1),
    0x08,
    0x00,
    ...header,
    ...[10, 0, 0, 1],
    ...[10, 0, 0, 2],
    ...[0, 1, 0, 2, (total - 20) >> 8, (total - 20) & 255, 0, 0],
    ...payload,
  ]);
  const checksum = ~onesSum(frame, 14, 20) & 0xffff;
  frame[24] = checksum >> 8;
  frame[25] = checksum & 255;
  return frame;
}
