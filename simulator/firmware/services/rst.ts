/** RST: the status comes first, then everything starts over. API reference, module RST. */
import type { Board } from '../board.js';
import type { Service } from '../service.js';

export const rst = (board: Board): Service => ({ commands: { RST: () => board.restart() } });
