/** WIFI: AT+WIFIC. API reference, module WIFI. */
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import type { Service } from '../service.js';

export const wifi = (board: Board): Service => ({ config: { WIFIC: single(board.regulatory.config) } });
