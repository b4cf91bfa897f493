/** DI: the chip and the firmware images in its flash. API reference, module DI. */
import { single } from '../config-command.js';
import { ConfigTable } from '../config-table.js';
import { build } from '../profile.js';
import type { Service } from '../service.js';

/** As in the reference's example. */
const DEVICE_ID = 0x29c7_0053;

/** As a module with 3.2.0 beside 3.1.0 answered: sequence number, version, address, state (2 runs, 3 would run next). */
const { version, patch, security } = build;
const running = [
  0xffff_ffb0,
  (security << 24) | (version.int << 16) | (version.frac << 8) | patch,
  0x600f_0000,
  2,
];
const latent = [0xffff_ffc0, 0x0103_0100, 0x6000_0000, 3];

export function di(): Service {
  const images = [running, latent];
  const table = new ConfigTable('DI', {
    live: { DEVICE_ID: () => DEVICE_ID, NUM_IMAGES: () => images.length, IMAGE_INFO: () => images },
  });
  return { config: { DI: single(table) } };
}
