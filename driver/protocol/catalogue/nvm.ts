/** NVM: raw access to the non-volatile memory. */
import {
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  data,
  defineModule,
  digest,
  event,
  hex,
  int,
  PRESET,
  RO,
  status,
  u8,
  u16,
  u32,
} from '../schema.js';

export const CheckMode = { CRC16: 2, SHA: 10, SHA256: 11, SHA224: 12, SHA512: 13, SHA384: 14 } as const;

const nvmcConfig = {
  PRESET,
  START_OFFSET: cfg(1, u32(), RO),
  NUM_SECTORS: cfg(2, u32(), RO),
  SECTOR_SZ: cfg(3, u32(), RO),
  CHECK_MODE: cfg(4, u32(CheckMode)),
};

export const NVM = defineModule(29, 'NVM', {
  commands: {
    NVMC: configCommand(0x1d00, { forms: { NVMC: CONFIG_PARAMS }, config: nvmcConfig }),
    NVMER: command(0x1d01, { forms: { NVMER: { SECTOR_OFFSET: u8(0, 239), SECTORS: u8(1, 240) } } }),
    NVMWR: command(0x1d02, {
      forms: { NVMWR: { OFFSET: u32(0, 983039), LENGTH: u16(1, 1024), DATA: data({ min: 1, max: 1024 }) } },
    }),
    NVMCHK: command(0x1d03, { forms: { NVMCHK: { OFFSET: u32(0, 983039), LENGTH: u32(1, 983040) } } }),
    NVMRD: command(0x1d04, {
      forms: { NVMRD: { OFFSET: u32(0, 983039), LENGTH: u16(1, 1024) } },
      responses: {
        READ_RESPONSE: {
          OFFSET: hex(8, int(0, 983039)),
          LENGTH: int(1, 1024),
          DATA: data({ min: 1, max: 1024 }),
        },
      },
    }),
  },
  events: {
    NVMER: event(0x1d00, { NVM_ERASE_SUCCESS: {} }),
    NVMCHK: event(0x1d01, {
      HASH_RESPONSE: {
        OFFSET: hex(8, int(0, 983039)),
        LENGTH: int(1, 983040),
        CHECK_MODE: int(CheckMode),
        HASH: digest(),
      },
    }),
    NVMERR: event(0x1d02, { NVM_ERROR: { ERROR_CODE: status() } }),
  },
});
