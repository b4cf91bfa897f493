/** DHCP: the DHCP server of the soft access point. */
import {
  bool,
  CONFIG_PARAMS,
  cfg,
  configCommand,
  defineModule,
  i32,
  ipv4,
  optional,
  PRESET,
  RO,
} from '../schema.js';

const dhcpscConfig = {
  PRESET,
  ENABLED: cfg(1, bool('DISABLED', 'ENABLED')),
  POOL_START: cfg(2, ipv4()),
  POOL_END: cfg(3, ipv4(), RO),
  POOL_LEASES: cfg(4, i32(0, 65535), RO),
  NETIF_IDX: cfg(5, i32(0, 1)),
  GATEWAY: cfg(10, ipv4()),
};

export const DHCP = defineModule(4, 'DHCP', {
  commands: {
    DHCPSC: configCommand(0x0400, {
      forms: { DHCPSC: { IDX: optional(i32(0, 0), -1), ...CONFIG_PARAMS } },
      config: dhcpscConfig,
    }),
  },
});
