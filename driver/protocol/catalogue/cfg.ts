/** CFG: device-wide configuration, and copying of configuration. */
import {
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  defineModule,
  frac,
  hex,
  i32,
  int,
  nameOrNumber,
  PRESET,
  RO,
  status,
  str,
  time,
  u32,
  variant,
} from '../schema.js';

const cfgConfig = {
  PRESET,
  DEVICE_NAME: cfg(1, str(32)),
  VERSION: cfg(10, frac(), RO),
  PATCH: cfg(11, i32(), RO),
  SECURITY: cfg(12, i32(), RO),
  BUILD_HASH: cfg(13, str(5), RO),
  BUILD_TIME: cfg(14, time(), RO),
  CMD_PORT: cfg(20, i32({ UART1: 1 }), RO),
  CMD_BAUD: cfg(21, u32()),
  CMD_TIMEOUT: cfg(22, u32()),
  ARCHIVE_FILTER: cfg(50, nameOrNumber(32), { index: [0, 7] }),
  ARCHIVE_SLOTS: cfg(51, time(), { index: [1, 2] }),
  AUTOEXEC_STATUS: cfg(52, status(), RO),
  DEBUG_PORT: cfg(100, u32({ OFF: 0, UART1: 1, UART2: 2 })),
  DEBUG_BAUD: cfg(101, u32()),
};

export const CFG = defineModule(3, 'CFG', {
  commands: {
    CFG: configCommand(0x0300, { forms: { CFG: CONFIG_PARAMS }, config: cfgConfig }),
    CFGCP: command(0x0301, {
      forms: { CFGCP: { CFGSRC: variant(), CFGDST: variant() } },
      responses: { COPY_EVENT: { CMD_ID: hex(4, int()), NUM_ITEMS: int(), ITEM_LEN: int() } },
    }),
  },
});
