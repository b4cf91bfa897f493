// A thread with a flextcp context of its own: echoes on a shared port until told to stop, blocking in between.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { FlextcpConnection, FlextcpContext, FlextcpListener, LISTEN_REUSEPORT } = await import(
  '../../../../simulator/tcpip/api/flextcp/index.ts'
);
const { descriptor, port, done, connections } = workerData;
const finished = new Int32Array(done);
const context = new FlextcpContext(descriptor);
const listener = new FlextcpListener();
if (context.listenOpen(listener, port, 64, LISTEN_REUSEPORT) !== 0) throw new Error('listenOpen');

/** Copies what is received into the send ring; what finds no room waits for CONN_SENDBUF. */
function echo(connection) {
  const waiting = connection.opaque.waiting;
  while (waiting.length > 0) {
    const piece = waiting[0];
    const [first, second] = context.txAlloc2(connection, piece.length);
    const size = first.length + second.length;
    if (size === 0) return;
    first.set(piece.subarray(0, first.length));
    second.set(piece.subarray(first.length, size));
    if (context.txSend(connection, size) !== 0) throw new Error('txSend');
    if (context.rxDone(connection, size) !== 0) throw new Error('rxDone');
    if (size < piece.length) waiting[0] = piece.subarray(size);
    else waiting.shift();
  }
  if (connection.opaque.ended && !connection.opaque.closed) {
    connection.opaque.closed = true;
    context.txClose(connection);
  }
}

let served = 0;
while (served < connections) {
  context.block(1000);
  for (const event of context.poll(64)) {
    if (event.type === 'LISTEN_OPEN' && event.status !== 0) throw new Error('LISTEN_OPEN');
    if (event.type === 'LISTEN_OPEN') {
      for (let i = 0; i < connections; i++) context.listenAccept(listener, new FlextcpConnection());
      Atomics.add(finished, 0, 1);
    }
    if (event.type === 'LISTEN_ACCEPT')
      event.connection.opaque = { waiting: [], ended: false, closed: false };
    if (event.type === 'CONN_RECEIVED') event.connection.opaque.waiting.push(event.buffer);
    if (event.type === 'CONN_RXCLOSED') event.connection.opaque.ended = true;
    if (event.type === 'CONN_TXCLOSED') context.connectionClose(event.connection);
    if (event.type === 'CONN_CLOSED') served++;
    if (event.connection?.opaque?.waiting !== undefined && event.type !== 'CONN_CLOSED')
      echo(event.connection);
  }
}
Atomics.add(finished, 1, served);
context.close();
