import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import type { Link } from '../../../simulator/tcpip/contract.js';
import { parseAddress } from '../../../simulator/tcpip/core/address.js';
import { fold } from '../../../simulator/tcpip/core/checksum.js';
import { Packet } from '../../../simulator/tcpip/core/packet.js';
import { memoryPipe, onClock } from '../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import { createStack, type EngineStack } from '../../../simulator/tcpip/stack.js';
import type { TcpOptions } from '../../../simulator/tcpip/tcp/options.js';
import { write16 } from '../../../simulator/tcpip/wire/bytes.js';
import { writeIpv4 } from '../../../simulator/tcpip/wire/ipv4.js';
import { writeIpv6 } from '../../../simulator/tcpip/wire/ipv6.js';

export const OUR_MAC = '02:00:00:00:00:01';
export const PEER_MAC = '02:00:00:00:00:02';

/** One stack on virtual time whose link is the test: frames out are kept, frames in are made. */
export class Host {
  readonly clock = new VirtualClock();
  readonly sent: Uint8Array[] = [];
  readonly link: Link;
  readonly stack: EngineStack;

  constructor(options: { mtu?: number; tcp?: TcpOptions; seed?: number } = {}) {
    this.link = {
      mtu: options.mtu ?? 1500,
      transmit: (frame, length) => {
        this.sent.push(frame.slice(0, length));
        return true;
      },
      receive: () => {},
    };
    this.stack = createStack({
      link: this.link,
      clock: this.clock,
      random: seededRandom(options.seed ?? 1),
      mac: OUR_MAC,
      tcp: options.tcp ?? {},
    });
  }

  /** Frames sent since the last call, of one EtherType if given. */
  take(type?: number): Uint8Array[] {
    const frames = this.sent.splice(0);
    return type === undefined ? frames : frames.filter((frame) => ((frame[12] << 8) | frame[13]) === type);
  }

  receive(frame: Uint8Array): void {
    this.link.receive(frame, frame.length);
  }
}

export interface PacketFields {
  readonly from: string;
  readonly to: string;
  readonly protocol: number;
  readonly payload: Uint8Array;
  readonly hops?: number;
  /** IPv4: flags and fragment offset as in the header. */
  readonly fragment?: number;
  readonly identification?: number;
  readonly destinationMac?: readonly number[];
  /** Where the transport's checksum stands in the payload; it is filled in. */
  readonly checksumAt?: number;
  readonly trafficClass?: number;
}

/** An Ethernet frame with an IPv4 or IPv6 packet from the peer. */
export function makeFrame(fields: PacketFields): Uint8Array {
  const { protocol, payload, hops = 64 } = fields;
  const source = parseAddress(fields.from)!;
  const destination = parseAddress(fields.to)!;
  const v4 = source.isV4;
  const header = v4 ? 20 : 40;
  const packet = new Packet(14 + header + payload.length);
  const frame = packet.frame.subarray(0, 14 + header + payload.length);
  frame.set(fields.destinationMac ?? [2, 0, 0, 0, 0, 1]);
  frame.set([2, 0, 0, 0, 0, 2, v4 ? 0x08 : 0x86, v4 ? 0x00 : 0xdd], 6);
  const at = 14 + header;
  frame.set(payload, at);
  packet.source.set(source);
  packet.destination.set(destination);
  if (fields.checksumAt !== undefined) {
    write16(frame, at + fields.checksumAt, 0);
    const icmpV4 = v4 && protocol === 1;
    const pseudo = icmpV4 || protocol === 2 ? 0 : packet.pseudoSum(protocol, payload.length);
    write16(frame, at + fields.checksumAt, ~fold(packet.sum(at, payload.length) + pseudo) & 0xffff);
  }
  const class_ = fields.trafficClass ?? 0;
  if (v4) {
    const { identification = 1, fragment = 0 } = fields;
    writeIpv4(
      frame,
      14,
      20,
      20 + payload.length,
      class_,
      identification,
      fragment,
      hops,
      protocol,
      source,
      destination,
    );
  } else writeIpv6(frame, 14, class_, 0, payload.length, protocol, hops, source, destination);
  return frame;
}

export function udpPayload(sourcePort: number, destinationPort: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + data.length);
  write16(bytes, 0, sourcePort);
  write16(bytes, 2, destinationPort);
  write16(bytes, 4, bytes.length);
  bytes.set(data, 8);
  return bytes;
}

/** Two stacks on one wire and one virtual clock. */
export function twoHosts(options: { mtu?: number; tcp?: TcpOptions } = {}): {
  clock: VirtualClock;
  a: EngineStack;
  b: EngineStack;
} {
  const clock = new VirtualClock();
  const [left, right] = memoryPipe({ dispatch: onClock(clock), mtu: options.mtu ?? 1500 });
  const tcp = options.tcp ?? {};
  const a = createStack({ link: left, clock, random: seededRandom(1), mac: OUR_MAC, tcp });
  const b = createStack({ link: right, clock, random: seededRandom(2), mac: PEER_MAC, tcp });
  return { clock, a, b };
}
