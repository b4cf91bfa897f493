/** `wincs02 stack`: the TCP/IP engine as a host of its own on a TAP device. */

import { isIP } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError } from 'commander';
import { TcpStream } from '../simulator/tcpip/api/stream.js';
import { systemClock } from '../simulator/tcpip/clock.js';
import type { Endpoint, Link } from '../simulator/tcpip/contract.js';
import { StackError } from '../simulator/tcpip/errors.js';
import {
  CapturedLink,
  CaptureFile,
  ImpairedLink,
  type Impairment,
  parseImpairment,
  TapLink,
  TracedLink,
} from '../simulator/tcpip/link/index.js';
import { seededRandom } from '../simulator/tcpip/random.js';
import { createStack, type EngineStack } from '../simulator/tcpip/stack.js';
import { interrupted, parseInteger } from './common.js';
import { CliError, Exit } from './exit.js';
import { type Listen, type ServiceName, serviceNames, startService } from './stack-services.js';
import { connectionTable, showTable } from './stack-table.js';

interface Prefixed {
  readonly address: string;
  readonly prefix: number;
}

interface Options {
  readonly tap: string;
  readonly ip?: Prefixed | 'dhcp';
  readonly ip6?: Prefixed | 'auto';
  readonly gateway?: string;
  readonly mac?: string;
  readonly listen?: readonly Listen[];
  readonly connect?: Endpoint;
  readonly impair?: Impairment;
  readonly pcap?: string;
  readonly trace?: boolean;
  readonly stats?: boolean;
  readonly seed?: number;
}

export function stackCommand(): Command {
  return new Command('stack')
    .description('the TCP/IP engine as a host on a TAP device; one line of JSON says when it is ready')
    .requiredOption('--tap <name>', 'the TAP device; made if it is not there (needs CAP_NET_ADMIN)')
    .option('--ip <address/length>', 'its IPv4 address, or "dhcp"', parseIp4)
    .option('--ip6 <address/length>', 'its IPv6 address, or "auto" for SLAAC', parseIp6)
    .option('--gateway <address>', 'where everything else goes')
    .option('--mac <address>', 'its Ethernet address', parseMac)
    .option('--listen <service:port,...>', `${serviceNames.join(', ')}; repeatable`, parseListen)
    .option('--connect <host:port>', 'netcat: stdin and stdout are the connection', parseEndpoint)
    .option('--impair <spec>', 'loss=1%,delay=20ms,rate=10mbit,… both ways', parseImpair)
    .option('--pcap <file>', 'write the packets to a pcapng file')
    .option('--trace', 'write a line for every packet to stderr')
    .option('--stats', 'a table of the connections on stderr, every second')
    .option(
      '--seed <number>',
      'repeatable chance, and so guessable sequence numbers',
      parseInteger(0, 2 ** 32 - 1),
    )
    .action(runStack);
}

async function runStack(options: Options): Promise<void> {
  if (options.ip === undefined && options.ip6 === undefined) {
    throw new CliError(Exit.USAGE, 'an address is needed: --ip, --ip6 or both');
  }
  if (options.listen === undefined && options.connect === undefined) {
    throw new CliError(Exit.USAGE, 'nothing to do: --listen, --connect or both');
  }
  const closers: (() => void)[] = [];
  const gone = new AbortController();
  try {
    const { link, tap } = openLink(options, closers, (error) => gone.abort(portError(error)));
    const stack = createStack({
      link,
      ...(options.mac !== undefined && { mac: options.mac }),
      ...(options.seed !== undefined && { random: seededRandom(options.seed) }),
    });
    closers.push(() => stack.close());
    await configure(stack, options);
    for (const listen of options.listen ?? []) startService(stack, listen);
    if (options.stats) closers.push(showTable(process.stderr, () => connectionTable(stack.connections())));
    const ready = {
      ready: true,
      tap: tap.name,
      mtu: tap.mtu,
      mac: stack.mac,
      addresses: stack.addresses,
      listen: options.listen ?? [],
      pid: process.pid,
    };
    // With --connect stdout is the connection's.
    const out = options.connect === undefined ? process.stdout : process.stderr;
    out.write(`${JSON.stringify(ready)}\n`);
    const stop = AbortSignal.any([interrupted.signal, gone.signal]);
    if (options.connect !== undefined) await exchange(stack, options.connect, stop);
    else await aborted(stop);
    if (gone.signal.aborted) throw gone.signal.reason;
  } finally {
    for (const close of closers.reverse()) close();
  }
}

