/**
 * Mutated frames into a stack with live connections. Nothing may throw, hang or grow without bound, and a connection
 * whose frames the attacker never sees must carry every byte.
 *
 *     node --import tsx test/simulator/tcpip/fuzz.ts [FRAMES] [SEED]
 */
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import type { Link, Random, TcpConnection } from '../../../simulator/tcpip/contract.js';
import { Address } from '../../../simulator/tcpip/core/address.js';
import { fold, sumBytes } from '../../../simulator/tcpip/core/checksum.js';
import { pseudoHeaderSum } from '../../../simulator/tcpip/core/packet.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import { createStack, type EngineStack } from '../../../simulator/tcpip/stack.js';
import { read16, write16 } from '../../../simulator/tcpip/wire/bytes.js';
import { makeFrame, udpPayload } from './host.js';

const CONTROL_PORT = 4242;
const CORPUS = 512;
/** What one call of `pump` may move; far more than all windows hold. */
const PUMP_LIMIT = 100_000;

export interface FuzzResult {
  readonly frames: number;
  readonly controlBytes: number;
  readonly stats: EngineStack['stats'];
  readonly connections: number;
}

/** Two links; frames are delivered by `pump`, and kept for the corpus if they are not the control connection's. */
class FuzzWire {
  readonly queues: Uint8Array[][] = [[], []];
  readonly links: Link[];
  readonly corpus: Uint8Array[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.links = [0, 1].map((side) => ({
      mtu: 1500,
      transmit: (frame, length) => {
        const copy = frame.slice(0, length);
        this.#keep(copy);
        if (this.queues[1 - side].length < 2000) this.queues[1 - side].push(copy);
        return true;
      },
      receive: () => {},
    }));
  }

