import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { openUartServer, type UartServer } from '../../simulator/uart-server.js';

describe('a UART on a TCP port', () => {
  let server: UartServer;
  afterEach(() => server.close());

  const client = async () => {
    const socket = connect(server.port, server.host);
    await once(socket, 'connect');
    return socket;
  };

  const until = async (condition: () => boolean) => {
    const deadline = performance.now() + 9000;
    while (!condition() && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 2));
  };

  it('listens on loopback, carries bytes both ways, and serves the next client after the first', async () => {
    server = await openUartServer({ port: 0 });
    expect(server.name).to.equal(`tcp:127.0.0.1:${server.port}`);
    let heard = '';
    server.receive = (bytes) => {
      heard += Buffer.from(bytes).toString('latin1');
      server.write(Buffer.from('>'));
    };
    for (const text of ['AT\r\n', '\x00\xff']) {
      heard = '';
      const socket = await client();
      socket.write(text, 'latin1');
      const [answer] = await once(socket, 'data');
      expect(answer.toString()).to.equal('>');
      expect(heard).to.equal(text);
      socket.destroy();
      await once(socket, 'close');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });

  it('turns a second client away while the first is there', async () => {
    server = await openUartServer({ port: 0 });
    const first = await client();
    const second = await client();
    await once(second, 'close');
    server.write(Buffer.from('hello'));
    const [data] = await once(first, 'data');
    expect(data.toString()).to.equal('hello');
    first.destroy();
  });

  it('drops and counts above its bound when the client does not read', async () => {
    server = await openUartServer({ port: 0, backlog: 8192 });
    const socket = await client();
    socket.pause();
    server.receive = () => {};
    socket.write('x');
    await until(() => {
      for (let count = 0; count < 100; count++) server.write(new Uint8Array(4096));
      return server.dropped > 0;
    });
    expect(server.dropped).to.be.greaterThan(0);
    socket.destroy();
  });

  it('names the reason when the port is taken', async () => {
    server = await openUartServer({ port: 0 });
    const error = await openUartServer({ port: server.port }).catch((caught: unknown) => caught);
    expect(error).to.have.property('code', 'WINC_PORT_LOCKED');
  });
});
