import { read16, read32, write16, write32 } from './bytes.js';

/** TCP (RFC 9293 3.1). */
export const TCP_HEADER = 20;
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;
const OPTION_SACK_PERMITTED = 4;
const OPTION_SACK = 5;
const OPTION_TIMESTAMPS = 8;
const OPTION_USER_TIMEOUT = 28;
const OPTION_FAST_OPEN = 34;

/** Blocks an option can hold (RFC 2018 3). */
export const MAX_SACK_BLOCKS = 4;

/** One segment's header and options, as a value. The engine parses every segment into the same one. */
export class Segment {
  sourcePort = 0;
  destinationPort = 0;
  /** Signed 32 bits, as all sequence numbers here. */
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  /** As on the wire, unscaled. */
  window = 0;
  urgentPointer = 0;
  /** 0: no option (RFC 9293 3.7.1). */
  mss = 0;
  /** -1: no option (RFC 7323 2). */
  windowScale = -1;
  sackPermitted = false;
  hasTimestamps = false;
  timestampValue = 0;
  timestampEcho = 0;
  sackCount = 0;
  /** Left and right edges in turn (RFC 2018 3). */
  readonly sack = new Int32Array(2 * MAX_SACK_BLOCKS);
  /** -1: no option; 0: a cookie is asked for; else the cookie's length (RFC 7413 4.1.1). */
  fastOpenLength = -1;
  readonly fastOpenCookie = new Uint8Array(16);
  /** Seconds; -1: no option (RFC 5482). */
  userTimeout = -1;
  /** Options stood there that are no options. */
  malformedOptions = false;
  /** Where the data is, and how much of it. */
  dataAt = 0;
  dataLength = 0;

  clearOptions(): void {
    this.mss = 0;
    this.windowScale = -1;
    this.sackPermitted = false;
    this.hasTimestamps = false;
    this.sackCount = 0;
    this.fastOpenLength = -1;
    this.userTimeout = -1;
    this.malformedOptions = false;
  }

  /** Sequence numbers it takes up (RFC 9293 3.4). */
  get span(): number {
    return this.dataLength + (this.flags & SYN ? 1 : 0) + (this.flags & FIN ? 1 : 0);
  }
}

/** False if the fixed header is cut short or its data offset impossible. Malformed options are skipped and flagged. */
export function parseTcp(bytes: Uint8Array, at: number, length: number, into: Segment): boolean {
  if (length < TCP_HEADER) return false;
  const headerLength = (bytes[at + 12] >>> 4) * 4;
  if (headerLength < TCP_HEADER || headerLength > length) return false;
  into.sourcePort = read16(bytes, at);
  into.destinationPort = read16(bytes, at + 2);
  into.sequence = read32(bytes, at + 4);
  into.acknowledgment = read32(bytes, at + 8);
  into.flags = bytes[at + 13];
  into.window = read16(bytes, at + 14);
  into.urgentPointer = read16(bytes, at + 18);
  into.dataAt = at + headerLength;
  into.dataLength = length - headerLength;
  into.clearOptions();
  if (headerLength === TCP_HEADER + 12 && read32(bytes, at + TCP_HEADER) === TIMESTAMPS_ALIGNED) {
    // What nearly every segment of a modern peer carries: NOP NOP timestamps (RFC 7323 appendix A).
    into.hasTimestamps = true;
    into.timestampValue = read32(bytes, at + TCP_HEADER + 4);
    into.timestampEcho = read32(bytes, at + TCP_HEADER + 8);
  } else if (headerLength > TCP_HEADER) {
    parseOptions(bytes, at + TCP_HEADER, at + headerLength, into);
  }
  return true;
}

const TIMESTAMPS_ALIGNED = (OPTION_NOP << 24) | (OPTION_NOP << 16) | (OPTION_TIMESTAMPS << 8) | 10;
const SACK_PERMITTED_TIMESTAMPS = (OPTION_SACK_PERMITTED << 24) | (2 << 16) | (OPTION_TIMESTAMPS << 8) | 10;

/** A length that cannot be ends the options (RFC 9293 3.1, MUST-7); an option of the wrong length is ignored. */
function parseOptions(bytes: Uint8Array, from: number, end: number, into: Segment): void {
  let at = from;
  while (at < end) {
    const kind = bytes[at];
    if (kind === OPTION_END) return;
    if (kind === OPTION_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1] : 0;
    if (length < 2 || at + length > end) {
      into.malformedOptions = true;
      return;
    }
    if (!parseOption(kind, bytes, at, length, into)) into.malformedOptions = true;
    at += length;
  }
}

