/** TIME: the clock. */
import { command, defineModule, event, only, optional, str, u8, u32, variant } from '../schema.js';

export const TimeFormat = { UTC_UNIX: 1, UTC_NTP: 2, RFC3339: 3 } as const;

export const TIME = defineModule(16, 'TIME', {
  commands: {
    TIME: command(0x1000, {
      forms: {
        TIME: { FORMAT: optional(u8(TimeFormat), 0) },
        TIMEUTCSEC: { FORMAT: only(u8(TimeFormat), 1, 2), UTC_SEC: u32() },
        TIMERFC: { FORMAT: only(u8(TimeFormat), 3), DATE_TIME: str() },
      },
      queries: 1,
    }),
  },
  events: { TIME: event(0x1000, { TIME_REPORT: { TIME: variant() } }) },
});
