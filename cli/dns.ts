/** `wincs02 dns NAME`: resolves through the module. */
import { Command, Option } from 'commander';
import {
  addCommonOptions,
  addJoinOptions,
  type CommonOptions,
  type JoinOptions,
  joinIfAsked,
  withModule,
} from './common.js';

interface Options extends CommonOptions, JoinOptions {
  readonly type: 'A' | 'AAAA';
}

export function dnsCommand(): Command {
  return addJoinOptions(addCommonOptions(new Command('dns').description('resolve a name through the module')))
    .argument('<name>')
    .addOption(new Option('--type <record>', 'record type').choices(['A', 'AAAA']).default('A'))
    .action(async (name: string, options: Options) => {
      await withModule(options, async (context) => {
        await joinIfAsked(context, options);
        const { module, output, signal } = context;
        const family = options.type === 'AAAA' ? 6 : 4;
        const address = await module.resolve(name, { family, timeoutMs: options.timeout, signal });
        output.result({ name, type: options.type, address }, address);
      });
    });
}
