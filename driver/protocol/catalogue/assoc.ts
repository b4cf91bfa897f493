/** ASSOC: current Wi-Fi associations. */
import { command, defineModule, event, int, mac, optional, u16, variant } from '../schema.js';

export const AssociationRole = { AP: 0, STA: 1 } as const;

export const ASSOC = defineModule(22, 'ASSOC', {
  commands: { ASSOC: command(0x1600, { forms: { ASSOC: { ASSOC_ID: optional(u16(1), 0) } }, queries: 1 }) },
  events: {
    ASSOC: event(0x1600, {
      WIFI_ASSOCIATION_REPORT: {
        ASSOC_ID: int(1, 65535),
        AP_STA: variant(AssociationRole),
        BSSID: mac(),
        RSSI: int(),
      },
    }),
  },
});
