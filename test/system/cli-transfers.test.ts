/** Bytes through two processes and a real server, over each wire: none lost, none changed, both ways at once. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { hasNginx, startNginx } from './support/nginx.js';
import { ports } from './support/ports.js';
import { run, scratch, startSimulator } from './support/processes.js';

const mebibyte = 1 << 20;
const env = { PSK: 'secret123' };

for (const port of ports) {
  describe(`wincs02 tcp: ${port.name}`, () => {
    let files: ReturnType<typeof scratch>;
    let simulator: Awaited<ReturnType<typeof startSimulator>>;
    let tcp: string[];
    before(async () => {
      files = scratch();
      const path = files.path('winc');
      simulator = await startSimulator(...port.flags(path), '--ap', 'lab:secret123');
      tcp = ['tcp', '--port', port.url(path), '--ssid', 'lab', '--psk-env', 'PSK', '--timeout', '60'];
    });
    after(async () => {
      await simulator.stop();
      files.remove();
    });

    it('fetches 1 MiB from nginx', async function () {
      if (!hasNginx()) return this.skip();
      const page = randomBytes(mebibyte);
      const nginx = await startNginx(files.path('www'), { 'page.bin': page });
      try {
        const input = Buffer.from('GET /page.bin HTTP/1.0\r\nHost: 10.0.2.2\r\n\r\n');
        const fetched = await run([...tcp, '10.0.2.2', String(nginx.port)], { env, input });
        expect(fetched.code, fetched.stderr).to.equal(0);
        const head = fetched.stdout.indexOf('\r\n\r\n');
        expect(fetched.stdout.subarray(0, head).toString()).to.match(/^HTTP\/1\.1 200 OK\r\nServer: nginx/);
        expect(fetched.stdout.subarray(head + 4).equals(page)).to.equal(true);
      } finally {
        await nginx.stop();
      }
    });

    it('carries 1 MiB each way at once, every byte value', async () => {
      const server: Server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port: number } = server.address() as { port: number };
      const input = Buffer.alloc(mebibyte, Buffer.from(Array.from({ length: 256 }, (_, value) => value)));
      const echo = await run([...tcp, '--recv', String(mebibyte), '10.0.2.2', String(number)], {
        env,
        input,
      });
      server.close();
      expect(echo.code, echo.stderr).to.equal(0);
      expect(echo.stdout.equals(input)).to.equal(true);
    });
  });
}
