/**
 * The flextcp API (TAS): two worker threads, each with a context of its own over shared memory, share a listening port and
 * echo; the main thread runs the stacks and eight clients.
 *
 *     node --import tsx examples/flextcp-workers.ts
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import {
  type ContextDescriptor,
  FlextcpConnection,
  FlextcpContext,
  FlextcpListener,
  init,
  LISTEN_REUSEPORT,
} from '../simulator/tcpip/api/flextcp/index.js';
import { TcpStream } from '../simulator/tcpip/api/stream.js';
import { createStack } from '../simulator/tcpip/index.js';
import { memoryPipe } from '../simulator/tcpip/link/index.js';

const port = 7;
const connectionsEach = 4;
/** Compiled, `new Worker(new URL(import.meta.url))` would do; a thread of Node 20 needs to be told of TypeScript. */
const thisFile = `import('tsx/esm/api').then((tsx) => { tsx.register(); return import('${import.meta.url}'); })`;

if (isMainThread) await main();
else work(workerData as ContextDescriptor);

async function main(): Promise<void> {
  const [left, right] = memoryPipe();
  const [near, far] = [createStack({ link: left }), createStack({ link: right })];
  near.addAddress('10.0.0.1', 24);
  far.addAddress('10.0.0.2', 24);
  const service = init(far);
  const workers = [1, 2].map(() => {
    const descriptor = service.createContext();
    return new Worker(thisFile, { eval: true, workerData: descriptor, transferList: [descriptor.port] });
  });
  const exits = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
  // A worker says so when it listens.
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  await Promise.all(
    Array.from({ length: 2 * connectionsEach }, async (_, i) => {
      const stream = new TcpStream(near.tcpConnect({ address: '10.0.0.2', port }, {}));
      stream.end(`hello, worker, from client ${i}\n`);
      for await (const chunk of stream) process.stdout.write(chunk);
    }),
  );
  await Promise.all(exits);
  service.close();
  near.close();
  far.close();
}

/** The loop of a TAS thread: poll, work, block when there is nothing. */
async function work(descriptor: ContextDescriptor): Promise<void> {
  const { parentPort, threadId } = await import('node:worker_threads');
  const context = new FlextcpContext(descriptor);
  const listener = new FlextcpListener();
  context.listenOpen(listener, port, 16, LISTEN_REUSEPORT);
  for (let served = 0; served < connectionsEach; ) {
    context.block(1000);
    for (const event of context.poll(32)) {
      if (event.type === 'LISTEN_OPEN') parentPort?.postMessage('listening');
      else if (event.type === 'LISTEN_NEWCONN') context.listenAccept(event.listener, new FlextcpConnection());
      else if (event.type === 'CONN_RECEIVED') {
        const text = Buffer.from(`thread ${threadId}: ${Buffer.from(event.buffer)}`);
        const [first, second] = context.txAlloc2(event.connection, text.length);
        first.set(text.subarray(0, first.length));
        second.set(text.subarray(first.length, first.length + second.length));
        context.txSend(event.connection, first.length + second.length);
        context.rxDone(event.connection, event.buffer.length);
      } else if (event.type === 'CONN_RXCLOSED') context.txClose(event.connection);
      else if (event.type === 'CONN_TXCLOSED') context.connectionClose(event.connection);
      else if (event.type === 'CONN_CLOSED') served++;
    }
  }
  context.close();
}
