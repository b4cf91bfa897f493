/** A link and a slave in one process, on virtual time. */
import { SdioLink, type SdioLinkOptions } from '../../../../driver/link/sdio/link.js';
import { MemorySpi, type SpiDevice } from '../../../../driver/transport/spi-memory.js';
import { SdioSlave, type SlaveOptions } from '../../../../simulator/frontend/sdio/slave.js';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';

/** The slave alone, as a device; it boots `bootMs` after its reset is released. */
export class BareModule implements SpiDevice {
  readonly slave: SdioSlave;
  onInterrupt: ((asserted: boolean) => void) | undefined;
  onMessage: (bytes: Uint8Array) => void = () => {};
  readonly #clock: VirtualClock;
  readonly #bootMs: number;
  #miso = new Uint8Array(65536);

  constructor(clock: VirtualClock, options: SlaveOptions, bootMs: number) {
    this.#clock = clock;
    this.#bootMs = bootMs;
    this.slave = new SdioSlave(
      {
        message: (bytes) => this.onMessage(bytes),
        interrupt: (asserted) => this.onInterrupt?.(asserted),
      },
      options,
    );
  }

  get interruptAsserted(): boolean {
    return this.slave.interruptAsserted;
  }

  transfer(mosi: Uint8Array): Uint8Array {
    const miso = this.#miso.subarray(0, mosi.length);
    this.slave.transfer(mosi, miso);
    return miso;
  }

  setReset(asserted: boolean): void {
    if (asserted) this.slave.sleep();
    else this.#clock.setTimer(() => this.slave.wake(), this.#bootMs);
  }

  /** As if the firmware had crashed and started again. */
  restart(): void {
    this.slave.sleep();
    this.setReset(false);
  }
}

export interface LinkBench {
  readonly clock: VirtualClock;
  readonly module: BareModule;
  readonly bus: MemorySpi;
  readonly link: SdioLink;
  readonly received: Uint8Array[];
  readonly recoveries: boolean[];
  closed: { readonly error?: Error } | undefined;
  onReceived: (bytes: Uint8Array) => void;
  /** Starts the link. */
  start(): Promise<unknown>;
  /** Lets time pass until `promise` settles. */
  settle<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
}

export function linkBench(
  slave: SlaveOptions = {},
  link: Partial<SdioLinkOptions> = {},
  bootMs = 50,
): LinkBench {
  const clock = new VirtualClock();
  const module = new BareModule(clock, slave, bootMs);
  const bus = new MemorySpi(module);
  const bench: LinkBench = {
    clock,
    module,
    bus,
    link: new SdioLink(bus, { clock, ...link }),
    received: [],
    recoveries: [],
    closed: undefined,
    onReceived: () => {},
    start() {
      const handler = {
        message(bytes: Uint8Array) {
          const copy = bytes.slice();
          bench.received.push(copy);
          bench.onReceived(copy);
        },
        recovered: (restarted: boolean) => bench.recoveries.push(restarted),
        closed(error?: Error) {
          bench.closed = error === undefined ? {} : { error };
        },
      };
      return bench.settle(bench.link.start(handler));
    },
    settle: (promise, limitMs) => settle(clock, promise, limitMs),
  };
  return bench;
}

/** Moves virtual time on, timer by timer, whenever nothing else is left to do. */
export async function settle<T>(clock: VirtualClock, promise: Promise<T>, limitMs = 120_000): Promise<T> {
  let settled = false;
  const mark = () => {
    settled = true;
  };
  promise.then(mark, mark);
  const end = clock.now() + limitMs;
  while (!settled) {
    // A bus in memory gives way to the event loop now and then: that is work, not waiting.
    for (let turn = 0; turn < 3 && !settled; turn++)
      await new Promise<void>((resolve) => setImmediate(resolve));
    if (settled) break;
    const next = clock.next;
    if (next !== undefined) clock.advance(next - clock.now());
    if (clock.now() > end) throw new Error(`still waiting after ${limitMs} ms of virtual time`);
  }
  return promise;
}

/** A whole message with `length` bytes of a pattern. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (seed * 31 + at * 7 + (at >> 8)) & 0xff;
  return bytes;
}
