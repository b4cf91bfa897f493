import { connect, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Link, TcpConnection, TcpHandler } from '../simulator/tcpip/contract.js';
import { createStack, type EngineStack } from '../simulator/tcpip/stack.js';
import { floorRun } from './floor.js';
import type { Metric } from './run.js';

/** Two links joined by a queue of reused frames; frames move when `pump` is called, on this thread, in order. */
class Wire {
  readonly ends: [WireEnd, WireEnd];

  constructor(mtu: number) {
    const a = new WireEnd(mtu);
    const b = new WireEnd(mtu);
    a.peer = b;
    b.peer = a;
    this.ends = [a, b];
  }

  /** Delivers until both directions are empty. */
  pump(): void {
    const [a, b] = this.ends;
    while (a.deliver() || b.deliver());
  }
}

/** More frames than the largest window fills: this wire loses nothing. */
const SLOTS = 8192;

class WireEnd implements Link {
  readonly mtu: number;
  peer: WireEnd | undefined;
  receive: Link['receive'] = () => {};
  /** Frames on the way here, oldest first, and empty ones; the latest used is the next used. */
  readonly #frames: Uint8Array[] = new Array(SLOTS);
  readonly #free: Uint8Array[] = [];
  readonly #lengths = new Int32Array(SLOTS);
  #head = 0;
  #count = 0;

  constructor(mtu: number) {
    this.mtu = mtu;
  }

  transmit(frame: Uint8Array, length: number): boolean {
    return this.peer?.push(frame, length) ?? false;
  }

