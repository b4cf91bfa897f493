/** A station's way to its network's switch: gone while out of reach, and as bad as the radio conditions make it. */
import type { Clock, Link, Random } from '../tcpip/contract.js';
import { ImpairedLink } from '../tcpip/link/impair.js';
import type { Impairment } from '../tcpip/link/impair-spec.js';
import type { SwitchPort } from '../tcpip/link/switch.js';

export class StationLink implements Link {
  /** Frames pass only while it is true. */
  reachable = true;
  receive: (frame: Uint8Array, length: number) => void = () => {};

  readonly #port: SwitchPort;
  readonly #clock: Clock;
  readonly #random: Random;
  #impaired: ImpairedLink | undefined;
  #closed = false;

  constructor(port: SwitchPort, clock: Clock, random: Random, impairment?: Impairment) {
    this.#port = port;
    this.#clock = clock;
    this.#random = random;
    this.impair(impairment);
  }

  get mtu(): number {
    return this.#port.mtu;
  }

  /** From now, in both directions; `undefined`: a clean link. What is on its way is lost. */
  impair(impairment: Impairment | undefined): void {
    this.#impaired?.close();
    this.#impaired = undefined;
    if (impairment !== undefined) {
      this.#impaired = new ImpairedLink(this.#port, {
        clock: this.#clock,
        random: this.#random,
        outbound: impairment,
        inbound: impairment,
      });
    }
    (this.#impaired ?? this.#port).receive = (frame, length) => {
      if (this.reachable && !this.#closed) this.receive(frame, length);
    };
  }

  transmit(frame: Uint8Array, length: number): boolean {
    if (!this.reachable || this.#closed) return true;
    return (this.#impaired ?? this.#port).transmit(frame, length);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#impaired?.close();
    this.#port.close();
  }
}
