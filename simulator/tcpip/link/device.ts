import type { Link } from '../contract.js';

/** A device in the path: passes both directions through until a subclass does more. Stackable to any depth. */
export class Device implements Link {
  receive: (frame: Uint8Array, length: number) => void = () => {};
  protected readonly below: Link;

  constructor(below: Link) {
    this.below = below;
    below.receive = (frame, length) => this.inbound(frame, length);
  }

  get mtu(): number {
    return this.below.mtu;
  }

  transmit(frame: Uint8Array, length: number): boolean {
    return this.below.transmit(frame, length);
  }

  poll(): void {
    this.below.poll?.();
  }

  protected inbound(frame: Uint8Array, length: number): void {
    this.receive(frame, length);
  }
}
