import { createPrivateKey, X509Certificate } from 'node:crypto';
import { connect, createServer, type SecureContextOptions, type TLSSocket, type TlsOptions } from 'node:tls';
import { expect } from 'chai';
import { TlsError } from '../../../driver/protocol/catalogue/tls-errors.js';
import { Bench } from './support/bench.js';
import type { FakeConnection } from './support/fake-stack.js';
import { FarEnd, fixture, heard } from './support/tls-peer.js';

const pem = (name: string): string => fixture(name).toString();
const serverIdentity: SecureContextOptions = { cert: pem('server.pem'), key: pem('server.key') };
const REMOTE = '192.168.0.195';

/** Joined, the clock set, with certificates, and configuration 1 set up to verify the server. */
function prepared(now = '2026-01-01T00:00:00Z'): Bench {
  const bench = Bench.joined();
  const { files } = bench.flash;
  files.put('cert', 'ca', fixture('ca.pem'));
  files.put('cert', 'other', fixture('other-ca.pem'));
  files.put('cert', 'client', fixture('client.pem'));
  files.put('key', 'client', fixture('client.key'));
  files.put('cert', 'server', fixture('server.pem'));
  files.put('key', 'server', fixture('server.key'));
  if (now !== '') bench.command(`AT+TIME=3,"${now}"`);
  bench.command('AT+SYSLOGC=1,1');
  configure(bench, { 1: '"ca"', 6: '"server.test"' });
  return bench;
}

function configure(bench: Bench, values: Readonly<Record<number, string>>, index = 1): void {
  for (const [id, value] of Object.entries(values)) {
    expect(bench.command(`AT+TLSC=${index},${id},${value}`)).to.equal('OK\r\n');
  }
}

/** A socket connecting with TLS, and the connection below it. */
function connecting(bench: Bench): { id: number; connection: FakeConnection } {
  bench.stack.onConnect = (connection) => connection.establish();
  const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
  expect(bench.command(`AT+SOCKTLS=${id},1`)).to.equal('OK\r\n');
  bench.command(`AT+SOCKBR=${id},"${REMOTE}",443`);
  expect(bench.wait(10)).to.match(/^\r\+SOCKIND:/);
  return { id, connection: bench.stack.connections[bench.stack.connections.length - 1] };
}

/** A TLS server on the far end. */
function serve(connection: FakeConnection, options: TlsOptions = serverIdentity): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const server = createServer(options);
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      resolve(socket);
    });
    server.on('tlsClientError', reject);
    server.emit('connection', new FarEnd(connection));
  });
}

/** A TLS client on the far end; what it was refused with is its error. */
function client(connection: FakeConnection, options: SecureContextOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: new FarEnd(connection),
      ca: pem('ca.pem'),
      servername: 'server.test',
      ...options,
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.on('error', reject);
  });
}

const failure = (id: number, status: string, error: keyof typeof TlsError, alert = ''): RegExp =>
  new RegExp(
    `^\\r\\+SYSLOG:\\d+,17,3,"TLS error ${TlsError[error]} ${error}${alert}"\\r\\n` +
      `${status && `\\r\\+TLSERR:1,${status}\\r\\n`}\\r\\+SOCKERR:${id},14\\.6,"Socket TLS Failed"\\r\\n$`,
  );

async function secured(bench: Bench, options?: TlsOptions) {
  const { id, connection } = connecting(bench);
  const [peer, text] = await Promise.all([serve(connection, options), heard(bench, /SOCK(TLS|ERR)/)]);
  expect(text).to.equal(`\r+SOCKTLS:${id}\r\n`);
  return { id, connection, peer };
}

