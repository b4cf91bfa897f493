/** Programs that know nothing of this package drive `wincs02 sim` on a pseudo-terminal: socat, picocom, pyserial. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { hasNginx, startNginx } from './support/nginx.js';

const python = '/usr/bin/python3';
const hasTool = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
const hasPyserial = (): boolean => spawnSync(python, ['-c', 'import serial']).status === 0;

/** `wincs02 sim` as a child process, up to its ready line. */
class RunningSim {
  ready: Record<string, unknown> = {};
  readonly process: ChildProcess;

  constructor(...args: string[]) {
    this.process = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'sim', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  async started(): Promise<this> {
    const [line] = await once(createInterface({ input: this.process.stdout! }), 'line');
    this.ready = JSON.parse(line);
    expect(this.ready.ready).to.equal(true);
    return this;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null) return this.process.exitCode;
    // twice, as timeout(1) does
    this.process.kill(signal);
    setTimeout(() => this.process.kill(signal), 1);
    const [code] = await once(this.process, 'exit');
    return code;
  }
}

describe('foreign programs on the UART of wincs02 sim', () => {
  let directory: string;
  let link: string;
  let sim: RunningSim | undefined;
  let nginx: Awaited<ReturnType<typeof startNginx>> | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'uart-clients-'));
    link = join(directory, 'winc');
  });

  afterEach(async () => {
    await sim?.stop();
    sim = undefined;
    await nginx?.stop();
    nginx = undefined;
    rmSync(directory, { recursive: true, force: true });
  });

  it('a pyserial script scans, joins, resolves, pings, and fetches 1 MiB from nginx byte for byte', async function () {
    if (!hasPyserial() || !hasNginx()) return this.skip();
    const page = randomBytes(1 << 20);
    nginx = await startNginx(join(directory, 'www'), { 'page.bin': page });
    sim = await new RunningSim(
      '--uart',
      `pty:${link}`,
      '--ap',
      'lab:secret123',
      '--dns',
      'host.test=10.0.2.2',
    ).started();
    expect(sim.ready.uart).to.equal(link);
    const client = spawn(
      python,
      [
        join(import.meta.dirname, 'uart_client.py'),
        link,
        'lab',
        'secret123',
        '10.0.2.2',
        String(nginx.port),
        '/page.bin',
        String(page.length),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    client.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await once(client, 'close');
    const result = JSON.parse(output);
    expect(result.failed, output).to.equal(undefined);
    expect(result.sha256).to.equal(createHash('sha256').update(page).digest('hex'));
  });

  it('socat as a terminal gets echo, answers and prompt', async function () {
    if (!hasTool('socat')) return this.skip();
    sim = await new RunningSim('--uart', `pty:${link}`, '--ap', 'lab:secret123').started();
    const output = execFileSync('socat', ['-t1', 'STDIO', `FILE:${link},raw,echo=0,b230400`], {
      input: 'AT+GMM\r\nAT+WSCN=1\r\n',
      encoding: 'latin1',
    });
    expect(output).to.contain('AT+GMM\r\n+GMM:"RNWF02"\r\nOK\r\n>');
    expect(output).to.match(/\r\+WSCNIND:-45,\d+,6,"[0-9A-F:]{17}","lab"\r\n/);
    expect(output).to.contain('\r+WSCNDONE:1\r\n>');
  });

  it('picocom, typed at by a script, gets the same', async function () {
    if (!hasTool('picocom')) return this.skip();
    sim = await new RunningSim('--uart', `pty:${link}`).started();
    const child = spawn('picocom', ['-q', '-b', '230400', '-x', '1500', link], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk.toString('latin1');
    });
    for (const character of 'AT+GMI\r\n') {
      child.stdin.write(character);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await once(child, 'exit');
    expect(output).to.contain('AT+GMI\r\n+GMI:"Microchip"\r\nOK\r\n>');
  });

  it('ends on SIGINT and SIGTERM, and takes link and ports with it', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const one = await new RunningSim('--uart', `pty:${link}`, '--uart', 'tcp:0').started();
      expect(existsSync(link)).to.equal(true);
      expect(one.ready.uarts).to.have.length(2);
      expect(await one.stop(signal)).to.equal(0);
      expect(existsSync(link)).to.equal(false);
    }
  });

  it('refuses bad words with one sentence and exit code 2', () => {
    const bad = [
      ['--uart', 'serial:/dev/ttyS0'],
      ['--ap', ':secret123'],
      ['--dns', 'name'],
      ['--forward', '80'],
      ['--seed', 'x'],
      ['--profile', 'esp32'],
      ['--impair', 'loss=lots'],
      ['--nonsense'],
    ];
    for (const words of bad) {
      const { status, stderr, stdout } = spawnSync(
        process.execPath,
        ['--import', 'tsx', 'cli/main.ts', 'sim', ...words],
        { encoding: 'utf8' },
      );
      expect(status, words.join(' ')).to.equal(2);
      expect(stdout).to.equal('');
      expect(stderr.trim().split('\n').length, stderr).to.be.lessThan(3);
    }
  });
});
