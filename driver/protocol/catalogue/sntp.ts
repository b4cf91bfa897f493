/** SNTP: time from the network. */
import {
  bool,
  CONFIG_PARAMS,
  cfg,
  configCommand,
  defineModule,
  event,
  host,
  PRESET,
  status,
} from '../schema.js';

const sntpcConfig = {
  PRESET,
  NTP_ENABLED: cfg(1, bool('DISBLED', 'ENABLED')),
  NTP_STATIC: cfg(2, bool('AUTO', 'MANUAL')),
  NTP_SVR: cfg(3, host(128)),
};

export const SNTP = defineModule(13, 'SNTP', {
  commands: { SNTPC: configCommand(0x0d00, { forms: { SNTPC: CONFIG_PARAMS }, config: sntpcConfig }) },
  events: { SNTPERR: event(0x0d00, { SNTP_ERROR: { ERROR_CODE: status() } }) },
});
