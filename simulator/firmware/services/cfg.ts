/** CFG: the module's general configuration. API reference, module CFG. */
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import { ConfigTable } from '../config-table.js';
import { build } from '../profile.js';
import type { Service } from '../service.js';

const UART1 = 1;

export function cfg(board: Board): Service {
  const table: ConfigTable<'CFG'> = new ConfigTable('CFG', {
    defaults: { DEVICE_NAME: board.profile.model, CMD_TIMEOUT: 5000 },
    live: {
      VERSION: () => build.version,
      PATCH: () => build.patch,
      SECURITY: () => build.security,
      BUILD_HASH: () => build.hash.slice(0, 5),
      BUILD_TIME: () => build.time,
      CMD_PORT: () => UART1,
      CMD_BAUD: () => board.flash.baud,
    },
    refuse: (param, value) => (param === 'CMD_BAUD' && value === 0 ? 'INVALID_PARAMETER' : undefined),
    changed: (param) => {
      if (param === 'CMD_BAUD') board.setBaud(table.stored('CMD_BAUD') as number);
    },
  });
  return { config: { CFG: single(table) } };
}
