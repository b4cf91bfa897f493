import { Address } from './address.js';
import { fold, sumBytes, sumWords, tailWord } from './checksum.js';

/** Bytes of an Ethernet header. */
export const ETHERNET_HEADER = 14;
/** Before the frame, so that what follows its 14 byte header is aligned to 4. */
const LEAD = 2;

/**
 * A frame in aligned memory and what the layers below have found out about it. The engine reads each frame into one
 * such buffer and builds each in another; nothing is allocated per packet.
 */
export class Packet {
  readonly frame: Uint8Array;
  readonly #words: Uint32Array;
  readonly capacity: number;
  /** Bytes of the frame. */
  length = 0;

  readonly source = new Address();
  readonly destination = new Address();
  /** Came as, or goes as, a broadcast or multicast of the link layer. */
  linkBroadcast = false;
  /** Where the IP header begins, and how long it is with options or extension headers. */
  ipAt = 0;
  ipHeaderLength = 0;
  protocol = 0;
  /** TTL or hop limit. */
  hops = 0;
  /** TOS or traffic class. */
  trafficClass = 0;
  /** The transport's part. */
  payloadAt = 0;
  payloadLength = 0;

  constructor(capacity: number) {
    const size = (LEAD + capacity + 7) & ~3;
    const memory = new ArrayBuffer(size);
    this.frame = new Uint8Array(memory, LEAD);
    this.#words = new Uint32Array(memory);
    this.capacity = capacity;
  }

  /** One's complement sum of `length` bytes at `at`, fast where IP and transport headers begin. */
  sum(at: number, length: number): number {
    const start = at + LEAD;
    if ((start & 3) !== 0) return sumBytes(this.frame, at, length);
    const rest = length & 3;
    const tail = rest === 0 ? 0 : tailWord(this.frame, at + length - rest, rest);
    return sumWords(this.#words, start >>> 2, length >>> 2, tail);
  }

  /** Sum of the pseudo-header of RFC 9293 3.1 and RFC 8200 8.1 for the packet's addresses. */
  pseudoSum(protocol: number, length: number): number {
    return pseudoHeaderSum(this.source, this.destination, protocol, length);
  }
}

/** Sum of a transport pseudo-header, IPv4 or IPv6 by the kind of the addresses. */
export function pseudoHeaderSum(
  source: Address,
  destination: Address,
  protocol: number,
  length: number,
): number {
  let sum =
    (source.d >>> 16) +
    (source.d & 0xffff) +
    (destination.d >>> 16) +
    (destination.d & 0xffff) +
    protocol +
    length;
  if (!source.isV4) {
    sum +=
      (source.a >>> 16) +
      (source.a & 0xffff) +
      (source.b >>> 16) +
      (source.b & 0xffff) +
      (source.c >>> 16) +
      (source.c & 0xffff) +
      (destination.a >>> 16) +
      (destination.a & 0xffff) +
      (destination.b >>> 16) +
      (destination.b & 0xffff) +
      (destination.c >>> 16) +
      (destination.c & 0xffff);
  }
  return fold(sum);
}
