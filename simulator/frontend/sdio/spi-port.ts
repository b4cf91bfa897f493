import { WincError } from '../../../driver/protocol/errors.js';
import type { SpiDevice } from '../spi-bridge.js';

/** A host's end of a module's SPI bus, in the shape of the driver's SPI transport. */
export interface SpiPort {
  readonly kind: 'spi';
  readonly url: string;
  readonly interruptAsserted: boolean;
  transfer(mosi: Uint8Array): Promise<Uint8Array>;
  setReset(asserted: boolean): Promise<void>;
  start(handler: { interrupt(asserted: boolean): void; closed(error?: Error): void }): void;
  close(): Promise<void>;
}

/** Transfers after which the event loop gets its turn: a busy bus must not starve sockets and timers. */
const TRANSFERS_PER_TURN = 128;

/** @param onClose what else ends with the port, such as the simulator behind it */
export function spiPort(
  device: SpiDevice,
  url: string,
  onClose: () => Promise<void> = async () => {},
): SpiPort {
  let handler: Parameters<SpiPort['start']>[0] | undefined;
  let transfers = 0;
  let closed = false;
  const assertOpen = () => {
    if (closed) throw new WincError('WINC_PORT_CLOSED', `${url}: closed.`);
  };
  return {
    kind: 'spi',
    url,
    get interruptAsserted() {
      return device.interruptAsserted;
    },
    async transfer(mosi) {
      if (++transfers % TRANSFERS_PER_TURN === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      assertOpen();
      return device.transfer(mosi);
    },
    async setReset(asserted) {
      assertOpen();
      device.setReset(asserted);
    },
    start(given) {
      handler = given;
      device.onInterrupt = (asserted) => given.interrupt(asserted);
    },
    async close() {
      if (closed) return;
      closed = true;
      device.onInterrupt = undefined;
      await onClose();
      handler?.closed();
    },
  };
}
