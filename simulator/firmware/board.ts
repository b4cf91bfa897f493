/** What services share between two resets. */
import type { Clock, Random } from '../tcpip/contract.js';
import type { Configuration } from './configuration.js';
import type { FileStore } from './files.js';
import type { Flash } from './flash.js';
import type { Network } from './network.js';
import type { Profile, Timings } from './profile.js';
import type { Radio } from './radio.js';
import type { Regulatory } from './regulatory.js';
import type { Resolver } from './resolver.js';
import type { Raised } from './service.js';
import type { Station } from './station.js';
import type { Syslog } from './syslog.js';
import type { Tls } from './tls/tls.js';
import type { WallClock } from './wall-clock.js';

export interface Board {
  readonly profile: Profile;
  readonly timings: Timings;
  /** Its timers end with the next reset. */
  readonly clock: Clock;
  readonly random: Random;
  readonly radio: Radio;
  readonly flash: Flash;
  readonly files: FileStore;
  readonly time: WallClock;
  readonly regulatory: Regulatory;
  readonly network: Network;
  readonly station: Station;
  readonly resolver: Resolver;
  readonly syslog: Syslog;
  readonly tls: Tls;
  readonly configuration: Configuration;
  /** Runs once all services are there, before the host can be heard. */
  beforePrompt(action: () => void): void;
  /** Sends an event; one raised while a command is executed follows its status. */
  emit(event: Raised): void;
  /** The host is slow to read: hold back events that can wait, until the callback of {@link onDrained}. */
  readonly congested: boolean;
  onDrained(callback: () => void): void;
  /** Runs once the status of the command in progress is out, at once if none is. */
  afterStatus(action: () => void): void;
  /** The UART's speed, kept over resets; in effect once the status is out. */
  setBaud(baud: number): void;
  /** Resets the module. */
  restart(): void;
}
