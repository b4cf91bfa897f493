import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  FlextcpConnection,
  FlextcpContext,
  type FlextcpEvent,
  FlextcpListener,
  type FlextcpService,
  init,
  LISTEN_REUSEPORT,
} from '../../../../simulator/tcpip/api/flextcp/index.js';
import { queueBytes, recordWords, SharedQueue } from '../../../../simulator/tcpip/api/flextcp/queue.js';
import { TcpStream } from '../../../../simulator/tcpip/api/stream.js';
import { memoryPipe } from '../../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { createStack } from '../../../../simulator/tcpip/stack.js';
import { addressOf, type Pair, pair, pattern } from './pair.js';

describe('shared queue', () => {
  it('gives out what was put in, in order, and bounds it', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer()), { maxLength: 200 }), (operations) => {
        const memory = new SharedArrayBuffer(queueBytes(8));
        const [writer, reader] = [new SharedQueue(memory, 0, 8), new SharedQueue(memory, 0, 8)];
        const model: number[] = [];
        for (const value of operations) {
          if (value === null) {
            expect(reader.front()?.[0]).to.equal(model[0]);
            if (model.shift() !== undefined) reader.shift();
          } else {
            const slot = writer.slot();
            expect(slot === undefined).to.equal(model.length === 8);
            if (slot === undefined) continue;
            slot[0] = value;
            slot[recordWords - 1] = ~value;
            writer.push();
            model.push(value);
          }
          expect(reader.used).to.equal(model.length);
        }
      }),
    );
  });

  it('tells a sleeper of what came, and who waits for room of room', () => {
    const memory = new SharedArrayBuffer(queueBytes(2));
    const queue = new SharedQueue(memory, 0, 2);
    expect(queue.sleep()).to.equal(true);
    queue.slot();
    expect([queue.push(), queue.sleep()]).to.deep.equal([true, false]);
    queue.slot();
    expect(queue.push()).to.equal(false);
    expect(queue.slot()).to.equal(undefined);
    expect([queue.shift(), queue.shift()]).to.deep.equal([true, false]);
    expect(queue.wait(1)).to.equal(false);
  });
});

