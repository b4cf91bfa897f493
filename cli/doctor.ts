/** `wincs02 doctor`: walks the bring-up checklist of docs/hardware.md and says what is wrong, and what to do. */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { Command } from 'commander';
import { systemClock } from '../driver/clock.js';
import { openTransport } from '../driver/index.js';
import type { Transport } from '../driver/transport/transport.js';
import { addCommonOptions, type CommonOptions, interrupted, traceTo } from './common.js';
import type { Finding } from './doctor-findings.js';
import { diagnoseSpi } from './doctor-spi.js';
import { diagnoseUart } from './doctor-uart.js';
import { CliError, Exit, exitCodeOf } from './exit.js';
import { createOutput } from './output.js';

export function doctorCommand(): Command {
  return addCommonOptions(
    new Command('doctor').description('what is wrong with a module, its port or its wiring'),
  ).action(async (options: CommonOptions) => {
    const output = createOutput(options);
    let worst: Finding | undefined;
    const say = (finding: Finding) => {
      const { check, state, detail } = finding;
      output.result({ ...finding }, `${state.padEnd(4)}  ${check.padEnd(22)}  ${detail}`);
      if (state === 'fail') worst ??= finding;
    };
    const transport = await openAndSay(options, say);
    const findings =
      transport.kind === 'spi' ? diagnoseSpi(transport, systemClock) : diagnoseUart(transport, systemClock);
    const expired = setTimeout(() => void transport.close(), options.timeout);
    try {
      for await (const finding of findings) say(finding);
    } finally {
      clearTimeout(expired);
    }
    if (worst === undefined) return;
    throw new CliError(worst.silent ? Exit.SILENT : Exit.FAILED, `${worst.check}: ${worst.detail}`);
  });
}

async function openAndSay(options: CommonOptions, say: (finding: Finding) => void): Promise<Transport> {
  const check = 'port';
  try {
    const transport = await openTransport(options.port, {
      signal: interrupted.signal,
      devices: traceTo(options.trace),
    });
    say({ check, state: 'ok', detail: `${transport.url} is there and may be used` });
    return transport;
  } catch (error) {
    const path = /^[a-z]+:(\/[^?]*)/.exec(options.port)?.[1];
    const holders = path === undefined ? [] : holdersOf(path);
    const who = holders.length > 0 ? ` It is open in ${holders.join(', ')}.` : '';
    throw new CliError(exitCodeOf(error), `${(error as Error).message}${who}`, { cause: error });
  }
}

/** Programs of this machine that have a file open, as far as we may look: `picocom (1234)`. Linux only. */
export function holdersOf(path: string): string[] {
  const holders: string[] = [];
  try {
    const wanted = realpathSync(path);
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (Number(pid) === process.pid) continue;
      try {
        const open = readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === wanted);
        if (open) holders.push(`${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (${pid})`);
      } catch {
        // Another user's, or gone meanwhile.
      }
    }
  } catch {
    // No such file, or no /proc: nobody to name.
  }
  return holders;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
