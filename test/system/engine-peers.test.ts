/** Programs that know nothing of the engine, on the other side of a TAP device or through it. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startService } from '../../cli/stack-services.js';
import { randomBytes, seededRandom } from '../../simulator/tcpip/random.js';
import { collected, dial, type EngineHost, startEngine, through } from './support/engine.js';
import { needs } from './support/namespace.js';

const payload = randomBytes(seededRandom(5), 3_000_001);
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const runHere = promisify(execFile);

describe('foreign peers of the engine', function () {
  this.timeout(60_000);
  let folder: string;
  let host: EngineHost;

  before(function () {
    needs(this, 'ip', 'ss', 'curl', 'nginx', 'iperf3');
    folder = mkdtempSync(join(tmpdir(), 'engine-peers-'));
    // nginx's workers are another user.
    chmodSync(folder, 0o755);
    host = startEngine();
  });
  after(async () => {
    await host?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  it('curl fetches from and posts to a web server on the engine', async () => {
    startService(host.stack, { service: 'http', port: 80 });
    const url = `http://${host.network.ours.ipv4}`;
    const fetched = await host.network.run('curl', [
      '-sS',
      '--http1.1',
      `${url}/bytes/5000000`,
      `${url}/bytes/5000000`,
    ]);
    expect([fetched.code, fetched.stderr, fetched.stdout.length]).to.deep.equal([0, '', 10_000_000]);
    const posted = await host.network.run('curl', ['-sS', '--data-binary', '@-', `${url}/`], payload);
    expect(posted.stdout.toString()).to.equal(`${payload.length} ${sha256(payload)}\n`);
  });

  it('nginx serves the engine, connection after connection and many on one', async () => {
    writeFileSync(join(folder, 'payload'), payload);
    const config = join(folder, 'nginx.conf');
    writeFileSync(
      config,
      `daemon off; pid ${folder}/pid; error_log ${folder}/error;
       events {} http { access_log off; server { listen 8080; root ${folder}; } }`,
    );
    await host.network.serve(8080, 'nginx', ['-c', config, '-e', join(folder, 'error')]);
    const get = (stream = dial(host, 8080), keep = false): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const headers = { host: 'engine', connection: keep ? 'keep-alive' : 'close' };
        const call = request({ createConnection: () => stream as never, path: '/payload', headers });
        call.once('error', reject);
        call.once('response', (response) => {
          expect(response.statusCode).to.equal(200);
          collected(response).then(resolve, reject);
        });
        call.end();
      });
    for (let i = 0; i < 3; i++) expect(sha256(await get())).to.equal(sha256(payload));
    const parallel = await Promise.all(Array.from({ length: 8 }, () => get()));
    for (const body of parallel) expect(sha256(body)).to.equal(sha256(payload));
  });

  it('iperf3 measures through the engine, both ways, with four streams', async () => {
    await host.network.serve(5201, 'iperf3', ['-s']);
    const { server, port } = await through(host, 5201);
    try {
      for (const direction of [[], ['-R']]) {
        const args = ['-c', '127.0.0.1', '-p', String(port), '-P', '4', '-t', '1', '-J', ...direction];
        const { stdout } = await runHere('iperf3', args, { maxBuffer: 1 << 24 });
        const { error, end } = JSON.parse(stdout) as {
          error?: string;
          end: { sum_received: { bytes: number; bits_per_second: number } };
        };
        expect(error).to.equal(undefined);
        expect(end.sum_received.bytes).to.be.greaterThan(5e6);
      }
    } finally {
      server.close();
    }
  });

  it('ssh logs in and copies through the engine', async function () {
    if (!existsSync('/usr/sbin/sshd')) {
      console.log('skipped: ssh: it needs sshd');
      this.skip();
    }
    mkdirSync('/run/sshd', { recursive: true });
    for (const name of ['host', 'user'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    execFileSync('cp', [join(folder, 'user.pub'), join(folder, 'authorized')]);
    const config = join(folder, 'sshd.conf');
    writeFileSync(
      config,
      `Port 2222\nHostKey ${folder}/host\nAuthorizedKeysFile ${folder}/authorized\nPidFile none\nStrictModes no\nUsePAM no\n`,
    );
    await host.network.serve(2222, '/usr/sbin/sshd', ['-D', '-f', config]);
    const socket = join(folder, 'through');
    const { server } = await through(host, 2222, socket);
    try {
      const options = [
        '-F',
        'none',
        '-i',
        join(folder, 'user'),
        '-o',
        `ProxyCommand=socat - UNIX-CONNECT:${socket}`,
      ];
      const trust = [
        '-o',
        'StrictHostKeyChecking=no',
        '-o',
        `UserKnownHostsFile=${folder}/known`,
        '-o',
        'BatchMode=yes',
      ];
      const command = `sha256sum ${folder}/payload; echo "$SSH_CONNECTION"; cat ${folder}/payload`;
      const { stdout } = await runHere('ssh', [...options, ...trust, 'root@engine', command], {
        encoding: 'buffer',
        maxBuffer: 1 << 26,
      });
      const [hash, connection] = stdout.toString('latin1').split('\n', 2);
      expect(hash).to.include(sha256(payload));
      expect(connection).to.match(
        new RegExp(`^${host.network.ours.ipv4} \\d+ ${host.network.kernel.ipv4} 2222`),
      );
      expect(sha256(stdout.subarray(hash.length + connection.length + 2))).to.equal(sha256(payload));
    } finally {
      server.close();
    }
  });
});
