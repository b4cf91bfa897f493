/** NTP in server mode (RFC 5905): one packet in, one packet out. */

export const NTP_PORT = 123;

/** Seconds from 1900 to 1970. */
const EPOCH_OFFSET = 2_208_988_800;
const PACKET_BYTES = 48;
const MODE_CLIENT = 3;
const MODE_SERVER = 4;
const LEAP_UNSYNCHRONISED = 3;

export interface NtpClock {
  /** Milliseconds since 1970, as this server believes. */
  readonly nowMs: number;
  /** `synchronised`, or a server that has lost its reference and says so, or one that asks the client to go away. */
  readonly state: 'synchronised' | 'unsynchronised' | 'kiss-of-death';
}

/** @returns the answer, or `undefined` if `request` is no client's packet of version 1 to 4 (section 7.3) */
export function answerNtp(request: Uint8Array, clock: NtpClock): Uint8Array | undefined {
  if (request.length < PACKET_BYTES) return undefined;
  const version = (request[0] >> 3) & 7;
  if ((request[0] & 7) !== MODE_CLIENT || version < 1 || version > 4) return undefined;
  const answer = new Uint8Array(PACKET_BYTES);
  const view = new DataView(answer.buffer);
  const synchronised = clock.state === 'synchronised';
  answer[0] = ((synchronised ? 0 : LEAP_UNSYNCHRONISED) << 6) | (version << 3) | MODE_SERVER;
  // Stratum 0 carries a kiss code in the reference identifier (section 7.4), 16 means unsynchronised.
  answer[1] = synchronised ? 1 : clock.state === 'kiss-of-death' ? 0 : 16;
  answer[2] = request[2];
  answer[3] = -20 & 255;
  view.setUint32(8, 1);
  // An identifier that begins with X is kept for experiments (figure 12).
  answer.set(new TextEncoder().encode(clock.state === 'kiss-of-death' ? 'DENY' : 'XSIM'), 12);
  writeTimestamp(view, 16, Math.floor(clock.nowMs / 1000) * 1000);
  answer.set(request.subarray(40, 48), 24);
  writeTimestamp(view, 32, clock.nowMs);
  writeTimestamp(view, 40, clock.nowMs);
  return answer;
}

/** 32 bits of seconds since 1900, wrapping in 2036, and 32 bits of fraction (section 6). */
function writeTimestamp(view: DataView, at: number, unixMs: number): void {
  const seconds = Math.floor(unixMs / 1000);
  view.setUint32(at, (seconds + EPOCH_OFFSET) % 2 ** 32);
  view.setUint32(at + 4, Math.floor(((unixMs - seconds * 1000) / 1000) * 2 ** 32));
}
