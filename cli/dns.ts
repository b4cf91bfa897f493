/** `wincs02 dns NAME`: resolves through the module. */
import { Command, Option } from 'commander';
import { WincError } from '../driver/protocol/errors.js';
import {
  addCommonOptions,
  addJoinOptions,
  type CommonOptions,
  type JoinOptions,
  joinIfAsked,
  withModule,
} from './common.js';
import { CliError, Exit } from './exit.js';
import { printable } from './output.js';

interface Options extends CommonOptions, JoinOptions {
  readonly type: 'A' | 'AAAA';
}

/** The module's DNS statuses are exit code 6; everything else stays what it is. */
function unresolved(name: string, error: unknown): unknown {
  if (!(error instanceof WincError) || error.status === undefined) return error;
  return new CliError(Exit.DNS, `${printable(name)}: ${error.message}`, { cause: error });
}

export function dnsCommand(): Command {
  return addJoinOptions(addCommonOptions(new Command('dns').description('resolve a name through the module')))
    .argument('<name>')
    .addOption(new Option('--type <record>', 'record type').choices(['A', 'AAAA']).default('A'))
    .action(async (name: string, options: Options) => {
      await withModule(options, async (context) => {
        await joinIfAsked(context, options);
        const { module, output, signal } = context;
        const address = await module
          .resolve(name, { family: options.type === 'AAAA' ? 6 : 4, timeoutMs: options.timeout, signal })
          .catch((error) => {
            throw unresolved(name, error);
          });
        output.result({ name, type: options.type, address }, address);
      });
    });
}
