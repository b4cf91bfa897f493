/** WAP: soft access point. */
import {
  addressText,
  bool,
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  defineModule,
  event,
  i32,
  int,
  mac,
  optional,
  PRESET,
  status,
  str,
  u32,
} from '../schema.js';

export const SecType = {
  OPEN: 0,
  WPA2_PERS_MIXED: 2,
  WPA2_PERS: 3,
  WPA3_PERS_TRANS: 4,
  WPA3_PERS: 5,
} as const;
export const Switch = { DISABLE: 0, ENABLE: 1 } as const;
export const AccessPointState = { DISABLED: 0, ENABLED: 1 } as const;

const wapcConfig = {
  PRESET,
  SSID: cfg(1, str(32)),
  SEC_TYPE: cfg(2, i32(SecType)),
  CREDENTIALS: cfg(3, str(128)),
  CHANNEL: cfg(4, i32(1, 13)),
  HIDDEN: cfg(5, bool('VISIBLE', 'HIDDEN')),
  NETIF_IDX: cfg(8, u32(0, 1)),
  REKEY_INTERVAL: cfg(9, u32(60, 86400)),
  MFP_TYPE: cfg(50, i32({ DISABLED: 0, ENABLED: 1, REQUIRED: 2 })),
};

export const WAP = defineModule(18, 'WAP', {
  commands: {
    WAPC: configCommand(0x1200, { forms: { WAPC: CONFIG_PARAMS }, config: wapcConfig }),
    WAP: command(0x1201, {
      forms: { WAP: { STATE: optional(i32(Switch), -1) } },
      responses: { QUERY_STATE_DISCONNECTED: { STATE: int(AccessPointState) } },
      queries: 0,
      verb: 'set',
    }),
  },
  events: {
    WAPAIP: event(0x1200, { ASSIGNMENT_OF_STA_IP_ADDRESS: { ASSOC_ID: int(), IP_ADDRESS: addressText() } }),
    WAPSC: event(0x1201, { STATION_CONNECT: { ASSOC_ID: int(), MAC_ADDRESS: mac() } }),
    WAPSD: event(0x1202, { STATION_DISCONNECT: { ASSOC_ID: int(), MAC_ADDRESS: mac() } }),
    WAPERR: event(0x1203, { AP_ERROR: { ERROR_CODE: status() } }),
  },
});
