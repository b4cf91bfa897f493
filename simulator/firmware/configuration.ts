/** The configuration of all commands: where each keeps its values, and which were changed since the boot. */
import { type CommandName, type ConfigCommandName, commands } from '../../driver/protocol/catalogue/index.js';
import type { StatusName } from '../../driver/protocol/catalogue/statuses.js';
import type { Fractional, Scalar, Value } from '../../driver/protocol/messages.js';
import { declaredSource, instanceParam, runConfigCommand } from './config-command.js';
import type { ConfigTable } from './config-table.js';
import type { Call, ConfigSource } from './service.js';

/** One value of one command, as its configuration command would set it. */
export interface ConfigItem {
  /** Of commands that have several. */
  readonly instance?: number;
  readonly id: number | Fractional;
  readonly value: Scalar;
}
/** All values of the tables of a command that were changed. */
export interface ConfigGroup {
  readonly command: ConfigCommandName;
  readonly items: readonly ConfigItem[];
}

type AnySource = ConfigSource<never>;
type AnyTable = ConfigTable<ConfigCommandName>;

/** Its values belong to a socket, and go with it. */
const PASSING: CommandName = 'SOCKC';

export class Configuration {
  readonly #sources = new Map<ConfigCommandName, AnySource>();
  readonly #changed = new Map<ConfigCommandName, Set<number | undefined>>();

  register(name: ConfigCommandName, source: AnySource): void {
    this.#sources.set(name, source);
  }

  run(name: ConfigCommandName, call: Call<CommandName>): StatusName | undefined {
    const status = runConfigCommand(name, this.#source(name) as never, call);
    const { val, ...selectors } = call.args as Readonly<Record<string, Value | undefined>>;
    if (status === undefined && val !== undefined) this.#note(name, instanceOf(name, selectors));
    return status;
  }

  /** What was changed, by command id. */
  changed(): ConfigGroup[] {
    return [...this.#changed]
      .map(([command, instances]) => ({
        command,
        items: [...instances].flatMap((instance) => this.#items(command, instance)),
      }))
      .filter(({ items }) => items.length > 0)
      .sort((a, b) => commands[a.command].id - commands[b.command].id);
  }

  /** Sets the tables it names to these values; those that refuse one keep theirs. The first refusal is told. */
  restore(groups: readonly ConfigGroup[]): StatusName | undefined {
    let failure: StatusName | undefined;
    for (const { command, items } of groups) {
      const outcomes = new Map<AnyTable, StatusName | undefined>();
      for (const { instance, id, value } of items) {
        const table = this.#table(command, instance);
        if (typeof table === 'string') {
          failure ??= table;
          continue;
        }
        if (!outcomes.has(table)) outcomes.set(table, table.reset());
        // A table that refuses its defaults is locked.
        const refusal = outcomes.get(table) ?? table.set(id, value);
        failure ??= refusal;
        if (refusal === undefined) this.#note(command, instance);
      }
    }
    return failure;
  }

  #source(name: ConfigCommandName): AnySource {
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = declaredSource(name) as AnySource;
      this.#sources.set(name, source);
    }
    return source;
  }

  #table(name: ConfigCommandName, instance: number | undefined): AnyTable | StatusName {
    return this.#source(name).table(instance) as AnyTable | StatusName;
  }

  #note(name: ConfigCommandName, instance: number | undefined): void {
    if (name === PASSING) return;
    const instances = this.#changed.get(name) ?? new Set();
    this.#changed.set(name, instances.add(instance));
  }

  #items(name: ConfigCommandName, instance: number | undefined): ConfigItem[] {
    const table = this.#table(name, instance);
    if (typeof table === 'string') return [];
    return table.state().map(({ id, value }) => ({ ...(instance !== undefined && { instance }), id, value }));
  }
}

function instanceOf(
  name: ConfigCommandName,
  args: Readonly<Record<string, Value | undefined>>,
): number | undefined {
  const param = instanceParam(name);
  return param && (args[param.name] as number);
}
