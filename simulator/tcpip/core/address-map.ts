import { type Address, hashAddress, sameAddress } from './address.js';

interface Node<T> {
  readonly address: Address;
  value: T;
  next: Node<T> | undefined;
}

/**
 * A bounded table by address. At its limit the oldest entry makes room: what fills it is chosen by peers, so it must
 * not grow with them.
 */
export class AddressMap<T> {
  readonly #limit: number;
  readonly #buckets: (Node<T> | undefined)[] = new Array(64).fill(undefined);
  /** Insertion order. */
  readonly #order = new Set<Node<T>>();
  /** Told what was pushed out. */
  readonly #evicted: ((value: T) => void) | undefined;

  constructor(limit: number, evicted?: (value: T) => void) {
    this.#limit = limit;
    this.#evicted = evicted;
  }

  get size(): number {
    return this.#order.size;
  }

  get(address: Address): T | undefined {
    let node = this.#buckets[hashAddress(address) & 63];
    while (node !== undefined && !sameAddress(node.address, address)) node = node.next;
    return node?.value;
  }

  /** Keeps a copy of `address`. */
  set(address: Address, value: T): void {
    const bucket = hashAddress(address) & 63;
    let node = this.#buckets[bucket];
    while (node !== undefined && !sameAddress(node.address, address)) node = node.next;
    if (node !== undefined) {
      node.value = value;
      return;
    }
    if (this.#order.size >= this.#limit) {
      for (const oldest of this.#order) {
        this.delete(oldest.address);
        this.#evicted?.(oldest.value);
        break;
      }
    }
    const added: Node<T> = { address: address.clone(), value, next: this.#buckets[bucket] };
    this.#buckets[bucket] = added;
    this.#order.add(added);
  }

  delete(address: Address): boolean {
    const bucket = hashAddress(address) & 63;
    let before: Node<T> | undefined;
    let node = this.#buckets[bucket];
    while (node !== undefined && !sameAddress(node.address, address)) {
      before = node;
      node = node.next;
    }
    if (node === undefined) return false;
    if (before === undefined) this.#buckets[bucket] = node.next;
    else before.next = node.next;
    this.#order.delete(node);
    return true;
  }

  clear(): void {
    this.#buckets.fill(undefined);
    this.#order.clear();
  }

  *values(): IterableIterator<T> {
    for (const node of this.#order) yield node.value;
  }
}
