/**
 * The flow API (MirageOS TCP): an echo server and a client, on two stacks joined by a cable in memory.
 *
 *     node --import tsx examples/flow-echo.ts
 */
import { eof, type Flow, FlowTcp } from '../simulator/tcpip/api/flow/index.js';
import { createStack } from '../simulator/tcpip/index.js';
import { memoryPipe } from '../simulator/tcpip/link/index.js';

const [left, right] = memoryPipe();
const [near, far] = [createStack({ link: left }), createStack({ link: right })];
near.addAddress('10.0.0.1', 24);
far.addAddress('10.0.0.2', 24);

async function echo(flow: Flow): Promise<void> {
  console.log('server: flow from', flow.dst().join(' port '));
  for (;;) {
    const read = await flow.read();
    if (!read.ok || read.value === eof) break;
    const written = await flow.write(read.value);
    if (!written.ok) break;
  }
  await flow.close();
}

const server = await FlowTcp.connect(far);
const keepalive = { after: 60_000, interval: 10_000, probes: 5 };
server.input((port) => (port === 7 ? { process: echo, keepalive } : undefined));

const client = await FlowTcp.connect(near);
const refused = await client.createConnection(['10.0.0.2', 8]);
console.log('client: port 8:', refused.ok ? 'connected' : refused.error);

const made = await client.createConnection(['10.0.0.2', 7]);
if (!made.ok) throw new Error(made.error);
const flow = made.value;
await flow.writev([Buffer.from('hello, '), Buffer.from('flow\n')]);
const closed = flow.close();
for (let read = await flow.read(); read.ok && read.value !== eof; read = await flow.read()) {
  process.stdout.write(`client: ${Buffer.from(read.value)}`);
}
await closed;
near.close();
far.close();
