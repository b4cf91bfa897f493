/** A network namespace with a TAP device: the kernel's TCP on one side, this process's stack on the other. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import type { Context } from 'mocha';
import { TapLink } from '../../../simulator/tcpip/link/index.js';

/** Skips the suite, saying why, where it cannot run. In a `before` hook. */
export function needs(context: Context, ...programs: readonly string[]): void {
  const missing = programs.find((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  let reason: string | undefined;
  if (process.getuid?.() !== 0) reason = 'it needs root';
  else if (!existsSync('/dev/net/tun')) reason = 'it needs /dev/net/tun';
  else if (missing !== undefined) reason = `it needs ${missing}`;
  if (reason === undefined) return;
  console.log(`skipped: ${context.test?.parent?.title ?? 'suite'}: ${reason}`);
  context.skip();
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

let made = 0;

/** Our stack's end has `.2`, the kernel's `.1`. */
export class KernelNetwork {
  readonly name: string;
  readonly tap: TapLink;
  readonly kernel = { ipv4: '10.88.0.1', ipv6: 'fd88::1' };
  readonly ours = { ipv4: '10.88.0.2', ipv6: 'fd88::2' };
  readonly #children = new Set<ChildProcess>();

  constructor(options: { mtu?: number; sysctl?: Readonly<Record<string, string | number>> } = {}) {
    this.name = `w${process.pid}-${++made}`;
    const ip = (...args: string[]): void =>
      void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    ip('netns', 'add', this.name);
    this.tap = new TapLink(this.name);
    ip('link', 'set', this.name, 'netns', this.name);
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
    ip('-n', this.name, 'link', 'set', this.name, 'mtu', String(options.mtu ?? 1500), 'up');
    ip('-n', this.name, 'addr', 'add', `${this.kernel.ipv4}/24`, 'dev', this.name);
    ip('-n', this.name, 'addr', 'add', `${this.kernel.ipv6}/64`, 'dev', this.name, 'nodad');
    for (const [key, value] of Object.entries(options.sysctl ?? {})) {
      execFileSync('ip', ['netns', 'exec', this.name, 'sysctl', '-qw', `${key}=${value}`]);
    }
  }

  /** A program inside the namespace. Its traffic is answered by this process: never wait for it synchronously. */
  spawn(command: string, args: readonly string[], stdin: 'pipe' | 'ignore' = 'ignore'): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...args], {
      stdio: [stdin, 'pipe', 'pipe'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Runs it to its end; its output, whatever its exit code. */
  run(command: string, args: readonly string[], input?: Uint8Array): Promise<Finished> {
    const child = this.spawn(command, args, input === undefined ? 'ignore' : 'pipe');
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on('data', (chunk) => out.push(chunk));
    child.stderr?.on('data', (chunk) => err.push(chunk));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) =>
        resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
      );
    });
  }

  /** Starts a server and waits until it listens on the port. */
  async serve(port: number, command: string, args: readonly string[]): Promise<ChildProcess> {
    const child = this.spawn(command, args);
    child.stdout?.resume();
    child.stderr?.resume();
    for (let tries = 0; tries < 200; tries++) {
      const { stdout } = await this.run('ss', ['-Hlnt', `sport = :${port}`]);
      if (stdout.length > 0) return child;
      if (child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${command} does not listen on ${port}`);
  }

  /** Records what passes the device into `file`; answers what ends it. */
  async capture(file: string): Promise<() => Promise<void>> {
    const child = this.spawn('dumpcap', ['-q', '-B', '64', '-i', this.name, '-w', file]);
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error('dumpcap ended')));
      child.stderr?.on('data', (text) => /File:|Capturing/.test(String(text)) && resolve());
    });
    child.removeAllListeners('exit');
    return async () => {
      // The last packets are on their way through the kernel's buffer: it is empty when the file no longer grows.
      for (let size = -1; size !== statSync(file).size; ) {
        size = statSync(file).size;
        await new Promise((resolve) => setTimeout(resolve, 400));
      }
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGINT');
      await ended;
      this.#children.delete(child);
    };
  }

  async close(): Promise<void> {
    this.tap.close();
    const ends = [...this.#children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#children) child.kill('SIGTERM');
    await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, 2000))]);
    // Whatever these started and left behind.
    const left = execFileSync('ip', ['netns', 'pids', this.name]).toString().split('\n');
    for (const pid of left) if (pid !== '') tryKill(Number(pid));
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by itself meanwhile.
  }
}

/** Packets of a capture that a display filter selects, as the fields asked for. Checksums are verified. */
export async function tshark(
  file: string,
  filter: string,
  fields: readonly string[] = ['frame.number'],
): Promise<string[][]> {
  const checks = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
  const args = [
    '-r',
    file,
    ...checks,
    '-Y',
    filter,
    '-T',
    'fields',
    ...fields.flatMap((field) => ['-e', field]),
  ];
  const child = spawn('tshark', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const out: Buffer[] = [];
  child.stdout.on('data', (chunk) => out.push(chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`tshark refuses ${filter}`);
  const text = Buffer.concat(out).toString().trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => line.split('\t'));
}

/**
 * What a clean link must not show. Linux sends a TCP checksum of 0 as 0xffff, once in 65,536 segments: the same number
 * in ones' complement, but not to tshark.
 */
export const wireFaults =
  'ip.checksum.status == 0 || (tcp.checksum.status == 0 && !(tcp.checksum == 0xffff && (ip.src == 10.88.0.1 || ipv6.src == fd88::1))) || udp.checksum.status == 0 || icmp.checksum.status == 0 || (_ws.malformed && !tcp.len)';
export const retransmissions =
  'tcp.analysis.retransmission || tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission';
