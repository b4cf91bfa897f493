import { once } from 'node:events';
import { expect } from 'chai';
import { TcpStream } from '../../../../simulator/tcpip/api/stream.js';
import { addressOf, type Pair, pair, pattern } from './pair.js';

describe('TCP connection as a Node stream', () => {
  let net: Pair;
  beforeEach(() => {
    net = pair();
  });
  afterEach(() => net.close());

  const accepted = (port = 80): Promise<TcpStream> =>
    new Promise((resolve) => {
      net.b.tcpListen({ port }, (connection) => {
        const stream = new TcpStream(connection);
        stream.on('error', () => {});
        resolve(stream);
        return stream.handler;
      });
    });
  // Closing the stacks after the test aborts what is still open: nobody minds that error.
  const dial = (port = 80): TcpStream =>
    new TcpStream(net.a.tcpConnect({ address: addressOf.b, port }, {})).on('error', () => {});

  async function bytes(stream: TcpStream): Promise<Buffer> {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    const ended = once(stream, 'end');
    let over = false;
    ended.then(() => {
      over = true;
    });
    for (let i = 0; i < 2000 && !over; i++) await net.advance(10);
    await ended;
    return Buffer.concat(chunks);
  }

  it('carries both directions, each to its own end', async () => {
    const [ours, theirs] = [dial(), accepted()];
    const data = pattern(3_000_000);
    ours.end(data);
    const server = await Promise.race([theirs, net.advance(50).then(() => theirs)]);
    expect(Buffer.compare(await bytes(server), data)).to.equal(0);
    server.end('done');
    expect(String(await bytes(ours))).to.equal('done');
    await net.advance(100);
    expect([ours.destroyed, server.destroyed]).to.deep.equal([true, true]);
    expect([...net.b.connections()].length).to.equal(0);
  });

  it('end before connect waits for it', async () => {
    const theirs = accepted();
    const ours = dial();
    ours.end();
    await net.advance(100);
    const server = await theirs;
    expect((await bytes(server)).length).to.equal(0);
  });

  it('write stops when the peer reads nothing, and goes on when it reads', async () => {
    const theirs = accepted();
    const ours = dial();
    let taken = false;
    ours.write(pattern(20_000_000), () => {
      taken = true;
    });
    ours.end();
    await net.advance(3000);
    expect(taken).to.equal(false);
    const server = await theirs;
    expect(server.readableLength).to.be.below(1 << 20);
    expect((await bytes(server)).length).to.equal(20_000_000);
    expect(taken).to.equal(true);
  });

  for (const [name, code, act] of [
    ['refused', 'ECONNREFUSED', () => {}],
    ['silent', 'ETIMEDOUT', (net: Pair) => (net.lose = (frame) => frame[23] === 6)],
  ] as const) {
    it(`a ${name} peer is an error ${code}`, async () => {
      act(net);
      const failed = once(dial(81), 'error');
      await net.advance(300_000);
      expect((await failed)[0]).to.have.property('code', code);
    });
  }

  it('a reset is an error after what came before it has been read', async () => {
    const theirs = accepted();
    const ours = dial();
    await net.advance(10);
    const server = await theirs;
    server.write('last words');
    await net.advance(300);
    server.destroy();
    await net.advance(10);
    const failed = once(ours, 'error');
    const [chunk] = await once(ours, 'data');
    expect(String(chunk)).to.equal('last words');
    expect((await failed)[0]).to.have.property('code', 'ECONNRESET');
  });

  it('destroy before the end resets', async () => {
    const theirs = accepted();
    const ours = dial();
    await net.advance(10);
    const failed = once(await theirs, 'error');
    ours.destroy();
    await net.advance(10);
    (await theirs).resume();
    expect((await failed)[0]).to.have.property('code', 'ECONNRESET');
  });
});
