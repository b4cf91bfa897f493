import type { Random } from '../contract.js';

/** The range IANA and RFC 6335 set aside, from Linux's lower start: more ports are harder to guess (RFC 6056 3.2). */
export const EPHEMERAL_FIRST = 32_768;
const EPHEMERAL_COUNT = 65_536 - EPHEMERAL_FIRST;

/**
 * A free ephemeral port, or `undefined` if all are taken. Starts at `offset` (RFC 6056 3.3.3: a keyed hash of the
 * peer, so that the same peer sees successive ports and no one else can predict them) and goes round from there.
 */
export function choosePort(offset: number, isFree: (port: number) => boolean): number | undefined {
  const start = (offset >>> 0) % EPHEMERAL_COUNT;
  for (let i = 0; i < EPHEMERAL_COUNT; i++) {
    const port = EPHEMERAL_FIRST + ((start + i) % EPHEMERAL_COUNT);
    if (isFree(port)) return port;
  }
  return undefined;
}

/** RFC 6056 3.3.1, for protocols without connections. */
export const randomPort = (random: Random, isFree: (port: number) => boolean): number | undefined =>
  choosePort(Math.floor(random() * EPHEMERAL_COUNT), isFree);
