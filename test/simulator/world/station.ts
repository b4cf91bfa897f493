/** A station for tests: a stack of the engine behind an association, and promises over its callbacks. */
import { systemClock } from '../../../simulator/tcpip/clock.js';
import type { Endpoint, Link, Stack, TcpConnection, TcpFailure } from '../../../simulator/tcpip/contract.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import { createStack } from '../../../simulator/tcpip/stack.js';
import type { World } from '../../../simulator/world/world.js';

export const stationMac = '02:00:00:00:00:01';

/** Joins the world's first access point, which must be open, with the first address of the pool. */
export async function joinStation(world: World, mac = stationMac): Promise<Stack> {
  const [accessPoint] = world.air.accessPoints;
  const link = await new Promise<Link>((resolve, reject) =>
    world
      .radio(mac)
      .join(
        { bssid: accessPoint.bssid, ssid: accessPoint.ssid, credentials: { kind: 'open' } },
        { joined: (association) => resolve(association.link), failed: reject },
      ),
  );
  const stack = createStack({ link, clock: systemClock, random: seededRandom(7), mac });
  stack.addAddress('10.0.2.15', 24);
  stack.setGateway('10.0.2.2');
  return stack;
}

/** Gives up the address for one by DHCP. */
export function lease(stack: Stack): Promise<void> {
  stack.removeAddress('10.0.2.15');
  return new Promise((resolve) => {
    stack.onAddressChange = () => {
      if (stack.addresses.some(({ origin }) => origin === 'dhcp')) resolve();
    };
    stack.startDhcp();
  });
}

/** A TCP connection of a station, with everything it hears collected. */
export class TestConnection {
  readonly connection: TcpConnection;
  readonly received: Buffer[] = [];
  receivedLength = 0;
  failure: TcpFailure | undefined;
  /** Set to stop reading. */
  paused = false;
  #unsent: Uint8Array = new Uint8Array(0);
  #shutdownAfter = false;
  #wake: (() => void)[] = [];
  #connected = false;
  #ended = false;

  constructor(stack: Stack, remote: Endpoint) {
    this.connection = stack.tcpConnect(remote, {
      connected: () => {
        this.#connected = true;
        this.#push();
        this.#changed();
      },
      readable: () => this.read(),
      writable: () => this.#push(),
      closed: (failure) => {
        this.failure = failure;
        this.read();
      },
    });
  }

  /** All of it, however long it takes; then FIN if asked. */
  send(data: Uint8Array | string, end = false): void {
    this.#unsent = Buffer.concat([this.#unsent, Buffer.from(data as Uint8Array)]);
    this.#shutdownAfter ||= end;
    this.#push();
  }

  read(): void {
    const chunk = Buffer.alloc(16384);
    while (!this.paused) {
      const count = this.connection.read(chunk);
      if (count === 0) break;
      this.received.push(Buffer.from(chunk.subarray(0, count)));
      this.receivedLength += count;
    }
    this.#ended = this.connection.ended;
    this.#changed();
  }

  /** Bytes the engine has not taken yet. */
  get unsent(): number {
    return this.#unsent.length;
  }

  get text(): string {
    return Buffer.concat(this.received).toString('latin1');
  }

  connected(): Promise<void> {
    return this.#until(() => this.#connected || this.failure !== undefined);
  }

  ended(): Promise<void> {
    return this.#until(() => this.#ended || this.failure !== undefined);
  }

  async closed(): Promise<TcpFailure> {
    await this.#until(() => this.failure !== undefined);
    return this.failure!;
  }

  length(bytes: number): Promise<void> {
    return this.#until(() => this.receivedLength >= bytes || this.failure !== undefined);
  }

  #push(): void {
    if (!this.#connected) return;
    this.#unsent = this.#unsent.subarray(this.connection.write(this.#unsent));
    if (this.#unsent.length === 0 && this.#shutdownAfter) {
      this.#shutdownAfter = false;
      this.connection.shutdown();
    }
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
}
