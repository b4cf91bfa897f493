/** `wincs02 ping HOST`: ICMP echoes from the module. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { WincError } from '../driver/index.js';
import {
  addCommonOptions,
  addJoinOptions,
  type CommonOptions,
  type JoinOptions,
  joinIfAsked,
  parseInteger,
  parseSeconds,
  withModule,
} from './common.js';
import { CliError, Exit, exitCodeOf } from './exit.js';
import { printable } from './output.js';

interface Options extends CommonOptions, JoinOptions {
  readonly count: number;
  readonly interval: number;
}

export function pingCommand(): Command {
  return addJoinOptions(addCommonOptions(new Command('ping').description('ICMP echoes from the module')))
    .argument('<host>', 'name or address')
    .option('-c, --count <n>', 'how many', parseInteger(1, 1_000_000), 1)
    .option('-i, --interval <seconds>', 'between them', parseSeconds, 1000)
    .action(async (host: string, options: Options) => {
      await withModule(options, async (context) => {
        await joinIfAsked(context, options);
        const { module, output, signal } = context;
        const times: number[] = [];
        for (let sequence = 1; sequence <= options.count; sequence++) {
          if (sequence > 1) await sleep(options.interval, undefined, { signal });
          try {
            const { address, rttMs } = await module.ping(host, { timeoutMs: options.timeout, signal });
            times.push(rttMs);
            output.result({ sequence, address, rttMs }, `from ${address}: seq=${sequence} time=${rttMs} ms`);
          } catch (error) {
            throwUnlessLost(host, error);
            output.result({ sequence, lost: true }, `no reply from ${printable(host)}: seq=${sequence}`);
          }
        }
        if (options.count > 1) output.note(summary(options.count, times));
        if (times.length === 0) throw new CliError(Exit.CONNECT, `${printable(host)} does not reply`);
      });
    });
}

/** A lost echo is a result; a name that does not resolve ends the command, as does everything else. */
function throwUnlessLost(host: string, error: unknown): void {
  if (!(error instanceof WincError) || error.status === undefined) throw error;
  if (error.statusName === 'PING_FAILED') return;
  throw new CliError(exitCodeOf(error), `${printable(host)}: ${error.message}`, { cause: error });
}

function summary(count: number, times: readonly number[]): string {
  const lost = ((1 - times.length / count) * 100).toFixed(0);
  if (times.length === 0) return `${count} sent, ${lost} % lost`;
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return `${count} sent, ${lost} % lost, min/avg/max ${Math.min(...times)}/${mean.toFixed(1)}/${Math.max(...times)} ms`;
}
