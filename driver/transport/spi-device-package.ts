/** The npm package spi-device, where it is installed: SPI transfers by a compiled binding instead of ioctls. */
import { WincError } from '../protocol/errors.js';
import type { SpiBus, SpiBusOptions } from './spi-spidev.js';

interface PackageTransfer {
  sendBuffer: Buffer;
  receiveBuffer: Buffer;
  byteLength: number;
  speedHz: number;
  chipSelectChange: boolean;
}
interface PackageDevice {
  transfer(message: PackageTransfer[], done: (error: Error | null) => void): void;
  closeSync(): void;
}
/** What is used of the package. */
export interface SpiDevicePackage {
  openSync(bus: number, device: number, options: object): PackageDevice;
}

/** @throws WincError `WINC_PORT_FAILED` if the package is missing, `WINC_PORT_MISSING` if the bus is */
export async function openSpiDevicePackage(
  path: string,
  options: SpiBusOptions,
  load: () => Promise<SpiDevicePackage> = loadPackage,
): Promise<SpiBus> {
  const [, bus, device] = /^\/dev\/spidev(\d+)\.(\d+)$/.exec(path) ?? [];
  const spi = await load();
  let opened: PackageDevice;
  try {
    opened = spi.openSync(Number(bus), Number(device), {
      mode: options.mode,
      bitsPerWord: options.bits,
      maxSpeedHz: options.clock,
    });
  } catch (cause) {
    throw new WincError('WINC_PORT_MISSING', `${path}: ${(cause as Error).message}`, { cause });
  }
  return {
    transfer(windows) {
      const message = windows.map((window, at) => ({
        sendBuffer: Buffer.from(window),
        receiveBuffer: Buffer.alloc(window.length),
        byteLength: window.length,
        speedHz: options.clock,
        chipSelectChange: at + 1 < windows.length,
      }));
      return new Promise((resolve, reject) =>
        opened.transfer(message, (cause) => {
          if (cause === null || cause === undefined)
            resolve(message.map(({ receiveBuffer }) => receiveBuffer));
          else reject(new WincError('WINC_PORT_FAILED', `${path}: ${cause.message}`, { cause }));
        }),
      );
    },
    close: () => opened.closeSync(),
  };
}

async function loadPackage(): Promise<SpiDevicePackage> {
  // Named indirectly: it is no dependency, and the compiler must not look for it.
  const name = 'spi-device';
  try {
    const module = (await import(name)) as { default?: SpiDevicePackage } & SpiDevicePackage;
    return module.default ?? module;
  } catch (cause) {
    throw new WincError(
      'WINC_PORT_FAILED',
      'backend=spi-device needs the package spi-device (npm install spi-device).',
      { cause },
    );
  }
}
