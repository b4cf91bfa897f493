import { Address } from '../core/address.js';
import { read32, write32 } from './bytes.js';

/** Neighbour discovery (RFC 4861) messages, from the ICMPv6 header on. */
export const ROUTER_SOLICITATION = 133;
export const ROUTER_ADVERTISEMENT = 134;
export const NEIGHBOR_SOLICITATION = 135;
export const NEIGHBOR_ADVERTISEMENT = 136;
export const REDIRECT = 137;

const OPTION_SOURCE_LINK = 1;
const OPTION_TARGET_LINK = 2;
const OPTION_PREFIX = 3;
const OPTION_MTU = 5;
const OPTION_RDNSS = 25;

/** Flags of a neighbour advertisement, in the byte they stand in. */
export const NA_ROUTER = 0x80;
export const NA_SOLICITED = 0x40;
export const NA_OVERRIDE = 0x20;

export interface PrefixInformation {
  readonly prefix: Address;
  readonly length: number;
  readonly onLink: boolean;
  readonly autonomous: boolean;
  /** Seconds; 4294967295 is for ever. */
  readonly validLifetime: number;
  readonly preferredLifetime: number;
}

export interface NdpOptions {
  readonly linkAddress: Uint8Array | undefined;
  readonly prefixes: readonly PrefixInformation[];
  readonly mtu: number | undefined;
  /** RFC 8106. */
  readonly dnsServers: readonly Address[];
  readonly dnsLifetime: number;
}

/** `undefined` if an option has length zero or is cut off: the whole message is to be dropped (RFC 4861 4.6). */
export function parseNdpOptions(bytes: Uint8Array, from: number, end: number): NdpOptions | undefined {
  let linkAddress: Uint8Array | undefined;
  let mtu: number | undefined;
  let dnsLifetime = 0;
  const prefixes: PrefixInformation[] = [];
  const dnsServers: Address[] = [];
  for (let at = from; at < end; ) {
    const length = at + 1 < end ? bytes[at + 1] * 8 : 0;
    if (length === 0 || at + length > end) return undefined;
    switch (bytes[at]) {
      case OPTION_SOURCE_LINK:
      case OPTION_TARGET_LINK:
        linkAddress = bytes.slice(at + 2, at + 8);
        break;
      case OPTION_PREFIX:
        if (length === 32 && prefixes.length < 16) prefixes.push(parsePrefix(bytes, at));
        break;
      case OPTION_MTU:
        if (length === 8) mtu = read32(bytes, at + 4) >>> 0;
        break;
      case OPTION_RDNSS:
        dnsLifetime = length >= 24 ? read32(bytes, at + 4) >>> 0 : 0;
        for (let i = at + 8; i + 16 <= at + length && dnsServers.length < 8; i += 16) {
          const server = new Address();
          server.readV6(bytes, i);
          dnsServers.push(server);
        }
        break;
    }
    at += length;
  }
  return { linkAddress, prefixes, mtu, dnsServers, dnsLifetime };
}

function parsePrefix(bytes: Uint8Array, at: number): PrefixInformation {
  const prefix = new Address();
  prefix.readV6(bytes, at + 16);
  return {
    prefix,
    length: bytes[at + 2],
    onLink: (bytes[at + 3] & 0x80) !== 0,
    autonomous: (bytes[at + 3] & 0x40) !== 0,
    validLifetime: read32(bytes, at + 4) >>> 0,
    preferredLifetime: read32(bytes, at + 8) >>> 0,
  };
}

/** A solicitation or advertisement of a neighbour with, if given, one link-layer address option. */
export function emitNeighborMessage(
  type: number,
  flags: number,
  target: Address,
  linkAddress: Uint8Array | undefined,
  bytes: Uint8Array,
  at: number,
): number {
  bytes[at] = type;
  bytes[at + 1] = 0;
  write32(bytes, at + 4, flags << 24);
  target.writeV6(bytes, at + 8);
  if (linkAddress === undefined) return 24;
  const option = type === NEIGHBOR_SOLICITATION ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK;
  return 24 + emitLinkAddress(option, linkAddress, bytes, at + 24);
}

