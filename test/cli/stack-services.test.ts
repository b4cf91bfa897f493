import { once } from 'node:events';
import { request } from 'node:http';
import { expect } from 'chai';
import { patternPeriod, startService } from '../../cli/stack-services.js';
import { connectionTable } from '../../cli/stack-table.js';
import { TcpStream } from '../../simulator/tcpip/api/stream.js';
import { addressOf, type Pair, pair, pattern } from '../simulator/tcpip/api/pair.js';

describe('services of wincs02 stack', () => {
  let net: Pair;
  beforeEach(() => {
    net = pair();
  });
  afterEach(() => net.close());

  const dial = (port: number): TcpStream =>
    new TcpStream(net.a.tcpConnect({ address: addressOf.b, port }, {}));

  async function during<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    promise.then(
      () => {
        over = true;
      },
      () => {
        over = true;
      },
    );
    for (let i = 0; i < 3000 && !over; i++) await net.advance(5);
    return promise;
  }

  async function all(stream: AsyncIterable<Buffer>): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  it('echo sends everything back and then closes (RFC 862)', async () => {
    startService(net.b, { service: 'echo', port: 7 });
    const data = pattern(2_000_000);
    const stream = dial(7);
    stream.end(data);
    expect(Buffer.compare(await during(all(stream)), data)).to.equal(0);
  });

  it('discard takes everything and says nothing (RFC 863)', async () => {
    startService(net.b, { service: 'discard', port: 9 });
    const stream = dial(9);
    stream.end(pattern(2_000_000));
    expect((await during(all(stream))).length).to.equal(0);
  });

  it('chargen: lines of 72 characters, each one further, without end (RFC 864)', async () => {
    startService(net.b, { service: 'chargen', port: 19 });
    const stream = dial(19);
    let text = '';
    // On a cable without delay it would never end: the client does.
    stream.on('data', (chunk) => {
      text += chunk;
      if (text.length >= 30 * patternPeriod) stream.destroy();
    });
    await during(once(stream, 'close'));
    const lines = text.split('\r\n');
    expect(lines[0]).to.equal(Array.from({ length: 72 }, (_, i) => String.fromCharCode(32 + i)).join(''));
    expect(lines.slice(0, -1).every((line) => line.length === 72)).to.equal(true);
    for (let i = 1; i < 200; i++) expect(lines[i].slice(0, 71)).to.equal(lines[i - 1].slice(1));
    expect(lines[95]).to.equal(lines[0]);
    expect(text.slice(patternPeriod, 2 * patternPeriod)).to.equal(text.slice(0, patternPeriod));
  });

  it('echo and chargen answer datagrams, discard does not', async () => {
    for (const [service, port] of [
      ['echo', 7],
      ['discard', 9],
      ['chargen', 19],
    ] as const) {
      startService(net.b, { service, port });
    }
    const answers: Record<number, string> = {};
    const socket = net.a.udpBind(
      {},
      { message: (data, from) => void Object.assign(answers, { [from.port]: Buffer.from(data).toString() }) },
    );
    for (const port of [7, 9, 19]) socket.send(Buffer.from('ping'), { address: addressOf.b, port });
    await net.advance(100);
    expect(Object.keys(answers)).to.deep.equal(['7', '19']);
    expect([answers[7], answers[19].length]).to.deep.equal(['ping', 512]);
  });

  describe('http', () => {
    beforeEach(() => startService(net.b, { service: 'http', port: 80 }));

    async function call(
      method: string,
      path: string,
      body?: Uint8Array,
    ): Promise<{ status?: number | undefined; body: Buffer }> {
      const stream = dial(80);
      const headers = { host: 'x', connection: 'close', ...(body && { 'content-length': body.length }) };
      const made = request({ createConnection: () => stream as never, method, path, headers });
      made.end(body);
      const [response] = await during(once(made, 'response'));
      return { status: response.statusCode, body: await during(all(response)) };
    }

    it('gives a page, the pattern in any length, and 404', async () => {
      expect(String((await call('GET', '/')).body)).to.include('TCP/IP stack in TypeScript');
      for (const length of [0, 1, patternPeriod + 5, 1_000_000]) {
        const { body, status } = await call('GET', `/bytes/${length}`);
        expect([status, body.length]).to.deep.equal([200, length]);
        for (let at = patternPeriod; at < length; at += 9973)
          expect(body[at]).to.equal(body[at - patternPeriod]);
      }
      expect((await call('GET', '/etc/passwd')).status).to.equal(404);
    });

    it('answers what is posted with its length and hash', async () => {
      const { body } = await call('POST', '/', Buffer.from('abc'));
      expect(String(body)).to.equal('3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n');
    });
  });
});

describe('table of wincs02 stack --stats', () => {
  it('has a line per connection, at most 40, and says how many more', async () => {
    const net = pair();
    startService(net.b, { service: 'discard', port: 9 });
    expect(connectionTable(net.a.connections()).split('\n')).to.have.length(1);
    for (let i = 0; i < 43; i++) net.a.tcpConnect({ address: addressOf.b, port: 9 }, {});
    await net.advance(3000);
    const lines = connectionTable(net.a.connections()).split('\n');
    expect(lines).to.have.length(42);
    expect(lines[0]).to.match(
      /^local +remote +state +cwnd +srtt ms +rto ms +resent +in flight +send q +recv q$/,
    );
    expect(lines[1]).to.match(
      /^10\.0\.0\.1:\d+ +10\.0\.0\.2:9 +ESTABLISHED +\d+ +\d+\.\d\d +\d+ +\d+ +0 +0 +0$/,
    );
    expect(lines[41]).to.equal('and 3 more');
    net.close();
  });
});
