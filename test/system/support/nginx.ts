/** The Debian package's nginx, on a free port of the loopback, for one test. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';

export const hasNginx = (): boolean => spawnSync('sh', ['-c', 'command -v nginx']).status === 0;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function reachable(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).then((up) => {
    socket.destroy();
    return up === true;
  });
}

/** Serves the files given; everything it writes stays below `directory`. */
export async function startNginx(
  directory: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<{ port: number; stop(): Promise<void> }> {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const port = await freePort();
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((what) => `${what}_temp_path ${directory};`)
    .join(' ');
  writeFileSync(
    join(directory, 'nginx.conf'),
    `daemon off; master_process off; pid ${directory}/nginx.pid; error_log ${directory}/error.log; ${user}
     events { worker_connections 64; }
     http { access_log off; ${temporary} server { listen 127.0.0.1:${port}; root ${directory}; } }`,
  );
  const nginx = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], { stdio: 'ignore' });
  const kill = () => nginx.kill('SIGKILL');
  process.once('exit', kill);
  for (let attempt = 0; !(await reachable(port)); attempt++) {
    if (attempt === 100) throw new Error('nginx does not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    async stop() {
      process.removeListener('exit', kill);
      nginx.kill('SIGQUIT');
      if (nginx.exitCode === null) await once(nginx, 'exit');
    },
  };
}
