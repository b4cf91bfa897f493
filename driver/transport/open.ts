import { type Clock, systemClock } from '../clock.js';
import { WincError } from '../protocol/errors.js';
import { openBridge } from './bridge.js';
import { openSerial } from './serial.js';
import { openTcp } from './tcp.js';
import type { Transport, TransportDevice, TransportOpener } from './transport.js';
import { parseTransportUrl } from './url.js';

const openers = new Map<string, TransportOpener>([
  ['serial', openSerial],
  ['tcp', openTcp],
  ['bridge', openBridge],
  ['spi', async (url, options) => (await import('./spi.js')).openSpi(url, options)],
]);

/** Makes `scheme:` URLs openable. The package root registers `sim`, which this layer must not import. */
export function registerTransport(scheme: string, opener: TransportOpener): void {
  openers.set(scheme, opener);
}

export interface OpenTransportOptions {
  /** Default: the machine's own. */
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** Put into the path in this order, the first next to the wire. */
  readonly devices?: readonly TransportDevice[];
}

/**
 * Opens `serial:/dev/ttyUSB0?baud=230400`, `tcp:host:port`, or any registered scheme.
 * @throws WincError `WINC_URL`, `WINC_PORT_MISSING`, `WINC_PORT_LOCKED`, `WINC_PORT_PERMISSION`, `WINC_ABORTED`
 */
export async function openTransport(url: string, options: OpenTransportOptions = {}): Promise<Transport> {
  const { scheme } = parseTransportUrl(url);
  const opener = openers.get(scheme);
  if (opener === undefined) {
    const known = [...openers.keys()].map((name) => `${name}:`).join(', ');
    throw new WincError('WINC_URL', `${url}: unknown transport "${scheme}:" (known: ${known}).`);
  }
  const { clock = systemClock, signal, devices = [] } = options;
  if (signal?.aborted) throw new WincError('WINC_ABORTED', 'Opening was aborted.', { cause: signal.reason });
  const transport = await opener(url, signal === undefined ? { clock } : { clock, signal });
  return devices.reduce<Transport>((inner, device) => device(inner, clock), transport);
}
