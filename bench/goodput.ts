/**
 * Goodput over bad links, and how flows share one, on virtual time: the same seed gives the same table, on any machine.
 * `npm run bench -- goodput [--seed N] [--write]`; `--write` puts the tables into docs/engine-goodput.md.
 */
import { writeFileSync } from 'node:fs';
import { VirtualClock } from '../simulator/tcpip/clock.js';
import type { TcpConnection } from '../simulator/tcpip/contract.js';
import { ImpairedLink, type Impairment, memoryPipe, onClock } from '../simulator/tcpip/link/index.js';
import { seededRandom } from '../simulator/tcpip/random.js';
import { createStack } from '../simulator/tcpip/stack.js';
import type { Metric } from './run.js';

const losses = [0, 0.001, 0.01, 0.03, 0.1];
const roundTrips = [1, 20, 200];
const buffers = [8, 64, 512];
const mss = 1448;
/** A transfer ends after so many bytes, or so long. */
const enoughBytes = 16 << 20;
const enoughMs = 600_000;

export interface Flows {
  readonly count: number;
  readonly outbound: Impairment;
  readonly inbound: Impairment;
  readonly bufferBytes: number;
  readonly seed: number;
  readonly maxBytes: number;
  readonly maxMs: number;
}

/** What each of `count` flows brings over in bytes per second. They start within the first 100 ms. */
export function measure({ count, outbound, inbound, bufferBytes, seed, maxBytes, maxMs }: Flows): number[] {
  const clock = new VirtualClock();
  const [near, far] = memoryPipe({ dispatch: onClock(clock), queue: 8192 });
  const random = seededRandom(seed);
  const sender = createStack({
    link: new ImpairedLink(near, { clock, random: seededRandom(seed + 1), outbound, inbound }),
    clock,
    random,
    mac: '02:00:00:00:00:01',
  });
  const receiver = createStack({ link: far, clock, random, mac: '02:00:00:00:00:02' });
  sender.addAddress('10.0.0.1', 24);
  receiver.addAddress('10.0.0.2', 24);
  // The address resolution is not what is measured, and it would be lost, too.
  sender.setNeighbor('10.0.0.2', receiver.mac);
  receiver.setNeighbor('10.0.0.1', sender.mac);
  const received = new Array<number>(count).fill(0);
  receiver.tcpListen({ port: 9 }, (connection) => {
    connection.setReceiveBuffer(bufferBytes);
    const index = connection.remote.port - 10_000;
    return {
      readable: () => {
        received[index] += connection.readable;
        connection.consume(connection.readable);
      },
    };
  });
  const data = new Uint8Array(65_536);
  for (let index = 0; index < count; index++) {
    clock.advance(100 / count);
    const push = (): void => {
      while (connection.write(data) === data.length);
    };
    const connection: TcpConnection = sender.tcpConnect(
      { address: '10.0.0.2', port: 9 },
      { connected: push, writable: push },
      { local: { port: 10_000 + index } },
    );
    // Room to write ahead, so that the receiver's window is the limit.
    connection.setSendBuffer(2 * bufferBytes);
  }
  const began = clock.now();
  const step = 100;
  while (clock.now() - began < maxMs && received.reduce((sum, bytes) => sum + bytes) < maxBytes)
    clock.advance(step);
  const seconds = (clock.now() - began) / 1000;
  sender.close();
  receiver.close();
  return received.map((bytes) => bytes / seconds);
}

/** Bytes per second of Reno's response function (Mathis et al. 1997), acknowledged every segment. */
const mathis = (loss: number, rttMs: number): number => (mss / (rttMs / 1000)) * Math.sqrt(1.5 / loss);

/** Bytes per second of CUBIC's (RFC 9438 5.1), with C = 0.4 and beta = 0.7, never below Reno's. */
function cubic(loss: number, rttMs: number): number {
  const rtt = rttMs / 1000;
  const segments = ((0.4 * 3.7) / (4 * 0.3)) ** 0.25 * (rtt / loss) ** 0.75;
  return Math.max((segments * mss) / rtt, mathis(loss, rttMs));
}

/** What the smaller buffer allows. */
const windowLimit = (bufferBytes: number, rttMs: number): number => bufferBytes / (rttMs / 1000);

export interface Cell {
  readonly loss: number;
  readonly rttMs: number;
  readonly bufferKib: number;
  readonly goodput: number;
  /** Of the response functions, where the buffer does not limit first. */
  readonly mathis: number;
  readonly cubic: number;
}

export function cell(loss: number, rttMs: number, bufferKib: number, seed: number): Cell {
  const bufferBytes = bufferKib * 1024;
  const delayMs = rttMs / 2;
  const [goodput] = measure({
    count: 1,
    outbound: { loss, delayMs },
    inbound: { delayMs },
    bufferBytes,
    seed,
    maxBytes: enoughBytes,
    maxMs: enoughMs,
  });
  const limit = windowLimit(bufferBytes, rttMs);
  return {
    loss,
    rttMs,
    bufferKib,
    goodput,
    mathis: loss === 0 ? limit : Math.min(limit, mathis(loss, rttMs)),
    cubic: loss === 0 ? limit : Math.min(limit, cubic(loss, rttMs)),
  };
}

