/** DI: the chip and the firmware images in its flash. API reference, module DI. */
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import { ConfigTable } from '../config-table.js';
import { ImageState, type Partition } from '../nvm.js';
import type { Service } from '../service.js';

/** As in the reference's example. */
const DEVICE_ID = 0x29c7_0053;

const describe = ({ sequence, version, address }: Partition, state: number): number[] => [
  sequence,
  version,
  address,
  state,
];

export function di({ flash: { nvm } }: Board): Service {
  function images(): number[][] {
    const list = [describe(nvm.current, ImageState.CURRENT)];
    if (nvm.alternate.holdsImage) list.push(describe(nvm.alternate, nvm.alternateState));
    return list;
  }
  const table = new ConfigTable('DI', {
    live: { DEVICE_ID: () => DEVICE_ID, NUM_IMAGES: () => images().length, IMAGE_INFO: images },
  });
  return { config: { DI: single(table) } };
}
