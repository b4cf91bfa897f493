import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import nodeNet, { type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type ModuleNet, netOf, type Socket } from '../../../bsd-sockets/net/index.js';
import { WincModule } from '../../../driver/index.js';
import { createSimulator, type Simulator } from '../../../simulator/index.js';

import { wires } from '../wires.js';
import { cert, key } from './certificate.js';

const ROUTER = '10.0.2.2';

for (const [wire, { profile, open }] of Object.entries(wires)) {
  describe(`net through an emulated module, ${wire} wire`, () => {
    let simulator: Simulator;
    let module: WincModule;
    let net: ModuleNet;
    const servers: nodeNet.Server[] = [];

    before(async () => {
      simulator = await createSimulator({ profile, accessPoints: [{ ssid: 'lab' }] });
      module = await WincModule.open(open(simulator));
      await module.wifi.join({ ssid: 'lab', channel: 6 });
      net = netOf(module);
    });
    after(async () => {
      await module?.close();
      await simulator?.close();
    });
    afterEach(() => {
      for (const server of servers.splice(0)) server.close();
    });

    /** A server of the host's; answers its port. */
    async function host(serve: (socket: nodeNet.Socket) => void): Promise<number> {
      const server = nodeNet.createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => {});
        serve(socket);
      });
      servers.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }
    const collect = async (socket: Socket): Promise<string> => {
      let text = '';
      for await (const chunk of socket) text += chunk;
      return text;
    };

    it('writes before it is connected, tells its addresses, and closes in Node’s order', async () => {
      const port = await host((socket) => socket.on('data', (data) => socket.end(`<${data}>`)));
      const events: string[] = [];
      const socket = net.connect(port, ROUTER, () => events.push('connected'));
      for (const name of ['connect', 'ready', 'end', 'finish', 'close']) {
        socket.on(name, (...args: unknown[]) => events.push([name, ...args].join(' ')));
      }
      expect(socket.connecting).to.equal(true);
      expect(socket.pending).to.equal(true);
      expect(socket.readyState).to.equal('opening');
      expect(socket.address()).to.deep.equal({});
      socket.setEncoding('utf8');
      socket.write('early');
      await once(socket, 'connect');
      expect(socket.connecting).to.equal(false);
      expect(socket.readyState).to.equal('open');
      expect(socket.remoteAddress).to.equal(ROUTER);
      expect(socket.remotePort).to.equal(port);
      expect(socket.remoteFamily).to.equal('IPv4');
      expect(socket.localAddress).to.match(/^10\.0\.2\./);
      expect(socket.address()).to.deep.include({ family: 'IPv4', port: socket.localPort });
      expect(await collect(socket)).to.equal('<early>');
      if (!socket.closed) await once(socket, 'close');
      expect(events).to.deep.equal(['connected', 'connect', 'ready', 'end', 'finish', 'close false']);
      expect([socket.bytesRead, socket.bytesWritten]).to.deep.equal([7, 5]);
    });

    it('answers end() with everything the peer still sends', async () => {
      const port = await host((socket) => {
        let asked = '';
        socket.on('data', (data) => {
          asked += data;
          if (asked === 'question') setTimeout(() => socket.end('a late answer'), 300);
        });
      });
      const socket = net.connect({ port, host: ROUTER });
      socket.setEncoding('utf8');
      socket.end('question');
      expect(await collect(socket)).to.equal('a late answer');
    });

    it('closes a connection whose peer stays silent after end()', async () => {
      let closed = false;
      const port = await host((socket) =>
        socket
          .resume()
          .on('close', () => {
            closed = true;
          })
          .on('end', () => socket.end()),
      );
      const socket = net.connect({ port, host: ROUTER });
      socket.resume();
      socket.end('bye');
      await once(socket, 'close');
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(closed).to.equal(true);
    });

    it('names failures as Node does', async () => {
      const free = await host(() => {});
      await new Promise((resolve) => servers.pop()?.close(resolve));
      const [refused] = await once(net.connect(free, ROUTER), 'error').catch((error) => [error]);
      expect(refused).to.include({ code: 'ECONNREFUSED', syscall: 'connect', address: ROUTER, port: free });
      const [unknown] = await once(net.connect(80, 'no.such.invalid'), 'error').catch((error) => [error]);
      expect(unknown).to.include({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'no.such.invalid' });
      expect(() => net.connect(70000, ROUTER))
        .to.throw(RangeError)
        .with.property('code', 'ERR_SOCKET_BAD_PORT');
    });

    it('uses a look-up function that is given', async () => {
      const port = await host((socket) => socket.end('found'));
      const socket = net.connect({
        port,
        host: 'anything.test',
        lookup: (_name, _options, done) => setImmediate(() => done(null, ROUTER, 4)),
      });
      const [, address] = await once(socket, 'lookup');
      expect(address).to.equal(ROUTER);
      expect(await collect(socket)).to.equal('found');
    });

    it('fires timeout after silence, and obeys a signal', async () => {
      const port = await host(() => {});
      const socket = net.connect({ port, host: ROUTER, timeout: 100 });
      await once(socket, 'timeout');
      expect(socket.destroyed).to.equal(false);
      socket.destroy();
      const abort = new AbortController();
      const other = net.connect({ port, host: ROUTER, signal: abort.signal });
      await once(other, 'connect');
      const failed = new Promise<Error & { code?: string }>((resolve) => other.once('error', resolve));
      abort.abort();
      expect((await failed).code).to.equal('ABORT_ERR');
    });

    it('keeps back-pressure in both directions', async () => {
      const port = await host((socket) => socket.pipe(socket));
      const socket = net.connect({ port, host: ROUTER });
      // The mark is Node's default, which differs from version to version.
      const size = Math.max(300_000, 8 * socket.writableHighWaterMark);
      const sent = Buffer.alloc(size, 'abcdefgh');
      let refused = 0;
      let offset = 0;
      const pump = () => {
        while (offset < size) {
          const chunk = sent.subarray(offset, offset + 10_000);
          offset += chunk.length;
          if (!socket.write(chunk)) {
            refused++;
            socket.once('drain', pump);
            return;
          }
        }
      };
      pump();
      let got = 0;
      for await (const chunk of socket) {
        got += (chunk as Buffer).length;
        if (got >= size) break;
      }
      expect(got).to.equal(size);
      expect(refused).to.be.greaterThan(5);
    });

    it('serves, and closes when the last connection is gone', async () => {
      const server = net.createServer((socket) => socket.end(`hello ${socket.remotePort}`));
      server.listen(0);
      await once(server, 'listening');
      expect(server.listening).to.equal(true);
      const { port } = server.address() as { port: number };
      expect(port).to.be.within(49152, 65535);
      const forward = await simulator.forward({ protocol: 'tcp', hostPort: 0, modulePort: port });
      const client = nodeNet.connect(forward.hostPort, '127.0.0.1');
      client.setEncoding('utf8');
      let text = '';
      for await (const chunk of client) text += chunk;
      expect(text).to.match(/^hello \d+$/);
      server.close();
      await once(server, 'close');
      expect(server.listening).to.equal(false);
      forward.close();
    });

    it('tells a port that is taken', async () => {
      const first = net.createServer().listen(8080);
      await once(first, 'listening');
      const second = net.createServer();
      const failed = new Promise<Error & { code?: string }>((resolve) => second.once('error', resolve));
      second.listen(8080);
      expect((await failed).code).to.equal('EADDRINUSE');
      first.close();
      await once(first, 'close');
    });

    it('carries http both ways: http.get with an agent, an http server behind its connections', async () => {
      const web = http.createServer((request, response) => response.end(`${request.method} ${request.url}`));
      web.listen(0, '127.0.0.1');
      await once(web, 'listening');
      const agent = net.agent({ keepAlive: true });
      for (const path of ['/one', '/two']) {
        const { port } = web.address() as AddressInfo;
        const request = http.get({ host: ROUTER, port, path, agent });
        const [response] = (await once(request, 'response')) as [http.IncomingMessage];
        let body = '';
        for await (const chunk of response) body += chunk;
        expect(body).to.equal(`GET ${path}`);
      }
      agent.destroy();
      web.close();

      const own = http.createServer((request, response) => {
        response.setHeader('Connection', 'close');
        response.end(`served ${request.url}`);
      });
      const server = net.createServer((socket) => own.emit('connection', socket));
      server.listen(8081);
      await once(server, 'listening');
      const forward = await simulator.forward({ protocol: 'tcp', hostPort: 0, modulePort: 8081 });
      const answer = await fetch(`http://127.0.0.1:${forward.hostPort}/page`);
      expect(await answer.text()).to.equal('served /page');
      server.close();
      forward.close();
    });

    it('carries TLS of this host, for tls.connect, an https agent and a connector', async () => {
      const web = https.createServer({ cert, key }, (request, response) =>
        response.end(`secret ${request.url}`),
      );
      web.listen(0, '127.0.0.1');
      await once(web, 'listening');
      const { port } = web.address() as AddressInfo;
      const trusted = { ca: cert, servername: 'server.test' };
      const direct = net.tls.connect({ host: ROUTER, port, ...trusted });
      await once(direct, 'secureConnect');
      expect(direct.authorized).to.equal(true);
      direct.destroy();

      const agent = net.httpsAgent();
      const request = https.get({ host: ROUTER, port, path: '/agent', agent, ...trusted });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let body = '';
      for await (const chunk of response) body += chunk;
      expect(body).to.equal('secret /agent');
      agent.destroy();

      const connector = net.connector({ ca: cert });
      const connecting = (servername: string) =>
        new Promise<nodeNet.Socket>((resolve, reject) => {
          const target = { hostname: ROUTER, port: String(port), protocol: 'https:', servername };
          connector(target, (error, socket) => (socket === null ? reject(error) : resolve(socket)));
        });
      const socket = await connecting('server.test');
      socket.end('GET /connector HTTP/1.0\r\n\r\n');
      let raw = '';
      for await (const chunk of socket) raw += chunk;
      expect(raw).to.match(/secret \/connector$/);
      const wrong = await connecting('other.test').catch((error) => error);
      expect(wrong.code).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
      web.close();
    });

    it('sends and receives datagrams as dgram does', async () => {
      const echo = createSocket('udp4', (data, { port, address }) => echo.send(data, port, address));
      echo.bind(0, '127.0.0.1');
      await once(echo, 'listening');
      const socket = net.dgram.createSocket('udp4');
      const bytes = await new Promise<number>((resolve, reject) => {
        socket.send('hello', echo.address().port, ROUTER, (error: Error | null, count: number) =>
          error === null ? resolve(count) : reject(error),
        );
      });
      expect(bytes).to.equal(5);
      const [message, info] = await once(socket, 'message');
      expect(String(message)).to.equal('hello');
      expect(info).to.deep.equal({ address: ROUTER, family: 'IPv4', port: echo.address().port, size: 5 });
      const closed = once(socket, 'close');
      socket.close();
      await closed;
      echo.close();
    });

    it('fails every socket once, with a typed error, when the module restarts', async () => {
      const port = await host(() => {});
      const socket = net.connect(port, ROUTER);
      await once(socket, 'connect');
      const errors: string[] = [];
      socket.on('error', (error: Error & { code?: string }) => errors.push(String(error.code)));
      const closed = new Promise<boolean>((resolve) => socket.on('close', resolve));
      await module.reset();
      expect(await closed).to.equal(true);
      expect(errors).to.deep.equal(['ENETRESET']);
      await module.wifi.join({ ssid: 'lab', channel: 6 });
    });
  });
}
