import { expect } from 'chai';
import { SocketStream } from '../../bsd-sockets/index.js';
import { connected } from './rig.js';

async function streaming() {
  const all = await connected('tlv');
  const stream = new SocketStream(all.sockets, all.fd);
  const errors: string[] = [];
  stream.on('error', (error: Error & { code?: string }) => errors.push(String(error.code)));
  const receive = (text: string) =>
    all.module.event('SOCKRXT', 'TCP_RECEIVE_ASYNC_RELIABLE', {
      sockId: 700,
      seqNum: 0,
      length: text.length,
      data: Buffer.from(text),
    });
  /** Node's own ticks between the stream's events, and the module's. */
  const settle = async () => {
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await all.module.settle();
    }
  };
  const closes = () => all.module.calls.filter((call) => call.startsWith('SOCKCL')).length;
  return { ...all, stream, errors, receive, settle, closes };
}

describe('a descriptor as a stream', () => {
  it('gives its descriptor back after the peer’s end, read by events', async () => {
    const { stream, sockets, module, fd, errors, receive, settle, closes } = await streaming();
    let text = '';
    stream.on('data', (data) => {
      text += data;
    });
    receive('last words');
    module.peerClosed(700);
    await settle();
    expect(text).to.equal('last words');
    expect([stream.writableFinished, stream.closed, closes()]).to.deep.equal([true, true, 1]);
    expect(sockets.shutdown(fd)).to.equal(-1);
    expect(errors).to.deep.equal([]);
  });

  it('gives its descriptor back after the peer’s end, read by for await', async () => {
    const { stream, module, errors, receive, settle, closes } = await streaming();
    const reading = (async () => {
      let text = '';
      for await (const chunk of stream) text += chunk;
      return text;
    })();
    receive('last words');
    module.peerClosed(700);
    expect(await reading).to.equal('last words');
    await settle();
    expect([stream.closed, closes(), errors]).to.deep.equal([true, 1, []]);
  });

  it('stays open for what is still to be read', async () => {
    const { stream, module, receive, settle, closes } = await streaming();
    receive('unread');
    module.peerClosed(700);
    await settle();
    expect([stream.destroyed, closes()]).to.deep.equal([false, 0]);
    stream.resume();
    await settle();
    expect([stream.closed, closes()]).to.deep.equal([true, 1]);
  });

  it('fails a write that the peer’s end cut off, and closes', async () => {
    const { stream, module, errors, settle, closes } = await streaming();
    const writes = module.hold('SOCKWR');
    stream.resume();
    stream.write(Buffer.alloc(100_000));
    await settle();
    module.peerClosed(700);
    for (const write of writes) write.ok();
    await settle();
    expect([stream.closed, closes(), errors]).to.deep.equal([true, 1, ['WINC_SOCKET_FAILED']]);
  });
});
