/** RST: restart on command. */
import { command, defineModule } from '../schema.js';

export const RST = defineModule(12, 'RST', { commands: { RST: command(0x0c00, { forms: { RST: {} } }) } });
