/** `wincs02 join`: associates, waits for an address, and leaves the module joined. */
import { Command } from 'commander';
import { addCommonOptions, type CommonOptions, passphraseFrom, withModule } from './common.js';

interface Options extends CommonOptions {
  readonly ssid: string;
  readonly pskEnv?: string;
}

export function joinCommand(): Command {
  return addCommonOptions(new Command('join').description('join a network and print the addresses'))
    .requiredOption('--ssid <name>', 'the network')
    .option('--psk-env <variable>', 'the passphrase is in this environment variable')
    .action(async (options: Options) => {
      const passphrase = passphraseFrom(options);
      await withModule(options, async ({ module, output, signal }) => {
        const { addresses } = await module.wifi.join({
          ssid: options.ssid,
          ...(passphrase === undefined ? {} : { passphrase }),
          timeoutMs: options.timeout,
          signal,
        });
        output.result({ ssid: options.ssid, addresses }, addresses.join('\n'));
      });
    });
}