describe('TLS configurations', () => {
  it('are four, which verify unless told otherwise', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    expect(bench.command('AT+TLSC')).to.equal('+TLSC:1,2,3,4\r\nOK\r\n');
    expect(bench.command('AT+TLSC=3')).to.contain('+TLSC:40,1\r\n').and.contain('+TLSC:41,1\r\n');
  });

  it('pin digests of the right length, four at most', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    const sha1 = (byte: string) => `[${byte.repeat(20)}]`;
    expect(bench.command(`AT+TLSC=1,9,${sha1('AA')},1`)).to.equal('OK\r\n');
    expect(bench.command(`AT+TLSC=1,9,${sha1('BB')},1`)).to.equal('OK\r\n');
    expect(bench.command('AT+TLSC=1,9')).to.equal(
      `+TLSC:9.0,${sha1('AA')},1\r\n+TLSC:9.1,${sha1('BB')},1\r\nOK\r\n`,
    );
    expect(bench.command(`AT+TLSC=1,9,${sha1('CC')},2`)).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
    for (const byte of ['CC', 'DD']) expect(bench.command(`AT+TLSC=1,9,${sha1(byte)},1`)).to.equal('OK\r\n');
    expect(bench.command(`AT+TLSC=1,9,${sha1('EE')},1`)).to.contain('ERROR:0.7');
    expect(bench.command(`AT+TLSC=1,9,${sha1('AA')}`)).to.equal('OK\r\n');
    expect(bench.command('AT+TLSC=1,9')).to.not.contain('AAAA');
    expect(bench.command('AT+TLSC=1,9,[]')).to.equal('OK\r\n');
    expect(bench.command('AT+TLSC=1,9')).to.equal('OK\r\n');
  });

  it('choose from the cipher suites there are', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    expect(bench.command('AT+TLSCSC=1,2').match(/\+TLSCSC:2\.\d+,/g)).to.have.length(24);
    expect(bench.command('AT+TLSCSC=1,1,0xC02F')).to.equal('OK\r\n');
    expect(bench.command('AT+TLSCSC=1,1,0x1301')).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
    expect(bench.command('AT+TLSCSC=1,1')).to.equal('+TLSCSC:1.0,49199\r\nOK\r\n');
  });
});

