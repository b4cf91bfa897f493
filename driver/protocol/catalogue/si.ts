/** SI: system statistics. */
import { command, defineModule, event, int, optional, u8 } from '../schema.js';

export const StatisticsFilter = { WIFI_MEM_ALLOC: 1, WIFI_PKTS: 2, HEAP_ALLOC: 4, STACK_USAGE: 8 } as const;
export const MemoryType = { MEM: 0, CFG: 1, HPTX: 2, HPRX: 3, NRMTX: 4, NRMRX: 5 } as const;

export const SI = defineModule(23, 'SI', {
  commands: {
    SI: command(0x1700, {
      forms: { SI: { FILTER: optional(u8(StatisticsFilter, { bitmask: true }), 0) } },
      responses: { RESPONSE: { UPTIME: int() } },
      queries: 1,
    }),
  },
  events: {
    SIMSTAT: event(0x1700, {
      WIFI_MEMORY_STATISTIC: {
        TYPE: int(MemoryType),
        ALLOC: int(),
        FREE: int(),
        ALLOC_SZ: int(),
        FREE_SZ: int(),
      },
    }),
    SIMERR: event(0x1701, { WIFI_MEMORY_ERRORS: { ALLOC_ERR: int() } }),
    SIWPKTS: event(0x1702, { WIFI_PACKETS: { TX: int(), RX: int() } }),
    SIHEAP: event(0x1703, {
      HEAP_STATISTICS: { ALLOC: int(), FREE: int(), ALLOC_SZ: int(), FREE_SZ: int(), PEAK_ALLOC_SZ: int() },
    }),
    SIHERR: event(0x1704, { HEAP_ERRORS: { ALLOC_ERR: int() } }),
    SISTACK: event(0x1705, {
      STACK_STATISTICS: { STACK_MIN_RESERVED: int(), STACK_RESERVED: int(), STACK_USAGE: int() },
    }),
  },
});
