/** ARB: anti-rollback level. */
import { command, defineModule, int, optional, u8 } from '../schema.js';

export const ARB = defineModule(33, 'ARB', {
  commands: {
    ARB: command(0x2100, {
      forms: { ARB: { VALUE: optional(u8(1, 127), 0) } },
      responses: {
        THE_DCE_S_ARB_VALUE_AND_THE_CURRENT_FIRMWARE_S_SECURITY_LEVEL: { VALUE: int(), FW_SECURITY: int() },
      },
      queries: 0,
    }),
  },
});
