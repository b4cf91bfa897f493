/** INTERNAL: who the module is, and the UART's speed. API reference, module INTERNAL. */
import type { Board } from '../board.js';
import { build } from '../profile.js';
import type { Service } from '../service.js';

export function internal(board: Board): Service {
  const { profile, flash } = board;
  const form = 'INFORMATION_RESPONSE';
  return {
    commands: {
      GMI: (call) => call.respond({ form, elements: { manId: profile.manufacturer } }),
      GMM: (call) => call.respond({ form, elements: { modelId: profile.model } }),
      GMR: (call) => call.respond({ form, elements: { versionInfo: build.text } }),
      // Any speed is taken: what a pseudo-terminal or a socket runs at is nobody's business.
      IPR(call) {
        const { baudRate } = call.args;
        if (baudRate === undefined) call.respond({ form, elements: { baudRate: flash.baud } });
        else board.setBaud(baudRate);
      },
    },
  };
}
