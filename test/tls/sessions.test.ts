import { createHash } from 'node:crypto';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
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
  TlsFailure,
  tlsContextsOf,
} from '../../tls/index.js';
import { type Emulated, emulated, fixture, HOST, wires } from './support/emulated.js';

const NOW = Date.UTC(2026, 0, 1);
const text = (name: string): string => fixture(name).toString();
const trusting: TlsContextOptions = { ca: 'ca', serverName: 'server.test' };
const serverIdentity: TlsOptions = { cert: text('server.pem'), key: text('server.key') };
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

for (const wire of wires) {
  describe(`TLS through an emulated module, ${wire} wire`, () => {
    let device: Emulated;
    const servers: Server[] = [];

    before(async () => {
      device = await emulated(wire);
      await device.setClock(NOW);
      await logTlsErrors(device.module);
      const store = new CertificateStore(device.module);
      for (const name of ['ca', 'server', 'client']) await store.putCertificate(name, fixture(`${name}.pem`));
      await store.putKey('server', fixture('server.key'));
      await store.putKey('client', fixture('client-locked.key'), { password: 'secret' });
    });
    after(() => device?.[Symbol.asyncDispose]());
    afterEach(() => {
      for (const server of servers.splice(0)) server.close();
    });

    async function serve(options: TlsOptions, serving: (socket: TLSSocket) => void): Promise<number> {
      const server = createServer(options, (socket) => {
        socket.on('error', () => {});
        serving(socket);
      });
      servers.push(server);
      return listen(server);
    }

    /** Connects with a context of its own. */
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
    const failure = (promise: Promise<unknown>): Promise<TlsFailure> =>
      promise.then(
        () => expect.fail('it connected'),
        (error: TlsFailure) => error,
      );

    it('echoes 200 kB, both ends authenticated', async () => {
      const seen: string[] = [];
      const port = await serve(
        { ...serverIdentity, ca: text('ca.pem'), requestCert: true, rejectUnauthorized: true },
        (socket) => {
          seen.push(String(socket.getPeerCertificate().subject.CN));
          socket.pipe(socket);
        },
      );
      const stream = await dial(port, {
        ...trusting,
        certificate: 'client',
        key: 'client',
        keyPassword: 'secret',
      });
      const sent = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
      stream.end(sent);
      const got: Buffer[] = [];
      let length = 0;
      for await (const chunk of stream) {
        got.push(chunk as Buffer);
        length += (chunk as Buffer).length;
        if (length >= sent.length) break;
      }
      expect(digest(Buffer.concat(got))).to.equal(digest(sent));
      expect(seen).to.deep.equal(['Test client']);
    });

    it('brings everything of a peer that closes at once', async () => {
      const sent = Buffer.alloc(100_000, 'abc');
      const port = await serve(serverIdentity, (socket) => socket.end(sent));
      const got: Buffer[] = [];
      for await (const chunk of await dial(port, trusting)) got.push(chunk as Buffer);
      expect(digest(Buffer.concat(got))).to.equal(digest(sent));
    });

    it('tells failures apart', async () => {
      const good = await serve(serverIdentity, () => {});
      const expired = await serve({ ...serverIdentity, cert: text('expired.pem') }, () => {});
      const otherCiphers = await serve({ ...serverIdentity, ciphers: 'ECDHE-RSA-AES128-SHA' }, () => {});
      const plain = createTcpServer((socket) => socket.on('error', () => {}).end('220 smtp ready\r\n'));
      servers.push(plain);
      const plainPort = await listen(plain);
      const cases: [TlsContextOptions, number, string, string][] = [
        [{ ...trusting, ca: 'none' }, good, 'TLS_CA_CERT_MISSING', 'BAD_CERT_MANAGER_ERROR'],
        [{ ...trusting, ca: 'client' }, good, 'TLS_CA_CERT_VALIDATION', 'ASN_NO_SIGNER_E'],
        [{ ...trusting, domain: 'else.test' }, good, 'TLS_PEER_DOMAIN_MISSING', 'DOMAIN_NAME_MISMATCH'],
        [trusting, expired, 'TLS_CA_CERT_DATE_VALIDATION', 'ASN_AFTER_DATE_E'],
        [
          { ...trusting, certificate: 'client', key: 'server' },
          good,
          'TLS_KEY_PAIR_INCOMPLETE',
          'ECC_PRIV_KEY_E',
        ],
        [trusting, otherCiphers, 'SOCKET_TLS_FAILED', 'FATAL_ERROR'],
        [trusting, plainPort, 'SOCKET_TLS_FAILED', 'UNKNOWN_RECORD_TYPE'],
      ];
      for (const [options, port, statusName, tlsError] of cases) {
        const error = await failure(dial(port, options));
        expect(error, tlsError).to.be.instanceOf(TlsFailure);
        expect([error.statusName, error.tlsError, error.errno]).to.deep.equal([
          statusName,
          tlsError,
          'EPROTO',
        ]);
        expect(error.code).to.equal(
          statusName === 'SOCKET_TLS_FAILED' ? 'WINC_TLS_HANDSHAKE' : 'WINC_TLS_CERTIFICATE',
        );
      }
    });

    it('gives up on a peer that says nothing in the time it is given', async () => {
      const silent = createTcpServer((socket) => socket.on('error', () => {}));
      servers.push(silent);
      const error = await failure(dial(await listen(silent), trusting, 200));
      expect(error.code).to.equal('WINC_CONNECT_TIMEOUT');
    });

    it('serves, and asks its clients for certificates', async () => {
      const contexts = tlsContextsOf(device.module);
      const handle = await contexts.open({
        role: 'server',
        ca: 'ca',
        verifyPeer: true,
        certificate: 'server',
        key: 'server',
      });
      const sockets = socketsOf(device.module);
      const listener = sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TLS);
      sockets.setsockopt(listener, IPPROTO_TLS, TLS_CONF_IDX, contexts.tlsCtxHandleToCfgIdx(handle));
      let listens = () => {};
      const listening = new Promise<void>((resolve) => {
        listens = resolve;
      });
      sockets.watch(listener, (fd, event) => {
        if (event === SocketEvent.LISTEN) listens();
        if (event === SocketEvent.OPEN) {
          sockets.bind(fd, { family: AF_INET, address: '0.0.0.0', port: 4433 });
          sockets.listen(fd, 2);
        } else if (event === SocketEvent.CONNECT_REQ) {
          const child = sockets.accept(fd);
          sockets.watch(child, (_fd, happened, status) => {
            if (status === SocketStatus.ERROR) sockets.shutdown(child);
            if (happened !== SocketEvent.TLS_CONNECT) return;
            const stream = new SocketStream(sockets, child);
            stream.on('error', () => {}).pipe(stream);
          });
        }
      });
      await listening;
      const forward = await device.simulator.forward({ protocol: 'tcp', hostPort: 0, modulePort: 4433 });
      const options = {
        port: forward.hostPort,
        host: '127.0.0.1',
        servername: 'server.test',
        ca: text('ca.pem'),
      };
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect({ ...options, cert: text('client.pem'), key: text('client.key') });
        socket.on('secureConnect', () => socket.write('hello'));
        socket.on('data', (data) => resolve(`${socket.authorized} ${data}`));
        socket.on('error', reject);
        socket.on('data', () => socket.end());
      });
      expect(answer).to.equal('true hello');
      const refused = await new Promise<string>((resolve) => {
        const socket = connect(options);
        socket.on('data', () => resolve('data'));
        socket.on('error', () => resolve('error'));
        socket.on('close', () => resolve('closed'));
      });
      expect(refused).to.be.oneOf(['closed', 'error']);
      sockets.shutdown(listener);
      await contexts.close(handle);
    });
  });
}
