import type { Connection } from './connection.js';

/**
 * Grows the receive buffer while the user empties more than half of it per round trip: then it, and not the path, is
 * what holds the peer back (dynamic right-sizing, Fisk and Feng). Bounded by the stack's setting.
 */
export function tuneReceiveBuffer(c: Connection, taken: number): void {
  c.tuneCopied += taken;
  const { engine, settings } = c.tcp;
  if (c.receiveLimit >= settings.maxReceiveBuffer) return;
  const elapsed = engine.now - c.tuneAt;
  // The least round trip: queues of our own making are no reason to grow.
  const roundTrip = Math.max(1, c.minRtt / 1000);
  if (elapsed < roundTrip) return;
  if (c.tuneAt > 0 && elapsed < 4 * roundTrip && c.tuneCopied > c.receiveLimit >> 1) {
    c.receiveLimit = Math.min(settings.maxReceiveBuffer, Math.max(2 * c.tuneCopied, c.receiveLimit * 2));
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
