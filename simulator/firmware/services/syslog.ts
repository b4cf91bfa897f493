/** SYSLOG: whether the module tells what it logs. API reference, module SYSLOG. */
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import type { Service } from '../service.js';

export const syslog = (board: Board): Service => ({ config: { SYSLOGC: single(board.syslog.config) } });
