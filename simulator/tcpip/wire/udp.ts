import { read16, write16 } from './bytes.js';

/** UDP (RFC 768). */
export const UDP_HEADER = 8;

export const udpSourcePort = (bytes: Uint8Array, at: number): number => read16(bytes, at);
export const udpDestinationPort = (bytes: Uint8Array, at: number): number => read16(bytes, at + 2);
export const udpLength = (bytes: Uint8Array, at: number): number => read16(bytes, at + 4);
export const udpChecksum = (bytes: Uint8Array, at: number): number => read16(bytes, at + 6);

export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Of the data. */
  readonly length: number;
  readonly checksum: number;
}

export function parseUdp(bytes: Uint8Array, at: number, length: number): UdpHeader | undefined {
  if (length < UDP_HEADER) return undefined;
  const total = udpLength(bytes, at);
  if (total < UDP_HEADER || total > length) return undefined;
  return {
    sourcePort: udpSourcePort(bytes, at),
    destinationPort: udpDestinationPort(bytes, at),
    length: total - UDP_HEADER,
    checksum: udpChecksum(bytes, at),
  };
}

export function emitUdp(header: UdpHeader, bytes: Uint8Array, at: number): number {
  write16(bytes, at, header.sourcePort);
  write16(bytes, at + 2, header.destinationPort);
  write16(bytes, at + 4, UDP_HEADER + header.length);
  write16(bytes, at + 6, header.checksum);
  return UDP_HEADER;
}
