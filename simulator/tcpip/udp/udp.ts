import type { Endpoint, Stack, UdpHandler, UdpSocket } from '../contract.js';
import { type Address, isMulticast, isUnspecified, sameAddress } from '../core/address.js';
import { fold } from '../core/checksum.js';
import { type EndpointText, optionalAddress, requireAddress, requirePort } from '../core/endpoints.js';
import type { Packet } from '../core/packet.js';
import { randomPort } from '../core/ports.js';
import { StackError } from '../errors.js';
import type { Quote } from '../ip/icmp.js';
import type { Network, Transport } from '../ip/network.js';
import { payloadStart } from '../ip/output.js';
import { read16, write16 } from '../wire/bytes.js';
import { PROTOCOL_UDP } from '../wire/ipv4.js';
import { emitUdp, parseUdp, UDP_HEADER } from '../wire/udp.js';

const MAX_IPV4_DATA = 65_535 - 20 - UDP_HEADER;
const MAX_IPV6_DATA = 65_535 - UDP_HEADER;
const DEFAULT_HOPS = 64;
const MULTICAST_HOPS = 1;
const GROUPS_PER_SOCKET = 32;

class Socket implements UdpSocket {
  readonly #udp: Udp;
  /** `undefined`: all. */
  readonly address: Address | undefined;
  readonly port: number;
  readonly handler: UdpHandler;
  readonly broadcast: boolean;
  readonly groups: Address[] = [];
  trafficClass = 0;
  closed = false;

  constructor(udp: Udp, address: Address | undefined, port: number, handler: UdpHandler, broadcast: boolean) {
    this.#udp = udp;
    this.address = address;
    this.port = port;
    this.handler = handler;
    this.broadcast = broadcast;
  }

  get local(): Endpoint {
    return { address: this.address?.toString() ?? '0.0.0.0', port: this.port };
  }

  send(data: Uint8Array, to: Endpoint): void {
    if (this.closed) throw new StackError('EINVAL', 'the socket is closed');
    this.#udp.send(this, data, requireAddress(to.address), requirePort(to.port, 1));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#udp.remove(this);
  }

  join(group: string): void {
    const address = requireGroup(group);
    if (this.groups.some((known) => sameAddress(known, address))) return;
    if (this.groups.length >= GROUPS_PER_SOCKET) throw new StackError('ENOBUFS', 'too many groups');
    this.groups.push(address);
    this.#udp.network.multicast.join(address);
  }

  leave(group: string): void {
    const address = requireGroup(group);
    const index = this.groups.findIndex((known) => sameAddress(known, address));
    if (index < 0) throw new StackError('EADDRNOTAVAIL', `not a member of ${group}`);
    this.groups.splice(index, 1);
    this.#udp.network.multicast.leave(address);
  }

  setTrafficClass(value: number): void {
    this.trafficClass = value & 0xff;
  }

  /** Bound to no address of its own. */
  get general(): boolean {
    return this.address === undefined || isUnspecified(this.address);
  }

  takes(packet: Packet, group: boolean): boolean {
    const { address } = this;
    if (group) return this.groups.some((known) => sameAddress(known, packet.destination));
    if (address === undefined) return true;
    if (isUnspecified(address)) return !address.isV4 || packet.destination.isV4;
    return sameAddress(address, packet.destination);
  }
}

function requireGroup(text: string): Address {
  const address = requireAddress(text);
  if (!isMulticast(address)) throw new StackError('EINVAL', `${text} is not a multicast address`);
  return address;
}

/** UDP (RFC 768, RFC 1122 4.1). */
export class Udp implements Transport {
  readonly network: Network;
  readonly #text: EndpointText;
  readonly #sockets = new Map<number, Socket[]>();
  forwarder: Stack['udpForwarder'];

  constructor(network: Network, text: EndpointText) {
    this.network = network;
    this.#text = text;
  }

  get takesForeign(): boolean {
    return this.forwarder !== undefined;
  }

  bind(local: Partial<Endpoint>, handler: UdpHandler, broadcast: boolean): UdpSocket {
    const address = optionalAddress(local.address);
    if (address !== undefined && !isUnspecified(address) && !this.#mayBind(address)) {
      throw new StackError('EADDRNOTAVAIL', `${local.address} is not an address of this host`);
    }
    const wanted = requirePort(local.port ?? 0);
    const port =
      wanted || randomPort(this.network.engine.random, (candidate) => !this.#sockets.has(candidate));
    if (port === undefined) throw new StackError('EADDRINUSE', 'all ephemeral ports are in use');
    const others = this.#sockets.get(port) ?? [];
    if (others.some((other) => overlap(other.address, address))) {
      throw new StackError('EADDRINUSE', `UDP port ${port} is in use`);
    }
    const socket = new Socket(this, address, port, handler, broadcast);
    others.push(socket);
    this.#sockets.set(port, others);
    return socket;
  }

  #mayBind(address: Address): boolean {
    return isMulticast(address) || this.network.iface.owns(address) || this.takesForeign;
  }

  remove(socket: Socket): void {
    const sockets = this.#sockets.get(socket.port) ?? [];
    sockets.splice(sockets.indexOf(socket), 1);
    if (sockets.length === 0) this.#sockets.delete(socket.port);
    for (const group of socket.groups.splice(0)) this.network.multicast.leave(group);
  }

