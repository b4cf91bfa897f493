/** INTERNAL: manufacturer, model and firmware version; baud rate. */
import { command, defineModule, int, optional, str, u32 } from '../schema.js';

export const INTERNAL = defineModule(2, 'INTERNAL', {
  commands: {
    GMI: command(0x0200, {
      forms: { GMI: {} },
      responses: { INFORMATION_RESPONSE: { MAN_ID: str() } },
      queries: 0,
    }),
    GMM: command(0x0201, {
      forms: { GMM: {} },
      responses: { INFORMATION_RESPONSE: { MODEL_ID: str() } },
      queries: 0,
    }),
    GMR: command(0x0202, {
      forms: { GMR: {} },
      responses: { INFORMATION_RESPONSE: { VERSION_INFO: str() } },
      queries: 0,
    }),
    IPR: command(0x0203, {
      forms: { IPR: { BAUD_RATE: optional(u32(1)) } },
      responses: { INFORMATION_RESPONSE: { BAUD_RATE: int(1) } },
      queries: 0,
      verb: 'set',
      atOnly: true,
    }),
  },
});
