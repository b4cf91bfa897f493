import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import {
  AF_INET,
  type BsdSockets,
  connectTcp,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
  SocketEvent,
  socketsOf,
} from '../../bsd-sockets/index.js';
import { WincModule } from '../../driver/index.js';
import { createSimulator, type Simulator } from '../../simulator/index.js';
import { uartTransport, wires } from './wires.js';

const ROUTER = '10.0.2.2';

const noise = (length: number, seed: number): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let i = 0, x = seed; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    bytes[i] = x >> 16;
  }
  return bytes;
};
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The next of these events on a descriptor, or the failure of the wait. */
function until(sockets: BsdSockets, fd: number, wanted: SocketEvent): Promise<void> {
  return new Promise((resolve, reject) => {
    sockets.watch(fd, (_fd, event, status) => {
      if (status !== 0) reject(new Error(`event ${event} failed`));
      else if (event === wanted) resolve();
    });
  });
}

for (const [wire, { profile, open }] of Object.entries(wires)) {
  describe(`sockets through an emulated module, ${wire} wire`, () => {
    let simulator: Simulator;
    let module: WincModule;
    let server: Server;
    let port: number;
    let serve: (socket: Socket) => void = () => {};

    before(async () => {
      simulator = await createSimulator({
        profile,
        accessPoints: [{ ssid: 'lab', passphrase: 'secret123' }],
      });
      module = await WincModule.open(open(simulator));
      await module.wifi.join({ ssid: 'lab', passphrase: 'secret123', channel: 6 });
      server = createServer((socket) => {
        socket.on('error', () => {});
        serve(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      port = (server.address() as AddressInfo).port;
    });
    after(async () => {
      await module?.close();
      server?.close();
      await simulator?.close();
    });

    it('brings every byte of a peer that closes right after sending', async () => {
      const sent = noise(300_000, 1);
      serve = (socket) => socket.end(sent);
      const got = await collect(await connectTcp(module, ROUTER, port));
      expect(digest(got)).to.equal(digest(sent));
    });

    it('echoes all byte values both ways at once', async () => {
      serve = (socket) => socket.pipe(socket);
      const sent = Buffer.concat([
        Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
        Buffer.from('\r\n+SOCKCL:1\r\nOK\r\n+++#>'),
        noise(100_000, 2),
      ]);
      const stream = await connectTcp(module, ROUTER, port);
      stream.write(sent);
      const got: Buffer[] = [];
      let length = 0;
      for await (const chunk of stream) {
        got.push(chunk as Buffer);
        length += (chunk as Buffer).length;
        if (length >= sent.length) break;
      }
      expect(digest(Buffer.concat(got))).to.equal(digest(sent));
    });

    it('carries several connections side by side', async () => {
      serve = (socket) => socket.end(noise(50_000, socket.remotePort ?? 0));
      const seeds = new Set<string>();
      const previous = serve;
      serve = (socket) => {
        seeds.add(digest(noise(50_000, socket.remotePort ?? 0)));
        previous(socket);
      };
      const streams = await Promise.all(Array.from({ length: 5 }, () => connectTcp(module, ROUTER, port)));
      const digests = await Promise.all(streams.map(async (stream) => digest(await collect(stream))));
      expect(new Set(digests)).to.deep.equal(seeds);
    });

    it('names a refused connection and an unknown host', async () => {
      const closed = createServer();
      await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
      const free = (closed.address() as AddressInfo).port;
      await new Promise((resolve) => closed.close(resolve));
      const refused = await connectTcp(module, ROUTER, free).catch((error) => error);
      expect(refused).to.include({ code: 'WINC_CONNECT_FAILED', errno: 'ECONNREFUSED' });
      const unknown = await connectTcp(module, 'no.such.name.invalid', port).catch((error) => error);
      expect(unknown).to.include({ code: 'WINC_STATUS', statusName: 'DNS_NON_EXISTENT_DOMAIN' });
    });

    it('gives descriptors and module sockets back', async () => {
      serve = (socket) => socket.end('x');
      for (let i = 0; i < 30; i++) {
        expect((await collect(await connectTcp(module, ROUTER, port))).toString()).to.equal('x');
      }
      const left = await module.call('SOCKLST', {});
      expect(left).to.have.length.at.most(1);
    });

    it('sends and receives datagrams', async () => {
      const echo = createSocket('udp4');
      echo.on('message', (data, { address, port: from }) => echo.send(data, from, address));
      await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve));
      const sockets = socketsOf(module);
      const fd = sockets.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
      await until(sockets, fd, SocketEvent.OPEN);
      const to = { family: AF_INET, address: ROUTER, port: echo.address().port };
      for (const length of [1, 700, 1400]) {
        const received = until(sockets, fd, SocketEvent.RECV);
        const sent = noise(length, length);
        expect(sockets.sendto(fd, sent, 0, to)).to.equal(length);
        await received;
        const buffer = new Uint8Array(1500);
        const from = { family: 0, address: '', port: 0 };
        expect(sockets.recvfrom(fd, buffer, 1500, 0, from)).to.equal(length);
        expect(digest(buffer.subarray(0, length))).to.equal(digest(sent));
        expect(from).to.deep.equal(to);
      }
      const closed = until(sockets, fd, SocketEvent.CLOSE);
      sockets.shutdown(fd);
      await closed;
      echo.close();
    });

    it('serves connections from the host', async () => {
      const sockets = socketsOf(module);
      const fd = sockets.socket(AF_INET, SOCK_STREAM);
      await until(sockets, fd, SocketEvent.OPEN);
      sockets.bind(fd, { family: AF_INET, address: '0.0.0.0', port: 7777 });
      const listening = until(sockets, fd, SocketEvent.LISTEN);
      sockets.listen(fd, 2);
      await listening;
      const forward = await simulator.forward({ protocol: 'tcp', hostPort: 0, modulePort: 7777 });
      const requested = until(sockets, fd, SocketEvent.CONNECT_REQ);
      const client = connect(forward.hostPort, '127.0.0.1');
      client.on('error', () => {});
      client.write('question');
      await requested;
      const child = sockets.accept(fd);
      expect(child).to.be.greaterThan(0);
      const buffer = new Uint8Array(100);
      if (sockets.recv(child, buffer) < 0) {
        await until(sockets, child, SocketEvent.RECV);
        sockets.recv(child, buffer);
      }
      expect(Buffer.from(buffer.subarray(0, 8)).toString()).to.equal('question');
      const answered = new Promise<string>((resolve) => client.once('data', (data) => resolve(String(data))));
      sockets.send(child, Buffer.from('answer'));
      expect(await answered).to.equal('answer');
      const ended = until(sockets, child, SocketEvent.DISCONNECT);
      client.end();
      await ended;
      for (const each of [child, fd]) {
        const closed = until(sockets, each, SocketEvent.CLOSE);
        sockets.shutdown(each);
        await closed;
      }
      forward.close();
    });

    it('fails every connection once when the module restarts, and goes on after it', async () => {
      serve = () => {};
      const stream = await connectTcp(module, ROUTER, port);
      const failed = new Promise<Error>((resolve) => stream.once('error', resolve));
      stream.resume();
      await module.reset();
      expect(await failed).to.have.property('code', 'WINC_MODULE_RESET');
      await module.wifi.join({ ssid: 'lab', passphrase: 'secret123', channel: 6 });
      serve = (socket) => socket.end('back');
      expect((await collect(await connectTcp(module, ROUTER, port))).toString()).to.equal('back');
    });
  });
}

describe('a cable that is pulled', () => {
  it('fails connections and commands at once', async () => {
    const simulator = await createSimulator({ accessPoints: [{ ssid: 'lab' }] });
    const server = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const cable = uartTransport(simulator);
    const module = await WincModule.open(cable);
    await module.wifi.join({ ssid: 'lab', channel: 6 });
    const stream = await connectTcp(module, ROUTER, (server.address() as AddressInfo).port);
    const failed = new Promise<Error>((resolve) => stream.once('error', resolve));
    stream.resume();
    stream.write(Buffer.alloc(100_000));
    cable.unplug();
    expect(await failed).to.have.property('code', 'WINC_PORT_LOST');
    expect(await module.call('GMR').catch((error) => error.code)).to.equal('WINC_PORT_LOST');
    server.close();
    await simulator.close();
  });

  it('carries any network name and passphrase to the access point, byte for byte', async () => {
    const ssid = 'a"\\\r\n\0#é';
    const passphrase = 'p"a\\s;s\u00e9,w[o]rd';
    const simulator = await createSimulator({ accessPoints: [{ ssid, passphrase }] });
    const module = await WincModule.open(uartTransport(simulator));
    const [found] = await module.wifi.scan();
    expect(found.ssid).to.equal(ssid);
    const { addresses } = await module.wifi.join({ ssid, passphrase });
    expect(addresses.at(-1)).to.match(/^10\.0\.2\./);
    const wrong = await module.wifi.join({ ssid, passphrase: `${passphrase}x` }).catch((error) => error);
    expect(wrong.code).to.equal('WINC_JOIN_FAILED');
    await module.close();
    await simulator.close();
  });
});
