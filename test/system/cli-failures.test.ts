/** Whatever goes wrong at a bench: its exit code, one clear sentence, in time, over each wire. */
import { randomBytes } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { ports } from './support/ports.js';
import { run, scratch, start, startSimulator } from './support/processes.js';

const network = ['--ssid', 'lab', '--psk-env', 'PSK'];
const good = { PSK: 'secret123' };
const bad = { PSK: 'wrongpass' };

/** One sentence, and no secret in it. */
function one(stderr: string): void {
  const lines = stderr.trim().split('\n');
  expect(lines, stderr).to.have.length(1);
  expect(lines[0]).to.match(/^wincs02: \S/);
  expect(stderr).to.not.include(good.PSK).and.not.include(bad.PSK);
}

for (const wire of ports)
  describe(`command line failures: ${wire.name}`, () => {
    let files: ReturnType<typeof scratch>;
    let simulator: Awaited<ReturnType<typeof startSimulator>>;
    let port: string;
    before(() => {
      files = scratch();
    });
    after(() => files.remove());
    beforeEach(async () => {
      simulator = await startSimulator(...wire.flags(files.path('winc')), '--ap', 'lab:secret123');
      port = wire.url(files.path('winc'));
    });
    afterEach(() => simulator.stop());

    it('wrong passphrase: 5', async () => {
      const { code, stderr, seconds } = await run(['join', '--port', port, ...network, '--timeout', '20'], {
        env: bad,
      });
      expect(code, stderr).to.equal(5);
      one(stderr);
      expect(seconds).to.be.below(21);
    });

    it('unknown network: 5', async () => {
      const { code, stderr } = await run(['join', '--port', port, '--ssid', 'nowhere', '--timeout', '20']);
      expect(code, stderr).to.equal(5);
      one(stderr);
    });

    it('unknown host: 6', async () => {
      const { code, stderr } = await run(
        ['tcp', '--port', port, ...network, '--timeout', '20', 'no-such-host.invalid', '80'],
        { env: good },
      );
      expect(code, stderr).to.equal(6);
      one(stderr);
    });

    it('refused port: 7', async () => {
      const { code, stderr } = await run(
        ['tcp', '--port', port, ...network, '--timeout', '20', '10.0.2.2', '1'],
        {
          env: good,
        },
      );
      expect(code, stderr).to.equal(7);
      one(stderr);
    });

    it('a simulator killed in the middle of a transfer: an error in time, no hang', async () => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        setInterval(() => socket.writable && socket.write(randomBytes(500)), 10).unref();
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port: number } = server.address() as { port: number };
      const client = start(
        ['tcp', '--port', port, ...network, '--timeout', '20', '10.0.2.2', String(number)],
        {
          env: good,
        },
      );
      await new Promise((resolve) => client.child.stdout!.once('data', resolve));
      simulator.process.child.kill('SIGKILL');
      const { code, stderr, seconds } = await client.finished;
      server.close();
      expect(code, stderr).to.be.oneOf([3, 4]);
      one(stderr);
      expect(seconds).to.be.below(21);
    });
  });

describe('command line failures: the serial port and the command line itself', () => {
  let files: ReturnType<typeof scratch>;
  let simulator: Awaited<ReturnType<typeof startSimulator>>;
  let port: string;
  before(async () => {
    files = scratch();
    simulator = await startSimulator('--uart', `pty:${files.path('winc')}`, '--ap', 'lab:secret123');
    port = `serial:${files.path('winc')}`;
  });
  after(async () => {
    await simulator.stop();
    files.remove();
  });

  it('port that does not exist: 3; port another program holds: 3', async () => {
    const missing = await run(['info', '--port', `serial:${files.path('none')}`]);
    expect(missing.code, missing.stderr).to.equal(3);
    one(missing.stderr);
    const holder = start(['at', '--port', port, '--wait', '60', 'AT']);
    await new Promise((resolve) => holder.child.stdout!.once('data', resolve));
    const locked = await run(['info', '--port', port]);
    holder.child.kill('SIGINT');
    expect(locked.code, locked.stderr).to.equal(3);
    one(locked.stderr);
    expect((await holder.finished).code).to.equal(130);
  });

  it('a port where nothing answers: 4, within the timeout', async () => {
    const silent: Server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port: number } = silent.address() as { port: number };
    const { code, stderr, seconds } = await run([
      'info',
      '--port',
      `tcp:127.0.0.1:${number}`,
      '--timeout',
      '30',
    ]);
    silent.close();
    expect(code, stderr).to.equal(4);
    one(stderr);
    expect(seconds).to.be.below(31);
  });

  it('garbage on the line from another program: the command succeeds all the same', async () => {
    // A second writer on the same slave: what it writes reaches the module between the host's own bytes.
    const intruder = openSync(files.path('winc'), 'r+');
    writeSync(intruder, randomBytes(300));
    const { code, stderr, stdout } = await run(['info', '--port', port, '--json', '--timeout', '20']);
    expect(code, stderr).to.equal(0);
    expect(stdout.toString()).to.include('RNWF02');
  });

  it('usage: 2', async () => {
    for (const args of [
      ['nonsense'],
      ['tcp', 'host'],
      ['tcp', 'host', '70000'],
      ['info', '--timeout', '-1'],
    ]) {
      const { code } = await run(args);
      expect(code, args.join(' ')).to.equal(2);
    }
    const { code, stderr } = await run(['info', '--port', 'gopher:x']);
    expect(code, stderr).to.equal(2);
    one(stderr);
  });
});