describe('flextcp API (TAS)', () => {
  let net: Pair;
  let client: FlextcpService;
  let server: FlextcpService;
  let one: FlextcpContext;
  let two: FlextcpContext;
  let contexts: FlextcpContext[];

  beforeEach(() => {
    net = pair();
    client = init(net.a, { receiveBytes: 4096, sendBytes: 4096, arenaBytes: 1 << 21 });
    server = init(net.b, { receiveBytes: 4096, sendBytes: 4096, arenaBytes: 1 << 21 });
    contexts = [];
    [one, two] = [context(client), context(server)];
  });
  afterEach(() => {
    for (const made of contexts) made.close();
    client.close();
    server.close();
    net.close();
  });

  function context(service: FlextcpService): FlextcpContext {
    const made = new FlextcpContext(service.createContext());
    contexts.push(made);
    return made;
  }

  /** Lets doorbells ring and time pass; answers what `who` is told. */
  async function events(who: FlextcpContext, ms = 20): Promise<FlextcpEvent[]> {
    const all: FlextcpEvent[] = [];
    for (let i = 0; i < 4; i++) {
      // Doorbells are messages between ports: they need real turns of the event loop.
      await new Promise((resolve) => setTimeout(resolve, 1));
      await net.advance(ms / 4);
      all.push(...who.poll(100));
    }
    return all;
  }
  const types = (list: readonly FlextcpEvent[]): string[] => list.map(({ type }) => type);
  const find = <T extends FlextcpEvent['type']>(list: readonly FlextcpEvent[], type: T) => {
    const found = list.find((event): event is Extract<FlextcpEvent, { type: T }> => event.type === type);
    if (found === undefined) throw new Error(`no ${type} in ${types(list)}`);
    return found;
  };

  async function listening(port = 80, backlog = 8): Promise<FlextcpListener> {
    const listener = new FlextcpListener();
    expect(two.listenOpen(listener, port, backlog)).to.equal(0);
    expect(find(await events(two), 'LISTEN_OPEN')).to.deep.include({ status: 0, listener });
    return listener;
  }

  async function connected(): Promise<[FlextcpConnection, FlextcpConnection]> {
    const listener = await listening();
    const [ours, theirs] = [new FlextcpConnection(), new FlextcpConnection()];
    two.listenAccept(listener, theirs);
    one.connectionOpen(ours, addressOf.b, 80);
    await events(one);
    await events(two);
    return [ours, theirs];
  }

  function send(from: FlextcpContext, connection: FlextcpConnection, data: Uint8Array): number {
    const [first, second] = from.txAlloc2(connection, data.length);
    first.set(data.subarray(0, first.length));
    second.set(data.subarray(first.length, first.length + second.length));
    expect(from.txSend(connection, first.length + second.length)).to.equal(0);
    return first.length + second.length;
  }

  it('init is once per stack; ring sizes are powers of two; an arena has an end', () => {
    expect(() => init(net.a))
      .to.throw('flextcp service already')
      .with.property('code', 'EADDRINUSE');
    client.close();
    expect(() => init(net.a, { receiveBytes: 5000 }))
      .to.throw()
      .with.property('code', 'EINVAL');
    client = init(net.a, { arenaBytes: 1000 });
    expect(() => client.createContext())
      .to.throw()
      .with.property('code', 'ENOBUFS');
  });

  it('connectionOpen, CONN_OPEN; listenOpen, LISTEN_OPEN, LISTEN_NEWCONN, listenAccept, LISTEN_ACCEPT', async () => {
    const listener = await listening();
    const ours = new FlextcpConnection();
    expect(one.connectionOpen(ours, addressOf.b, 80)).to.equal(0);
    await events(one, 4);
    const asked = find(await events(two, 4), 'LISTEN_NEWCONN');
    expect(asked).to.deep.include({ listener, remoteIp: addressOf.a });
    const theirs = new FlextcpConnection();
    expect(two.listenAccept(listener, theirs)).to.equal(0);
    const [accepted] = [find(await events(two), 'LISTEN_ACCEPT')];
    expect(accepted).to.deep.include({ status: 0, listener, connection: theirs });
    expect(find(await events(one), 'CONN_OPEN')).to.deep.include({ status: 0, connection: ours });
    expect([theirs.remoteIp, theirs.remotePort]).to.deep.equal([addressOf.a, asked.remotePort]);
    expect([ours.remoteIp, ours.remotePort, ours.localPort]).to.deep.equal([
      addressOf.b,
      80,
      asked.remotePort,
    ]);
  });

  it('CONN_OPEN tells a failure; impossible calls answer -1', async () => {
    const connection = new FlextcpConnection();
    expect(one.connectionOpen(connection, 'nowhere', 80)).to.equal(-1);
    expect(one.connectionOpen(connection, addressOf.b, 0)).to.equal(-1);
    one.connectionOpen(connection, addressOf.b, 81);
    expect(one.connectionOpen(connection, addressOf.b, 81), 'used').to.equal(-1);
    expect(find(await events(one), 'CONN_OPEN')).to.deep.include({ status: -1, connection });
    expect(one.txSend(connection, 1)).to.equal(-1);
    expect(one.connectionClose(connection)).to.equal(-1);
    expect(two.listenOpen(new FlextcpListener(), 70_000, 1)).to.equal(-1);
    expect(two.listenAccept(new FlextcpListener(), new FlextcpConnection())).to.equal(-1);
  });

  it('txAlloc, txSend, CONN_RECEIVED, rxDone, CONN_SENDBUF: the data lies in shared memory', async () => {
    const [ours, theirs] = await connected();
    const buffer = one.txAlloc(ours, 3);
    expect(buffer.buffer).to.be.instanceOf(SharedArrayBuffer);
    buffer.set([7, 8, 9]);
    expect(one.txSend(ours, 4), 'more than allocated').to.equal(-1);
    expect(one.txSend(ours, 3)).to.equal(0);
    const here = await events(one);
    const received = find(await events(two), 'CONN_RECEIVED');
    expect(received.connection).to.equal(theirs);
    expect([...received.buffer]).to.deep.equal([7, 8, 9]);
    expect(two.rxDone(theirs, 4), 'more than received').to.equal(-1);
    expect(two.rxDone(theirs, 3)).to.equal(0);
    expect(types([...here, ...(await events(one, 200))])).to.include('CONN_SENDBUF');
  });

  it('txAlloc is short at the end of the ring, txAlloc2 goes on at its start', async () => {
    const [ours, theirs] = await connected();
    expect(send(one, ours, pattern(4000))).to.equal(4000);
    expect(
      one.txAlloc2(ours, 200).map(({ length }) => length),
      'full',
    ).to.deep.equal([96, 0]);
    expect(one.txSend(ours, 96)).to.equal(0);
    const got: number[] = [];
    const drain = async (): Promise<void> => {
      await events(one, 40);
      for (const event of await events(two, 40)) {
        if (event.type !== 'CONN_RECEIVED') continue;
        got.push(...event.buffer);
        two.rxDone(theirs, event.buffer.length);
      }
    };
    for (let i = 0; i < 10 && got.length < 4096; i++) await drain();
    expect(got.length).to.equal(4096);
    expect(send(one, ours, pattern(4000, 4000)), 'after the wrap').to.equal(4000);
    for (let i = 0; i < 10 && got.length < 8096; i++) await drain();
    expect(one.txAlloc(ours, 500).length).to.equal(96);
    expect(one.txAlloc2(ours, 500).map(({ length }) => length)).to.deep.equal([500, 0]);
    expect(got.slice(0, 4000)).to.deep.equal([...pattern(4000)]);
    expect(got.slice(4096)).to.deep.equal([...pattern(4000, 4000)]);
  });

  it('carries a megabyte through 4 KiB rings, received in place', async () => {
    const [ours, theirs] = await connected();
    const data = pattern(200_000);
    const got: Uint8Array[] = [];
    let sent = 0;
    let length = 0;
    while (length < data.length) {
      sent += send(one, ours, data.subarray(sent, sent + 3000));
      await net.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
      one.poll(100);
      for (const event of two.poll(100)) {
        if (event.type !== 'CONN_RECEIVED') continue;
        got.push(event.buffer.slice());
        length += event.buffer.length;
        two.rxDone(theirs, event.buffer.length);
      }
    }
    expect(Buffer.compare(Buffer.concat(got), data)).to.equal(0);
  });

  it('txClose: CONN_RXCLOSED there after all data, CONN_TXCLOSED here; connectionClose: CONN_CLOSED', async () => {
    const [ours, theirs] = await connected();
    send(one, ours, pattern(100));
    expect(one.txClose(ours)).to.equal(0);
    expect(one.txClose(ours)).to.equal(-1);
    expect(one.txAlloc(ours, 10).length).to.equal(0);
    const here = types(await events(one, 400));
    const there = await events(two, 400);
    expect(types(there).slice(-2)).to.deep.equal(['CONN_RECEIVED', 'CONN_RXCLOSED']);
    expect([...here, ...types(await events(one, 400))]).to.include('CONN_TXCLOSED');
    two.rxDone(theirs, 100);
    two.txClose(theirs);
    const rest = types(await events(two, 400));
    expect(rest).to.deep.equal(['CONN_TXCLOSED']);
    expect(types(await events(one, 400))).to.deep.equal(['CONN_RXCLOSED']);
    one.connectionClose(ours);
    two.connectionClose(theirs);
    expect(await events(one)).to.deep.equal([{ type: 'CONN_CLOSED', status: 0, connection: ours }]);
    expect(await events(two)).to.deep.equal([{ type: 'CONN_CLOSED', status: 0, connection: theirs }]);
    expect(one.connectionClose(ours)).to.equal(-1);
  });

  it('a reset ends both directions; its CONN_CLOSED says that it was none in order', async () => {
    const [ours] = await connected();
    for (const connection of net.b.connections()) connection.abort();
    expect(types(await events(one))).to.deep.equal(['CONN_RXCLOSED', 'CONN_TXCLOSED']);
    one.connectionClose(ours);
    expect(await events(one)).to.deep.equal([{ type: 'CONN_CLOSED', status: -1, connection: ours }]);
  });

  it('txPossible: no, when the queue to the stack is full; the stack catches up', async () => {
    const [ours] = await connected();
    expect(one.txPossible(ours)).to.equal(0);
    expect(two.txPossible(ours), 'another context').to.equal(-1);
    one.txAlloc(ours, 4000);
    let sends = 0;
    while (one.txPossible(ours) === 0) sends += one.txSend(ours, 1) === 0 ? 1 : 0;
    expect(sends).to.equal(1024);
    expect(one.txSend(ours, 1)).to.equal(-1);
    await events(one);
    expect(one.txPossible(ours)).to.equal(0);
  });

  it('a port is one context’s, unless all want to share; connections go round', async () => {
    const three = context(server);
    const [first, second, third] = [new FlextcpListener(), new FlextcpListener(), new FlextcpListener()];
    two.listenOpen(first, 80, 4, LISTEN_REUSEPORT);
    three.listenOpen(second, 80, 4, LISTEN_REUSEPORT);
    expect(find(await events(two), 'LISTEN_OPEN').status).to.equal(0);
    expect(find(await events(three), 'LISTEN_OPEN').status).to.equal(0);
    three.listenOpen(third, 80, 4);
    expect(find(await events(three), 'LISTEN_OPEN').status).to.equal(-1);
    for (let i = 0; i < 4; i++) {
      one.connectionOpen(new FlextcpConnection(), addressOf.b, 80);
      await events(one, 8);
    }
    const news = (list: readonly FlextcpEvent[]): number =>
      types(list).filter((type) => type === 'LISTEN_NEWCONN').length;
    expect([news(await events(two)), news(await events(three))]).to.deep.equal([2, 2]);
  });

  it('a backlog bounds those who wait; accepting makes room', async () => {
    const listener = await listening(80, 2);
    for (let i = 0; i < 3; i++) one.connectionOpen(new FlextcpConnection(), addressOf.b, 80);
    await events(one, 100);
    expect(types(await events(two, 100))).to.deep.equal(['LISTEN_NEWCONN', 'LISTEN_NEWCONN']);
    for (let i = 0; i < 3; i++) two.listenAccept(listener, new FlextcpConnection());
    const after = [...(await events(two, 3000)), ...(await events(two, 3000))];
    expect(types(after).filter((type) => type === 'LISTEN_ACCEPT').length).to.equal(3);
  });

  it('connectionMove within a thread: CONN_MOVED first, then what the old context had not seen', async () => {
    const [ours, theirs] = await connected();
    const three = context(server);
    send(one, ours, pattern(10));
    one.txClose(ours);
    await events(one, 200);
    // Received and closed stand in the old context's queue, unseen.
    expect(three.connectionMove(theirs)).to.equal(0);
    expect(types(await events(two, 50))).to.deep.equal([]);
    const moved = await events(three, 50);
    expect(types(moved)).to.deep.equal(['CONN_MOVED', 'CONN_RECEIVED', 'CONN_RXCLOSED']);
    expect(moved[0]).to.deep.equal({ type: 'CONN_MOVED', connection: theirs });
    expect([...find(moved, 'CONN_RECEIVED').buffer]).to.deep.equal([...pattern(10)]);
    expect(two.rxDone(theirs, 10), 'no longer its').to.equal(-1);
    expect(three.rxDone(theirs, 10)).to.equal(0);
    send(three, theirs, pattern(5));
    await events(three);
    expect(find(await events(one), 'CONN_RECEIVED').buffer.length).to.equal(5);
  });

  it('onReady is called once after an empty poll', async () => {
    const [ours] = await connected();
    let calls = 0;
    two.onReady = () => calls++;
    two.poll(10);
    send(one, ours, pattern(1));
    await net.advance(10);
    for (let i = 0; i < 10; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await net.advance(5);
    }
    send(one, ours, pattern(1));
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await net.advance(5);
    }
    expect(calls).to.equal(1);
    expect(types(two.poll(10))).to.include('CONN_RECEIVED');
  });

  it('more notices than a queue holds: none is lost', async () => {
    const listener = await listening(80, 4000);
    const seen = new Set<number>();
    for (let port = 1; port <= 1500; port++) {
      net.a.tcpConnect({ address: addressOf.b, port: 80 }, {});
    }
    await net.advance(10);
    for (let round = 0; round < 8; round++) {
      for (const event of await events(two, 1000))
        if (event.type === 'LISTEN_NEWCONN') seen.add(event.remotePort);
    }
    expect(listener.id).to.be.greaterThan(0);
    expect(seen.size).to.equal(1500);
  });
});

