/**
 * `wincs02`: the driver, with the embedded simulator as one more transport (`sim:`). The simulator is loaded when a
 * `sim:` URL is first opened, so that a program on real hardware never pays for it.
 */
import { registerTransport } from './driver/index.js';
import { MemorySpi } from './driver/transport/spi-memory.js';
import type { Simulator } from './simulator/index.js';

/** The SPI bus of a module in a world of its own, which ends with it. */
class SimulatedBus extends MemorySpi {
  readonly #simulator: Simulator;

  constructor(simulator: Simulator, url: string) {
    super(simulator.modules[0].spi, url);
    this.#simulator = simulator;
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#simulator.close();
  }
}

// An RNWF02 is heard on its UART, a WINCS02 on its SPI bus.
registerTransport('sim', async (url, { clock }) => {
  const { createSimulator, parseSimUrl, SimTransport } = await import('./simulator/index.js');
  const options = parseSimUrl(url);
  const simulator = await createSimulator({ ...options, clock });
  const shown = 'sim:';
  return options.profile === 'wincs02'
    ? new SimulatedBus(simulator, shown)
    : new SimTransport(shown, simulator);
});

export * from './driver/index.js';
