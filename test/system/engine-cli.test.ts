/** `wincs02 stack` as a process of its own in a namespace, the kernel's programs on the other side. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { needs, tshark } from './support/namespace.js';

const main = resolve(import.meta.dirname, '../../cli/main.ts');
const ns = `wcli${process.pid}`;
const ip = (...args: string[]): void => void execFileSync('ip', args);

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('wincs02 stack', function () {
  this.timeout(30_000);
  let folder: string;
  before(function () {
    needs(this, 'ip', 'curl', 'socat', 'tshark');
    folder = mkdtempSync(join(tmpdir(), 'engine-cli-'));
    ip('netns', 'add', ns);
    ip('-n', ns, 'link', 'set', 'lo', 'up');
    ip('-n', ns, 'tuntap', 'add', 'tap0', 'mode', 'tap');
    ip('-n', ns, 'addr', 'add', '10.88.0.1/24', 'dev', 'tap0');
    ip('-n', ns, '-6', 'addr', 'add', 'fd88::1/64', 'dev', 'tap0', 'nodad');
    ip('-n', ns, 'link', 'set', 'tap0', 'up');
  });
  after(() => {
    if (!folder) return;
    ip('netns', 'del', ns);
    rmSync(folder, { recursive: true });
  });

  const inside = (command: string, ...args: string[]): ChildProcess =>
    spawn('ip', ['netns', 'exec', ns, command, ...args], { stdio: 'pipe' });
  const stack = (...args: string[]): ChildProcess =>
    inside(process.execPath, '--import', 'tsx', main, 'stack', ...args);

  async function finish(child: ChildProcess, input = ''): Promise<Finished> {
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    const [code] = await once(child, 'close');
    return { code, stdout, stderr };
  }

  it('says when it is ready, serves both IP versions, captures, ends cleanly when told', async () => {
    const pcap = join(folder, 'stack.pcapng');
    const addresses = ['--ip', '10.88.0.2/24', '--ip6', 'fd88::2/64', '--gateway', '10.88.0.1'];
    const services = ['--listen', 'echo:7,discard:9', '--listen', 'http:80'];
    const child = stack(
      '--tap',
      'tap0',
      ...addresses,
      ...services,
      '--pcap',
      pcap,
      '--impair',
      'loss=2%,delay=2ms',
      '--seed',
      '3',
    );
    const [line] = await once(createInterface({ input: child.stdout! }), 'line');
    const ready = JSON.parse(line);
    expect(ready).to.deep.include({ ready: true, tap: 'tap0', mtu: 1500 });
    expect(
      ready.listen.map(({ service, port }: { service: string; port: number }) => `${service}:${port}`),
    ).to.deep.equal(['echo:7', 'discard:9', 'http:80']);
    for (const host of ['10.88.0.2', '[fd88::2]']) {
      const { stdout } = await finish(
        inside('curl', '-sS', '-g', '--max-time', '10', `http://${host}/bytes/300000`),
      );
      expect(stdout.length, host).to.equal(300_000);
    }
    // The process that was started is the node, not the ip before it.
    process.kill(ready.pid, 'SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).to.equal(0);
    const comments = await tshark(pcap, 'frame.comment', ['frame.interface_name', 'frame.comment']);
    expect(comments.length).to.be.greaterThan(0);
    for (const row of comments) expect(row).to.deep.equal(['impaired', 'lost']);
    expect((await tshark(pcap, 'tcp.port == 80')).length).to.be.greaterThan(300);
  });

  it('--connect is netcat: both directions, half-closed', async () => {
    const server = inside('socat', 'TCP-LISTEN:900,reuseaddr', 'EXEC:tr a-z A-Z');
    try {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { code, stdout, stderr } = await finish(
        stack('--tap', 'tap0', '--ip', '10.88.0.2/24', '--connect', '10.88.0.1:900'),
        'hello\n',
      );
      expect([code, stdout], stderr).to.deep.equal([0, 'HELLO\n']);
      expect(JSON.parse(stderr.split('\n')[0])).to.include({ ready: true });
    } finally {
      server.kill();
    }
  });

  it('ends with the exit code of what went wrong', async () => {
    const ours = ['--tap', 'tap0', '--ip', '10.88.0.2/24'];
    const results = await Promise.all([
      finish(stack('--tap', 'tap0', '--listen', 'echo:7')),
      finish(stack('--tap', 'tap0', '--ip', '10.88.0.2/24')),
      finish(stack(...ours, '--listen', 'gopher:70')),
      finish(stack(...ours, '--listen', 'echo:7', '--impair', 'loss=7')),
      finish(stack('--tap', 'lo', '--ip', '10.88.0.2/24', '--listen', 'echo:7')),
    ]);
    expect(results.map(({ code }) => code)).to.deep.equal([2, 2, 2, 2, 3]);
    const refused = await finish(stack(...ours, '--connect', '10.88.0.1:901'));
    expect(refused.code).to.equal(7);
    expect(refused.stderr).to.include('wincs02: ECONNREFUSED');
  });
});