/** TAP, impairments above it, then the tracer and the capture, which see what the stack sees. */
function openLink(
  options: Options,
  closers: (() => void)[],
  onGone: (error: StackError) => void,
): { link: Link; tap: TapLink } {
  let tap: TapLink;
  try {
    tap = new TapLink(options.tap, { onClosed: onGone });
  } catch (error) {
    throw error instanceof StackError ? portError(error) : error;
  }
  closers.push(() => tap.close());
  const capture = options.pcap === undefined ? undefined : openCapture(options.pcap);
  if (capture !== undefined) {
    const flush = setInterval(() => capture.flush(), 1000);
    closers.push(() => {
      clearInterval(flush);
      capture.close();
    });
  }
  let link: Link = tap;
  const { impair } = options;
  if (impair !== undefined) {
    const impaired = capture?.writer.interface('impaired');
    const device = new ImpairedLink(link, {
      clock: systemClock,
      random: seededRandom(options.seed ?? Math.floor(Math.random() * 2 ** 32)),
      outbound: impair,
      inbound: impair,
      observe: (verdict, frame, length, direction) => {
        if (impaired !== undefined)
          capture?.writer.packet(impaired, frame, length, { direction, comment: verdict });
      },
    });
    closers.push(() => device.close());
    link = device;
  }
  if (options.trace) link = new TracedLink(link, systemClock, (line) => process.stderr.write(`${line}\n`));
  if (capture !== undefined) link = new CapturedLink(link, capture.writer, 'stack');
  return { link, tap };
}

function openCapture(path: string): CaptureFile {
  try {
    return new CaptureFile(path, {
      onError: (error) => process.stderr.write(`wincs02: the capture ends here: ${error.message}\n`),
    });
  } catch (cause) {
    throw new CliError(Exit.FAILED, `--pcap: ${(cause as Error).message}`, { cause });
  }
}

const portError = (cause: StackError): CliError => new CliError(Exit.PORT, cause.message, { cause });

const addressTimeoutMs = 30_000;

async function configure(stack: EngineStack, { ip, ip6, gateway }: Options): Promise<void> {
  if (ip === 'dhcp') stack.startDhcp({ hostname: 'wincs02' });
  else if (ip !== undefined) stack.addAddress(ip.address, ip.prefix);
  if (ip6 !== undefined) stack.startIpv6();
  if (ip6 !== undefined && ip6 !== 'auto') stack.addAddress(ip6.address, ip6.prefix);
  if (gateway !== undefined) stack.setGateway(gateway);
  // A configured IPv6 address, too, is there only after nobody else was found to have it.
  const complete = (): boolean =>
    [ip, ip6].every((want) =>
      stack.addresses.some(({ address, origin }) =>
        want === undefined || typeof want === 'string'
          ? want === undefined || origin === (want === 'dhcp' ? 'dhcp' : 'slaac')
          : isIP(address) === isIP(want.address) && origin === 'static',
      ),
    );
  const deadline = AbortSignal.any([AbortSignal.timeout(addressTimeoutMs), interrupted.signal]);
  while (!complete()) {
    await new Promise<void>((resolve) => {
      stack.onAddressChange = resolve;
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
    if (interrupted.signal.aborted) throw interrupted.signal.reason;
    if (deadline.aborted) throw new CliError(Exit.TIMEOUT, 'not all addresses came within 30 s');
  }
}

async function exchange(stack: EngineStack, remote: Endpoint, signal: AbortSignal): Promise<void> {
  const socket = new TcpStream(stack.tcpConnect(remote, {}));
  try {
    await Promise.all([
      pipeline(process.stdin, socket, { signal }),
      pipeline(socket, process.stdout, { signal, end: false }),
    ]);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    process.stdin.destroy();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function parsePrefixed(longest: number, word: string): (text: string) => Prefixed | undefined {
  return (text) => {
    if (text === word) return undefined;
    const [address, length, rest] = text.split('/');
    const prefix = /^\d{1,3}$/.test(length ?? '') ? Number(length) : longest + 1;
    const right = rest === undefined && prefix <= longest && isIP(address) === (longest === 32 ? 4 : 6);
    if (!right) throw new InvalidArgumentError(`write an address and its prefix length, or "${word}".`);
    return { address, prefix };
  };
}

const parseIp4 = (text: string): Prefixed | 'dhcp' => parsePrefixed(32, 'dhcp')(text) ?? 'dhcp';
const parseIp6 = (text: string): Prefixed | 'auto' => parsePrefixed(128, 'auto')(text) ?? 'auto';

function parseMac(text: string): string {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) || Number.parseInt(text, 16) % 2 === 1) {
    throw new InvalidArgumentError('write six bytes as 02:00:00:00:00:01, the first one even.');
  }
  return text.toLowerCase();
}

function parseListen(text: string, before: readonly Listen[] = []): readonly Listen[] {
  const added = text.split(',').map((item) => {
    const [, name, port] = /^([a-z]+):(\d{1,5})$/.exec(item.trim()) ?? [];
    const service = serviceNames.find((known) => known === name) as ServiceName | undefined;
    if (service === undefined || !(Number(port) >= 1 && Number(port) <= 65_535)) {
      throw new InvalidArgumentError(`"${item}" is not one of ${serviceNames.join(', ')} with :PORT.`);
    }
    return { service, port: Number(port) };
  });
  return [...before, ...added];
}

function parseEndpoint(text: string): Endpoint {
  const [, six, four, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = six ?? four ?? '';
  if (isIP(address) !== (six === undefined ? 4 : 6) || !(Number(port) >= 1 && Number(port) <= 65_535)) {
    throw new InvalidArgumentError('write an address and a port: 10.0.0.1:80 or [fd00::1]:80.');
  }
  return { address, port: Number(port) };
}

function parseImpair(text: string): Impairment {
  try {
    return parseImpairment(text);
  } catch (error) {
    throw error instanceof StackError ? new InvalidArgumentError(`${error.message}.`) : error;
  }
}
