/** WSTA: Wi-Fi station. */
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
  WPA2_ENT_MIXED: 6,
  WPA2_ENT: 7,
  WPA3_ENT_TRANS: 8,
  WPA3_ENT: 9,
} as const;
export const TunnelMethod = { ANY: 0, NONE: 1, TTLSV0: 2, PEAPV0: 3, PEAPV1: 4 } as const;
export const Switch = { DISABLE: 0, ENABLE: 1 } as const;
export const StationState = { NOT_CONNECTED: 0, CONNECTED: 1 } as const;

const wstacConfig = {
  PRESET,
  SSID: cfg(1, str(32)),
  SEC_TYPE: cfg(2, i32(SecType)),
  CREDENTIALS: cfg(3, str(128)),
  CHANNEL: cfg(4, i32(0, 13), { default: 0 }),
  BSSID: cfg(5, mac()),
  CONN_TIMEOUT: cfg(7, i32(0, 2147483647), { default: 100 }),
  NETIF_IDX: cfg(8, u32(0, 1)),
  ROAMING: cfg(9, i32({ DISABLED: 0, WIFI: 1, LAYER3: 2 }), { default: 2 }),
  ENT_IDENT_PLAIN: cfg(20, str(255)),
  ENT_IDENT_PROT: cfg(21, str(255)),
  ENT_TUNN_METHOD: cfg(25, i32(TunnelMethod), { default: 0 }),
  ENT_TUNN_TLS_CONF: cfg(26, i32(0, 4)),
  ENT_CRED_TYPE: cfg(30, i32({ TLS: 0, MSCHAPV2: 1 })),
  ENT_CRED_TLS_CONF: cfg(31, i32(0, 4)),
  ENT_MSCHV2_UN: cfg(32, str(255)),
  ENT_MSCHV2_PW: cfg(33, str(255)),
  MFP_TYPE: cfg(50, i32({ DISABLED: 0, ENABLED: 1, REQUIRED: 2 }), { default: 1 }),
  WPA3_TD: cfg(51, bool('MODIFIED', 'DISABLED'), { default: 0 }),
};

export const WSTA = defineModule(20, 'WSTA', {
  commands: {
    WSTAC: configCommand(0x1400, { forms: { WSTAC: CONFIG_PARAMS }, config: wstacConfig }),
    WSTA: command(0x1401, {
      forms: { WSTA: { STATE: optional(i32(Switch), -1) } },
      responses: {
        STATE: { ASSOC_ID: int(), STATE: int(StationState) },
        STATE_ONLY: { STATE: int(StationState) },
      },
      queries: 0,
      verb: 'set',
    }),
  },
  events: {
    WSTAAIP: event(0x1400, {
      ASSIGNMENT_OF_IP_ADDRESS_TO_ASSOCIATION: { ASSOC_ID: int(), IP_ADDRESS: addressText() },
    }),
    WSTALD: event(0x1401, { LINK_DOWN: { ASSOC_ID: int() }, LINK_DOWN_BARE: {} }),
    WSTAERR: event(0x1402, { LINK_ERROR: { ERROR_CODE: status() } }),
    WSTALU: event(0x1403, { LINK_UP: { ASSOC_ID: int(), BSSID: mac(), CHANNEL: int() } }),
    WSTAROAM: event(0x1404, { ROAMING_OCCURRED: { ASSOC_ID: int() } }),
  },
});
