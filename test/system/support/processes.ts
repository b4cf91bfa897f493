/** The package's own command as separate processes, the way a user runs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const main = resolve(import.meta.dirname, '../../../dist/cli/main.js');

export interface Finished {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly seconds: number;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Starts `wincs02 …`; whatever a failed test leaves behind dies with the test process. */
export function start(
  args: readonly string[],
  options: { env?: Record<string, string>; input?: Uint8Array | 'open' } = {},
): Running {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  const began = performance.now();
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  child.stdin?.on('error', () => {});
  if (options.input instanceof Uint8Array) child.stdin!.end(options.input);
  const finished = new Promise<Finished>((done) => {
    child.once('close', (code) => {
      process.removeListener('exit', kill);
      done({ code, stdout: Buffer.concat(out), stderr, seconds: (performance.now() - began) / 1000 });
    });
  });
  return { child, finished };
}

export const run = (...parameters: Parameters<typeof start>): Promise<Finished> =>
  start(...parameters).finished;

/** A `wincs02 sim` that has said it is ready. */
export async function startSimulator(
  ...args: string[]
): Promise<{ ready: Record<string, unknown>; process: Running; stop(): Promise<Finished> }> {
  const running = start(['sim', ...args]);
  const ready = await new Promise<Record<string, unknown>>((done, fail) => {
    let text = '';
    running.child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) done(JSON.parse(text.slice(0, end)) as Record<string, unknown>);
    });
    running.finished.then(({ code, stderr }) => fail(new Error(`wincs02 sim ended with ${code}: ${stderr}`)));
  });
  return {
    ready,
    process: running,
    stop() {
      running.child.kill('SIGTERM');
      return running.finished;
    },
  };
}

/** A directory for sockets and links, gone after the test. */
export function scratch(): { path(name: string): string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'wincs02-'));
  return {
    path: (name) => join(directory, name),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
