/** TLS with OpenSSL's own tools as peers, over both wires. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect } from 'chai';
import {
  AF_INET,
  connectTcp,
  IPPROTO_TLS,
  SOCK_STREAM,
  SocketEvent,
  SocketStatus,
  SocketStream,
  socketsOf,
  TLS_CONF_IDX,
} from '../../bsd-sockets/index.js';
import {
  CertificateStore,
  logTlsErrors,
  type TlsContextOptions,
  type TlsFailure,
  tlsContextsOf,
} from '../../tls/index.js';
import { type Emulated, emulated, fixture, HOST, wires } from '../tls/support/emulated.js';
import { freePort } from './support/nginx.js';

const directory = new URL('../../firmware-fixtures/tls/', import.meta.url).pathname;
const openssl = (() => {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
})();

const NOW = Date.UTC(2026, 0, 1);
const MODULE_PORT = 4433;
const trusting: TlsContextOptions = { ca: 'ca', serverName: 'server.test' };

for (const wire of wires) {
  describe(`TLS with openssl, ${wire} wire`, function () {
    this.timeout(10_000);
    let device: Emulated;
    const children: ChildProcessWithoutNullStreams[] = [];

    before(async function () {
      if (openssl === undefined) this.skip();
      device = await emulated(wire);
      await device.setClock(NOW);
      await logTlsErrors(device.module);
      const store = new CertificateStore(device.module);
      for (const name of ['ca', 'other-ca', 'server', 'client']) {
        await store.putCertificate(name, fixture(`${name}.pem`));
      }
      for (const name of ['server', 'client']) await store.putKey(name, fixture(`${name}.key`));
    });
    after(() => device?.[Symbol.asyncDispose]());
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    });

    function start(...args: string[]): {
      child: ChildProcessWithoutNullStreams;
      said: (text: RegExp) => Promise<string>;
    } {
      const child = spawn('openssl', args, { cwd: directory });
      children.push(child);
      let output = '';
      child.stdout.on('data', (data) => {
        output += data;
      });
      child.stderr.on('data', (data) => {
        output += data;
      });
      child.stdin.on('error', () => {});
      const said = async (text: RegExp) => {
        for (let waited = 0; waited < 5000 && !text.test(output); waited += 10) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        expect(output).to.match(text);
        return output;
      };
      return { child, said };
    }

    async function serve(...options: string[]) {
      const port = await freePort();
      const identity = options.includes('-cert')
        ? []
        : ['-cert', 'server.pem', '-cert_chain', 'intermediate.pem', '-key', 'server.key'];
      const server = start('s_server', '-accept', `127.0.0.1:${port}`, ...identity, ...options);
      await server.said(/ACCEPT/);
      return { port, ...server };
    }

    async function dial(port: number, options: TlsContextOptions, timeoutMs = 5000): Promise<SocketStream> {
      const contexts = tlsContextsOf(device.module);
      const handle = await contexts.open(options);
      try {
        const tlsConfig = contexts.tlsCtxHandleToCfgIdx(handle);
        return await connectTcp(device.module, HOST, port, { tlsConfig, timeoutMs });
      } finally {
        await contexts.close(handle);
      }
    }
    const failure = async (
      port: number,
      options: TlsContextOptions,
      timeoutMs?: number,
    ): Promise<TlsFailure> => {
      const outcome = await dial(port, options, timeoutMs).then(
        () => undefined,
        (error: TlsFailure) => error,
      );
      return outcome ?? expect.fail('it connected');
    };
    const names = ({ code, statusName, tlsError }: TlsFailure) => [code, statusName, tlsError];

    it('talks with s_server', async () => {
      const { port, child, said } = await serve('-rev');
      const stream = await dial(port, trusting);
      stream.write('hello\n');
      const [answer] = await once(stream, 'data');
      expect(String(answer)).to.equal('olleh\n');
      await said(/Protocol version: TLSv1\.2/);
      child.kill('SIGTERM');
      await once(stream, 'end');
      stream.destroy();
    });

    it('shows s_server its certificate', async () => {
      const { port, said } = await serve('-Verify', '2', '-CAfile', 'ca.pem', '-verify_return_error', '-rev');
      const stream = await dial(port, { ...trusting, certificate: 'client', key: 'client' });
      await said(/Peer certificate: CN = Test client/);
      stream.destroy();
      const refused = await failure(port, trusting);
      expect(names(refused)).to.deep.equal(['WINC_TLS_HANDSHAKE', 'SOCKET_TLS_FAILED', 'FATAL_ERROR']);
    });

    it('downloads what s_server serves, byte for byte', async () => {
      const { port } = await serve('-WWW');
      const stream = await dial(port, trusting);
      stream.write('GET /server.pem HTTP/1.0\r\n\r\n');
      const got: Buffer[] = [];
      for await (const chunk of stream) got.push(chunk as Buffer);
      const [, body] = Buffer.concat(got).toString().split('\r\n\r\n');
      expect(body).to.equal(fixture('server.pem').toString());
    });

    it('tells each failure from the others', async () => {
      const { port } = await serve();
      const status = (name: string, tlsError: string) => [
        name === 'SOCKET_TLS_FAILED' ? 'WINC_TLS_HANDSHAKE' : 'WINC_TLS_CERTIFICATE',
        name,
        tlsError,
      ];
      const unknown = await failure(port, { ...trusting, ca: 'other-ca' });
      expect(names(unknown)).to.deep.equal(status('TLS_CA_CERT_VALIDATION', 'ASN_NO_SIGNER_E'));
      const wrongName = await failure(port, { ...trusting, domain: 'else.test' });
      expect(names(wrongName)).to.deep.equal(status('TLS_PEER_DOMAIN_MISSING', 'DOMAIN_NAME_MISMATCH'));
      const mismatch = await failure(port, { ...trusting, certificate: 'client', key: 'server' });
      expect(names(mismatch)).to.deep.equal(status('TLS_KEY_PAIR_INCOMPLETE', 'ECC_PRIV_KEY_E'));

      const expired = await serve('-cert', 'expired.pem', '-key', 'server.key');
      expect(names(await failure(expired.port, trusting))).to.deep.equal(
        status('TLS_CA_CERT_DATE_VALIDATION', 'ASN_AFTER_DATE_E'),
      );
      const ciphers = await serve('-cipher', 'ECDHE-RSA-AES128-SHA');
      const noCipher = await failure(ciphers.port, trusting);
      expect(names(noCipher)).to.deep.equal(status('SOCKET_TLS_FAILED', 'FATAL_ERROR'));
      expect(noCipher.message).to.contain('handshake_failure');

      const plain = createServer((socket) => socket.on('error', () => {}).end('220 ready\r\n')).listen(
        0,
        '127.0.0.1',
      );
      await once(plain, 'listening');
      expect(names(await failure((plain.address() as AddressInfo).port, trusting))).to.deep.equal(
        status('SOCKET_TLS_FAILED', 'UNKNOWN_RECORD_TYPE'),
      );
      plain.close();

      const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const began = performance.now();
      const late = await failure((silent.address() as AddressInfo).port, trusting, 300);
      expect(late.code).to.equal('WINC_CONNECT_TIMEOUT');
      expect(performance.now() - began).to.be.within(290, 2000);
      silent.close();
    });

    it('serves s_client, with and without client certificates', async () => {
      const contexts = tlsContextsOf(device.module);
      const sockets = socketsOf(device.module);
      const open = await contexts.open({ role: 'server', certificate: 'server', key: 'server' });
      const strict = await contexts.open({
        role: 'server',
        certificate: 'server',
        key: 'server',
        ca: 'ca',
        verifyPeer: true,
      });
      const listen = (handle: number, port: number) =>
        new Promise<number>((resolve) => {
          const listener = sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TLS);
          sockets.setsockopt(listener, IPPROTO_TLS, TLS_CONF_IDX, contexts.tlsCtxHandleToCfgIdx(handle));
          sockets.watch(listener, (fd, event) => {
            if (event === SocketEvent.OPEN) {
              sockets.bind(fd, { family: AF_INET, address: '0.0.0.0', port });
              sockets.listen(fd, 2);
            } else if (event === SocketEvent.LISTEN) resolve(fd);
            else if (event === SocketEvent.CONNECT_REQ) {
              const child = sockets.accept(fd);
              sockets.watch(child, (_fd, happened, outcome) => {
                if (outcome === SocketStatus.ERROR) sockets.shutdown(child);
                if (happened !== SocketEvent.TLS_CONNECT) return;
                const stream = new SocketStream(sockets, child);
                stream.on('error', () => {}).on('end', () => stream.destroy());
                stream.on('data', (data: Buffer) => stream.write(`<${data}>`));
              });
            }
          });
        });
      const ports = [MODULE_PORT, MODULE_PORT + 1];
      const listeners = [await listen(open, ports[0]), await listen(strict, ports[1])];
      const forwards = await Promise.all(
        ports.map((modulePort) => device.simulator.forward({ protocol: 'tcp', hostPort: 0, modulePort })),
      );
      const dialIn = (which: number, ...options: string[]) =>
        start(
          ...['s_client', '-connect', `127.0.0.1:${forwards[which].hostPort}`, '-servername', 'server.test'],
          ...['-CAfile', 'ca.pem', '-verify_return_error', '-verify_hostname', 'server.test'],
          ...options,
        );
      const anonymous = dialIn(0);
      await anonymous.said(/Verify return code: 0 \(ok\)/);
      anonymous.child.stdin.write('ping');
      await anonymous.said(/<ping>/);
      const known = dialIn(1, '-cert', 'client.pem', '-key', 'client.key');
      known.child.stdin.write('ping');
      await known.said(/<ping>/);
      const unknown = dialIn(1);
      unknown.child.stdin.write('ping');
      const [code] = await once(unknown.child, 'close');
      expect(await unknown.said(/./)).to.not.contain('<ping>');
      expect(code).to.be.a('number');
      const noCipher = dialIn(0, '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-SHA');
      await once(noCipher.child, 'close');
      await noCipher.said(/handshake failure/);
      for (const listener of listeners) sockets.shutdown(listener);
      for (const handle of [open, strict]) await contexts.close(handle);
    });

    it('trusts nobody before it knows the time', async () => {
      const { port } = await serve();
      await device.module.reset();
      await device.module.wifi.join({ ssid: 'wincs02' });
      await logTlsErrors(device.module);
      const early = await failure(port, trusting);
      expect(names(early)).to.deep.equal([
        'WINC_TLS_CERTIFICATE',
        'TLS_CA_CERT_DATE_VALIDATION',
        'ASN_TIME_E',
      ]);
      await device.setClock(NOW);
      (await dial(port, trusting)).destroy();
    });
  });
}
