import type { Address } from '../core/address.js';
import { AddressMap } from '../core/address-map.js';
import type { Engine } from '../core/engine.js';
import type { FramePool, HeldFrame } from '../core/frame-pool.js';
import { Timer } from '../core/timer-wheel.js';
import { copyMac, sameMac } from '../wire/ethernet.js';

/** RFC 4861 7.3.2; ARP entries live by the same rules. */
export type NeighborState = 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe' | 'permanent' | 'failed';

const REACHABLE_MS = 30_000;
const DELAY_FIRST_PROBE_MS = 5_000;
const RETRANSMIT_MS = 1_000;
const MAX_SOLICITS = 3;
/** Packets kept per neighbour while its address is asked for; the oldest gives way. */
const QUEUE_LIMIT = 16;
const TABLE_LIMIT = 1024;

export class Neighbor {
  readonly address: Address;
  readonly mac = new Uint8Array(6);
  state: NeighborState = 'incomplete';
  isRouter = false;
  /** `reachable` holds until then, in engine milliseconds. */
  reachableUntil = 0;
  probes = 0;
  readonly waiting: HeldFrame[] = [];
  readonly timer: Timer<Neighbor>;

  constructor(address: Address, fire: (neighbor: Neighbor) => void) {
    this.address = address;
    this.timer = new Timer<Neighbor>(this, fire);
  }
}

/** What the cache needs done for it. */
export interface NeighborEffects {
  /** Asks for the address: by multicast or broadcast, or to the known MAC when probing. */
  solicit(neighbor: Neighbor): void;
  /** Sends a held frame whose destination MAC is known now. */
  send(frame: HeldFrame): void;
  /** A packet could not be delivered: nobody answered. */
  unreachable(frame: HeldFrame): void;
  /** Routes through this neighbour no longer hold. */
  forgotten(neighbor: Neighbor): void;
}

/** Addresses of the link's neighbours, by ARP and by neighbour discovery alike, with unreachability detection. */
export class NeighborCache {
  readonly #engine: Engine;
  readonly #pool: FramePool;
  readonly #effects: NeighborEffects;
  readonly #table: AddressMap<Neighbor>;
  readonly #fire = (neighbor: Neighbor): void => this.#timeout(neighbor);

  constructor(engine: Engine, pool: FramePool, effects: NeighborEffects) {
    this.#engine = engine;
    this.#pool = pool;
    this.#effects = effects;
    this.#table = new AddressMap(TABLE_LIMIT, (neighbor) => this.#drop(neighbor));
  }

  get size(): number {
    return this.#table.size;
  }

  entries(): IterableIterator<Neighbor> {
    return this.#table.values();
  }

  find(address: Address): Neighbor | undefined {
    return this.#table.get(address);
  }

