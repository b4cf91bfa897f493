/** PPS: power save states. */
import {
  bool,
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  defineModule,
  event,
  int,
  named,
  only,
  PRESET,
  u8,
  u16,
  u32,
} from '../schema.js';

export const PpsSwitch = { DISABLE: 0, PPS: 1, XDS: 10 } as const;
export const PpsState = { DISABLE: 0, PPS: 1, PPS_PAUSE: 2, XDS: 10 } as const;
export const PpsEvent = { TIMEOUT: 1, PAUSE_EXPIRED: 2 } as const;

const ppscConfig = {
  PRESET,
  SEC_OSC_ENABLED: cfg(1, bool('OFF', 'ON')),
  AUTO_SLEEP_TIMEOUT: cfg(2, u32(10, 3000)),
  DURATION: cfg(3, u32(0, 86400)),
};

export const PPS = defineModule(31, 'PPS', {
  commands: {
    PPSC: configCommand(0x1f00, { forms: { PPSC: CONFIG_PARAMS }, config: ppscConfig }),
    PPS: command(0x1f01, {
      forms: {
        PPS: { PPS_STATE: u8(PpsSwitch) },
        PPSPAUSE: { PPS_STATE: only(u8(PpsState), 2), PAUSE_TIME: u16(1, 3600) },
      },
    }),
  },
  events: { PPS: event(0x1f00, { PPS_EVENT: { PPS_EVENT: named('PPS EVENT', int(PpsEvent)) } }) },
});
