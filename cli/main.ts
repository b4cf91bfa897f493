#!/usr/bin/env node
/** The `wincs02` command: mounts the subcommands, and turns whatever ends them into an exit code and one sentence. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import '../index.js';
import { atCommand } from './at.js';
import { decodeCommand, encodeCommand } from './codec.js';
import { interrupted } from './common.js';
import { demoCommand } from './demo.js';
import { dnsCommand } from './dns.js';
import { doctorCommand } from './doctor.js';
import { CliError, Exit, exitCodeOf } from './exit.js';
import { infoCommand } from './info.js';
import { joinCommand } from './join.js';
import { printable } from './output.js';
import { pingCommand } from './ping.js';
import { scanCommand } from './scan.js';
import { simCommand } from './sim.js';
import { stackCommand } from './stack.js';
import { tcpCommand } from './tcp.js';

const exitCodeHelp = `
Exit codes: 0 ok, 1 failed, 2 usage, 3 port missing or locked, 4 module silent, 5 join failed, 6 DNS,
7 refused or unreachable, 28 timeout, 35 TLS handshake, 60 certificate, 70 internal, 130 interrupted.`;

function packageVersion(): string {
  return (createRequire(import.meta.url)('wincs02/package.json') as { version: string }).version;
}

function createProgram(): Command {
  const program = new Command('wincs02')
    .description('Microchip WINCS02 / RNWF02 Wi-Fi modules: driver, sockets, simulator')
    .version(packageVersion())
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', exitCodeHelp);
  const commands = [
    simCommand(),
    infoCommand(),
    scanCommand(),
    joinCommand(),
    dnsCommand(),
    pingCommand(),
    tcpCommand(),
    atCommand(),
    doctorCommand(),
    encodeCommand(),
    decodeCommand(),
    stackCommand(),
    demoCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands]) command.exitOverride();
  return program;
}

function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    // Help and version end with 0; commander has already said what was wrong with the words.
    process.exitCode = error.exitCode === 0 ? Exit.OK : Exit.USAGE;
    return;
  }
  const exitCode = exitCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`wincs02: ${printable(message)}\n`);
  if (exitCode === Exit.INTERNAL && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = exitCode;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted.abort(new CliError(Exit.INTERRUPTED, 'interrupted'));
    // A command that does not end by itself shall not outlive the user's patience.
    setTimeout(() => process.exit(Exit.INTERRUPTED), 2000).unref();
  });
}
for (const fatal of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(fatal, (error) => {
    fail(error);
    process.exit(process.exitCode || Exit.INTERNAL);
  });
}
// `wincs02 tcp … | head` ends the pipe early: that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : Exit.FAILED),
);

try {
  await createProgram().parseAsync();
} catch (error) {
  fail(error);
}
