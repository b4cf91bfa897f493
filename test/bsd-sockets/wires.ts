import { memoryPair } from '../../driver/transport/memory.js';
import { MemorySpi } from '../../driver/transport/spi-memory.js';
import type { Transport } from '../../driver/transport/transport.js';
import type { Simulator } from '../../simulator/index.js';

/** The emulated module's UART as one end of a cable that can be pulled. */
export function uartTransport(simulator: Simulator): ReturnType<typeof memoryPair>[0] {
  const [near, far] = memoryPair('memory:uart');
  const uart = simulator.uart();
  uart.onData = (bytes) => void far.write(bytes).catch(() => {});
  far.start({ data: (bytes) => uart.toModule(bytes), closed: () => {} });
  return near;
}

/** How to open the module of a simulator, by the wire it speaks. */
export const wires: Record<string, { profile: 'rnwf02' | 'wincs02'; open(simulator: Simulator): Transport }> =
  {
    AT: { profile: 'rnwf02', open: uartTransport },
    TLV: { profile: 'wincs02', open: (simulator) => new MemorySpi(simulator.modules[0].spi) },
  };