  push(frame: Uint8Array, length: number): boolean {
    if (this.#count === SLOTS) return false;
    const slot = (this.#head + this.#count) & (SLOTS - 1);
    const held = this.#free.pop() ?? new Uint8Array(this.mtu + 14);
    held.set(length === frame.length ? frame : frame.subarray(0, length));
    this.#frames[slot] = held;
    this.#lengths[slot] = length;
    this.#count++;
    return true;
  }

  /** Hands one frame up. */
  deliver(): boolean {
    if (this.#count === 0) return false;
    const slot = this.#head;
    this.#head = (slot + 1) & (SLOTS - 1);
    this.#count--;
    const frame = this.#frames[slot] as Uint8Array;
    this.receive(frame, this.#lengths[slot] as number);
    this.#free.push(frame);
    return true;
  }
}

interface Pair {
  readonly wire: Wire;
  readonly client: EngineStack;
  readonly server: EngineStack;
}

const SERVER = '10.9.0.2';

function pair(mtu: number): Pair {
  const wire = new Wire(mtu);
  const client = createStack({ link: wire.ends[0], mac: '02:00:00:00:00:01' });
  const server = createStack({ link: wire.ends[1], mac: '02:00:00:00:00:02' });
  client.addAddress('10.9.0.1', 24);
  server.addAddress(SERVER, 24);
  wire.pump();
  return { wire, client, server };
}

function closePair({ client, server }: Pair): void {
  client.close();
  server.close();
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** `total` bytes from one stack to the other; megabytes per second. */
function bulk({ wire, client, server }: Pair, total: number, port: number): number {
  const chunk = new Uint8Array(65_536).fill(0x5a);
  const sink = new Uint8Array(262_144);
  let received = 0;
  const listener = server.tcpListen({ port }, (connection) => ({
    readable(): void {
      received += connection.read(sink);
      if (connection.ended) connection.shutdown();
    },
  }));
  let left = total;
  const send = (): void => {
    while (left > 0) {
      const taken = connection.write(left < chunk.length ? chunk.subarray(0, left) : chunk);
      left -= taken;
      if (taken === 0) return;
    }
    connection.shutdown();
  };
  const connection = client.tcpConnect({ address: SERVER, port }, { connected: send, writable: send });
  const started = performance.now();
  wire.pump();
  const elapsed = performance.now() - started;
  listener.close();
  if (received !== total) throw new Error(`${received} of ${total} bytes arrived`);
  return total / 1e3 / elapsed;
}

/** Microseconds of one byte there and back, median. */
function pingPong({ wire, client, server }: Pair, rounds: number, port: number): number {
  const one = Uint8Array.of(7);
  const into = new Uint8Array(16);
  const listener = server.tcpListen({ port }, (connection) => ({
    readable(): void {
      if (connection.read(into) > 0) connection.write(one);
      else if (connection.ended) connection.shutdown();
    },
  }));
  let got = 0;
  const connection = client.tcpConnect(
    { address: SERVER, port },
    {
      readable(): void {
        got += connection.read(into);
      },
    },
  );
  connection.setNoDelay(true);
  wire.pump();
  const times = new Float64Array(rounds);
  for (let i = 0; i < rounds; i++) {
    const started = performance.now();
    connection.write(one);
    wire.pump();
    times[i] = performance.now() - started;
  }
  if (got !== rounds) throw new Error(`${got} of ${rounds} answers`);
  connection.shutdown();
  wire.pump();
  listener.close();
  return 1000 * (times.sort()[rounds >> 1] as number);
}

/** Connections opened and closed in order per second. */
function openClose({ wire, client, server }: Pair, count: number, port: number): number {
  const listener = server.tcpListen({ port }, (connection) => ({
    readable: () => connection.shutdown(),
  }));
  let closed = 0;
  const handler: TcpHandler = { closed: () => closed++ };
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const connection = client.tcpConnect({ address: SERVER, port }, handler);
    wire.pump();
    connection.shutdown();
    wire.pump();
  }
  const elapsed = performance.now() - started;
  listener.close();
  if (closed !== count) throw new Error(`${closed} of ${count} connections closed`);
  return (1000 * count) / elapsed;
}

// Memory figures mean something only right after a collection, whatever flags this was started with.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes one idle connection costs, of `count` open ones that have each carried data. Both ends are counted. */
function idleConnections(
  stacks: Pair,
  count: number,
  port: number,
): { bytes: number; connections: TcpConnection[] } {
  const { wire, client, server } = stacks;
  const into = new Uint8Array(64);
  const hello = new Uint8Array(32);
  const answer = Uint8Array.of(1);
  server.tcpListen({ port }, (connection) => ({
    readable(): void {
      while (connection.read(into) > 0) connection.write(answer);
    },
  }));
  const connections: TcpConnection[] = new Array(count);
  const before = heapBytes();
  for (let i = 0; i < count; i++) {
    const connection: TcpConnection = client.tcpConnect(
      { address: SERVER, port },
      { readable: () => connection.read(into) },
    );
    connection.setNoDelay(true);
    wire.pump();
    connection.write(hello);
    wire.pump();
    connections[i] = connection;
  }
  return { bytes: (heapBytes() - before) / (2 * count), connections };
}

/** Nanoseconds per segment sent and received, one byte each way on these connections in turn. */
function segmentCost({ wire, client }: Pair, connections: readonly TcpConnection[], rounds: number): number {
  const one = Uint8Array.of(1);
  const { stats } = client;
  const before = stats.tcpSegmentsIn + stats.tcpSegmentsOut;
  const started = performance.now();
  for (let i = 0; i < rounds; i++) {
    (connections[i % connections.length] as TcpConnection).write(one);
    wire.pump();
  }
  const elapsed = performance.now() - started;
  return (1e6 * elapsed) / (stats.tcpSegmentsIn + stats.tcpSegmentsOut - before);
}

interface NodeFigures {
  readonly bulk: number;
  readonly roundTrip: number;
  readonly connections: number;
}

/** The same three jobs over Node's own `net` on the kernel's loopback, client and server in this process. */
async function nodeNet(): Promise<NodeFigures> {
  const total = 128 << 20;
  const server = createServer({ noDelay: true }, (socket) => {
    let mode = 0;
    let received = 0;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const rest = mode === 0 ? data.subarray(1) : data;
      if (mode === 0) mode = data[0] as number;
      if (mode === 2) socket.write(rest);
      received += rest.length;
      if (mode === 1 && received >= total) socket.end(Buffer.of(1));
    });
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const open = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
      socket.once('error', reject);
    });
  const figures = {
    bulk: await nodeBulk(await open(), total),
    roundTrip: await nodePingPong(await open(), 5000),
    connections: await nodeOpenClose(open, 1000),
  };
  await new Promise((resolve) => server.close(resolve));
  return figures;
}

async function nodeBulk(socket: Socket, total: number): Promise<number> {
  const chunk = Buffer.alloc(65_536, 0x5a);
  const started = performance.now();
  const answered = new Promise((resolve) => socket.once('data', resolve));
  socket.write(Buffer.of(1));
  for (let sent = 0; sent < total; sent += chunk.length) {
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  await answered;
  const elapsed = performance.now() - started;
  socket.destroy();
  return total / 1e3 / elapsed;
}

async function nodePingPong(socket: Socket, rounds: number): Promise<number> {
  const one = Buffer.of(7);
  const times: number[] = [];
  socket.write(Buffer.of(2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < rounds; i++) {
    const started = performance.now();
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write(one);
    await answered;
    times.push(performance.now() - started);
  }
  socket.destroy();
  return 1000 * median(times);
}

async function nodeOpenClose(open: () => Promise<Socket>, count: number): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const socket = await open();
    await new Promise((resolve) => {
      socket.once('close', resolve);
      socket.resume();
      socket.end();
    });
  }
  return (1000 * count) / (performance.now() - started);
}

const RUNS = 7;
const BULK_BYTES = 64 << 20;

/** Floor and engine in turn, so that a machine that slows down slows both. */
function bulkAgainstFloor(mtu: number): { floor: number; engine: number } {
  const stacks = pair(mtu);
  const floors: number[] = [];
  const engines: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    floors.push(floorRun(BULK_BYTES));
    engines.push(bulk(stacks, BULK_BYTES, 1000 + i));
  }
  closePair(stacks);
  return { floor: median(floors), engine: median(engines) };
}

function residentGrowth(): number {
  const stacks = pair(1500);
  bulk(stacks, BULK_BYTES, 999);
  collect();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 20; i++) bulk(stacks, BULK_BYTES >> 1, 1000 + i);
  collect();
  const growth = (process.memoryUsage().rss - before) / 1048576;
  closePair(stacks);
  return growth;
}

