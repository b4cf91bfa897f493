import type { Connection } from './connection.js';

/** Below this a rate is mostly the clock's grain. */
const SHORTEST_INTERVAL_MS = 4;
/** A larger buffer must have brought so much more before it is made larger again. */
const WORTHWHILE = 1.2;

/**
 * Grows the receive buffer while the user empties more than half of it per round trip: then it, and not the path, may
 * be what holds the peer back (dynamic right-sizing, Fisk and Feng). If the last growth brought nothing, something else
 * does, and the memory is better left to the caches. Bounded by the stack's setting.
 */
export function tuneReceiveBuffer(c: Connection, taken: number): void {
  c.tuneCopied += taken;
  const { engine, settings } = c.tcp;
  if (c.receiveLimit >= settings.maxReceiveBuffer) return;
  const elapsed = engine.now - c.tuneAt;
  // The least round trip: queues of our own making are no reason to grow.
  const roundTrip = c.minRtt / 1000;
  if (elapsed < Math.max(SHORTEST_INTERVAL_MS, roundTrip)) return;
  const rate = c.tuneCopied / elapsed;
  const perRoundTrip = rate * Math.max(1, roundTrip);
  if (c.tuneAt > 0 && perRoundTrip > c.receiveLimit >> 1 && rate > WORTHWHILE * c.tuneRate) {
    c.tuneRate = rate;
    c.receiveLimit = Math.min(settings.maxReceiveBuffer, c.receiveLimit * 2);
  }
  c.tuneCopied = 0;
  c.tuneAt = engine.now;
}

/** A buffer must hold a few segments, whatever the link's size. */
export function fitBuffers(c: Connection): void {
  const { settings } = c.tcp;
  if (!c.receiveLimitFixed) {
    c.receiveLimit = Math.max(c.receiveLimit, Math.min(8 * c.mss, settings.maxReceiveBuffer));
  }
  if (!c.sendLimitFixed) c.sendLimit = Math.max(c.sendLimit, Math.min(8 * c.mss, settings.maxSendBuffer));
}
