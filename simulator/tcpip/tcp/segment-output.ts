import type { Address } from '../core/address.js';
import { fold } from '../core/checksum.js';
import { type Packet, pseudoHeaderSum } from '../core/packet.js';
import { payloadStart, type Route } from '../ip/output.js';
import { write16 } from '../wire/bytes.js';
import { PROTOCOL_TCP } from '../wire/ipv4.js';
import { emitTcp, type Segment } from '../wire/tcp.js';
import type { Tcp } from './tcp.js';

/** Sends a segment that is not part of a connection's stream: SYNs, resets, cookies. `fill` writes its data, if any. */
export function sendSegment(
  tcp: Tcp,
  packet: Packet,
  route: Route,
  source: Address,
  segment: Segment,
  dataLength: number,
  hops: number,
  trafficClass: number,
  fill?: (headerLength: number) => void,
): void {
  const at = payloadStart(route.destination);
  const header = emitTcp(segment, packet.frame, at);
  fill?.(header);
  const total = header + dataLength;
  const pseudo = pseudoHeaderSum(source, route.destination, PROTOCOL_TCP, total);
  write16(packet.frame, at + 16, ~fold(packet.sum(at, total) + pseudo) & 0xffff);
  tcp.stats.tcpSegmentsOut++;
  tcp.network.output.send(packet, route, source, PROTOCOL_TCP, total, hops, trafficClass, true);
}
