/** WIFI: radio: regulatory domain, power save, coexistence. */
import {
  bool,
  CONFIG_PARAMS,
  cfg,
  configCommand,
  defineModule,
  hex,
  PRESET,
  RO,
  str,
  u32,
} from '../schema.js';
import { ChannelMask24 } from './wscn.js';

const wificConfig = {
  PRESET,
  REGDOMAIN_SELECTED: cfg(10, str(6)),
  REGDOMAIN_AVAILABLE: cfg(11, str(6), { readOnly: true, index: [0, 5] }),
  REGDOMAIN_CHANMASK24: cfg(12, hex(4, u32(ChannelMask24, { bitmask: true })), RO),
  POWERSAVE: cfg(20, bool('OFF', 'ON')),
  POWERSAVE_LISTEN_INTERVAL: cfg(21, u32(3, 100)),
  POWERSAVE_INACT_LIMIT: cfg(22, u32(10, 6000)),
  COEX_ENABLED: cfg(30, bool('DISABLED', 'ENABLED')),
  COEX_INTERFACE_TYPE: cfg(31, bool('3WIRE', '2WIRE')),
  COEX_WLAN_RX_VS_BT: cfg(32, bool('WLAN_LOW', 'WLAN_HIGH')),
  COEX_WLAN_TX_VS_BT: cfg(33, bool('WLAN_LOW', 'WLAN_HIGH')),
  COEX_ANTENNA_MODE: cfg(34, bool('DEDICATED', 'SHARED')),
  AMPDU_TX_ENABLED: cfg(40, bool('TX_AMPDU_DISABLED', 'TX_AMPDU_ENABLED')),
};

export const WIFI = defineModule(28, 'WIFI', {
  commands: { WIFIC: configCommand(0x1c00, { forms: { WIFIC: CONFIG_PARAMS }, config: wificConfig }) },
});
