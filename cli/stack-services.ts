/** What `wincs02 stack --listen` serves: the small services of RFC 862, 863 and 864 on TCP and UDP, and a web server. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { TcpStream } from '../simulator/tcpip/api/stream.js';
import type { Stack, TcpConnection, TcpHandler } from '../simulator/tcpip/contract.js';

export const serviceNames = ['echo', 'discard', 'chargen', 'http'] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface Listen {
  readonly service: ServiceName;
  readonly port: number;
}

/** Starts one; throws the stack's `EADDRINUSE`. The listeners end with the stack. */
export function startService(stack: Stack, { service, port }: Listen): void {
  const { tcp, udp } = services[service](stack);
  stack.tcpListen({ port }, tcp, { backlog: 1024, fastOpen: true });
  if (udp === undefined) return;
  const socket = stack.udpBind(
    { port },
    {
      message: (data, from) => {
        const answer = udp(data);
        if (answer === undefined) return;
        try {
          socket.send(answer, from);
        } catch {
          // Nobody to tell: to the client it is a datagram lost on the way.
        }
      },
    },
  );
}

interface Service {
  readonly tcp: (connection: TcpConnection) => TcpHandler;
  readonly udp?: (data: Uint8Array) => Uint8Array | undefined;
}

const services: Readonly<Record<ServiceName, (stack: Stack) => Service>> = {
  echo: () => ({ tcp: echo, udp: (data) => data }),
  discard: () => ({ tcp: discard, udp: () => undefined }),
  chargen: () => ({ tcp: chargen, udp: () => pattern.subarray(0, 512) }),
  http: () => ({ tcp: webServer() }),
};

function echo(connection: TcpConnection): TcpHandler {
  const pump = (): void => {
    for (;;) {
      const [view] = connection.receiveViews();
      if (view === undefined) break;
      const taken = connection.write(view);
      connection.consume(taken);
      if (taken < view.length) return;
    }
    if (connection.ended) connection.shutdown();
  };
  return { readable: pump, writable: pump };
}

function discard(connection: TcpConnection): TcpHandler {
  return {
    readable: () => {
      connection.consume(connection.readable);
      if (connection.ended) connection.shutdown();
    },
  };
}

/** RFC 864: 95 lines of 72 of the 95 printable characters, each line one further. */
const lines = Array.from({ length: 95 }, (_, line) => {
  const text = Array.from({ length: 72 }, (_, i) => String.fromCharCode(32 + ((line + i) % 95)));
  return `${text.join('')}\r\n`;
}).join('');
export const patternPeriod = lines.length;
const pattern = Buffer.from(lines.repeat(16), 'latin1');

/** `length` bytes of the endless pattern from `offset` on, at most about 100 kB. */
function patternAt(offset: number, length: number): Uint8Array {
  const start = offset % patternPeriod;
  return pattern.subarray(start, Math.min(pattern.length, start + length));
}

function chargen(connection: TcpConnection): TcpHandler {
  let offset = 0;
  const pump = (): void => {
    for (;;) {
      const chunk = patternAt(offset, pattern.length);
      const taken = connection.write(chunk);
      offset += taken;
      if (taken < chunk.length) return;
    }
  };
  return { connected: pump, writable: pump, readable: () => connection.consume(connection.readable) };
}

function webServer(): (connection: TcpConnection) => TcpHandler {
  const server = createServer({ keepAliveTimeout: 30_000 }, answer);
  return (connection) => {
    const stream = new TcpStream(connection);
    stream.on('error', () => {});
    server.emit('connection', stream);
    return stream.handler;
  };
}

const page = `<!doctype html><title>wincs02 stack</title>
<p>Served by a TCP/IP stack in TypeScript. <a href="/bytes/1000000">/bytes/N</a> gives N bytes of the chargen pattern;
what is posted to any path is answered by its length and SHA-256.</p>
`;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const wanted = /^\/bytes\/(\d{1,12})$/.exec(request.url ?? '');
  if (request.method === 'POST' || request.method === 'PUT') {
    const hash = createHash('sha256');
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    request.on('end', () => response.end(`${bytes} ${hash.digest('hex')}\n`));
  } else if (wanted !== null) {
    const total = Number(wanted[1]);
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': total });
    pipeline(
      request.method === 'HEAD' ? Readable.from([]) : Readable.from(patternChunks(total)),
      response,
      () => {},
    );
  } else if (request.url === '/') {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': Buffer.byteLength(page) });
    response.end(page);
  } else {
    response.writeHead(404, { 'content-type': 'text/plain' });
    response.end('not here\n');
  }
}

function* patternChunks(total: number): Generator<Uint8Array> {
  for (let offset = 0; offset < total; ) {
    const chunk = patternAt(offset, Math.min(total - offset, 65_536));
    offset += chunk.length;
    yield chunk;
  }
}