function parseOption(kind: number, bytes: Uint8Array, at: number, length: number, into: Segment): boolean {
  const syn = (into.flags & SYN) !== 0;
  switch (kind) {
    case OPTION_MSS:
      if (length !== 4) return false;
      if (syn) into.mss = read16(bytes, at + 2);
      return true;
    case OPTION_WINDOW_SCALE:
      if (length !== 3) return false;
      // RFC 7323 2.3: more than 14 counts as 14.
      if (syn) into.windowScale = Math.min(bytes[at + 2], 14);
      return true;
    case OPTION_SACK_PERMITTED:
      if (length !== 2) return false;
      if (syn) into.sackPermitted = true;
      return true;
    case OPTION_SACK: {
      const count = (length - 2) >> 3;
      if (count < 1 || count > MAX_SACK_BLOCKS || length !== 2 + 8 * count) return false;
      for (let i = 0; i < 2 * count; i++) into.sack[i] = read32(bytes, at + 2 + 4 * i);
      into.sackCount = count;
      return true;
    }
    case OPTION_TIMESTAMPS:
      if (length !== 10) return false;
      into.hasTimestamps = true;
      into.timestampValue = read32(bytes, at + 2);
      into.timestampEcho = read32(bytes, at + 6);
      return true;
    case OPTION_USER_TIMEOUT: {
      if (length !== 4) return false;
      const value = read16(bytes, at + 2);
      into.userTimeout = value & 0x8000 ? (value & 0x7fff) * 60 : value;
      return true;
    }
    case OPTION_FAST_OPEN: {
      const cookie = length - 2;
      if (cookie !== 0 && (cookie < 4 || cookie > 16 || cookie % 2 !== 0)) return false;
      if (syn) {
        into.fastOpenLength = cookie;
        for (let i = 0; i < cookie; i++) into.fastOpenCookie[i] = bytes[at + 2 + i];
      }
      return true;
    }
    default:
      return true;
  }
}

/** Bytes of header and options, padded to a multiple of 4. The checksum field is left 0. */
export function emitTcp(segment: Segment, bytes: Uint8Array, at: number): number {
  write16(bytes, at, segment.sourcePort);
  write16(bytes, at + 2, segment.destinationPort);
  write32(bytes, at + 4, segment.sequence);
  write32(bytes, at + 8, segment.acknowledgment);
  bytes[at + 13] = segment.flags;
  write16(bytes, at + 14, segment.window);
  bytes[at + 16] = 0;
  bytes[at + 17] = 0;
  write16(bytes, at + 18, segment.urgentPointer);
  let end = at + TCP_HEADER;
  if (segment.flags & SYN) end = emitSynOptions(segment, bytes, end);
  if (segment.hasTimestamps) {
    // In a SYN, SACK-permitted takes the place of the padding: room for the longest Fast Open cookie.
    const shared = segment.sackPermitted && segment.flags & SYN;
    write32(bytes, end, shared ? SACK_PERMITTED_TIMESTAMPS : TIMESTAMPS_ALIGNED);
    write32(bytes, end + 4, segment.timestampValue);
    write32(bytes, end + 8, segment.timestampEcho);
    end += 12;
  }
  if (segment.sackCount > 0) end = emitSack(segment, bytes, end);
  if (segment.userTimeout >= 0) {
    const seconds = segment.userTimeout;
    bytes[end] = OPTION_USER_TIMEOUT;
    bytes[end + 1] = 4;
    write16(bytes, end + 2, seconds < 0x8000 ? seconds : 0x8000 | Math.min(Math.round(seconds / 60), 0x7fff));
    end += 4;
  }
  bytes[at + 12] = ((end - at) >> 2) << 4;
  return end - at;
}

function emitSynOptions(segment: Segment, bytes: Uint8Array, at: number): number {
  let end = at;
  if (segment.mss > 0) {
    bytes[end] = OPTION_MSS;
    bytes[end + 1] = 4;
    write16(bytes, end + 2, segment.mss);
    end += 4;
  }
  if (segment.sackPermitted && !segment.hasTimestamps) {
    write32(bytes, end, (OPTION_NOP << 24) | (OPTION_NOP << 16) | (OPTION_SACK_PERMITTED << 8) | 2);
    end += 4;
  }
  if (segment.windowScale >= 0) {
    write32(bytes, end, (OPTION_NOP << 24) | (OPTION_WINDOW_SCALE << 16) | (3 << 8) | segment.windowScale);
    end += 4;
  }
  if (segment.fastOpenLength >= 0) {
    bytes[end++] = OPTION_FAST_OPEN;
    bytes[end++] = 2 + segment.fastOpenLength;
    for (let i = 0; i < segment.fastOpenLength; i++) bytes[end++] = segment.fastOpenCookie[i];
    while ((end - at) & 3) bytes[end++] = OPTION_NOP;
  }
  return end;
}

function emitSack(segment: Segment, bytes: Uint8Array, at: number): number {
  bytes[at] = OPTION_NOP;
  bytes[at + 1] = OPTION_NOP;
  bytes[at + 2] = OPTION_SACK;
  bytes[at + 3] = 2 + 8 * segment.sackCount;
  let end = at + 4;
  for (let i = 0; i < 2 * segment.sackCount; i++, end += 4) write32(bytes, end, segment.sack[i]);
  return end;
}