  closeAll(): void {
    for (const sockets of [...this.#sockets.values()]) for (const socket of [...sockets]) socket.close();
  }

  send(socket: Socket, data: Uint8Array, to: Address, port: number): void {
    const { iface } = this.network;
    if (!socket.broadcast && iface.isBroadcast(to)) {
      throw new StackError('EACCES', 'broadcast is not enabled on this socket');
    }
    const source = socket.general || isMulticast(socket.address as Address) ? undefined : socket.address;
    if (source !== undefined && source.isV4 !== to.isV4) {
      throw new StackError('ENETUNREACH', `no way from ${source} to ${to}`);
    }
    this.#transmit(source, socket.port, to, port, data, socket.trafficClass);
  }

  #transmit(
    source: Address | undefined,
    sourcePort: number,
    to: Address,
    port: number,
    data: Uint8Array,
    trafficClass: number,
  ): void {
    const { output, engine } = this.network;
    if (data.length > (to.isV4 ? MAX_IPV4_DATA : MAX_IPV6_DATA)) {
      throw new StackError('EMSGSIZE', `${data.length} bytes are more than a datagram holds`);
    }
    const route = output.route(to);
    if (route === undefined) throw new StackError('ENETUNREACH', `no route to ${to}`);
    if (!engine.busy) engine.refreshTime();
    const from = source ?? route.source;
    const length = UDP_HEADER + data.length;
    const packet = output.packetFor(length);
    const at = payloadStart(to);
    packet.frame.set(data, at + UDP_HEADER);
    emitUdp({ sourcePort, destinationPort: port, length: data.length, checksum: 0 }, packet.frame, at);
    packet.source.set(from);
    packet.destination.set(to);
    const checksum = ~fold(packet.sum(at, length) + packet.pseudoSum(PROTOCOL_UDP, length)) & 0xffff;
    write16(packet.frame, at + 6, checksum === 0 ? 0xffff : checksum);
    engine.stats.udpOut++;
    const hops = isMulticast(to) ? MULTICAST_HOPS : DEFAULT_HOPS;
    output.send(packet, route, from, PROTOCOL_UDP, length, hops, trafficClass, false);
  }

  input(packet: Packet, foreign: boolean): void {
    const { engine, icmp } = this.network;
    const { stats } = engine;
    const at = packet.payloadAt;
    const header = parseUdp(packet.frame, at, packet.payloadLength);
    if (header === undefined || header.destinationPort === 0) {
      stats.malformedUdp++;
      return;
    }
    const length = UDP_HEADER + header.length;
    // RFC 8200 8.1: no checksum is no option in IPv6.
    const unchecked = header.checksum === 0 && packet.source.isV4;
    const sum = unchecked ? 0xffff : fold(packet.sum(at, length) + packet.pseudoSum(PROTOCOL_UDP, length));
    if (sum !== 0xffff || (header.checksum === 0 && !unchecked)) {
      stats.badUdpChecksums++;
      return;
    }
    stats.udpIn++;
    const data = packet.frame.subarray(at + UDP_HEADER, at + length);
    const delivered = !foreign && this.#deliver(packet, header.sourcePort, header.destinationPort, data);
    if (delivered || this.#forward(packet, header.sourcePort, header.destinationPort, data)) return;
    stats.udpNoSocket++;
    if (!foreign) icmp.refuse(packet, 'port');
  }

  #deliver(packet: Packet, sourcePort: number, port: number, data: Uint8Array): boolean {
    const sockets = this.#sockets.get(port);
    if (sockets === undefined) return false;
    const group = isMulticast(packet.destination);
    const many = group || packet.linkBroadcast || this.network.iface.isBroadcast(packet.destination);
    const from = this.#text.endpoint(packet.source, sourcePort);
    const to = this.#text.endpoint(packet.destination, port);
    if (many) {
      let delivered = false;
      for (const socket of [...sockets]) {
        if (!(group ? socket.takes(packet, true) : socket.general)) continue;
        delivered = true;
        socket.handler.message(data, from, to);
      }
      return delivered;
    }
    let best: Socket | undefined;
    for (const socket of sockets) {
      if (!socket.takes(packet, false)) continue;
      if (best === undefined || !socket.general) best = socket;
    }
    best?.handler.message(data, from, to);
    return best !== undefined;
  }

  #forward(packet: Packet, sourcePort: number, port: number, data: Uint8Array): boolean {
    const { forwarder } = this;
    if (forwarder === undefined || packet.linkBroadcast || isMulticast(packet.destination)) return false;
    const peer = packet.source.clone();
    const answersFrom = packet.destination.clone();
    const from = this.#text.endpoint(peer, sourcePort);
    const to = this.#text.endpoint(answersFrom, port);
    forwarder(data, from, to, (reply) => this.#transmit(answersFrom, port, peer, sourcePort, reply, 0));
    return true;
  }

  error(quote: Quote): void {
    if (quote.length < 4 || quote.error === 'packet-too-big') return;
    const sockets = this.#sockets.get(read16(quote.bytes, quote.at)) ?? [];
    const to = this.#text.endpoint(quote.destination, read16(quote.bytes, quote.at + 2));
    for (const socket of [...sockets]) {
      if (socket.general || sameAddress(socket.address as Address, quote.source))
        socket.handler.unreachable?.(to);
    }
  }
}

/** Whether two bindings to one port would compete. A specific and a general one do not: the specific wins. */
function overlap(a: Address | undefined, b: Address | undefined): boolean {
  const generalA = a === undefined || isUnspecified(a);
  const generalB = b === undefined || isUnspecified(b);
  if (generalA || generalB) return generalA && generalB;
  return sameAddress(a, b);
}