  /** The entry for `address`, made if there is none. Nothing is sent yet. */
  obtain(address: Address): Neighbor {
    let neighbor = this.#table.get(address);
    if (neighbor === undefined) {
      neighbor = new Neighbor(address.clone(), this.#fire);
      this.#table.set(neighbor.address, neighbor);
    }
    return neighbor;
  }

  /** True: send to `neighbor.mac` now. False: the frame has been kept or dropped. */
  resolve(neighbor: Neighbor, frame: Uint8Array, length: number): boolean {
    switch (neighbor.state) {
      case 'reachable':
        if (this.#engine.now < neighbor.reachableUntil) return true;
        this.#delay(neighbor);
        return true;
      case 'stale':
        this.#delay(neighbor);
        return true;
      case 'permanent':
      case 'delay':
      case 'probe':
        return true;
      default:
        this.#wait(neighbor, frame, length);
        return false;
    }
  }

  /** A packet from above proves the path works (RFC 4861 7.3.1). */
  confirm(neighbor: Neighbor): void {
    if (neighbor.state === 'permanent' || neighbor.state === 'incomplete' || neighbor.state === 'failed')
      return;
    neighbor.state = 'reachable';
    neighbor.reachableUntil = this.#engine.now + REACHABLE_MS;
    neighbor.timer.disarm();
  }

  /**
   * Something said where `address` is. `solicited`: it answers our question, so it is reachable; otherwise it is only
   * believed until proven. `override` false: a known different MAC is kept (RFC 4861 7.2.5).
   */
  learn(address: Address, mac: Uint8Array, macAt: number, solicited: boolean, override: boolean): Neighbor {
    const neighbor = this.obtain(address);
    if (neighbor.state === 'permanent') return neighbor;
    const known = neighbor.state !== 'incomplete' && neighbor.state !== 'failed';
    const same = known && sameMac(mac, macAt, neighbor.mac);
    if (known && !same && !override) {
      if (neighbor.state === 'reachable') neighbor.state = 'stale';
      return neighbor;
    }
    if (!same) copyMac(mac, macAt, neighbor.mac, 0);
    if (solicited) {
      neighbor.state = 'reachable';
      neighbor.reachableUntil = this.#engine.now + REACHABLE_MS;
      neighbor.timer.disarm();
    } else if (!same) {
      neighbor.state = 'stale';
      neighbor.timer.disarm();
    }
    this.#release(neighbor);
    return neighbor;
  }

  setPermanent(address: Address, mac: Uint8Array): void {
    const neighbor = this.obtain(address);
    neighbor.mac.set(mac);
    neighbor.state = 'permanent';
    neighbor.timer.disarm();
    this.#release(neighbor);
  }

  remove(address: Address): void {
    const neighbor = this.#table.get(address);
    if (neighbor === undefined) return;
    this.#table.delete(address);
    this.#drop(neighbor);
  }

  /** Forgets everybody, and what waits for them without a word: the link is down. */
  clear(): void {
    for (const neighbor of [...this.#table.values()]) {
      for (const held of neighbor.waiting.splice(0)) this.#pool.release(held);
      this.remove(neighbor.address);
    }
  }

  #wait(neighbor: Neighbor, frame: Uint8Array, length: number): void {
    if (neighbor.waiting.length >= QUEUE_LIMIT) {
      this.#engine.stats.neighborQueueDrops++;
      this.#pool.release(neighbor.waiting.shift() as HeldFrame);
    }
    const held = this.#pool.hold(frame, length);
    if (held === undefined) this.#engine.stats.neighborQueueDrops++;
    else neighbor.waiting.push(held);
    if (neighbor.timer.armed) return;
    neighbor.state = 'incomplete';
    neighbor.probes = 1;
    this.#engine.wheel.arm(neighbor.timer, RETRANSMIT_MS);
    this.#effects.solicit(neighbor);
  }

  #release(neighbor: Neighbor): void {
    for (const held of neighbor.waiting.splice(0)) {
      copyMac(neighbor.mac, 0, held.bytes, 0);
      this.#effects.send(held);
      this.#pool.release(held);
    }
  }

  #delay(neighbor: Neighbor): void {
    neighbor.state = 'delay';
    this.#engine.wheel.arm(neighbor.timer, DELAY_FIRST_PROBE_MS);
  }

  #timeout(neighbor: Neighbor): void {
    switch (neighbor.state) {
      case 'delay':
        neighbor.state = 'probe';
        neighbor.probes = 0;
        break;
      case 'incomplete':
      case 'probe':
        break;
      default:
        return;
    }
    if (neighbor.probes >= MAX_SOLICITS) {
      this.#engine.stats.neighborsUnresolved++;
      this.#table.delete(neighbor.address);
      this.#drop(neighbor);
      return;
    }
    neighbor.probes++;
    this.#engine.wheel.arm(neighbor.timer, RETRANSMIT_MS);
    this.#effects.solicit(neighbor);
  }

  #drop(neighbor: Neighbor): void {
    neighbor.state = 'failed';
    neighbor.timer.disarm();
    this.#effects.forgotten(neighbor);
    for (const held of neighbor.waiting.splice(0)) {
      this.#effects.unreachable(held);
      this.#pool.release(held);
    }
  }
}
