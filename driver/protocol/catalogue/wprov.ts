/** WPROV: provisioning service. */
import {
  addressText,
  bool,
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  defineModule,
  event,
  i32,
  int,
  optional,
  u32,
} from '../schema.js';
import { IpVersion } from './socket.js';

export const Switch = { DISABLE: 0, ENABLE: 1 } as const;

const wprovcConfig = {
  PORT: cfg(1, u32(1, 65535)),
  ASCII: cfg(2, bool('BINARY', 'ASCII')),
  PROTOCOL_VERSION: cfg(3, u32(IpVersion)),
};

export const WPROV = defineModule(25, 'WPROV', {
  commands: {
    WPROVC: configCommand(0x1900, { forms: { WPROVC: CONFIG_PARAMS }, config: wprovcConfig }),
    WPROV: command(0x1901, {
      forms: { WPROV: { STATE: optional(i32(Switch), -1) } },
      queries: 0,
      verb: 'set',
    }),
  },
  events: {
    WPROVAT: event(0x1900, {
      ATTACHMENT_OF_CLIENT_TO_PROVISIONING_SERVICE: { ID: int(), IP_ADDRESS: addressText(), PORT: int() },
    }),
    WPROVDT: event(0x1901, { DETACHMENT_OF_CLIENT_FROM_PROVISIONING_SERVICE: { ID: int() } }),
  },
});
