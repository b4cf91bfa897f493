/** The system log: +SYSLOG, while AT+SYSLOGC lets it. */
import { EventSeverity } from '../../driver/protocol/catalogue/syslog.js';
import type { Clock } from '../tcpip/contract.js';
import { ConfigTable } from './config-table.js';
import type { Raised } from './service.js';
import type { WallClock } from './wall-clock.js';

export interface SyslogOptions {
  readonly clock: Clock;
  readonly time: WallClock;
  emit(event: Raised): void;
}

export class Syslog {
  readonly config = new ConfigTable('SYSLOGC');
  readonly #options: SyslogOptions;
  readonly #bootedAt: number;

  constructor(options: SyslogOptions) {
    this.#options = options;
    this.#bootedAt = options.clock.now();
  }

  /** @param moduleId  of the catalogue's module that has something to tell */
  error(moduleId: number, message: string): void {
    if (this.config.number('ENABLED') === 0) return;
    const { clock, time, emit } = this.#options;
    // Seconds since 1970; since the boot while the time is not known.
    const timestamp = Math.floor((time.now() ?? clock.now() - this.#bootedAt) / 1000);
    emit({
      name: 'SYSLOG',
      form: 'LOG_MESSAGE',
      elements: { timestamp, moduleId, eventSeverity: EventSeverity.ERROR, message },
    });
  }
}
