import { Address, allNodes, allRouters, isUnspecified, sameAddress, v4Address } from '../core/address.js';
import { AddressMap } from '../core/address-map.js';
import { fold } from '../core/checksum.js';
import { ETHERNET_HEADER, Packet } from '../core/packet.js';
import { Timer } from '../core/timer-wheel.js';
import { write16 } from '../wire/bytes.js';
import { multicastMac } from '../wire/ethernet.js';
import * as wire from '../wire/group-membership.js';
import { IPV4_HEADER, PROTOCOL_IGMP, writeIpv4 } from '../wire/ipv4.js';
import { IPV6_HEADER, NEXT_HOP_BY_HOP, NEXT_ICMPV6, writeIpv6 } from '../wire/ipv6.js';
import type { Network } from './network.js';
import { Route } from './output.js';

/** RFC 3376 8.1, RFC 3810 9.1. */
const ROBUSTNESS = 2;
const UNSOLICITED_INTERVAL_MS = 1_000;
/** How long an older querier decides our version (RFC 3376 7.2.1: robustness × query interval + response interval). */
const OLDER_VERSION_MS = 260_000;
const GROUP_LIMIT = 256;

const allHosts = v4Address(0xe0000001);
const allRoutersV4 = v4Address(0xe0000002);
const igmpV3Routers = v4Address(0xe0000016);
const mldV2Routers = new Address(0xff020000, 0, 0, 0x16);

class Group {
  readonly address: Address;
  users = 0;
  /** State changes still to be repeated. */
  reportsLeft = 0;
  readonly timer: Timer<Group>;

  constructor(address: Address, fire: (group: Group) => void) {
    this.address = address;
    this.timer = new Timer<Group>(this, fire);
  }
}

/** Which groups we are in, and telling routers: IGMPv3 and MLDv2, older versions where an older querier speaks them. */
export class Multicast {
  readonly #network: Network;
  readonly #groups = new AddressMap<Group>(GROUP_LIMIT);
  #olderV4: 1 | 2 | 3 = 3;
  #olderV4Until = 0;
  #olderV6Until = 0;
  readonly #fire = (group: Group): void => this.#timeout(group);

  constructor(network: Network) {
    this.#network = network;
  }

  isMember(group: Address): boolean {
    if (sameAddress(group, allHosts) || sameAddress(group, allNodes)) return true;
    if (!group.isV4 && group.a >>> 16 === 0xff01) return true;
    return (this.#groups.get(group)?.users ?? 0) > 0;
  }

  join(address: Address): void {
    let group = this.#groups.get(address);
    if (group === undefined) {
      group = new Group(address.clone(), this.#fire);
      this.#groups.set(group.address, group);
    }
    if (group.users++ === 0) this.#change(group);
  }

  leave(address: Address): void {
    const group = this.#groups.get(address);
    if (group === undefined || group.users === 0 || --group.users > 0) return;
    this.#change(group);
  }

  /** Reports every membership again: the link came up, or an address to report from did. */
  announce(): void {
    for (const group of [...this.#groups.values()]) if (group.users > 0) this.#change(group);
  }

  inputIgmp(packet: Packet): void {
    const { frame, payloadAt, payloadLength } = packet;
    const { stats } = this.#network.engine;
    if (payloadLength < 8 || fold(packet.sum(payloadAt, payloadLength)) !== 0xffff) {
      stats.malformedPackets++;
      return;
    }
    const type = frame[payloadAt];
    if (type === wire.IGMP_V2_REPORT || type === wire.IGMP_V1_REPORT) {
      // RFC 2236 3: somebody else reported, so we need not.
      const group = new Address();
      group.readV4(frame, payloadAt + 4);
      if (this.#v4Version() < 3) this.#groups.get(group)?.timer.disarm();
      return;
    }
    const query = wire.parseIgmpQuery(frame, payloadAt, payloadLength);
    if (query === undefined) return;
    if (query.version < 3) {
      this.#olderV4 = query.version;
      this.#olderV4Until = this.#network.engine.now + OLDER_VERSION_MS;
    }
    this.#answer(query, true);
  }

  /** False: not ours, but neighbour discovery's. */
  inputMld(packet: Packet, type: number): boolean {
    if (
      type !== wire.MLD_QUERY &&
      type !== wire.MLD_REPORT &&
      type !== wire.MLD_DONE &&
      type !== wire.MLD_V2_REPORT
    ) {
      return false;
    }
    const query = wire.parseMldQuery(packet.frame, packet.payloadAt, packet.payloadLength);
    // RFC 3810 6.2: only from the link, with hop limit 1.
    if (query === undefined || packet.hops !== 1) return true;
    if (query.version === 2) this.#olderV6Until = this.#network.engine.now + OLDER_VERSION_MS;
    this.#answer(query, false);
    return true;
  }

  #answer(query: wire.GroupQuery, v4: boolean): void {
    const { engine } = this.#network;
    for (const group of this.#groups.values()) {
      if (group.address.isV4 !== v4 || group.users === 0) continue;
      if (!isUnspecified(query.group) && !sameAddress(query.group, group.address)) continue;
      const delay = engine.random() * query.maxResponseMs;
      const due = engine.wheel.now() + delay;
      if (!group.timer.armed || group.timer.due > due) engine.wheel.armAt(group.timer, due);
    }
  }

  #v4Version(): 1 | 2 | 3 {
    return this.#network.engine.now < this.#olderV4Until ? this.#olderV4 : 3;
  }

  #v6Older(): boolean {
    return this.#network.engine.now < this.#olderV6Until;
  }

  /** Membership began or ended: say so now, and again. */
  #change(group: Group): void {
    group.reportsLeft = ROBUSTNESS;
    this.#timeout(group);
  }

  #timeout(group: Group): void {
    const changing = group.reportsLeft > 0;
    if (changing) group.reportsLeft--;
    this.#report(group, changing);
    const { engine } = this.#network;
    if (group.reportsLeft > 0) engine.wheel.arm(group.timer, engine.random() * UNSOLICITED_INTERVAL_MS);
    else if (group.users === 0) this.#groups.delete(group.address);
  }

