/** CORE: status codes every command can answer. */
import { defineModule } from '../schema.js';

export const CORE = defineModule(0, 'CORE');
