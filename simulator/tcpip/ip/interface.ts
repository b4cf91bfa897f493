import type { AddressInfo } from '../contract.js';
import {
  Address,
  anyV4,
  formatAddress,
  inPrefix,
  isDirectedBroadcast,
  isLinkLocal,
  isLoopback,
  sameAddress,
} from '../core/address.js';

/** `tentative`: being checked for duplicates, not used yet. `deprecated`: no new connections from it. */
export type AddressState = 'tentative' | 'preferred' | 'deprecated';

export interface InterfaceAddress {
  readonly address: Address;
  readonly prefix: number;
  readonly origin: AddressInfo['origin'];
  state: AddressState;
}

export interface Prefix {
  readonly network: Address;
  readonly length: number;
}

/** The addresses and routes of the one interface a stack has: which address is ours, what is on the link, who forwards. */
export class Interface {
  readonly mac: Uint8Array;
  readonly addresses: InterfaceAddress[] = [];
  gatewayV4: Address | undefined;
  /** The default router in use; discovery keeps it up to date. */
  gatewayV6: Address | undefined;
  /** On-link prefixes that no address of ours implies (RFC 4861 6.3.4). */
  readonly onLinkPrefixes: Prefix[] = [];
  /** Changes whenever routes found before may no longer hold. */
  generation = 1;
  changed: () => void = () => {};

  constructor(mac: Uint8Array) {
    this.mac = mac;
  }

  add(entry: InterfaceAddress): void {
    this.remove(entry.address, false);
    this.addresses.push(entry);
    this.touch();
  }

  remove(address: Address, announce = true): boolean {
    const index = this.addresses.findIndex((entry) => sameAddress(entry.address, address));
    if (index < 0) return false;
    this.addresses.splice(index, 1);
    if (announce) this.touch();
    return true;
  }

  touch(): void {
    this.generation++;
    this.changed();
  }

  find(address: Address): InterfaceAddress | undefined {
    for (const entry of this.addresses) if (sameAddress(entry.address, address)) return entry;
    return undefined;
  }

  /** Ours and in use, loopback included. */
  owns(address: Address): boolean {
    for (const entry of this.addresses) {
      if (sameAddress(entry.address, address)) return entry.state !== 'tentative';
    }
    return isLoopback(address);
  }

  /** 255.255.255.255 or the broadcast address of a network we are in. */
  isBroadcast(address: Address): boolean {
    if (!address.isV4) return false;
    if (address.d === -1) return true;
    for (const entry of this.addresses) {
      if (isDirectedBroadcast(address, entry.address, entry.prefix)) return true;
    }
    return false;
  }

  onLink(address: Address): boolean {
    if (!address.isV4 && isLinkLocal(address)) return true;
    for (const entry of this.addresses) {
      const advertised = !address.isV4 && entry.origin === 'slaac';
      if (!advertised && inPrefix(address, entry.address, entry.prefix)) return true;
    }
    for (const { network, length } of this.onLinkPrefixes)
      if (inPrefix(address, network, length)) return true;
    return false;
  }

  /** Who takes a packet for `destination` on the link: itself, a router, or nobody. */
  nextHop(destination: Address): Address | undefined {
    if (this.onLink(destination)) return destination;
    return destination.isV4 ? this.gatewayV4 : this.gatewayV6;
  }

  /** RFC 6724, for what a host on one link can choose from: scope, then deprecation, then the longest common prefix. */
  sourceFor(destination: Address): Address | undefined {
    if (isLoopback(destination)) return destination;
    let best: InterfaceAddress | undefined;
    let bestRank = -1;
    for (const entry of this.addresses) {
      if (entry.address.isV4 !== destination.isV4 || entry.state === 'tentative') continue;
      if (sameAddress(entry.address, destination)) return entry.address;
      let rank = commonPrefix(entry.address, destination);
      if (entry.state === 'preferred') rank += 256;
      if (isLinkLocal(entry.address) === linkScope(destination)) rank += 512;
      if (rank > bestRank) {
        best = entry;
        bestRank = rank;
      }
    }
    return best?.address;
  }

  describe(): AddressInfo[] {
    return this.addresses
      .filter((entry) => entry.state !== 'tentative')
      .map(({ address, prefix, origin }) => ({ address: formatAddress(address), prefix, origin }));
  }
}

const linkScope = (x: Address): boolean =>
  isLinkLocal(x) || (!x.isV4 && x.a >>> 24 === 0xff && ((x.a >>> 16) & 0xf) <= 2);

function commonPrefix(x: Address, y: Address): number {
  if (x.a !== y.a) return Math.clz32(x.a ^ y.a);
  if (x.b !== y.b) return 32 + Math.clz32(x.b ^ y.b);
  if (x.c !== y.c) return 64 + Math.clz32(x.c ^ y.c);
  return 96 + Math.clz32(x.d ^ y.d);
}

/** The source of a packet to `destination` if the caller has bound none and the interface has none yet. */
export const unspecifiedFor = (destination: Address): Address => (destination.isV4 ? anyV4 : new Address());
