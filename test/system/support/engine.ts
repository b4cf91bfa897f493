/** The engine in this process as a host on a TAP device in a namespace of its own. */
import { createServer, type Server } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { TcpStream } from '../../../simulator/tcpip/api/stream.js';
import type { Link, TcpConnectOptions } from '../../../simulator/tcpip/contract.js';
import { createStack, type EngineStack, type StackOptions } from '../../../simulator/tcpip/stack.js';
import { KernelNetwork } from './namespace.js';

export interface EngineHost {
  readonly network: KernelNetwork;
  readonly stack: EngineStack;
  close(): Promise<void>;
}

export interface EngineHostOptions {
  /** Devices between stack and TAP. */
  readonly chain?: (tap: Link) => Link;
  readonly sysctl?: Readonly<Record<string, string | number>>;
  readonly tcp?: NonNullable<StackOptions['tcp']>;
}

export function startEngine({
  chain = (tap) => tap,
  sysctl = {},
  tcp = {},
}: EngineHostOptions = {}): EngineHost {
  const network = new KernelNetwork({ sysctl });
  const stack = createStack({ link: chain(network.tap), tcp });
  stack.addAddress(network.ours.ipv4, 24);
  stack.setGateway(network.kernel.ipv4);
  return {
    network,
    stack,
    close: async () => {
      stack.close();
      await network.close();
    },
  };
}

/** A stream to a port of the kernel's. */
export const dial = (
  { stack, network }: EngineHost,
  port: number,
  options: TcpConnectOptions = {},
): TcpStream => new TcpStream(stack.tcpConnect({ address: network.kernel.ipv4, port }, {}, options));

/** A listener of the stack's that sends back what it gets. */
export function echoOn({ stack }: EngineHost, port: number, fastOpen = false): void {
  stack.tcpListen(
    { port },
    (connection) => {
      const stream = new TcpStream(connection);
      pipeline(stream, stream).catch(() => {});
      return stream.handler;
    },
    { backlog: 4096, fastOpen },
  );
}

export async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Lets a program of this machine talk through the engine: whoever connects to `path` (a unix socket) or to the loopback
 * port, is connected by the engine to the kernel's `port`.
 */
export async function through(
  host: EngineHost,
  port: number,
  path?: string,
): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const stream = dial(host, port);
    Promise.all([pipeline(socket, stream), pipeline(stream, socket)]).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}
