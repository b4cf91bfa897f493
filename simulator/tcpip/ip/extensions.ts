import {
  IPV6_HEADER,
  ipv6NextHeader,
  NEXT_DESTINATION,
  NEXT_FRAGMENT,
  NEXT_HOP_BY_HOP,
  NEXT_ROUTING,
} from '../wire/ipv6.js';

const NEXT_AUTHENTICATION = 51;

export const isExtension = (next: number): boolean =>
  next === NEXT_HOP_BY_HOP ||
  next === NEXT_ROUTING ||
  next === NEXT_FRAGMENT ||
  next === NEXT_DESTINATION ||
  next === NEXT_AUTHENTICATION;

/** Bytes of the extension header at `at`, which must lie before `end`. */
export function extensionLength(next: number, frame: Uint8Array, at: number, end: number): number {
  if (at + 8 > end) return -1;
  const length =
    next === NEXT_FRAGMENT
      ? 8
      : next === NEXT_AUTHENTICATION
        ? (frame[at + 1] + 2) * 4
        : (frame[at + 1] + 1) * 8;
  return at + length > end ? -1 : length;
}

/** Finds the transport header of a quoted IPv6 packet. `undefined`: cut off, or not the first fragment. */
export function skipExtensions(
  frame: Uint8Array,
  ipAt: number,
  end: number,
): { protocol: number; at: number } | undefined {
  let protocol = ipv6NextHeader(frame, ipAt);
  let at = ipAt + IPV6_HEADER;
  while (isExtension(protocol)) {
    const length = extensionLength(protocol, frame, at, end);
    if (length < 0) return undefined;
    if (protocol === NEXT_FRAGMENT && ((frame[at + 2] << 8) | (frame[at + 3] & 0xf8)) !== 0) return undefined;
    protocol = frame[at];
    at += length;
  }
  return { protocol, at };
}

export type OptionVerdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'discard' }
  /** Discard and report, in either case or unless the destination is a multicast group. */
  | { readonly kind: 'report'; readonly at: number; readonly multicastToo: boolean };

const accept: OptionVerdict = { kind: 'accept' };
const discard: OptionVerdict = { kind: 'discard' };

/** The TLV options of a hop-by-hop or destination header (RFC 8200 4.2): the top bits say what to do if unknown. */
export function checkOptions(frame: Uint8Array, from: number, end: number): OptionVerdict {
  let at = from;
  while (at < end) {
    const type = frame[at];
    if (type === 0) {
      at++;
      continue;
    }
    if (at + 2 > end || at + 2 + frame[at + 1] > end) return discard;
    // PadN, router alert (RFC 2711), jumbo payload is not for links of ours.
    if (type !== 1 && type !== 5) {
      switch (type >>> 6) {
        case 0:
          break;
        case 1:
          return discard;
        case 2:
          return { kind: 'report', at, multicastToo: true };
        default:
          return { kind: 'report', at, multicastToo: false };
      }
    }
    at += 2 + frame[at + 1];
  }
  return accept;
}
