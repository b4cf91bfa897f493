/** SYSLOG: log messages. */
import {
  bool,
  CONFIG_PARAMS,
  cfg,
  configCommand,
  defineModule,
  event,
  int,
  PRESET,
  str,
  variant,
} from '../schema.js';

export const EventSeverity = {
  EMERGENCY: 0,
  ALERT: 1,
  CRITICAL: 2,
  ERROR: 3,
  WARNING: 4,
  NOTICE: 5,
  INFO: 6,
  DEBUG: 7,
} as const;

const syslogcConfig = { PRESET, ENABLED: cfg(1, bool('DISABLED', 'ENABLED')) };

export const SYSLOG = defineModule(32, 'SYSLOG', {
  commands: {
    SYSLOGC: configCommand(0x2000, { forms: { SYSLOGC: CONFIG_PARAMS }, config: syslogcConfig }),
  },
  events: {
    SYSLOG: event(0x2000, {
      LOG_MESSAGE: {
        TIMESTAMP: variant(),
        MODULE_ID: variant(),
        EVENT_SEVERITY: int(EventSeverity),
        MESSAGE: str(),
      },
    }),
  },
});
