/** What a service is: the behaviour of one module of the catalogue. */
import type {
  ArgsOf,
  CommandName,
  ConfigCommandName,
  EventName,
  EventOf,
  ResponseOf,
} from '../../driver/protocol/catalogue/index.js';
import type { StatusName } from '../../driver/protocol/catalogue/statuses.js';
import type { Board } from './board.js';
import type { ConfigTable } from './config-table.js';

type WithoutEnvelope<T> = T extends unknown ? Omit<T, 'kind' | 'seq' | 'command'> : never;
export type Information<N extends CommandName> = WithoutEnvelope<ResponseOf<N>>;
/** An event as a service raises it. */
export type Raised = { [E in EventName]: WithoutEnvelope<EventOf<E>> }[EventName];

/** One request under way. Its arguments have been held against the catalogue already. */
export interface Call<N extends CommandName> {
  readonly args: ArgsOf<N>;
  /**
   * The wire will bring the payload after this: say now whether the command would be refused without it, and do
   * nothing else. The command comes again with its payload.
   */
  readonly payloadFollows: boolean;
  /** An information element; before the status. */
  respond(information: Information<N>): void;
  /** Ends a command whose handler answered {@link DEFERRED}. */
  finish(status?: StatusName): void;
}

export const DEFERRED: unique symbol = Symbol('deferred');
/** Nothing: the status is OK. A name: the command is refused so. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that just returns means OK
export type Outcome = StatusName | typeof DEFERRED | undefined | void;
export type Handlers = { readonly [N in CommandName]?: (call: Call<N>) => Outcome };

/** Where a configuration command finds its values. */
export interface ConfigSource<N extends ConfigCommandName> {
  /** `instance` is the parameter before the id (`AT+NETIFC=0,…`), for commands that have one. */
  table(instance: number | undefined): ConfigTable<N> | StatusName;
  /** The instances there are, for a command that lists them when asked without parameters. */
  instances?(): readonly number[];
}
export type ConfigSources = { readonly [N in ConfigCommandName]?: ConfigSource<N> };

export interface Service {
  readonly commands?: Handlers;
  readonly config?: ConfigSources;
}
/** Called at every boot; what the service keeps lives until the next reset. */
export type ServiceFactory = (board: Board) => Service;
