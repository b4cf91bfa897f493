import type { Clock } from '../clock.js';
import type { Transport } from '../transport/transport.js';
import { AtWire } from './at-wire.js';
import type { Wire } from './wire.js';

export interface OpenWireOptions {
  readonly clock: Clock;
  readonly startTimeoutMs?: number;
  readonly inlineUpTo?: number;
}

/** The wire that is spoken on a kind of transport. */
export async function openWire(transport: Transport, options: OpenWireOptions): Promise<Wire> {
  if (transport.kind === 'bytes') return new AtWire(transport, options);
  const { TlvWire } = await import('./tlv-wire.js');
  return new TlvWire(transport, options);
}
