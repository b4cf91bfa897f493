/** `wincs02 tcp HOST PORT`: netcat through the module. stdin goes to the socket, the socket to stdout. */
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { connectTcp } from '../bsd-sockets/index.js';
import {
  addCommonOptions,
  addJoinOptions,
  type CommonOptions,
  type JoinOptions,
  joinIfAsked,
  parseInteger,
  parsePort,
  withModule,
} from './common.js';
import { CliError, Exit } from './exit.js';

interface Options extends CommonOptions, JoinOptions {
  readonly recv?: number;
}

/** Passes on at most `limit` bytes, counts them, and tells when the limit is reached. */
class Meter extends Transform {
  bytes = 0;
  constructor(
    private readonly limit = Number.POSITIVE_INFINITY,
    private readonly reached: () => void = () => {},
  ) {
    super();
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const wanted = chunk.subarray(0, Math.min(chunk.length, this.limit - this.bytes));
    this.bytes += wanted.length;
    if (wanted.length > 0) this.push(wanted);
    if (this.bytes >= this.limit) this.reached();
    done();
  }
}

export function tcpCommand(): Command {
  return addJoinOptions(
    addCommonOptions(
      new Command('tcp').description('netcat through the module: stdin and stdout are the socket'),
    ),
  )
    .argument('<host>', 'name or address')
    .argument('<port>', 'TCP port', parsePort)
    .option('--recv <bytes>', 'end after so many bytes', parseInteger(0, Number.MAX_SAFE_INTEGER))
    .action(async (host: string, port: number, options: Options) => {
      await withModule(options, async (context) => {
        await joinIfAsked(context, options);
        await exchange(context, host, port, options);
      });
    });
}

async function exchange(
  { module, output, signal }: Parameters<Parameters<typeof withModule>[1]>[0],
  host: string,
  port: number,
  { recv }: Options,
): Promise<void> {
  const started = performance.now();
  const socket = await connectTcp(module, host, port, { signal });
  output.note(`connected to ${host}:${port}`);
  const sent = new Meter();
  const received = new Meter(recv, () => enough.abort());
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  if (recv === 0) enough.abort();

  // The module has no half-close: when stdin ends, the connection stays until the peer closes it or `--recv` is reached.
  const upstream = pipeline(process.stdin, sent, socket, { signal: stop, end: false });
  const downstream = pipeline(socket, received, process.stdout, { signal: stop, end: false });
  upstream.catch(() => {});
  try {
    await downstream;
  } catch (error) {
    if (!enough.signal.aborted || signal.aborted) throw error;
  } finally {
    process.stdin.destroy();
    socket.destroy();
  }
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  const seconds = (performance.now() - started) / 1000;
  output.note(`sent ${sent.bytes}, received ${received.bytes} bytes in ${seconds.toFixed(2)} s`);
  if (recv !== undefined && received.bytes < recv)
    throw new CliError(Exit.FAILED, `the peer closed after ${received.bytes} of ${recv} bytes`);
}
