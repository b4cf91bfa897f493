/** Which addresses of the simulated network stand for which of the host's, and which are out of bounds. */
import ipaddr from 'ipaddr.js';
import type { Endpoint } from '../tcpip/contract.js';

/** `loopback`: only the host itself, at the router's address. `full`: whatever the host can reach. */
export type HostNetwork = 'none' | 'loopback' | 'full';
export const HOST_NETWORKS: readonly HostNetwork[] = ['none', 'loopback', 'full'];

export interface RouterAddresses {
  readonly ipv4: string;
  readonly ipv6: string | undefined;
}

/** What became of a destination: where it is on the host, or why it goes nowhere. */
export type Destination = { readonly address: string; readonly family: 4 | 6 } | 'refused' | 'unreachable';

/** Destinations that never leave the network, whatever the policy. */
const NEVER_FORWARDED = new Set([
  'unspecified',
  'loopback',
  'linkLocal',
  'multicast',
  'broadcast',
  'reserved',
]);

/** `address` without a scope. */
export const stripScope = (address: string): string => address.replace(/%.*$/, '');

export function hostDestination(to: string, policy: HostNetwork, router: RouterAddresses): Destination {
  const address = stripScope(to);
  if (address === router.ipv4 || address === router.ipv6) {
    if (policy === 'none') return 'refused';
    return address === router.ipv4 ? { address: '127.0.0.1', family: 4 } : { address: '::1', family: 6 };
  }
  if (policy === 'none') return 'refused';
  if (policy !== 'full' || !ipaddr.isValid(address)) return 'unreachable';
  const parsed = ipaddr.parse(address);
  if (NEVER_FORWARDED.has(parsed.range())) return 'unreachable';
  return { address, family: parsed.kind() === 'ipv4' ? 4 : 6 };
}

/** The host's own loopback addresses as the simulated network knows them; every other address as it is. */
export function networkAddress(hostAddress: string, router: RouterAddresses): string {
  if (!ipaddr.isValid(hostAddress)) return hostAddress;
  const parsed = ipaddr.process(hostAddress);
  if (parsed.range() !== 'loopback') return hostAddress;
  return parsed.kind() === 'ipv4' ? router.ipv4 : (router.ipv6 ?? hostAddress);
}

/** `10.0.2.15:1024`, `[fe80::1]:1024`; a key for maps. */
export const endpointKey = ({ address, port }: Endpoint): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