describe('TLS client', () => {
  it('carries data both ways, and tells the end after the last byte', async () => {
    const bench = prepared();
    const { id, peer } = await secured(bench);
    expect(peer.getProtocol()).to.equal('TLSv1.2');
    expect(bench.command(`AT+SOCKWR=${id},5,"hello"`)).to.equal('OK\r\n');
    const [data] = await new Promise<Buffer[]>((resolve) => peer.once('data', (chunk) => resolve([chunk])));
    expect(data.toString()).to.equal('hello');
    peer.end('and back');
    expect(await heard(bench, /SOCKRXT/)).to.equal(`\r+SOCKRXT:${id},8\r\n`);
    expect(bench.command(`AT+SOCKRD=${id},1,4`)).to.equal(`+SOCKRD:${id},4,"and "\r\nOK\r\n`);
    expect(bench.command(`AT+SOCKRD=${id},1,4`)).to.contain('"back"\r\nOK\r\n');
    expect(await heard(bench, /SOCKCL/)).to.equal(`\r+SOCKCL:${id}\r\n`);
  });

  it('holds back a peer whose data the host does not read, and loses none of it', async () => {
    const bench = prepared();
    const { id, peer } = await secured(bench);
    let sent = 0;
    const flood = () => {
      while (sent < 300_000) {
        sent += 10_000;
        if (!peer.write(Buffer.alloc(10_000, 'z'))) return;
      }
      peer.end();
    };
    peer.on('drain', flood);
    flood();
    const told = (await heard(bench, /never/)).match(/\d+(?=\r\n)/g)?.map(Number) ?? [];
    expect(Math.max(...told)).to.be.within(8192, 8192 + 16384);
    const text = bench.command(`AT+SOCKC=${id},102,1460`) + (await heard(bench, /SOCKCL/));
    expect(text.match(/z/g)).to.have.length(300_000);
  });

  it('secures a connection that stands', async () => {
    const bench = prepared();
    const { id, connection } = bench.connect();
    expect(bench.command(`AT+SOCKTLS=${id},1`)).to.equal('OK\r\n');
    expect(bench.command(`AT+SOCKWR=${id},1,"x"`)).to.equal('ERROR:14.12,"Socket Not Ready"\r\n');
    await Promise.all([
      serve(connection),
      heard(bench, /SOCKTLS/).then((text) => expect(text).to.equal(`\r+SOCKTLS:${id}\r\n`)),
    ]);
    expect(bench.command(`AT+SOCKTLS=${id},1`)).to.equal('ERROR:14.6,"Socket TLS Failed"\r\n');
  });

  it('shows its certificate, whose key may be locked, in DER or PEM', async () => {
    const bench = prepared();
    const { files } = bench.flash;
    files.put('key', 'locked', fixture('client-locked.key'));
    files.put('cert', 'client-der', new X509Certificate(fixture('client.pem')).raw);
    const sec1 = createPrivateKey(pem('client.key')).export({ type: 'sec1', format: 'der' });
    files.put('key', 'client-der', sec1);
    const options = { ...serverIdentity, ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: true };
    for (const values of [
      { 2: '"client"', 3: '"client"' },
      { 2: '"client"', 3: '"locked"', 4: '"secret"' },
      { 2: '"client-der"', 3: '"client-der"', 4: '""' },
    ]) {
      configure(bench, values);
      const { peer } = await secured(bench, options);
      expect(peer.authorized).to.equal(true);
      expect(peer.getPeerCertificate().subject.CN).to.equal('Test client');
      peer.destroy();
      await heard(bench, /SOCKCL/);
    }
  });

  it('names the server it wants', async () => {
    const bench = prepared();
    configure(bench, { 5: '"server.test"' });
    const { peer } = await secured(bench);
    expect((peer as { servername?: string }).servername).to.equal('server.test');
  });

  it('offers the cipher suites of its list', async () => {
    const bench = prepared();
    bench.flash.files.put('cert', 'rsa', fixture('rsa.pem'));
    for (const suite of ['0x009E', '0xC027']) {
      bench.command(`AT+TLSCSC=2,1.0,${suite}`);
      configure(bench, { 7: '2' });
      const { peer } = await secured(bench, {
        cert: pem('rsa.pem'),
        key: pem('rsa.key'),
        dhparam: pem('dh.pem'),
      });
      expect(peer.getCipher().standardName).to.equal(
        suite === '0x009E' ? 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256' : 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
      );
    }
  });

  it('resumes a session while it caches them, until its configuration changes', async () => {
    const bench = prepared();
    configure(bench, { 43: '1' });
    const ticketKeys = Buffer.alloc(48, 7);
    const reused = async () => {
      const { peer } = await secured(bench, { ...serverIdentity, ticketKeys });
      const answer = peer.isSessionReused();
      peer.destroy();
      await heard(bench, /SOCKCL/);
      return answer;
    };
    expect([await reused(), await reused()]).to.deep.equal([false, true]);
    configure(bench, { 5: '"server.test"' });
    expect(await reused()).to.equal(false);
    configure(bench, { 43: '0' });
    expect([await reused(), await reused()]).to.deep.equal([false, false]);
  });

  it('accepts certificates of a pinned digest only', async () => {
    const bench = prepared();
    const { fingerprint256 } = new X509Certificate(fixture('server.pem'));
    const digest = fingerprint256.replaceAll(':', '');
    bench.command(`AT+TLSC=1,9,[${digest}],2`);
    await secured(bench);
    bench.command('AT+TLSC=1,9,[]');
    bench.command(`AT+TLSC=1,9,[${'00'.repeat(32)}],2`);
    const { id, connection } = connecting(bench);
    serve(connection).catch(() => {});
    expect(await heard(bench, /SOCK(TLS|ERR)/)).to.match(
      failure(id, '17\\.1,"CA Cert Validation"', 'VERIFY_CERT_ERROR'),
    );
  });

  it('lets an expired certificate pass when by its own clock it is not', async () => {
    const bench = prepared('2015-01-01T00:00:00Z');
    await secured(bench, { cert: pem('expired.pem'), key: pem('server.key') });
  });
});

