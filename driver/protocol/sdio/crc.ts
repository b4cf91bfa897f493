/** The two checksums of the SD physical layer, section 4.5. */

const table7 = new Uint8Array(256);
const table16 = new Uint16Array(256);
for (let byte = 0; byte < 256; byte++) {
  let seven = byte;
  let sixteen = byte << 8;
  for (let bit = 0; bit < 8; bit++) {
    seven = seven & 0x80 ? ((seven << 1) ^ 0x12) & 0xff : (seven << 1) & 0xff;
    sixteen = sixteen & 0x8000 ? ((sixteen << 1) ^ 0x1021) & 0xffff : (sixteen << 1) & 0xffff;
  }
  table7[byte] = seven;
  table16[byte] = sixteen;
}

/** CRC7 (x^7 + x^3 + 1) of a command, 0 to 127. */
export function crc7(bytes: Uint8Array, offset: number, length: number): number {
  let crc = 0;
  for (let at = offset; at < offset + length; at++) crc = table7[crc ^ bytes[at]];
  return crc >> 1;
}

/** CRC16 (x^16 + x^12 + x^5 + 1, starting at 0) of a data block. */
export function crc16(bytes: Uint8Array, offset: number, length: number): number {
  let crc = 0;
  for (let at = offset; at < offset + length; at++) {
    crc = ((crc << 8) & 0xffff) ^ table16[(crc >> 8) ^ bytes[at]];
  }
  return crc;
}
