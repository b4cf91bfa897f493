import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { memoryPair } from '../../../driver/transport/memory.js';
import { openTransport, registerTransport } from '../../../driver/transport/open.js';
import type { ByteTransport } from '../../../driver/transport/transport.js';

const code = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'opened';
};

describe('openTransport', () => {
  it('refuses what is no URL, an unknown scheme and a mistyped option', async () => {
    for (const url of ['', 'nonsense', 'foo:bar', 'tcp:host', 'tcp:host:0', 'tcp:host:70000', 'tcp:a:b:1']) {
      expect(await code(openTransport(url)), url).to.equal('WINC_URL');
    }
    expect(await code(openTransport('serial:/dev/null?boud=9600'))).to.equal('WINC_URL');
    expect(await code(openTransport('serial:/dev/null?baud=fast'))).to.equal('WINC_URL');
    expect(await code(openTransport('serial:/dev/null?rtscts=2'))).to.equal('WINC_URL');
    expect(await code(openTransport('serial:'))).to.equal('WINC_URL');
  });

  it('tells a missing port', async () => {
    expect(await code(openTransport('serial:/dev/no-such-port'))).to.equal('WINC_PORT_MISSING');
  });

  it('opens a registered scheme and puts devices into the path in order', async () => {
    const [near] = memoryPair();
    registerTransport('test-scheme', async () => near);
    const order: string[] = [];
    const transport = await openTransport('test-scheme:', {
      devices: [
        (inner) => {
          order.push('first');
          return inner;
        },
        (inner) => {
          order.push('second');
          return inner;
        },
      ],
    });
    expect(transport).to.equal(near);
    expect(order).to.deep.equal(['first', 'second']);
  });

  it('does not open when already aborted', async () => {
    expect(await code(openTransport('tcp:127.0.0.1:1', { signal: AbortSignal.abort() }))).to.equal(
      'WINC_ABORTED',
    );
  });
});

describe('tcp: transport', () => {
  let server: Server;
  let port: number;
  const accepted: Socket[] = [];

  beforeEach(async () => {
    server = createServer((socket) => {
      accepted.push(socket);
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    for (const socket of accepted.splice(0)) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('carries all byte values both ways', async () => {
    const transport = (await openTransport(`tcp:127.0.0.1:${port}`)) as ByteTransport;
    const sent = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const got = new Promise<Buffer>((resolve) => {
      let all = Buffer.alloc(0);
      transport.start({
        data: (bytes) => {
          all = Buffer.concat([all, bytes]);
          if (all.length === 256) resolve(all);
        },
        closed: () => {},
      });
    });
    await transport.write(sent);
    expect((await got).equals(sent)).to.equal(true);
    await transport.close();
  });

  it('reports the other end vanishing, and not its own closing', async () => {
    const transport = await openTransport(`tcp:127.0.0.1:${port}`);
    const lost = new Promise<Error | undefined>((resolve) => {
      (transport as ByteTransport).start({ data: () => {}, closed: resolve });
    });
    await (transport as ByteTransport).write(Buffer.from('x'));
    while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
    accepted[0].destroy();
    expect(await lost).to.have.property('code', 'WINC_PORT_LOST');

    const second = (await openTransport(`tcp:127.0.0.1:${port}`)) as ByteTransport;
    const asked = new Promise<Error | undefined>((resolve) => {
      second.start({ data: () => {}, closed: resolve });
    });
    await second.close();
    expect(await asked).to.equal(undefined);
  });

  it('tells when nothing listens', async () => {
    const free = port;
    await new Promise((resolve) => server.close(resolve));
    expect(await code(openTransport(`tcp:127.0.0.1:${free}`))).to.equal('WINC_PORT_MISSING');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
});
