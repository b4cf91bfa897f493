import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import type { Stack, TcpConnection } from '../../../simulator/tcpip/contract.js';
import { World, type WorldOptions } from '../../../simulator/world/world.js';
import { joinStation, lease, TestConnection } from './station.js';

const pattern = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8) * 13 + (index >> 16) + seed) & 255);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the way out to the host', () => {
  let world: World;
  let stack: Stack;
  let server: Server | undefined;
  let datagrams: Datagrams | undefined;

  const open = async (options: WorldOptions = {}) => {
    world = new World({ seed: 1, ...options });
    stack = await joinStation(world);
  };

  const serve = async (handler: (socket: Socket) => void): Promise<number> => {
    server = createServer({ allowHalfOpen: true }, handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  const dial = (port: number, address = '10.0.2.2') => new TestConnection(stack, { address, port });

  afterEach(() => {
    stack?.close();
    world?.close();
    server?.close();
    server = undefined;
    datagrams?.close();
    datagrams = undefined;
  });

  it('gives the first station 10.0.2.15, with the router for gateway and name server', async () => {
    await open();
    await lease(stack);
    expect(stack.addresses[0]).to.include({ address: '10.0.2.15', prefix: 24, origin: 'dhcp' });
    expect(stack.nameServers).to.deep.equal(['10.0.2.2']);
    expect(world.router.leaseOf('02:00:00:00:00:01')).to.equal('10.0.2.15');
  });

  it('carries all byte values to an echo server on loopback and back', async () => {
    await open();
    const port = await serve((socket) => socket.pipe(socket));
    const connection = dial(port);
    connection.send(
      Uint8Array.from({ length: 256 }, (_, index) => index),
      true,
    );
    expect(await connection.closed()).to.equal('none');
    expect([...Buffer.concat(connection.received)]).to.deep.equal(
      Array.from({ length: 256 }, (_, index) => index),
    );
  });

  it('carries 1 MiB each way at once, and ends in order', async () => {
    await open();
    const size = 1 << 20;
    const up = pattern(size, 1);
    const down = pattern(size, 2);
    const heard: Buffer[] = [];
    const port = await serve((socket) => {
      socket.on('data', (chunk) => heard.push(chunk));
      socket.end(down);
    });
    const connection = dial(port);
    connection.send(up, true);
    expect(await connection.closed()).to.equal('none');
    expect(Buffer.compare(Buffer.concat(connection.received), down)).to.equal(0);
    expect(Buffer.compare(Buffer.concat(heard), up)).to.equal(0);
  });

  it('loses nothing when the server closes right after sending', async () => {
    await open();
    const port = await serve((socket) => socket.resume().end('x'.repeat(100_000)));
    const connection = dial(port);
    await connection.ended();
    expect(connection.receivedLength).to.equal(100_000);
    connection.send('', true);
    expect(await connection.closed()).to.equal('none');
  });

  it('loses nothing of what came before a reset by the server', async () => {
    await open();
    const port = await serve((socket) =>
      // Closing with unread data makes the kernel reset the connection.
      socket.pause().write('y'.repeat(20_000), () => setTimeout(() => socket.resetAndDestroy(), 20)),
    );
    const connection = dial(port);
    connection.send('unread');
    expect(await connection.closed()).to.equal('reset');
    expect(connection.receivedLength).to.equal(20_000);
  });

  it('loses nothing of what waited for a slow station when the server closed', async () => {
    await open();
    const data = pattern((1 << 20) + 241, 3);
    const port = await serve((socket) => socket.resume().end(data));
    const connection = dial(port);
    connection.connection.setReceiveBuffer(8192);
    await connection.ended();
    expect(Buffer.compare(Buffer.concat(connection.received), data)).to.equal(0);
  });

  it('passes on half-closed connections, each direction for itself', async () => {
    await open();
    const port = await serve((socket) => {
      let heard = '';
      socket.on('data', (chunk) => {
        heard += chunk;
      });
      socket.on('end', () => socket.end(`heard ${heard}`));
    });
    const clientFirst = dial(port);
    clientFirst.send('all of it', true);
    expect(await clientFirst.closed()).to.equal('none');
    expect(clientFirst.text).to.equal('heard all of it');
    server?.close();

    let late = '';
    const ended = new Promise<void>((resolve) => {
      void serve((socket) => {
        socket.end('no more from me');
        socket.on('data', (chunk) => {
          late += chunk;
        });
        socket.on('end', resolve);
      }).then((other) => {
        const serverFirst = dial(other);
        void serverFirst.ended().then(() => {
          expect(serverFirst.text).to.equal('no more from me');
          serverFirst.send('still talking', true);
        });
      });
    });
    await ended;
    expect(late).to.equal('still talking');
  });

  it('answers a refused port with a reset', async () => {
    await open();
    const port = await serve(() => {});
    server?.close();
    await pause(5);
    expect(await dial(port).closed()).to.equal('refused');
  });

  it('resets the server when the station aborts', async () => {
    await open();
    let failure: NodeJS.ErrnoException | undefined;
    const gone = new Promise<void>((resolve) => {
      void serve((socket) => {
        socket.resume();
        socket.on('error', (error) => {
          failure = error;
        });
        socket.on('close', () => resolve());
      }).then(async (port) => {
        const connection = dial(port);
        await connection.connected();
        await pause(20);
        connection.connection.abort();
      });
    });
    await gone;
    expect(failure?.code).to.equal('ECONNRESET');
  });

  it('holds the server back while the station does not read, without buffering it all', async () => {
    await open();
    let sent = 0;
    const chunk = Buffer.alloc(65536, 1);
    const total = 16 << 20;
    const port = await serve((socket) => {
      const more = () => {
        while (sent < total) {
          sent += chunk.length;
          if (!socket.write(chunk)) {
            socket.once('drain', more);
            return;
          }
        }
        socket.resume().end();
      };
      socket.on('error', () => {});
      more();
    });
    const connection = dial(port);
    connection.paused = true;
    await connection.connected();
    await pause(200);
    const held = sent;
    // the kernel's own socket buffers hold some MiB, whoever reads
    expect(held).to.be.lessThan(total);
    await pause(100);
    expect(sent).to.equal(held);
    connection.paused = false;
    connection.read();
    await connection.ended();
    expect(connection.receivedLength).to.equal(total);
  });

  it('holds the station back while the server does not read, and loses nothing', async () => {
    await open();
    const size = 16 << 20;
    let socket: Socket | undefined;
    let length = 0;
    const port = await serve((accepted) => {
      socket = accepted.pause();
    });
    const connection = dial(port);
    const data = pattern(size, 5);
    connection.send(data, true);
    await pause(400);
    expect(connection.unsent).to.be.greaterThan(0);
    const heard: Buffer[] = [];
    socket?.on('data', (chunk) => {
      heard.push(chunk);
      length += chunk.length;
    });
    socket?.resume();
    await once(socket!, 'end');
    expect(length).to.equal(size);
    expect(Buffer.compare(Buffer.concat(heard), data)).to.equal(0);
    socket?.end();
    expect(await connection.closed()).to.equal('none');
  });

  it('keeps many connections apart', async () => {
    await open();
    const port = await serve((socket) => socket.pipe(socket));
    const connections = Array.from({ length: 50 }, (_, index) => {
      const connection = dial(port);
      connection.send(`number ${index}`, true);
      return connection;
    });
    for (const [index, connection] of connections.entries()) {
      expect(await connection.closed()).to.equal('none');
      expect(connection.text).to.equal(`number ${index}`);
    }
  });

  it('reaches the host alone with "loopback", and nothing with "none"', async () => {
    await open();
    expect(await dial(80, '192.0.2.1').closed()).to.be.oneOf(['unreachable', 'refused']);
    world.router.hostNetwork = 'none';
    const port = await serve(() => expect.fail());
    expect(await dial(port).closed()).to.equal('refused');
  });

  describe('for datagrams', () => {
    const echo = async () => {
      datagrams = createSocket('udp4').bind(0, '127.0.0.1');
      await once(datagrams, 'listening');
      datagrams.on('message', (data, from) => datagrams?.send(data, from.port, from.address));
      return datagrams.address().port;
    };

    const ask = (port: number, data: Uint8Array): Promise<{ text: string; from: string }> =>
      new Promise((resolve) => {
        const socket = stack.udpBind(
          {},
          {
            message: (answer, from) => {
              resolve({ text: Buffer.from(answer).toString('latin1'), from: `${from.address}:${from.port}` });
              socket.close();
            },
          },
        );
        socket.send(data, { address: '10.0.2.2', port });
      });

    it('carries them to a server on loopback, and the answer comes from where the question went', async () => {
      await open();
      const port = await echo();
      expect(await ask(port, Buffer.from('ping\0\xff', 'latin1'))).to.deep.equal({
        text: 'ping\0\xff',
        from: `10.0.2.2:${port}`,
      });
      expect((await ask(port, new Uint8Array(1472).fill(65))).text).to.have.length(1472);
    });

    it('sends nothing with "none"', async () => {
      await open({ hostNetwork: 'none' });
      const port = await echo();
      let heard = 0;
      datagrams?.on('message', () => heard++);
      stack.udpBind({}, { message: () => {} }).send(Buffer.from('x'), { address: '10.0.2.2', port });
      await pause(50);
      expect(heard).to.equal(0);
    });
  });

  it('answers echo requests itself', async () => {
    await open();
    const result = await new Promise((resolve) =>
      stack.ping('10.0.2.2', { bytes: 32, timeoutMs: 1000 }, resolve),
    );
    expect(result).to.include({ bytes: 32 });
    const none = await new Promise((resolve) =>
      stack.ping('192.0.2.1', { bytes: 32, timeoutMs: 50 }, resolve),
    );
    expect(none).to.be.a('string');
  });

  it("advertises an IPv6 prefix if it has one, and finds the host's ::1 at its own address", async function () {
    const ipv6 = createServer((socket) => socket.pipe(socket)).listen(0, '::1');
    const [failure] = await Promise.race([once(ipv6, 'listening'), once(ipv6, 'error')]);
    if (failure !== undefined) return this.skip();
    await open({ router: { ipv6Prefix: 'fd0a:0:2::' } });
    stack.startIpv6();
    while (!stack.addresses.some(({ origin }) => origin === 'slaac')) await pause(20);
    const connection = dial((ipv6.address() as AddressInfo).port, 'fd0a:0:2::2');
    connection.send('six', true);
    expect(await connection.closed()).to.equal('none');
    expect(connection.text).to.equal('six');
    ipv6.close();
  });

  describe('and the way in', () => {
    it('leads from a port of loopback to a listening station', async () => {
      await open();
      stack.tcpListen({ port: 8080 }, (connection: TcpConnection) => ({
        readable() {
          const buffer = new Uint8Array(1000);
          const count = connection.read(buffer);
          connection.write(buffer.subarray(0, count));
          if (connection.ended) connection.shutdown();
        },
      }));
      const forward = await world.router.forward({ protocol: 'tcp', hostPort: 0, modulePort: 8080 });
      const client = connect(forward.hostPort, '127.0.0.1');
      client.end('hello');
      let heard = '';
      client.on('data', (chunk) => {
        heard += chunk;
      });
      await once(client, 'close');
      expect(heard).to.equal('hello');
    });

    it('refuses like the station', async () => {
      await open();
      const forward = await world.router.forward({ protocol: 'tcp', hostPort: 0, modulePort: 8081 });
      const client = connect(forward.hostPort, '127.0.0.1');
      const [error] = await once(client, 'error');
      expect(error.code).to.equal('ECONNRESET');
    });

    it('leads datagrams to it and its answers back to each client', async () => {
      await open();
      const socket = stack.udpBind({ port: 9000 }, { message: (data, from) => socket.send(data, from) });
      const forward = await world.router.forward({ protocol: 'udp', hostPort: 0, modulePort: 9000 });
      for (const text of ['one', 'two']) {
        const client = createSocket('udp4');
        client.send(text, forward.hostPort, '127.0.0.1');
        const [answer] = await once(client, 'message');
        expect(answer.toString()).to.equal(text);
        client.close();
      }
    });

    it('says so when the port is taken', async () => {
      await open();
      const port = await serve(() => {});
      const error = await world.router
        .forward({ protocol: 'tcp', hostPort: port, modulePort: 1 })
        .catch((caught: unknown) => caught);
      expect(error).to.have.property('code', 'WINC_PORT_LOCKED');
    });
  });
});
