/** PING. API reference, module PING. */
import type { Board } from '../board.js';
import type { Service } from '../service.js';

export const ping = (_board: Board): Service => ({ commands: {} });
