/** SYSTEM: the restart announced by the module. */
import { defineModule, event, str } from '../schema.js';

export const SYSTEM = defineModule(1, 'SYSTEM', {
  events: { BOOT: event(0x0100, { SYSTEM_BOOT: { BANNER: str() }, NO_ELEMENTS: {} }) },
});