export async function run(_arguments: readonly string[]): Promise<readonly Metric[]> {
  const metrics: Metric[] = [];
  const add = (name: string, value: number, unit: string, peer?: string, peerValue?: number): void => {
    metrics.push({
      name,
      value,
      unit,
      ...(peer === undefined || peerValue === undefined ? {} : { peer, ratio: value / peerValue }),
    });
  };
  const standard = bulkAgainstFloor(1500);
  add('floor', standard.floor, 'MB/s');
  add('bulk-mtu-1500', standard.engine, 'MB/s', 'floor', standard.floor);
  const jumbo = bulkAgainstFloor(65_535);
  add('bulk-mtu-65535', jumbo.engine, 'MB/s', 'floor', jumbo.floor);

  const growth = residentGrowth();

  const stacks = pair(1500);
  const roundTrip = median([1, 2, 3, 4, 5].map((i) => pingPong(stacks, 20_000, 2000 + i)));
  const opened = median([1, 2, 3].map((i) => openClose(stacks, 10_000, 3000 + i)));
  closePair(stacks);

  const node = await nodeNet();
  add('bulk-mtu-1500-to-node', standard.engine, 'MB/s', 'node:net loopback', node.bulk);
  add('round-trip-1-byte', roundTrip, 'us', 'node:net loopback', node.roundTrip);
  add('open-close', opened, 'connections/s', 'node:net loopback', node.connections);
  add('resident-growth-20-transfers', growth, 'MiB');

  const many = pair(1500);
  const { bytes, connections } = idleConnections(many, 10_000, 4000);
  add('idle-connection', bytes, 'bytes');
  segmentCost(many, connections.slice(0, 1), 100_000);
  const one = segmentCost(many, connections.slice(0, 1), 100_000);
  const all = segmentCost(many, connections, 100_000);
  add('segment-1-connection', one, 'ns');
  add('segment-10000-connections', all, 'ns', 'segment-1-connection', one);
  closePair(many);
  return metrics;
}