describe('flextcp contexts in two workers', () => {
  it('share a port and echo, each over its own queues in shared memory', async function () {
    this.timeout(20_000);
    const [left, right] = memoryPipe();
    const a = createStack({ link: left, random: seededRandom(1) });
    const b = createStack({ link: right, random: seededRandom(2) });
    a.addAddress(addressOf.a, 24);
    b.addAddress(addressOf.b, 24);
    const service = init(b);
    const done = new SharedArrayBuffer(8);
    const finished = new Int32Array(done);
    const workers = [1, 2].map(() => {
      const descriptor = service.createContext();
      return new Worker(new URL('./flextcp-worker.mjs', import.meta.url), {
        workerData: { descriptor, port: 80, done, connections: 3 },
        transferList: [descriptor.port],
      });
    });
    const failed = Promise.race(
      workers.map(async (worker) => Promise.reject((await once(worker, 'error'))[0])),
    );
    const exits = Promise.all(workers.map((worker) => once(worker, 'exit')));
    try {
      const waitFor = async (index: number, value: number): Promise<void> => {
        while (Atomics.load(finished, index) < value) await new Promise((resolve) => setTimeout(resolve, 10));
      };
      await Promise.race([waitFor(0, 2), failed]);
      const data = pattern(300_000);
      const echoes = Array.from({ length: 6 }, async () => {
        const stream = new TcpStream(a.tcpConnect({ address: addressOf.b, port: 80 }, {}));
        stream.end(data);
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk);
        return Buffer.compare(Buffer.concat(chunks), data);
      });
      expect(await Promise.race([Promise.all(echoes), failed])).to.deep.equal([0, 0, 0, 0, 0, 0]);
      await Promise.race([waitFor(1, 6), failed]);
      await Promise.race([exits, failed]);
      expect(finished[1]).to.equal(6);
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
      service.close();
      a.close();
      b.close();
    }
  });
});
