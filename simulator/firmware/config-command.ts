/** Every configuration command of the catalogue, by its declaration: `AT+X`, `=<id>`, `=<id>,<value>`. */
import { type CommandName, type ConfigCommandName, commands } from '../../driver/protocol/catalogue/index.js';
import type { StatusName } from '../../driver/protocol/catalogue/statuses.js';
import type { Fractional, Value, Values } from '../../driver/protocol/messages.js';
import { ConfigTable } from './config-table.js';
import type { Call, ConfigSource } from './service.js';

export const isConfigCommand = (name: CommandName): name is ConfigCommandName =>
  commands[name].config !== undefined;

/** One table, of a command without instances. */
export const single = <N extends ConfigCommandName>(table: ConfigTable<N>): ConfigSource<N> => ({
  table: () => table,
});

/** The parameter that selects the instance: whatever stands before the id. */
export const instanceParam = (name: ConfigCommandName) => {
  const first = commands[name].forms[0].params[0];
  return first === undefined || first.type.kind === 'configId' ? undefined : first;
};

/**
 * The source of a command no service has opinions about: the values are kept and answered, and mean nothing. Instances
 * are those the instance parameter's range allows.
 */
export function declaredSource<N extends ConfigCommandName>(name: N): ConfigSource<N> {
  const tables = new Map<number, ConfigTable<N>>();
  const selector = instanceParam(name);
  return {
    table(instance) {
      if (selector !== undefined && instance === undefined) return 'INCORRECT_NUM_PARAMS';
      const key = instance ?? 0;
      let table = tables.get(key);
      if (table === undefined) {
        table = new ConfigTable(name);
        tables.set(key, table);
      }
      return table;
    },
  };
}

/** @returns the status, undefined for OK */
export function runConfigCommand<N extends ConfigCommandName>(
  name: N,
  source: ConfigSource<N>,
  call: Call<CommandName>,
): StatusName | undefined {
  const args = call.args as Values;
  const selector = instanceParam(name);
  const instance = selector && (args[selector.name] as number | undefined);
  if (selector !== undefined && instance === undefined && source.instances !== undefined) {
    const list = commands[name].responses.find(({ elements }) => elements[0]?.type.kind === 'list');
    if (list !== undefined) {
      call.respond({ form: list.form, elements: { [list.elements[0].name]: source.instances() } } as never);
    }
    return undefined;
  }
  const table = source.table(instance);
  if (typeof table === 'string') return table;
  const id = args.id as number | Fractional | undefined;
  const value = args.val as Value | undefined;
  if (value !== undefined) return id === undefined ? 'INCORRECT_NUM_PARAMS' : table.set(id, value);
  const entries = id === undefined ? table.entries() : table.query(id);
  if (typeof entries === 'string') return entries;
  for (const entry of entries) call.respond({ form: 'READ_RESPONSE', elements: entry } as never);
  return undefined;
}
