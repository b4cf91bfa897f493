/** The simulator's options as text: what stands in a `sim:` URL and on the command line. */
import { WincError } from '../driver/protocol/errors.js';
import { type Impairment, parseImpairment } from './tcpip/link/impair-spec.js';
import type { AccessPointOptions } from './world/access-point.js';
import { addressRecord, type DnsRecord } from './world/dns-zone.js';
import type { ForwardOptions } from './world/nat/forwards.js';
import { HOST_NETWORKS, type HostNetwork } from './world/policy.js';

export type ProfileName = 'wincs02' | 'rnwf02';

export type UartPlace =
  | { readonly kind: 'pty'; readonly link?: string }
  | { readonly kind: 'tcp'; readonly host?: string; readonly port: number };

const refuse = (why: string): never => {
  throw new WincError('WINC_ARGUMENT', why);
};

function choice<T extends string>(name: string, text: string, choices: readonly T[]): T {
  return (
    choices.find((one) => one === text) ?? refuse(`${name} is one of ${choices.join(', ')}, not "${text}"`)
  );
}

/** `text` as a whole number from `min` to `max`. @throws WincError `WINC_ARGUMENT` */
export function parseNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max
    ? value
    : refuse(`${name} is a whole number from ${min} to ${max}, not "${text}"`);
}

export const parseProfile = (text: string): ProfileName => choice('the profile', text, ['wincs02', 'rnwf02']);
export const parseHostNetwork = (text: string): HostNetwork =>
  choice('the host network', text, HOST_NETWORKS);
export const parseSeed = (text: string): number => parseNumber('the seed', text, 0, 2 ** 32 - 1);
export const parseBootMs = (text: string): number => parseNumber('the boot time', text, 0, 600_000);

/** `SSID` (open) or `SSID:PASSPHRASE`: whatever follows the first colon, taken literally. */
export function parseAccessPoint(text: string): AccessPointOptions {
  const colon = text.indexOf(':');
  if (colon < 0) return { ssid: text };
  return { ssid: text.slice(0, colon), passphrase: text.slice(colon + 1) };
}

/** `NAME=ADDRESS` */
export function parseDns(text: string): DnsRecord {
  const equals = text.lastIndexOf('=');
  if (equals < 1) refuse(`a DNS record is NAME=ADDRESS, not "${text}"`);
  return addressRecord(text.slice(0, equals), text.slice(equals + 1));
}

/** `HOSTPORT:MODULEPORT[/udp]` */
export function parseForward(text: string): ForwardOptions {
  const match = /^(\d+):(\d+)(?:\/(tcp|udp))?$/.exec(text);
  if (match === null) return refuse(`a forward is HOSTPORT:MODULEPORT[/udp], not "${text}"`);
  return {
    protocol: match[3] === 'udp' ? 'udp' : 'tcp',
    hostPort: parseNumber('the host port', match[1], 0, 65_535),
    modulePort: parseNumber('the module port', match[2], 1, 65_535),
  };
}

/** `pty`, `pty:LINK`, `tcp:PORT`, `tcp:HOST:PORT`, `tcp:[IPV6]:PORT` */
export function parseUart(text: string): UartPlace {
  if (text === 'pty') return { kind: 'pty' };
  if (text.startsWith('pty:') && text.length > 4) return { kind: 'pty', link: text.slice(4) };
  const match = /^tcp:(?:\[([^\]]+)\]:|([^:[\]]+):)?(\d+)$/.exec(text);
  if (match === null) return refuse(`a UART is pty[:LINK] or tcp:[HOST:]PORT, not "${text}"`);
  const host = match[1] ?? match[2];
  const port = parseNumber('the port', match[3], 0, 65_535);
  return host === undefined ? { kind: 'tcp', port } : { kind: 'tcp', host, port };
}

/** `loss=1%,delay=20ms,…` as {@link parseImpairment} has it. */
export function parseImpair(text: string): Impairment {
  try {
    return parseImpairment(text);
  } catch (cause) {
    throw new WincError('WINC_ARGUMENT', (cause as Error).message.replace(/^EINVAL: /, ''), { cause });
  }
}
