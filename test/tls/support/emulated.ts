/** An emulated module on the network, over either wire, with its clock set. */
import { readFileSync } from 'node:fs';
import { WincModule } from '../../../driver/index.js';
import { TimeFormat } from '../../../driver/protocol/catalogue/time.js';
import { memoryPair } from '../../../driver/transport/memory.js';
import { MemorySpi } from '../../../driver/transport/spi-memory.js';
import { createSimulator, type Simulator, type SimulatorOptions } from '../../../simulator/index.js';

export const wires = ['AT', 'TLV'] as const;
export type WireName = (typeof wires)[number];
/** The host, seen from the module. */
export const HOST = '10.0.2.2';

/** A file of firmware-fixtures/tls; see make.sh there. */
export const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../../firmware-fixtures/tls/${name}`, import.meta.url));

function uart(simulator: Simulator) {
  const [near, far] = memoryPair('memory:uart');
  const line = simulator.uart();
  line.onData = (bytes) => void far.write(bytes).catch(() => {});
  far.start({ data: (bytes) => line.toModule(bytes), closed: () => {} });
  return near;
}

export interface Emulated extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly module: WincModule;
  /** Milliseconds since 1970. */
  setClock(now: number): Promise<void>;
}

export async function emulated(wire: WireName, options: SimulatorOptions = {}): Promise<Emulated> {
  const simulator = await createSimulator({ ...options, profile: wire === 'AT' ? 'rnwf02' : 'wincs02' });
  const module = await WincModule.open(
    wire === 'AT' ? uart(simulator) : new MemorySpi(simulator.modules[0].spi),
  );
  await module.wifi.join({ ssid: 'wincs02' });
  return {
    simulator,
    module,
    async setClock(now) {
      await module.call('TIME', { format: TimeFormat.UTC_UNIX, utcSec: Math.floor(now / 1000) });
    },
    async [Symbol.asyncDispose]() {
      await module.close();
      await simulator.close();
    },
  };
}
