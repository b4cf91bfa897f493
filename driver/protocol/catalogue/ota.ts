/** OTA: firmware update over the network. */
import {
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  defineModule,
  event,
  host,
  i32,
  int,
  PRESET,
  RO,
  status,
  str,
  u8,
  u32,
} from '../schema.js';

export const Switch = { ENABLE: 1 } as const;
export const OtaState = { ERASE_DONE: 0, WRITE_DONE: 1, VERIFY_DONE: 2, ACTIVATE_DONE: 3 } as const;

const otacConfig = {
  PRESET,
  PROTOCOL: cfg(1, i32({ HTTP: 1 }), RO),
  HOST: cfg(2, host(255)),
  PORT: cfg(3, u32()),
  PATH: cfg(4, str(1024)),
  FILE: cfg(5, str(1024)),
  TIMEOUT: cfg(6, u32(1, 255)),
  TLS_CONF: cfg(7, i32(0, 4)),
  SOCKET_ID: cfg(10, u32()),
};

export const OTA = defineModule(10, 'OTA', {
  commands: {
    OTAC: configCommand(0x0a00, { forms: { OTAC: CONFIG_PARAMS }, config: otacConfig }),
    OTADL: command(0x0a01, {
      forms: { OTADL: { STATE: u8(Switch) } },
      responses: { OTA_DOWNLOAD_RESPONSE: { OTA_OP_ID: int(1, 255) } },
    }),
    OTAVFY: command(0x0a02, {
      forms: { OTAVFY: {} },
      responses: { OTA_VERIFY_RESPONSE: { OTA_OP_ID: int(1, 255) } },
    }),
    OTAACT: command(0x0a03, {
      forms: { OTAACT: {} },
      responses: { OTA_ACTIVATE_RESPONSE: { OTA_OP_ID: int(1, 255) } },
    }),
    OTAINV: command(0x0a04, {
      forms: { OTAINV: {} },
      responses: { OTA_INVALIDATE_RESPONSE: { OTA_OP_ID: int(1, 255) } },
    }),
  },
  events: {
    OTA: event(0x0a00, { OTA_STATUS: { OTA_OP_ID: int(1, 255), OTA_STATE: status(OtaState) } }),
    OTAERR: event(0x0a01, { OTA_ERROR: { OTA_OP_ID: int(1, 255), ERROR_CODE: status() } }),
  },
});
