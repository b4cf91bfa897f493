/** `wincs02 scan`: the networks the module hears. */
import { Command } from 'commander';
import { SecType } from '../driver/protocol/catalogue/wscn.js';
import { addCommonOptions, type CommonOptions, withModule } from './common.js';
import { printable } from './output.js';

const securityNames = new Map<number, string>(Object.entries(SecType).map(([name, value]) => [value, name]));

export function scanCommand(): Command {
  return addCommonOptions(new Command('scan').description('list the access points in reach'))
    .option('--passive', 'listen only, do not probe')
    .action(async (options: CommonOptions & { passive?: boolean }) => {
      await withModule(options, async ({ module, output, signal }) => {
        const found = await module.wifi.scan({
          passive: options.passive === true,
          timeoutMs: options.timeout,
          signal,
        });
        for (const { rssi, securityType, channel, bssid, ssid } of found) {
          const name = securityNames.get(securityType) ?? String(securityType);
          output.result(
            { ssid, bssid, channel, rssi, security: name },
            `${bssid}  ${String(rssi).padStart(4)} dBm  ch ${String(channel).padStart(2)}  ${name.padEnd(16)}  ${printable(ssid)}`,
          );
        }
        output.note(`${found.length} found`);
      });
    });
}