/** Jain's index: 1 when all have the same, 1/n when one has everything. */
const fairness = (shares: readonly number[]): number => {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
};

const bottleneck = { rateBitsPerSecond: 10e6, queueFrames: 60, delayMs: 20 };
const sharingMs = 120_000;

export function share(
  count: number,
  seed: number,
  ecn: boolean,
): { shares: number[]; index: number; used: number } {
  const shares = measure({
    count,
    outbound: { ...bottleneck, ecn },
    inbound: { delayMs: 20 },
    bufferBytes: 512 * 1024,
    seed,
    maxBytes: Number.POSITIVE_INFINITY,
    maxMs: sharingMs,
  });
  const total = shares.reduce((sum, rate) => sum + rate, 0);
  return { shares, index: fairness(shares), used: (total * 8) / bottleneck.rateBitsPerSecond };
}

const rate = (bytesPerSecond: number): string =>
  bytesPerSecond >= 1e6
    ? `${(bytesPerSecond / 1e6).toPrecision(3)} MB/s`
    : `${(bytesPerSecond / 1e3).toPrecision(3)} kB/s`;

export async function run(args: readonly string[]): Promise<readonly Metric[]> {
  const seedAt = args.indexOf('--seed');
  const seed = seedAt < 0 ? 1 : Number(args[seedAt + 1]);
  if (!Number.isInteger(seed)) throw new Error('--seed wants a whole number');
  const cells = roundTrips.flatMap((rttMs) =>
    losses.flatMap((loss) => buffers.map((bufferKib) => cell(loss, rttMs, bufferKib, seed))),
  );
  const shared = [2, 8].map((count) => ({ count, ...share(count, seed, false) }));
  if (args.includes('--write')) {
    writeFileSync(new URL('../docs/engine-goodput.md', import.meta.url), page(seed, cells, shared));
  }
  return [
    ...cells.map(({ loss, rttMs, bufferKib, goodput, cubic: expected }) => ({
      name: `goodput loss ${loss * 100} % rtt ${rttMs} ms buffer ${bufferKib} KiB`,
      value: goodput / 1e3,
      unit: 'kB/s',
      peer: 'CUBIC response function',
      ratio: goodput / expected,
    })),
    ...shared.map(({ count, index }) => ({
      name: `fairness of ${count} flows`,
      value: index,
      unit: 'Jain index',
    })),
  ];
}

function page(
  seed: number,
  cells: readonly Cell[],
  shared: readonly ({ count: number } & ReturnType<typeof share>)[],
): string {
  const table = (rttMs: number): string => {
    const rows = losses.map((loss) => {
      const row = cells.filter((one) => one.rttMs === rttMs && one.loss === loss);
      const texts = row.map(
        ({ goodput, mathis: reno, cubic: expected }) =>
          `**${rate(goodput)}** · ${rate(reno)} · ${rate(expected)}`,
      );
      return `| ${loss * 100} % | ${texts.join(' | ')} |`;
    });
    return [
      `### Round trip ${rttMs} ms`,
      '',
      `| loss | ${buffers.map((buffer) => `${buffer} KiB`).join(' | ')} |`,
      `|---|${buffers.map(() => '---').join('|')}|`,
      ...rows,
    ].join('\n');
  };
  const flows = shared.map(({ count, shares, index, used }) => {
    const [least, most] = [Math.min(...shares), Math.max(...shares)];
    return `| ${count} | ${(used * 100).toFixed(0)} % | ${rate(least)} to ${rate(most)} | ${index.toFixed(3)} |`;
  });
  return `# Goodput of the engine

Made by \`npm run bench -- goodput --write --seed ${seed}\` on virtual time: the same seed gives the same numbers anywhere.

One flow of ${mss}-byte segments, loss independent per frame in the direction of the data, half the round trip as delay each
way, no limit on the rate; receive buffer fixed at the size given, send buffer twice that. It ends after ${enoughBytes >> 20} MiB or ${enoughMs / 60_000} minutes,
its start included. In each field: **ours** · Reno's response function (Mathis et al. 1997) · CUBIC's (RFC 9438 5.1);
the functions capped at buffer / round trip, which is also all that can be had without loss.

${roundTrips.map(table).join('\n\n')}

Above the functions: several losses in one round trip count once, and RFC 9438 lets CUBIC grow like Reno once it has made up
for a loss, but from 0.7 of the window. Below them: in 8 KiB five segments fit, and the odd one is acknowledged with the next
round; windows of few segments show few losses by what comes after them; at 10 % there are timeouts (200 ms at least) for
retransmissions that are lost again. The functions know none of this.

## Sharing

A bottleneck of 10 Mbit/s with a queue of ${bottleneck.queueFrames} frames, 40 ms round trip, ${sharingMs / 1000} s, CUBIC.

| flows | link used | each | Jain index |
|---|---|---|---|
${flows.join('\n')}
`;
}
