/** `wincs02 sim`: an emulated module in a world of its own, until it is told to stop. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { WincError } from '../driver/protocol/errors.js';
import { type SpiBridge, serveSpiBridge } from '../simulator/frontend/spi-bridge.js';
import {
  createSimulator,
  readScenario,
  type Scenario,
  type SimulatorOptions,
  type UartLine,
} from '../simulator/index.js';
import {
  parseAccessPoint,
  parseBootMs,
  parseDns,
  parseForward,
  parseHostNetwork,
  parseImpair,
  parseProfile,
  parseSeed,
  parseUart,
  type UartPlace,
} from '../simulator/options.js';
import { interrupted } from './common.js';
import { CliError, Exit } from './exit.js';

interface SimFlags extends Omit<SimulatorOptions, 'accessPoints' | 'forwards' | 'trace'> {
  readonly uart?: readonly UartPlace[];
  readonly spiBridge?: readonly string[];
  readonly ap?: SimulatorOptions['accessPoints'];
  readonly forward?: SimulatorOptions['forwards'];
  readonly trace?: string;
  readonly scenario?: Scenario;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const ignore = () => {};
/** Who watches the capture while it grows is at most so far behind. */
const CAPTURE_FLUSH_MS = 500;

/** Lets commander say which flag was wrong. */
function checked<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof WincError ? new InvalidArgumentError(`${error.message}.`) : error;
    }
  };
}

function repeated<T>(parse: (text: string) => T): (text: string, before?: readonly T[]) => readonly T[] {
  const parseOne = checked(parse);
  return (text, before = []) => [...before, parseOne(text)];
}

export function simCommand(): Command {
  return new Command('sim')
    .description('run an emulated module; one line of JSON on stdout says when it is ready and where')
    .option(
      '--profile <name>',
      'wincs02 or rnwf02 (default: by the wire that is asked for)',
      checked(parseProfile),
    )
    .option(
      '--uart <place>',
      'its UART: pty[:LINK] or tcp:[HOST:]PORT; repeatable (default: pty)',
      repeated(parseUart),
    )
    .option(
      '--spi-bridge <address>',
      'its SPI bus: unix:PATH or tcp:[HOST:]PORT; repeatable',
      repeated((text) => text),
    )
    .option(
      '--ap <ssid[:passphrase]>',
      'an access point; repeatable (default: wincs02, open)',
      repeated(parseAccessPoint),
    )
    .option(
      '--host-network <reach>',
      "what it reaches of the host's network: none, loopback (default) or full",
      checked(parseHostNetwork),
    )
    .option(
      '--forward <hostport:moduleport[/udp]>',
      "a port of the host's loopback that leads to the module; repeatable",
      repeated(parseForward),
    )
    .option('--dns <name=address>', 'a name the network knows; repeatable', repeated(parseDns))
    .option('--pcap <file>', 'write the packets to a pcapng file')
    .option('--trace <file>', 'write the messages, a line of JSON each, secrets left out')
    .option('--impair <spec>', 'loss=1%,delay=20ms,… on its link', checked(parseImpair))
    .option(
      '--scenario <file>',
      'a world as a file (docs/scenario.md); the other options come before it',
      checked(readScenario),
    )
    .option('--seed <number>', 'the same seed gives the same world', checked(parseSeed))
    .option('--boot-ms <ms>', 'from power-up to banner', checked(parseBootMs))
    .option('--fs <dir>', 'keep its files in this directory, and start with what is in it')
    .option('--paced', 'bytes on the UART take the time they take on a wire')
    .option('--realistic', 'boot, association and scan take as long as on a real module')
    .action(runSim);
}

async function runSim(flags: SimFlags): Promise<void> {
  const { uart, spiBridge = [], ap, forward, trace, scenario, ...rest } = flags;
  const lines = uart ?? (spiBridge.length > 0 ? [] : [{ kind: 'pty' } as const]);
  const traceFile = trace === undefined ? undefined : openOutput('--trace', trace);
  const write = traceFile === undefined ? undefined : lineWriter(traceFile);
  const closers: (() => unknown)[] = [];
  // timeout(1) and process managers send their signal twice: the second must not cut the cleaning up short.
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    const simulator = await createSimulator({
      profile: lines.length === 0 ? 'wincs02' : 'rnwf02',
      ...scenario?.options,
      ...rest,
      ...(ap === undefined ? {} : { accessPoints: ap }),
      ...(forward === undefined ? {} : { forwards: forward }),
      onFault: (error) => process.stderr.write(`${error instanceof Error ? error.stack : error}\n`),
      ...(write === undefined ? {} : { trace: write }),
    });
    closers.push(() => simulator.close());
    if (rest.pcap !== undefined) {
      const flush = setInterval(() => simulator.world.flushCapture(), CAPTURE_FLUSH_MS);
      closers.push(() => clearInterval(flush));
    }
    if (scenario !== undefined) closers.push(scenario.apply(simulator));
    const { modules } = simulator;
    const uarts: UartLine[] = [];
    for (const [index, place] of lines.entries())
      uarts.push(await modules[index % modules.length].openUart(place));
    const bridges: SpiBridge[] = [];
    for (const [index, address] of spiBridge.entries()) {
      const bridge = await serveSpiBridge(address, modules[index % modules.length].spi);
      closers.push(() => bridge.close());
      bridges.push(bridge);
    }
    // A host that starts at our word shall be heard, unless it is the boot that it wants to see.
    if (rest.bootMs === undefined && rest.realistic !== true) await simulator.booted();
    const ready = {
      ready: true,
      ...firstAndAll(
        'uart',
        uarts.map(({ name }) => name),
      ),
      ...firstAndAll(
        'spiBridge',
        bridges.map(({ address }) => address),
      ),
      mac: modules[0].mac,
      router: simulator.world.router.addresses.ipv4,
      hostNetwork: simulator.world.router.hostNetwork,
      accessPoints: simulator.world.air.accessPoints.map(({ name, bssid, security }) => ({
        ssid: name,
        bssid,
        security,
      })),
      forwards: simulator.world.router.forwards.map(({ protocol, hostPort, modulePort }) => ({
        protocol,
        hostPort,
        modulePort,
      })),
      pid: process.pid,
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    await untilInterrupted();
  } finally {
    for (const close of closers.reverse()) await close();
    if (traceFile !== undefined) closeSync(traceFile);
  }
}

/** Most have one of each: `uart` is the first, `uarts` all of them. */
const firstAndAll = (name: string, all: readonly string[]): Record<string, unknown> =>
  all.length === 0 ? {} : { [name]: all[0], [`${name}s`]: all };

function openOutput(flag: string, path: string): number {
  try {
    return openSync(path, 'w');
  } catch (cause) {
    throw new CliError(Exit.FAILED, `${flag}: ${(cause as Error).message}`, { cause });
  }
}

/** A full disk ends the trace, not the simulator. */
function lineWriter(file: number): (line: string) => void {
  let failed = false;
  return (line) => {
    if (failed) return;
    try {
      writeSync(file, line);
    } catch (error) {
      failed = true;
      process.stderr.write(`wincs02: --trace ends here: ${(error as Error).message}\n`);
    }
  };
}

function untilInterrupted(): Promise<void> {
  const { signal } = interrupted;
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