  #keep(frame: Uint8Array): void {
    // The answers to what was injected would crowd out everything else.
    if (frame[23] === 1 || (frame[12] === 0x86 && frame[20] === 58)) return;
    const ports = frame[23] === 6 ? [read16(frame, 34), read16(frame, 36)] : [];
    if (ports.includes(CONTROL_PORT)) return;
    if (this.corpus.length < CORPUS) this.corpus.push(frame);
    else this.corpus[Math.floor(this.#random() * CORPUS)] = frame;
  }

  /** Delivers until nothing is left; time stands still meanwhile, so that must come to an end. */
  pump(): void {
    let count = 0;
    for (let moved = true; moved; ) {
      moved = false;
      for (const [side, queue] of this.queues.entries()) {
        for (const frame of queue.splice(0)) {
          moved = true;
          if (++count > PUMP_LIMIT) throw new Error('two stacks that never stop');
          this.links[side].receive(frame, frame.length);
        }
      }
    }
  }
}

/** Shapes that traffic of two hosts does not show by itself. */
function seeds(): Uint8Array[] {
  const group = [0x33, 0x33, 0, 0, 0, 1];
  const frames = [
    makeFrame({
      from: '10.0.0.1',
      to: '10.0.0.2',
      protocol: 17,
      payload: udpPayload(1, 9, new Uint8Array(40)),
      checksumAt: 6,
    }),
    makeFrame({
      from: '10.0.0.1',
      to: '10.0.0.2',
      protocol: 17,
      payload: new Uint8Array(64),
      fragment: 0x2000,
    }),
    makeFrame({ from: '10.0.0.1', to: '10.0.0.2', protocol: 17, payload: new Uint8Array(64), fragment: 8 }),
    makeFrame({
      from: 'fd00::1',
      to: 'fd00::2',
      protocol: 44,
      payload: Uint8Array.from([17, 0, 0, 1, 0, 0, 0, 1, ...new Array(32).fill(0)]),
    }),
    makeFrame({
      from: 'fd00::1',
      to: 'fd00::2',
      protocol: 0,
      payload: Uint8Array.from([60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0]),
    }),
    makeFrame({
      from: '10.0.0.1',
      to: '224.0.0.1',
      protocol: 2,
      payload: Uint8Array.from([0x11, 10, 0, 0, 0, 0, 0, 0]),
      checksumAt: 2,
    }),
  ];
  for (const [type, length] of [
    [130, 28],
    [133, 16],
    [134, 56],
    [135, 32],
    [136, 32],
    [137, 40],
    [2, 60],
    [1, 60],
    [128, 40],
  ]) {
    const payload = new Uint8Array(length);
    payload[0] = type;
    payload.set([0x60, 0, 0, 0, 0, 20, 6, 64], 8);
    frames.push(
      makeFrame({
        from: 'fe80::9',
        to: 'ff02::1',
        protocol: 58,
        payload,
        checksumAt: 2,
        hops: 255,
        destinationMac: group,
      }),
    );
  }
  for (const [type, code] of [
    [3, 1],
    [3, 3],
    [3, 4],
    [11, 0],
    [12, 0],
    [8, 0],
    [13, 0],
  ]) {
    const payload = new Uint8Array(64);
    payload.set([
      type,
      code,
      0,
      0,
      0,
      0,
      2,
      0x50,
      0x45,
      0,
      0,
      60,
      0,
      0,
      0,
      0,
      64,
      6,
      0,
      0,
      10,
      0,
      0,
      2,
      10,
      0,
      0,
      1,
    ]);
    frames.push(makeFrame({ from: '10.0.0.1', to: '10.0.0.2', protocol: 1, payload, checksumAt: 2 }));
  }
  for (const frame of frames) frame.set([2, 0, 0, 0, 0, 2], 0);
  return frames;
}

const interesting = [0, 1, 2, 4, 5, 7, 8, 10, 15, 16, 20, 40, 58, 60, 63, 64, 127, 128, 129, 255];

function mutate(frame: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const pick = (limit: number): number => Math.floor(random() * limit);
  let bytes = frame.slice();
  for (let count = 1 + pick(3); count > 0 && bytes.length > 14; count--) {
    // Headers are where it hurts.
    const kind = random();
    const from = kind < 0.6 ? 34 : kind < 0.8 ? 12 : 0;
    const at = Math.min(bytes.length - 1, from + pick(from === 0 ? bytes.length : 70));
    switch (pick(7)) {
      case 0:
        bytes[at] ^= 1 << pick(8);
        break;
      case 1:
        bytes[at] = interesting[pick(interesting.length)];
        break;
      case 2:
        bytes[at] = pick(256);
        break;
      case 3:
        bytes = bytes.slice(0, pick(bytes.length + 1));
        break;
      case 4:
        bytes = Uint8Array.from([...bytes, ...other.subarray(0, pick(200))]);
        break;
      case 5:
        bytes.set(other.subarray(at, at + pick(16)).subarray(0, bytes.length - at), at);
        break;
      default:
        if (at + 1 < bytes.length) write16(bytes, at, pick(65_536));
    }
  }
  if (random() < 0.9) repair(bytes);
  return bytes.subarray(0, 1514);
}

/** Checksums made right again, so that mutations get past them. */
function repair(frame: Uint8Array): void {
  const v4 = frame[12] === 0x08 && frame[13] === 0;
  const v6 = frame[12] === 0x86 && frame[13] === 0xdd;
  if (frame.length < 34 || (!v4 && !v6) || (v6 && frame.length < 54)) return;
  const header = v4 ? Math.min(Math.max(20, (frame[14] & 15) * 4), frame.length - 14) : 40;
  if (v4) {
    write16(frame, 24, 0);
    write16(frame, 24, ~sumBytes(frame, 14, header) & 0xffff);
  }
  const at = 14 + header;
  const protocol = v4 ? frame[23] : frame[20];
  const checksumAt = { 1: 2, 2: 2, 6: 16, 17: 6, 58: 2 }[protocol];
  const length = Math.min(v4 ? read16(frame, 16) - header : read16(frame, 18), frame.length - at);
  if (checksumAt === undefined || length < checksumAt + 2) return;
  const source = new Address();
  const destination = new Address();
  if (v4) {
    source.readV4(frame, 26);
    destination.readV4(frame, 30);
  } else {
    source.readV6(frame, 22);
    destination.readV6(frame, 38);
  }
  const pseudo =
    protocol === 2 || (v4 && protocol === 1) ? 0 : pseudoHeaderSum(source, destination, protocol, length);
  write16(frame, at + checksumAt, 0);
  write16(frame, at + checksumAt, ~fold(sumBytes(frame, at, length) + pseudo) & 0xffff);
}

/** Runs so many frames; throws if anything is wrong. */
export function fuzz(frames: number, seed: number): FuzzResult {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const wire = new FuzzWire(random);
  const [client, server] = [1, 2].map((n) => {
    const stack = createStack({
      link: wire.links[n - 1],
      clock,
      random: seededRandom(seed + n),
      mac: `02:00:00:00:00:0${n}`,
      tcp: { ecn: 'on', maxConnections: 500 },
    });
    stack.addAddress(`10.0.0.${n}`, 24);
    stack.addAddress(`fd00::${n}`, 64);
    return stack;
  });
  client.setNeighbor('10.0.0.2', '02:00:00:00:00:02');
  server.setNeighbor('10.0.0.1', '02:00:00:00:00:01');
  server.startIpv6();
  const settle = (ms: number): void => {
    for (let i = 0; i < ms; i += 10) {
      clock.advance(10);
      wire.pump();
    }
  };
  settle(3000);

  // The connection that must come to no harm.
  let sent = 0;
  let received = 0;
  let failure: string | undefined;
  const into = new Uint8Array(4096);
  server.tcpListen({ port: CONTROL_PORT }, (c) => ({
    readable(): void {
      for (let n = c.read(into); n > 0; n = c.read(into)) {
        for (let i = 0; i < n; i++)
          if (into[i] !== ((received + i) & 0xff)) failure = `wrong byte at ${received + i}`;
        received += n;
      }
    },
    closed: (why) => (failure ??= `closed: ${why}`),
  }));
  const control = client.tcpConnect(
    { address: '10.0.0.2', port: CONTROL_PORT },
    {
      closed: (why) => (failure ??= `closed: ${why}`),
    },
  );

  // Victims: their frames are the corpus, so they may be reset, and are replaced.
  server.tcpListen(
    { port: 7 },
    (c) => ({
      readable: () => c.write(into.subarray(0, c.read(into))),
    }),
    { fastOpen: true },
  );
  server.udpBind({ port: 9 }, { message: () => {} }).join('224.0.0.251');
  let victims: TcpConnection[] = [];
  const refresh = (): void => {
    victims = victims.filter(({ state }) => state === 'ESTABLISHED');
    while (victims.length < 4) {
      const address = victims.length % 2 === 0 ? '10.0.0.2' : 'fd00::2';
      victims.push(client.tcpConnect({ address, port: 7 }, { readable() {} }, { fastOpen: random() < 0.5 }));
      victims[victims.length - 1].write(into.subarray(0, 100));
    }
    for (const victim of victims) {
      victim.consume(victim.readable);
      victim.write(into.subarray(0, 1 + Math.floor(random() * 3000)));
    }
  };
  const shapes = seeds();
  for (let done = 0; done < frames; ) {
    refresh();
    const data = Uint8Array.from({ length: 64 }, (_, i) => (sent + i) & 0xff);
    sent += control.write(data);
    wire.pump();
    for (let i = 0; i < 200 && done < frames; i++, done++) {
      const pool = random() < 0.3 ? shapes : wire.corpus;
      const frame = pool[Math.floor(random() * pool.length)];
      const other = shapes[Math.floor(random() * shapes.length)];
      const bytes = mutate(frame, other, random);
      const side = frame[5] === 1 ? 0 : 1;
      wire.links[side].receive(bytes, bytes.length);
    }
    wire.pump();
    clock.advance(Math.floor(random() * 20));
    wire.pump();
    if (failure !== undefined) throw new Error(`${failure} after ${done} frames, seed ${seed}`);
  }
  settle(5000);
  const connections = [...server.connections()].length;
  if (received !== sent || failure !== undefined) {
    throw new Error(`${failure ?? 'control connection stuck'}: ${received} of ${sent} bytes, seed ${seed}`);
  }
  if (connections > 500) throw new Error(`${connections} connections`);
  const { stats } = server;
  client.close();
  server.close();
  return { frames, controlBytes: received, stats, connections };
}

if (process.argv[1] === import.meta.filename) {
  const frames = Number(process.argv[2] ?? 10_000_000);
  const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
  const slice = 100_000;
  console.log(`seed ${seed}`);
  for (let done = 0; done < frames; done += slice) {
    const result = fuzz(Math.min(slice, frames - done), seed + done);
    const memory = Math.round(process.memoryUsage().rss / 1048576);
    console.log(`${done + result.frames} frames, ${result.connections} connections, ${memory} MiB`);
  }
}
