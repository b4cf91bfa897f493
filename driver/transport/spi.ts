/**
 * `spi:/dev/spidev0.0?reset=GPIO17&int=GPIO27`: a module on a Linux SPI bus, with its reset (MCLR) and interrupt
 * (INTOUT) lines on GPIO. Further options: `clock` (Hz, default 10000000), `mode` (0), `bits` (8), `windows`
 * (`merged`, `vendor`), `crc` (`on`, `off`), `backend` (`koffi`, `spi-device`).
 */
import { WincError } from '../protocol/errors.js';
import { findLine, GpioChip, type GpioLine, type GpioPlace } from './gpio-chip.js';
import { openSpiDevicePackage } from './spi-device-package.js';
import { type LinuxCalls, loadLinuxCalls } from './spi-linux.js';
import { type SpiBus, type SpiBusOptions, SpidevBus } from './spi-spidev.js';
import type { SpiTransport, TransportOptions } from './transport.js';
import { parseTransportUrl } from './url.js';

export interface SpiUrl {
  readonly path: string;
  readonly bus: SpiBusOptions;
  readonly reset: string;
  readonly interrupt: string;
  readonly backend: 'koffi' | 'spi-device';
}

const CONSUMER = 'wincs02';
const known = ['reset', 'int', 'clock', 'mode', 'bits', 'windows', 'crc', 'backend'];

/** @throws WincError `WINC_URL` */
export function parseSpiUrl(url: string): SpiUrl {
  const { address, query } = parseTransportUrl(url);
  const bad = (why: string) => new WincError('WINC_URL', `${url}: ${why}`);
  if (!/^\/dev\/spidev\d+\.\d+$/.test(address)) throw bad('expected spi:/dev/spidevB.C.');
  for (const name of query.keys())
    if (!known.includes(name)) throw bad(`unknown option "${name}" (known: ${known.join(', ')}).`);
  const integer = (name: string, otherwise: number, least: number, most: number) => {
    const text = query.get(name) ?? String(otherwise);
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw bad(`"${name}" must be a whole number from ${least} to ${most}.`);
    return value;
  };
  const line = (name: string) => {
    const value = query.get(name);
    if (value === null || !/^[\w.:/-]{1,64}$/.test(value)) {
      throw bad(`"${name}" must name a GPIO line, such as ${name}=GPIO17 or ${name}=gpiochip0:17.`);
    }
    return value;
  };
  const backend = query.get('backend') ?? 'koffi';
  if (backend !== 'koffi' && backend !== 'spi-device') throw bad('"backend" must be koffi or spi-device.');
  return {
    path: address,
    bus: {
      clock: integer('clock', 10_000_000, 10_000, 50_000_000),
      mode: integer('mode', 0, 0, 3),
      bits: integer('bits', 8, 8, 8),
    },
    reset: line('reset'),
    interrupt: line('int'),
    backend,
  };
}

/** @throws WincError `WINC_URL`, `WINC_PORT_MISSING`, `WINC_PORT_PERMISSION`, `WINC_PORT_LOCKED`, `WINC_PORT_FAILED` */
export async function openSpi(
  url: string,
  _options: TransportOptions,
  calls?: LinuxCalls,
  chips?: readonly string[],
): Promise<SpiTransport> {
  const { path, bus: options, reset, interrupt, backend } = parseSpiUrl(url);
  const linux = calls ?? (await loadLinuxCalls());
  const bus =
    backend === 'koffi' ? new SpidevBus(path, options, linux) : await openSpiDevicePackage(path, options);
  const lines: GpioLine[] = [];
  try {
    // High from the start: opening must not reset a module that works.
    lines.push(
      openLine(findLine(reset, linux, chips), linux, (chip, offset) => chip.output(offset, true, CONSUMER)),
    );
    lines.push(
      openLine(findLine(interrupt, linux, chips), linux, (chip, offset) => chip.input(offset, CONSUMER)),
    );
    return new LinuxSpi(url, bus, lines[0], lines[1]);
  } catch (error) {
    for (const line of lines) line.close();
    bus.close();
    throw error;
  }
}

function openLine(
  place: GpioPlace,
  calls: LinuxCalls,
  request: (chip: GpioChip, offset: number) => GpioLine,
): GpioLine {
  const chip = new GpioChip(place.chip, calls);
  try {
    return request(chip, place.offset);
  } finally {
    chip.close();
  }
}

class LinuxSpi implements SpiTransport {
  readonly kind = 'spi';
  readonly url: string;
  readonly #bus: SpiBus;
  readonly #reset: GpioLine;
  readonly #interrupt: GpioLine;
  #handler: Parameters<SpiTransport['start']>[0] | undefined;
  #closed = false;

  constructor(url: string, bus: SpiBus, reset: GpioLine, interrupt: GpioLine) {
    this.url = url;
    this.#bus = bus;
    this.#reset = reset;
    this.#interrupt = interrupt;
  }

  get interruptAsserted(): boolean {
    return !this.#closed && !this.#interrupt.read();
  }

  start(handler: Parameters<SpiTransport['start']>[0]): void {
    this.#handler = handler;
    this.#interrupt.watch((high) => handler.interrupt(!high));
  }

  async transfer(mosi: Uint8Array): Promise<Uint8Array> {
    this.#assertOpen();
    const [miso] = await this.#bus.transfer([mosi]);
    return miso;
  }

  transferAll(windows: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    this.#assertOpen();
    return this.#bus.transfer(windows);
  }

  async setReset(asserted: boolean): Promise<void> {
    this.#assertOpen();
    this.#reset.write(!asserted);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#interrupt.close();
    this.#reset.close();
    this.#bus.close();
    this.#handler?.closed();
  }

  #assertOpen(): void {
    if (this.#closed) throw new WincError('WINC_PORT_CLOSED', `${this.url}: closed.`);
  }
}
