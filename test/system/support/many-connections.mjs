// A kernel-side peer: `connect HOST PORT COUNT` opens COUNT connections, all at once, sends its number on each, waits
// until all have been echoed, and only then closes them; `serve PORT` echoes.
import { connect, createServer } from 'node:net';

const [role, ...args] = process.argv.slice(2);
if (role === 'serve') {
  createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen({
    port: Number(args[0]),
    host: '0.0.0.0',
    backlog: 4096,
  });
} else {
  const [host, port, count] = [args[0], Number(args[1]), Number(args[2])];
  let echoed = 0;
  const sockets = Array.from({ length: count }, (_, i) => {
    const socket = connect({ host, port });
    let text = '';
    socket.on('connect', () => socket.write(`connection ${i};`));
    socket.on('data', (data) => {
      text += data;
      if (!text.endsWith(';')) return;
      if (text !== `connection ${i};`) throw new Error(`${i} got ${text}`);
      if (++echoed === count) finish();
    });
    return socket;
  });
  const finish = () => {
    console.log(`all ${echoed} open`);
    for (const socket of sockets) socket.end();
  };
}
