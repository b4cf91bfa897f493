/** PING: ICMP echo. */
import { address, addressText, command, defineModule, event, int, optional, status, u8 } from '../schema.js';
import { IpVersion } from './socket.js';

export const PING = defineModule(11, 'PING', {
  commands: {
    PING: command(0x0b00, {
      forms: { PING: { TARGET_ADDR: address(), PROTOCOL_VERSION: optional(u8(IpVersion), 0) } },
    }),
  },
  events: {
    PING: event(0x0b00, { PING_SUCCESS_RESPONSE: { IP_ADDRESS: addressText(), RTT: int() } }),
    PINGERR: event(0x0b01, { PING_ERROR: { ERROR_CODE: status() } }),
  },
});
