/** WSCN: Wi-Fi scan. */
import {
  bool,
  bytes,
  CONFIG_PARAMS,
  cfg,
  command,
  complex,
  configCommand,
  defineModule,
  event,
  hex,
  i32,
  int,
  mac,
  PRESET,
  str,
  u8,
  u32,
} from '../schema.js';

export const SecFilter = { PERS: 1, ENT: 2, OPEN: 4, NA: 8, WPA: 16, WPA2: 32, WPA3: 64 } as const;
export const ChannelMask24 = {
  CH1: 1,
  CH2: 2,
  CH3: 4,
  CH4: 8,
  CH5: 16,
  CH6: 32,
  CH7: 64,
  CH8: 128,
  CH9: 256,
  CH10: 512,
  CH11: 1024,
  CH12: 2048,
  CH13: 4096,
  CH14: 8192,
} as const;
export const SecType = {
  NA: -1,
  OPEN: 0,
  WPA2_PER_MM: 2,
  WPA2_PER: 3,
  WPA3_PER_TM: 4,
  WPA3_PER: 5,
  WPA2_ENT_MM: 6,
  WPA2_ENT: 7,
  WPA3_ENT_TM: 8,
  WPA3_ENT: 9,
} as const;
export const ScanMode = { PASSIVE: 0, ACTIVE: 1 } as const;

const wscncConfig = {
  PRESET,
  CHANNEL: cfg(1, u32(1, 13)),
  ACT_SLOT_TIME: cfg(2, u32(0, 65535)),
  PASV_SLOT_TIME: cfg(3, u32(0, 65535)),
  NUM_SLOTS: cfg(4, u32(0, 255)),
  PROBES_PER_SLOT: cfg(5, u32(0, 255)),
  RSSI_THRESH: cfg(6, i32(-128, 127)),
  SEC_FILTER: cfg(7, hex(2, u32(SecFilter, { bitmask: true }))),
  ASYNC_NOTIFY: cfg(8, bool('NO_AECS', 'USE_AECS')),
  FILT_LIST: cfg(10, bytes(), { index: [0, 3] }),
  CHANMASK24: cfg(11, hex(4, u32(ChannelMask24, { bitmask: true }))),
  SCAN_RESULTS: cfg(
    20,
    complex('SCAN_INDICATOR', {
      RSSI: int(),
      SEC_TYPE: int(SecType),
      CHANNEL: int(),
      BSSID: mac(),
      SSID: str(),
    }),
    { readOnly: true, index: [0, 7] },
  ),
};

export const WSCN = defineModule(19, 'WSCN', {
  commands: {
    WSCNC: configCommand(0x1300, { forms: { WSCNC: CONFIG_PARAMS }, config: wscncConfig }),
    WSCN: command(0x1301, { forms: { WSCN: { ACT_PASV: u8(ScanMode) } } }),
  },
  events: {
    WSCNIND: event(0x1300, {
      SCAN_INDICATOR: { RSSI: int(), SEC_TYPE: int(SecType), CHANNEL: int(), BSSID: mac(), SSID: str() },
    }),
    WSCNDONE: event(0x1301, { SCAN_COMPLETE: { NUM_RESULTS: int() } }),
  },
});
