/** What every command that talks to a module shares: its options, opening and closing the module, joining. */
import { createWriteStream } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type TransportDevice, traceDevice, WincModule } from '../driver/index.js';
import { spiTraceDevice } from '../driver/transport/spi-trace.js';
import { CliError, Exit } from './exit.js';
import { createOutput, type Output } from './output.js';

export interface CommonOptions {
  readonly port: string;
  readonly json?: boolean;
  readonly timeout: number;
  readonly trace?: string;
  readonly verbose?: boolean;
}

export interface JoinOptions {
  readonly ssid?: string;
  readonly pskEnv?: string;
}

/** Seconds with a fraction, as curl's `--max-time`; answers milliseconds. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0 || seconds > 86_400)
    throw new InvalidArgumentError('seconds above 0, at most 86400.');
  return seconds * 1000;
}

export function parseInteger(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`a whole number from ${min} to ${max}.`);
    return value;
  };
}

export const parsePort = parseInteger(1, 65_535);

export function addCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--port <url>', 'serial:, tcp:, spi:, bridge: or sim:').default('sim:').env('WINCS02_PORT'),
    )
    .option('--json', 'one JSON object a line')
    .addOption(
      new Option('--timeout <seconds>', 'for the whole command')
        .default(30_000, '30')
        .argParser(parseSeconds),
    )
    .option('--trace <file>', 'write the wire to a file ("-" for stderr), secrets left out')
    .option('-v, --verbose', 'say what is being done');
}

export function addJoinOptions(command: Command): Command {
  return command
    .option('--ssid <name>', 'join this network first')
    .option('--psk-env <variable>', 'the passphrase is in this environment variable');
}

/** The passphrase never stands in argv, where every user of the machine could read it. */
export function passphraseFrom(options: JoinOptions): string | undefined {
  if (options.pskEnv === undefined) return undefined;
  const passphrase = process.env[options.pskEnv];
  if (passphrase === undefined)
    throw new CliError(Exit.USAGE, `the environment variable ${options.pskEnv} is not set`);
  return passphrase;
}

export interface ModuleContext {
  readonly module: WincModule;
  readonly output: Output;
  /** Aborted when `--timeout` is over or the user interrupts. */
  readonly signal: AbortSignal;
}

/**
 * Opens the module of `--port`, runs `body` within `--timeout`, closes the module whatever happens.
 * @throws CliError `Exit.TIMEOUT` when the time is over
 */
export async function withModule<T>(
  options: CommonOptions,
  body: (context: ModuleContext) => Promise<T>,
  { limited = true }: { limited?: boolean } = {},
): Promise<T> {
  const output = createOutput(options);
  const timeout = new AbortController();
  const expired = new CliError(Exit.TIMEOUT, `no result within ${options.timeout / 1000} s`);
  const timer = limited ? setTimeout(() => timeout.abort(expired), options.timeout) : undefined;
  const signal = AbortSignal.any([timeout.signal, interrupted.signal]);
  try {
    output.note(`opening ${options.port}`);
    const module = await WincModule.open(options.port, {
      signal,
      startTimeoutMs: Math.min(bootAllowanceMs, options.timeout * 0.8),
      devices: traceTo(options.trace),
    });
    try {
      return await raceAbort(body({ module, output, signal }), signal);
    } finally {
      await module.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The devices `--trace` asks for. */
export function traceTo(file: string | undefined): TransportDevice[] {
  if (file === undefined) return [];
  const stream = file === '-' ? process.stderr : createWriteStream(file);
  stream.on('error', (error) => {
    process.stderr.write(`wincs02: the trace ends here: ${error.message}\n`);
  });
  return [traceDevice(stream), spiTraceDevice(stream)];
}

/** A real module boots in about 4 s; one that says nothing for so long is not there. */
const bootAllowanceMs = 12_000;

/** Aborted by SIGINT and SIGTERM. */
export const interrupted = new AbortController();

function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The network the embedded simulator offers when its URL names none. */
const simulatorSsid = 'wincs02';

/** Joins what `--ssid` names; on a bare `sim:` the simulator's own open network. Otherwise the module's as it is. */
export async function joinIfAsked(
  { module, output, signal }: ModuleContext,
  options: CommonOptions & JoinOptions,
): Promise<void> {
  const ssid = options.ssid ?? (/^sim:(?!.*\bap=)/.test(options.port) ? simulatorSsid : undefined);
  if (ssid === undefined) return;
  const passphrase = passphraseFrom(options);
  output.note(`joining ${ssid}`);
  const { addresses } = await module.wifi.join({
    ssid,
    ...(passphrase === undefined ? {} : { passphrase }),
    timeoutMs: options.timeout,
    signal,
  });
  output.note(`joined: ${addresses.join(', ')}`);
}
