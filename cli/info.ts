/** `wincs02 info`: what module this is. */
import { Command } from 'commander';
import { addCommonOptions, type CommonOptions, withModule } from './common.js';

export function infoCommand(): Command {
  return addCommonOptions(new Command('info').description('manufacturer, model, firmware')).action(
    async (options: CommonOptions) => {
      await withModule(options, async ({ module, output }) => {
        const info = await module.info();
        const width = Math.max(...Object.keys(info).map((key) => key.length));
        const lines = Object.entries(info).map(([key, value]) => `${key.padEnd(width)}  ${value}`);
        output.result({ ...info }, lines.join('\n'));
      });
    },
  );
}
