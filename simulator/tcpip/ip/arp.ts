import { type Address, anyV4, isUnspecified, sameAddress } from '../core/address.js';
import type { Engine } from '../core/engine.js';
import { ETHERNET_HEADER, Packet } from '../core/packet.js';
import { ARP_LENGTH, ARP_REPLY, ARP_REQUEST, emitArp, parseArp } from '../wire/arp.js';
import { broadcastMac, ETHERTYPE_ARP, emitEthernet, sameMac } from '../wire/ethernet.js';
import type { Interface } from './interface.js';
import type { Neighbor, NeighborCache } from './neighbors.js';
import type { FrameSink } from './output.js';

const nobody = new Uint8Array(6);

/** ARP (RFC 826) with conflict detection (RFC 5227): asks, answers, and listens to what others say. */
export class ArpProtocol {
  readonly #engine: Engine;
  readonly #iface: Interface;
  readonly #neighbors: NeighborCache;
  readonly #sink: FrameSink;
  readonly #packet = new Packet(ETHERNET_HEADER + ARP_LENGTH);
  /** Somebody else uses, or is probing for, `address`. */
  onConflict: ((address: Address) => void) | undefined;

  constructor(engine: Engine, iface: Interface, neighbors: NeighborCache, sink: FrameSink) {
    this.#engine = engine;
    this.#iface = iface;
    this.#neighbors = neighbors;
    this.#sink = sink;
  }

  input(packet: Packet): void {
    const arp = parseArp(packet.frame, ETHERNET_HEADER, packet.length - ETHERNET_HEADER);
    if (arp === undefined || (arp.senderMac[0] & 1) !== 0) {
      this.#engine.stats.malformedPackets++;
      return;
    }
    const ours = this.#iface.find(arp.target) !== undefined;
    if (sameMac(arp.senderMac, 0, this.#iface.mac)) return;
    this.#checkConflict(arp.sender, arp.target);
    const ownSender = this.#iface.find(arp.sender) !== undefined;
    if (!isUnspecified(arp.sender) && !ownSender && arp.sender.d !== -1) {
      // RFC 826: update what we know; add only who talks to us.
      const answer = arp.operation === ARP_REPLY;
      if (ours || this.#neighbors.find(arp.sender) !== undefined) {
        this.#neighbors.learn(arp.sender, arp.senderMac, 0, answer && ours, true);
      }
    }
    if (arp.operation === ARP_REQUEST && ours) this.#send(ARP_REPLY, arp.target, arp.senderMac, arp.sender);
  }

  #checkConflict(sender: Address, target: Address): void {
    const claimed = this.#iface.find(sender);
    const probed = isUnspecified(sender) && this.#probing !== undefined && sameAddress(target, this.#probing);
    const answered = this.#probing !== undefined && sameAddress(sender, this.#probing);
    if (claimed === undefined && !probed && !answered) return;
    this.#engine.stats.addressConflicts++;
    this.onConflict?.(claimed?.address ?? (this.#probing as Address));
  }

  #probing: Address | undefined;

  solicit(neighbor: Neighbor): void {
    const source = this.#iface.sourceFor(neighbor.address) ?? anyV4;
    const to = neighbor.state === 'probe' ? neighbor.mac : broadcastMac;
    this.#send(ARP_REQUEST, source, to, neighbor.address);
  }

  /** Tells everybody that we have `address` (RFC 5227 2.3). */
  announce(address: Address): void {
    this.#send(ARP_REQUEST, address, broadcastMac, address);
  }

  /** Asks whether somebody has `address`, without claiming it (RFC 5227 2.1.1). Listens until `stopProbing`. */
  probe(address: Address): void {
    this.#probing = address;
    this.#send(ARP_REQUEST, anyV4, broadcastMac, address);
  }

  stopProbing(): void {
    this.#probing = undefined;
  }

  #send(operation: number, sender: Address, to: Uint8Array, target: Address): void {
    const { frame } = this.#packet;
    emitEthernet(frame, to, this.#iface.mac, ETHERTYPE_ARP);
    const targetMac = operation === ARP_REPLY ? to : nobody;
    emitArp({ operation, senderMac: this.#iface.mac, sender, targetMac, target }, frame, ETHERNET_HEADER);
    this.#sink.transmit(frame, ETHERNET_HEADER + ARP_LENGTH);
  }
}
