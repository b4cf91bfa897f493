import { WincError } from '../protocol/errors.js';

/** `scheme:address?key=value&…`. The address is kept as written: it may be a device path. */
export interface TransportUrl {
  readonly scheme: string;
  readonly address: string;
  readonly query: URLSearchParams;
}

const urlError = (message: string) => new WincError('WINC_URL', message);

/** @throws WincError `WINC_URL` */
export function parseTransportUrl(url: string): TransportUrl {
  const match = /^([a-z][a-z0-9+-]*):([^?]*)(?:\?(.*))?$/.exec(url);
  if (match === null) {
    throw urlError(
      `"${url}" is no transport URL: expected for example serial:/dev/ttyUSB0 or tcp:host:port.`,
    );
  }
  return { scheme: match[1], address: match[2], query: new URLSearchParams(match[3] ?? '') };
}

/**
 * The query's integers, checked, with defaults; a key that is not asked for is refused, because a mistyped option
 * silently ignored costs hours.
 * @param known  key → [default, smallest, largest]
 * @throws WincError `WINC_URL`
 */
export function integerOptions<K extends string>(
  url: string,
  query: URLSearchParams,
  known: Readonly<Record<K, readonly [number, number, number]>>,
): Record<K, number> {
  const values = {} as Record<K, number>;
  for (const key of Object.keys(known) as K[]) values[key] = known[key][0];
  for (const [key, text] of query) {
    if (!Object.hasOwn(known, key)) {
      throw urlError(`${url}: unknown option "${key}" (known: ${Object.keys(known).join(', ') || 'none'}).`);
    }
    const [, least, most] = known[key as K];
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw urlError(`${url}: "${key}" must be a whole number from ${least} to ${most}.`);
    }
    values[key as K] = value;
  }
  return values;
}

/**
 * `host:port` or `[v6]:port`.
 * @throws WincError `WINC_URL`
 */
export function parseHostPort(url: string, address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const port = match === null ? Number.NaN : Number(match[3]);
  if (match === null || !(port >= 1 && port <= 65535)) {
    throw urlError(`${url}: expected host:port, or [address]:port for IPv6.`);
  }
  return { host: match[1] ?? match[2], port };
}