export function emitRouterSolicitation(
  linkAddress: Uint8Array | undefined,
  bytes: Uint8Array,
  at: number,
): number {
  bytes[at] = ROUTER_SOLICITATION;
  bytes[at + 1] = 0;
  write32(bytes, at + 4, 0);
  return (
    8 + (linkAddress === undefined ? 0 : emitLinkAddress(OPTION_SOURCE_LINK, linkAddress, bytes, at + 8))
  );
}

export interface RouterAdvertisement {
  readonly hopLimit: number;
  readonly managed: boolean;
  readonly otherConfiguration: boolean;
  /** Seconds; 0: no default router. */
  readonly routerLifetime: number;
  readonly reachableMs: number;
  readonly retransmitMs: number;
  readonly options: NdpOptions;
}

export function parseRouterAdvertisement(
  bytes: Uint8Array,
  at: number,
  length: number,
): RouterAdvertisement | undefined {
  if (length < 16 || bytes[at] !== ROUTER_ADVERTISEMENT) return undefined;
  const options = parseNdpOptions(bytes, at + 16, at + length);
  if (options === undefined) return undefined;
  return {
    hopLimit: bytes[at + 4],
    managed: (bytes[at + 5] & 0x80) !== 0,
    otherConfiguration: (bytes[at + 5] & 0x40) !== 0,
    routerLifetime: (bytes[at + 6] << 8) | bytes[at + 7],
    reachableMs: read32(bytes, at + 8) >>> 0,
    retransmitMs: read32(bytes, at + 12) >>> 0,
    options,
  };
}

export function emitRouterAdvertisement(message: RouterAdvertisement, bytes: Uint8Array, at: number): number {
  const { options } = message;
  bytes[at] = ROUTER_ADVERTISEMENT;
  bytes[at + 1] = 0;
  bytes[at + 4] = message.hopLimit;
  bytes[at + 5] = (message.managed ? 0x80 : 0) | (message.otherConfiguration ? 0x40 : 0);
  bytes[at + 6] = message.routerLifetime >>> 8;
  bytes[at + 7] = message.routerLifetime;
  write32(bytes, at + 8, message.reachableMs);
  write32(bytes, at + 12, message.retransmitMs);
  let end = at + 16;
  if (options.linkAddress !== undefined)
    end += emitLinkAddress(OPTION_SOURCE_LINK, options.linkAddress, bytes, end);
  if (options.mtu !== undefined) {
    bytes[end] = OPTION_MTU;
    bytes[end + 1] = 1;
    bytes[end + 2] = 0;
    bytes[end + 3] = 0;
    write32(bytes, end + 4, options.mtu);
    end += 8;
  }
  for (const prefix of options.prefixes) {
    bytes[end] = OPTION_PREFIX;
    bytes[end + 1] = 4;
    bytes[end + 2] = prefix.length;
    bytes[end + 3] = (prefix.onLink ? 0x80 : 0) | (prefix.autonomous ? 0x40 : 0);
    write32(bytes, end + 4, prefix.validLifetime);
    write32(bytes, end + 8, prefix.preferredLifetime);
    write32(bytes, end + 12, 0);
    prefix.prefix.writeV6(bytes, end + 16);
    end += 32;
  }
  if (options.dnsServers.length > 0) {
    bytes[end] = OPTION_RDNSS;
    bytes[end + 1] = 1 + 2 * options.dnsServers.length;
    bytes[end + 2] = 0;
    bytes[end + 3] = 0;
    write32(bytes, end + 4, options.dnsLifetime);
    end += 8;
    for (const server of options.dnsServers) {
      server.writeV6(bytes, end);
      end += 16;
    }
  }
  return end - at;
}

function emitLinkAddress(option: number, mac: Uint8Array, bytes: Uint8Array, at: number): number {
  bytes[at] = option;
  bytes[at + 1] = 1;
  bytes.set(mac, at + 2);
  return 8;
}
