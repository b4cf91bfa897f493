const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** CRC-16 of XMODEM: polynomial 0x1021 from 0. It is also that of NVMCHK, as the reference's example shows. */
export function crc16(data: Uint8Array, from = 0): number {
  let crc = from;
  for (const byte of data) crc = ((crc << 8) & 0xffff) ^ table[(crc >>> 8) ^ byte];
  return crc;
}
