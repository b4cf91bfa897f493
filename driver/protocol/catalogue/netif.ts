/** NETIF: network interfaces and raw layer-2 frames. */
import {
  bool,
  bytes,
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  defineModule,
  event,
  i32,
  int,
  ipv4,
  ipv6,
  list,
  mac,
  optional,
  PRESET,
  RO,
  str,
  time,
  u8,
  u32,
} from '../schema.js';

export const L2MonitorMode = {
  OFF: 0,
  UNICAST: 1,
  BCAST: 2,
  UNI_BCAST: 3,
  MCAST: 4,
  UNI_MCAST: 5,
  B_MCAST: 6,
  UNI_B_MCAST: 7,
} as const;

const netifcConfig = {
  PRESET,
  NAME: cfg(1, str(16), RO),
  ETHER: cfg(2, mac(), RO),
  HOSTNAME: cfg(3, str(16)),
  DHCPC_EN: cfg(10, bool('DISABLED', 'ENABLED')),
  DHCPC_LEASE_START: cfg(11, time(), RO),
  DHCPC_LEASE_ENDS: cfg(12, time(), RO),
  DHCPC_SRV_ADDR: cfg(13, ipv4(), RO),
  L2_ONLY: cfg(20, bool('LAYER3', 'LAYER2')),
  L2_MONITOR_MODE: cfg(21, u32(L2MonitorMode)),
  L2_MONITOR_MAX_LEN: cfg(22, u32()),
  IP_MASK: cfg(40, ipv4('mask')),
  GATEWAY: cfg(41, ipv4()),
  IPV6_GLO_ADDR: cfg(60, ipv6('prefix'), { index: [0, 1] }),
  IPV6_LL_ADDR: cfg(61, ipv6('prefix'), RO),
  IPV6_GATEWAY: cfg(62, ipv6()),
};

export const NETIF = defineModule(9, 'NETIF', {
  commands: {
    NETIFC: configCommand(0x0900, {
      forms: { NETIFC: { INTF: optional(i32(0, 1), -1), ...CONFIG_PARAMS } },
      responses: { LIST_RESPONSE: { INTF: list(int(0, 1)) } },
      config: netifcConfig,
    }),
    NETIFTX: command(0x0901, { forms: { NETIFTX: { INTF: u8(0, 1), DATA: bytes() } } }),
  },
  events: {
    NETIFRX: event(0x0900, { L2_DATA_FRAME: { INTF: int(0, 1), DATA_LENGTH: int(), DATA: bytes() } }),
  },
});