  #report(group: Group, changing: boolean): void {
    if (group.address.isV4) this.#reportV4(group, changing);
    else this.#reportV6(group, changing);
  }

  #record(group: Group, changing: boolean): number {
    if (group.users === 0) return wire.CHANGE_TO_INCLUDE;
    return changing ? wire.CHANGE_TO_EXCLUDE : wire.MODE_IS_EXCLUDE;
  }

  #reportV4(group: Group, changing: boolean): void {
    const packet = new Packet(ETHERNET_HEADER + 64);
    // The router alert option makes routers look (RFC 2113).
    const header = IPV4_HEADER + 4;
    const at = ETHERNET_HEADER + header;
    packet.frame.set([0x94, 0x04, 0, 0], ETHERNET_HEADER + IPV4_HEADER);
    let length: number;
    let to = group.address;
    const version = this.#v4Version();
    if (version === 3) {
      to = igmpV3Routers;
      length = wire.emitIgmpV3(this.#record(group, changing), group.address, packet.frame, at);
    } else if (group.users > 0) {
      const type = version === 1 ? wire.IGMP_V1_REPORT : wire.IGMP_V2_REPORT;
      length = wire.emitIgmpV2(type, group.address, packet.frame, at);
    } else {
      if (version === 1) return;
      to = allRoutersV4;
      length = wire.emitIgmpV2(wire.IGMP_V2_LEAVE, group.address, packet.frame, at);
    }
    write16(packet.frame, at + 2, ~fold(packet.sum(at, length)) & 0xffff);
    const source = this.#network.iface.sourceFor(to) ?? v4Address(0);
    writeIpv4(
      packet.frame,
      ETHERNET_HEADER,
      header,
      header + length,
      0xc0,
      0,
      0x4000,
      1,
      PROTOCOL_IGMP,
      source,
      to,
    );
    this.#send(packet, source, to, header + length);
  }

  #reportV6(group: Group, changing: boolean): void {
    const packet = new Packet(ETHERNET_HEADER + 96);
    const { frame } = packet;
    const hopByHop = ETHERNET_HEADER + IPV6_HEADER;
    frame.set([NEXT_ICMPV6, 0, 5, 2, 0, 0, 1, 0], hopByHop);
    const at = hopByHop + 8;
    let length: number;
    let to = group.address;
    if (!this.#v6Older()) {
      to = mldV2Routers;
      length = wire.emitMldV2(this.#record(group, changing), group.address, frame, at);
    } else if (group.users > 0) {
      length = wire.emitMldV1(wire.MLD_REPORT, group.address, frame, at);
    } else {
      to = allRouters;
      length = wire.emitMldV1(wire.MLD_DONE, group.address, frame, at);
    }
    // RFC 3810 5.2.13: from the link-local address, or the unspecified one while there is none.
    const own = this.#network.iface.sourceFor(allNodes);
    const source = own ?? new Address();
    packet.source.set(source);
    packet.destination.set(to);
    const sum = packet.pseudoSum(NEXT_ICMPV6, length) + packet.sum(at, length);
    write16(frame, at + 2, ~fold(sum) & 0xffff);
    writeIpv6(frame, ETHERNET_HEADER, 0, 0, 8 + length, NEXT_HOP_BY_HOP, 1, source, to);
    this.#send(packet, source, to, IPV6_HEADER + 8 + length);
  }

  #send(packet: Packet, source: Address, to: Address, length: number): void {
    const { iface, output } = this.#network;
    const route = new Route(to, source, undefined, multicastMac(to), iface.generation);
    output.transmit(packet, route, ETHERNET_HEADER + length);
  }
}
