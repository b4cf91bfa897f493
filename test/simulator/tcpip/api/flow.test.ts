import { expect } from 'chai';
import { eof, type Flow, FlowTcp, type Listener } from '../../../../simulator/tcpip/api/flow/index.js';
import type { TcpConnection } from '../../../../simulator/tcpip/contract.js';
import { addressOf, type Pair, pair, pattern } from './pair.js';

/** What a promise has come to so far. */
function watch<T>(promise: Promise<T>): { readonly value: T | undefined; readonly settled: boolean } {
  const state: { value: T | undefined; settled: boolean } = { value: undefined, settled: false };
  promise.then((value) => {
    state.value = value;
    state.settled = true;
  });
  return state;
}

describe('flow API (MirageOS TCP)', () => {
  let net: Pair;
  let client: FlowTcp;
  let server: FlowTcp;
  beforeEach(async () => {
    net = pair();
    client = await FlowTcp.connect(net.a);
    server = await FlowTcp.connect(net.b);
  });
  afterEach(() => net.close());

  const listen = (process: Listener['process'], keepalive?: Listener['keepalive']): void =>
    server.input((port) => (port === 80 ? { process, ...(keepalive && { keepalive }) } : undefined));

  async function connected(): Promise<[Flow, Flow]> {
    let theirs: Flow | undefined;
    listen((flow) => {
      theirs = flow;
    });
    const made = watch(client.createConnection([addressOf.b, 80]));
    await net.advance(10);
    if (made.value?.ok !== true || theirs === undefined) throw new Error('no connection');
    return [made.value.value, theirs];
  }

  async function readAll(flow: Flow): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const result = await flow.read();
      if (!result.ok || result.value === eof) return Buffer.concat(chunks);
      chunks.push(result.value);
    }
  }

  it('createConnection, dst, src', async () => {
    const [ours, theirs] = await connected();
    expect(ours.dst()).to.deep.equal([addressOf.b, 80]);
    expect(ours.src()[0]).to.equal(addressOf.a);
    expect(theirs.dst()).to.deep.equal(ours.src());
    expect(theirs.src()).to.deep.equal(ours.dst());
  });

  it('createConnection: Refused for a port that no listener wants', async () => {
    listen(() => {});
    const made = watch(client.createConnection([addressOf.b, 81]));
    await net.advance(10);
    expect(made.value).to.deep.equal({ ok: false, error: 'Refused' });
  });

  it('createConnection: Timeout when nobody answers, or there is nowhere to send to', async () => {
    net.lose = (frame) => frame[23] === 6;
    const lost = watch(client.createConnection([addressOf.b, 80]));
    const nowhere = watch(client.createConnection(['192.0.2.1', 80]));
    await net.advance(300_000);
    expect(lost.value).to.deep.equal({ ok: false, error: 'Timeout' });
    expect(nowhere.value).to.deep.equal({ ok: false, error: 'Timeout' });
  });

  it('createConnection throws for what is no address', async () => {
    const error = await client.createConnection(['example', 80]).catch((reason: unknown) => reason);
    expect(error).to.have.property('code', 'EINVAL');
  });

  it('read gives fresh buffers of at least one byte, in order, and then eof again and again', async () => {
    const [ours, theirs] = await connected();
    const reads = [theirs.read(), theirs.read(), theirs.read(), theirs.read()].map(watch);
    await ours.write(Uint8Array.of(1, 2));
    await net.advance(10);
    await ours.write(Uint8Array.of(3));
    const closing = watch(ours.close());
    await net.advance(500);
    expect(
      reads.map(({ value }) => value?.ok && (value.value === eof ? eof : [...value.value])),
    ).to.deep.equal([[1, 2], [3], eof, eof]);
    expect(await theirs.read()).to.deep.equal({ ok: true, value: eof });
    expect(closing.settled).to.equal(false);
  });

  it('write and writev carry every byte; a write waits while the peer reads slowly', async () => {
    const [ours, theirs] = await connected();
    const size = 20_000_000;
    const data = pattern(size);
    const written = watch(ours.writev([data.subarray(0, 7), data.subarray(7, 7), data.subarray(7)]));
    await net.advance(2000);
    expect(written.settled).to.equal(false);
    const got = watch(readAll(theirs));
    const closed = watch(ours.close());
    for (let i = 0; i < 100 && !got.settled; i++) await net.advance(500);
    expect(written.value).to.deep.equal({ ok: true, value: undefined });
    expect(Buffer.compare(got.value ?? new Uint8Array(), data)).to.equal(0);
    expect(closed.settled).to.equal(false);
    void theirs.close();
    await net.advance(100);
    expect(closed.settled).to.equal(true);
  });

  it('writeNodelay settles when the peer has the bytes, and does not wait for more to send', async () => {
    const [ours, theirs] = await connected();
    await ours.write(Uint8Array.of(1));
    const second = watch(ours.writeNodelay(Uint8Array.of(2)));
    const third = watch(ours.writevNodelay([Uint8Array.of(3), Uint8Array.of(4)]));
    expect(second.settled).to.equal(false);
    // Far below the peer's delayed acknowledgement: Nagle would hold 2..4 back until then.
    await net.advance(5);
    const first = await theirs.read();
    expect(first.ok && first.value !== eof && [...first.value]).to.deep.equal([1, 2, 3, 4]);
    await net.advance(500);
    expect([second.value?.ok, third.value?.ok]).to.deep.equal([true, true]);
  });

  it('close flushes, leaves reading open, waits for the peer; writing afterwards is Closed', async () => {
    const [ours, theirs] = await connected();
    const data = pattern(500_000);
    void ours.write(data);
    const closed = watch(ours.close());
    expect(await ours.write(Uint8Array.of(9))).to.deep.equal({ ok: false, error: 'Closed' });
    const got = watch(readAll(theirs));
    await net.advance(1000);
    expect(Buffer.compare(got.value ?? new Uint8Array(), data)).to.equal(0);
    await theirs.write(pattern(1000));
    const late = watch(ours.read());
    await net.advance(100);
    expect(late.value?.ok && late.value.value !== eof && late.value.value.length).to.equal(1000);
    expect(closed.settled).to.equal(false);
    const theirClose = watch(theirs.close());
    await net.advance(100);
    expect([closed.settled, theirClose.settled]).to.deep.equal([true, true]);
    await ours.close();
  });

  it('a reset ends reads with eof, waiting writes with Closed', async () => {
    const [ours] = await connected();
    const read = watch(ours.read());
    const write = watch(ours.write(pattern(20_000_000)));
    const nodelay = watch(ours.writeNodelay(pattern(10)));
    for (const connection of net.b.connections()) connection.abort();
    await net.advance(100);
    expect(read.value).to.deep.equal({ ok: true, value: eof });
    expect(write.value).to.deep.equal({ ok: false, error: 'Closed' });
    expect(nodelay.value).to.deep.equal({ ok: false, error: 'Closed' });
  });

  it('a dead peer is found by keepalive: read is eof, write is Closed', async () => {
    listen(() => {});
    const keepalive = { after: 1000, interval: 500, probes: 3 };
    const made = watch(client.createConnection([addressOf.b, 80], { keepalive }));
    await net.advance(10);
    const flow = made.value?.ok === true ? made.value.value : undefined;
    const read = watch(flow!.read());
    await net.advance(60_000);
    expect(read.settled, 'alive').to.equal(false);
    net.lose = () => true;
    await net.advance(4000);
    expect(read.value).to.deep.equal({ ok: true, value: eof });
    expect(await flow!.write(Uint8Array.of(1))).to.deep.equal({ ok: false, error: 'Closed' });
  });

  it('a listener’s keepalive holds for the flows it takes', async () => {
    const reads: ReturnType<typeof watch>[] = [];
    listen((flow) => void reads.push(watch(flow.read())), { after: 1000, interval: 500, probes: 3 });
    void client.createConnection([addressOf.b, 80]);
    await net.advance(10);
    net.lose = () => true;
    await net.advance(5000);
    expect(reads.map(({ value }) => value)).to.deep.equal([{ ok: true, value: eof }]);
  });

  it('input: listeners are asked at each SYN; what a process throws resets its flow', async () => {
    const asked: number[] = [];
    server.input((port) => {
      asked.push(port);
      return port === 80 ? { process: () => Promise.reject(new Error('process')) } : undefined;
    });
    const made = watch(client.createConnection([addressOf.b, 80]));
    await net.advance(10);
    const flow = made.value?.ok === true ? made.value.value : undefined;
    expect(await flow!.read()).to.deep.equal({ ok: true, value: eof });
    const none = watch(client.createConnection([addressOf.b, 82]));
    await net.advance(10);
    expect(none.value).to.deep.equal({ ok: false, error: 'Refused' });
    expect(asked).to.deep.equal([80, 82]);
  });

  it('input leaves other addresses to whoever had them, and other listeners their ports', async () => {
    const seen: string[] = [];
    net.b.tcpForwarder = (request) => {
      seen.push(request.local.address);
      request.refuse();
    };
    listen(() => {});
    let taken: TcpConnection | undefined;
    net.b.tcpListen({ port: 90 }, (connection) => {
      taken = connection;
      return {};
    });
    net.a.setGateway(addressOf.b);
    const elsewhere = watch(client.createConnection(['203.0.113.9', 80]));
    const other = watch(client.createConnection([addressOf.b, 90]));
    await net.advance(100);
    expect(seen).to.deep.equal(['203.0.113.9']);
    expect(elsewhere.value).to.deep.equal({ ok: false, error: 'Refused' });
    expect([other.value?.ok, taken?.local.port]).to.deep.equal([true, 90]);
  });

  it('disconnect stops listening and ends all flows', async () => {
    const [ours] = await connected();
    const read = watch(ours.read());
    await server.disconnect();
    await net.advance(10);
    expect(read.value).to.deep.equal({ ok: true, value: eof });
    const made = watch(client.createConnection([addressOf.b, 80]));
    await net.advance(10);
    expect(made.value).to.deep.equal({ ok: false, error: 'Refused' });
  });
});