describe('TLS client failures', () => {
  interface Case {
    readonly what: string;
    readonly now?: string;
    readonly values?: Readonly<Record<number, string>>;
    readonly server?: TlsOptions;
    readonly status: string;
    readonly error: keyof typeof TlsError;
    readonly alert?: string;
  }
  const cases: Case[] = [
    {
      what: 'no CA file',
      values: { 1: '"none"' },
      status: '17\\.0,"CA Cert Missing"',
      error: 'BAD_CERT_MANAGER_ERROR',
    },
    {
      what: 'an unknown CA',
      values: { 1: '"other"' },
      status: '17\\.1,"CA Cert Validation"',
      error: 'ASN_NO_SIGNER_E',
    },
    {
      what: 'an expired certificate',
      server: { cert: pem('expired.pem'), key: pem('server.key') },
      status: '17\\.2,"CA Cert Date Validation"',
      error: 'ASN_AFTER_DATE_E',
    },
    {
      what: 'a certificate not valid yet',
      now: '2019-06-01T00:00:00Z',
      status: '17\\.2,"CA Cert Date Validation"',
      error: 'ASN_BEFORE_DATE_E',
    },
    { what: 'no clock', now: '', status: '17\\.2,"CA Cert Date Validation"', error: 'ASN_TIME_E' },
    {
      what: 'a wrong name',
      values: { 6: '"else.test"' },
      status: '17\\.4,"Peer Domain Missing"',
      error: 'DOMAIN_NAME_MISMATCH',
    },
    {
      what: 'a name with a NUL',
      values: { 6: '[7365727665722E746573740041]' },
      status: '17\\.4,"Peer Domain Missing"',
      error: 'DOMAIN_NAME_MISMATCH',
    },
    {
      what: 'no name to verify',
      values: { 6: '""' },
      status: '17\\.4,"Peer Domain Missing"',
      error: 'BAD_FUNC_ARG',
    },
    {
      what: 'a certificate without key',
      values: { 2: '"client"' },
      status: '17\\.3,"Key Pair Incomplete"',
      error: 'NO_PRIVATE_KEY',
    },
    {
      what: 'a key of another certificate',
      values: { 2: '"client"', 3: '"server"' },
      status: '17\\.3,"Key Pair Incomplete"',
      error: 'ECC_PRIV_KEY_E',
    },
    {
      what: 'no shared cipher',
      server: { ...serverIdentity, ciphers: 'ECDHE-RSA-AES128-SHA' },
      status: '',
      error: 'FATAL_ERROR',
      alert: ', alert handshake_failure',
    },
    {
      what: 'a server that wants a certificate',
      server: { ...serverIdentity, ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: true },
      status: '',
      error: 'FATAL_ERROR',
      alert: ', alert handshake_failure',
    },
    {
      what: 'a server of TLS 1.3 only',
      server: { ...serverIdentity, minVersion: 'TLSv1.3' },
      status: '',
      error: 'FATAL_ERROR',
      alert: ', alert protocol_version',
    },
  ];
  for (const { what, now, values = {}, server, status, error, alert } of cases) {
    it(what, async () => {
      const bench = prepared(now);
      configure(bench, values);
      bench.stack.onConnect = (connection) => {
        connection.establish();
        serve(connection, server).catch(() => {});
      };
      const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
      bench.command(`AT+SOCKTLS=${id},1`);
      bench.command(`AT+SOCKBR=${id},"${REMOTE}",443`);
      const text = bench.wait(10) + (await heard(bench, /SOCK(TLS|ERR)/));
      expect(text.replace(/^\r\+SOCKIND.*\r\n/, '')).to.match(failure(id, status, error, alert));
      expect(bench.command(`AT+SOCKWR=${id},1,"x"`)).to.equal('ERROR:14.8,"Socket Send Failed"\r\n');
      expect(bench.command(`AT+SOCKCL=${id}`)).to.equal(`+SOCKCL:${id}\r\nOK\r\n`);
    });
  }

  it('a peer that speaks plain text', async () => {
    const bench = prepared();
    const { id, connection } = connecting(bench);
    connection.deliver('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await heard(bench, /SOCKERR/)).to.match(failure(id, '', 'UNKNOWN_RECORD_TYPE'));
  });

  it('a peer that closes', async () => {
    const bench = prepared();
    const { id, connection } = connecting(bench);
    connection.end();
    expect(await heard(bench, /SOCKERR/)).to.match(failure(id, '', 'SOCKET_PEER_CLOSED_E'));
  });

  it('a peer that says nothing, in its time', async () => {
    const bench = prepared();
    const { id, connection } = connecting(bench);
    await heard(bench, /never/);
    expect(bench.wait(9_000)).to.equal('');
    expect(bench.wait(1_000)).to.match(failure(id, '', 'WANT_READ'));
    expect(connection.state).to.equal('FIN-WAIT-1');
    expect(bench.wait(120_000)).to.equal('');
  });
});

describe('TLS server', () => {
  function listening(bench: Bench, before: boolean): number {
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
    if (before) bench.command(`AT+SOCKTLS=${id},2`);
    expect(bench.command(`AT+SOCKBL=${id},443`)).to.equal('OK\r\n');
    if (!before) expect(bench.command(`AT+SOCKTLS=${id},2`)).to.equal('OK\r\n');
    return id;
  }
  function arrive(bench: Bench): FakeConnection {
    const connection = bench.stack.arrive(443, { address: REMOTE, port: 1234 });
    if (connection === undefined) throw new Error('turned away');
    return connection;
  }

  for (const before of [true, false]) {
    it(`secures connections, configured ${before ? 'before' : 'after'} listening`, async () => {
      const bench = prepared();
      configure(bench, { 2: '"server"', 3: '"server"', 40: '0', 41: '0' }, 2);
      listening(bench, before);
      const connection = arrive(bench);
      const child = Number(/\+SOCKIND:(\d+)/.exec(bench.take())?.[1]);
      const [peer, text] = await Promise.all([client(connection), heard(bench, /SOCK(TLS|ERR)/)]);
      expect(text).to.equal(`\r+SOCKTLS:${child}\r\n`);
      expect(peer.authorized).to.equal(true);
      peer.write('ping');
      expect(await heard(bench, /SOCKRXT/)).to.equal(`\r+SOCKRXT:${child},4\r\n`);
      expect(bench.command(`AT+SOCKRD=${child},1,4`)).to.contain('"ping"');
      bench.command(`AT+SOCKCL=${child}`);
      await new Promise((resolve) => peer.once('end', resolve).resume());
    });
  }

  it('wants a certificate of a known CA where it authenticates its peers', async () => {
    const bench = prepared();
    configure(bench, { 1: '"ca"', 2: '"server"', 3: '"server"', 41: '0' }, 2);
    listening(bench, true);
    const attempt = async (options?: SecureContextOptions) => {
      const connection = arrive(bench);
      bench.take();
      client(connection, options).then(
        (socket) => socket.on('error', () => {}),
        () => {},
      );
      return heard(bench, /SOCK(TLS|ERR)/);
    };
    expect(await attempt())
      .to.contain('NO_PEER_CERT')
      .and.contain('+TLSERR:2,17.1');
    expect(await attempt({ cert: pem('client.pem'), key: pem('client.key') })).to.match(/^\r\+SOCKTLS:/);
    expect(await attempt({ cert: pem('other-ca.pem'), key: pem('other-ca.key') })).to.contain(
      '+TLSERR:2,17.1',
    );
    expect(await attempt({ ciphers: 'ECDHE-RSA-AES128-SHA', maxVersion: 'TLSv1.2' })).to.contain(
      'MATCH_SUITE_ERROR',
    );
  });

  it('cannot without certificate and key', async () => {
    const bench = prepared();
    configure(bench, { 40: '0', 41: '0' }, 2);
    listening(bench, true);
    arrive(bench);
    expect(bench.take()).to.contain('+TLSERR:2,17.3').and.contain('14.6');
  });
});

describe('TLS and the rest of the module', () => {
  it('is not for datagrams, nor beyond four configurations', () => {
    const bench = prepared();
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=1'))?.[1]);
    expect(bench.command(`AT+SOCKTLS=${id},1`)).to.equal('ERROR:14.3,"Invalid Socket Protocol"\r\n');
    expect(bench.command(`AT+SOCKTLS=${id},5`)).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
  });

  it('says nothing after a reset about what was under way before', async () => {
    const bench = prepared();
    const { connection } = await secured(bench);
    bench.firmware.hardReset();
    bench.clock.advance(100);
    bench.take();
    connection.fail('reset');
    expect(await heard(bench, /never/)).to.equal('');
  });

  it('is over when the network is', async () => {
    const bench = prepared();
    const { id } = await secured(bench);
    expect(bench.command('AT+WSTA=0')).to.contain(`+SOCKERR:${id},`);
    expect(await heard(bench, /never/)).to.equal('');
  });
});
