/** NETIF: the network interfaces. API reference, module NETIF. */
import type { Board } from '../board.js';
import { ConfigTable } from '../config-table.js';
import type { Service } from '../service.js';

/** Interface 0 belongs to the station, 1 to the soft access point. */
const SOFT_AP = 1;

export function netif(board: Board): Service {
  const { network } = board;
  const softAp: ConfigTable<'NETIFC'> = new ConfigTable('NETIFC', {
    live: { NAME: () => 'WLAN1', ETHER: () => network.mac },
  });
  return {
    config: {
      NETIFC: {
        table: (index) => (index === SOFT_AP ? softAp : network.config),
        instances: () => [0, SOFT_AP],
      },
    },
  };
}
