/** A world with its modules in this process. */
import { join } from 'node:path';
import { WincError } from '../driver/protocol/errors.js';
import { fileDirectory } from './file-directory.js';
import { FileStore } from './firmware/files.js';
import { erasedFlash } from './firmware/flash.js';
import { SdioFrontend } from './frontend/sdio/index.js';
import type { SpiDevice } from './frontend/spi-bridge.js';
import { MemoryUart } from './memory-uart.js';
import { type LogEntry, MessageLog, type MessagePattern } from './message-log.js';
import { EmulatedModule } from './module.js';
import type { ProfileName, UartPlace } from './options.js';
import { openPty } from './pty/pty.js';
import type { UartLine } from './uart-line.js';
import { openUartServer } from './uart-server.js';
import type { Forward, ForwardOptions } from './world/nat/forwards.js';
import { World, type WorldOptions } from './world/world.js';

export interface ModuleOptions {
  /** Default `rnwf02`. */
  readonly profile?: ProfileName;
  /** Default `02:57:49:4E:00:01` and up. */
  readonly mac?: string;
  /** From power-up to banner, ms; by default at once, with `realistic` as the real one. */
  readonly bootMs?: number;
  /** Bytes on its UART take the time they take on a wire: at 230,400 baud, until AT+IPR says otherwise. */
  readonly paced?: boolean;
  /** Keep its files in this directory of the host, and start with what is in it. */
  readonly fs?: string;
}

export interface SimulatorOptions extends WorldOptions, ModuleOptions {
  /** How many modules, or each with what sets it apart; default one. */
  readonly modules?: number | readonly ModuleOptions[];
  /** Ports of the host's loopback that lead to the first module. */
  readonly forwards?: readonly ForwardOptions[];
  /** Every message either way, a line of JSON each, secrets left out. */
  readonly trace?: (line: string) => void;
  /** Told of a defect of an emulated module, which answered with a general error; without it the error is thrown. */
  readonly onFault?: (error: unknown) => void;
}

const MODULE_LIMIT = 65_536;
const BOOT_CHECK_MS = 5;

/**
 * Modules powered up in a world of their own.
 * @throws WincError `WINC_ARGUMENT`; `WINC_PORT_…` when a forwarded port cannot be had
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = new Simulator(options);
  try {
    for (const forward of options.forwards ?? []) await simulator.forward(forward);
  } catch (error) {
    await simulator.close();
    throw error;
  }
  return simulator;
}

export class Simulator {
  readonly world: World;
  readonly modules: readonly SimulatedModule[];
  readonly #log: MessageLog;

  /** Prefer {@link createSimulator}, which opens the forwarded ports too. */
  constructor(options: SimulatorOptions) {
    const modules = moduleList(options);
    this.world = new World(options);
    this.#log = new MessageLog(this.world.clock, options.trace === undefined ? {} : { sink: options.trace });
    const { fs } = options;
    this.modules = modules.map((own, index) => {
      // One directory for all would mix them up.
      const shared = fs !== undefined && modules.length > 1 && { fs: join(fs, String(index)) };
      return new SimulatedModule({ ...options, ...shared, ...own }, index, this.world, this.#log);
    });
    for (const { device } of this.modules) device.powerUp();
  }

  /** The messages so far, oldest first; bounded. */
  get trace(): readonly LogEntry[] {
    return this.#log.entries;
  }

  /** @see MessageLog.expect */
  expect(pattern: MessagePattern, timeoutMs?: number): Promise<LogEntry> {
    return this.#log.expect(pattern, timeoutMs);
  }

  /** A host's end of a module's UART, in memory. */
  uart(module = 0): MemoryUart {
    const line = new MemoryUart();
    this.modules[module].attach(line);
    return line;
  }

  /** A port of the host's loopback that leads to a module, wherever its lease has put it. */
  forward(options: ForwardOptions, module = 0): Promise<Forward> {
    return this.world.router.forward(options, () => this.modules[module].address);
  }

  /** Once every module listens to its host. */
  async booted(): Promise<void> {
    const { clock } = this.world;
    while (!this.modules.every(({ device }) => device.firmware.running))
      await new Promise<void>((resolve) => clock.setTimer(resolve, BOOT_CHECK_MS));
  }

  async close(): Promise<void> {
    this.#log.close();
    await Promise.all(this.modules.map((module) => module.close()));
    this.world.close();
  }
}

function moduleList({ modules = 1 }: SimulatorOptions): readonly ModuleOptions[] {
  const count = typeof modules === 'number' ? modules : modules.length;
  if (!Number.isInteger(count) || count < 1 || count > MODULE_LIMIT)
    throw new WincError('WINC_ARGUMENT', `a simulator has 1 to ${MODULE_LIMIT} modules`);
  return typeof modules === 'number' ? Array.from({ length: modules }, () => ({})) : modules;
}

/** One emulated module and the lines that lead to its UART. */
export class SimulatedModule {
  readonly device: EmulatedModule;
  readonly mac: string;
  readonly #world: World;
  readonly #spi = new SdioFrontend();
  readonly #lines = new Set<UartLine>();

  constructor(options: SimulatorOptions, index: number, world: World, log: MessageLog) {
    this.#world = world;
    this.mac = options.mac ?? defaultMac(index);
    this.device = new EmulatedModule({
      clock: world.clock,
      random: world.derivedRandom(),
      radio: world.radio(this.mac),
      mac: this.mac,
      profile: options.profile ?? 'rnwf02',
      realistic: options.realistic ?? false,
      pacedUart: options.paced ?? false,
      ...(options.fs === undefined ? {} : { flash: erasedFlash(new FileStore(fileDirectory(options.fs))) }),
      ...(options.bootMs === undefined ? {} : { bootMs: options.bootMs }),
      ...(options.onFault === undefined ? {} : { onFault: options.onFault }),
      observe: (message) => log.record(index, message),
    });
    this.device.attach(this.#spi);
    this.device.uart.onData = (bytes) => {
      for (const line of this.#lines) line.write(bytes);
    };
    this.device.uart.waiting = () => Math.max(0, ...[...this.#lines].map(({ waiting }) => waiting));
  }

  /** Its SPI bus, for `serveSpiBridge` or a host in this process. */
  get spi(): SpiDevice {
    return this.#spi;
  }

  /** Its lease, or the first address of the pool while it has none. */
  get address(): string {
    const { router } = this.#world;
    return router.leaseOf(this.mac) ?? router.firstLease;
  }

  /** One more line to the UART: what the module says goes to all, what comes from any goes to the module. */
  attach(line: UartLine): void {
    this.#lines.add(line);
    line.receive = (bytes) => this.device.uart.write(bytes);
  }

  /** @throws WincError when the place cannot be had; see `openPty` and `openUartServer` */
  async openUart(place: UartPlace): Promise<UartLine> {
    const line =
      place.kind === 'pty'
        ? await openPty(place.link === undefined ? {} : { link: place.link })
        : await openUartServer({
            port: place.port,
            ...(place.host === undefined ? {} : { host: place.host }),
          });
    this.attach(line);
    return line;
  }

  async close(): Promise<void> {
    this.device.powerDown();
    await Promise.all([...this.#lines].map((line) => line.close()));
    this.#lines.clear();
  }
}

function defaultMac(index: number): string {
  const hex = (value: number) => (value & 255).toString(16).padStart(2, '0').toUpperCase();
  return `02:57:49:4E:${hex((index + 1) >> 8)}:${hex(index + 1)}`;
}
