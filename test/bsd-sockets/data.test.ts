import { expect } from 'chai';
import {
  AsyncMode,
  MSG_PEEK,
  MSG_TRUNC,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SO_ASYNC_MODE,
  SOL_SOCKET,
} from '../../bsd-sockets/index.js';
import { StatusCode, WincError } from '../../driver/protocol/index.js';
import { type FakeModule, refusal } from './fake-module.js';

import { connected } from './rig.js';

describe('BsdSockets: sending', () => {
  const failures = { ready: StatusCode.SOCKET_NOT_READY, sequence: StatusCode.SOCKET_SEQUENCE_ERROR };

  it('cuts at 1460 bytes, numbers the bytes, and writes ahead of the answers', async () => {
    const { module, fd, send } = await connected();
    const writes = module.hold('SOCKWR');
    expect(send(fd, 'a'.repeat(3000))).to.equal('ok:3000');
    expect(writes.map(({ args }) => [args.length, args.seqNum])).to.deep.equal([
      [1460, 0],
      [1460, 1460],
      [80, 2920],
    ]);
    for (const each of writes) each.ok();
    await module.settle();
    send(fd, 'b');
    expect(writes[3].args.seqNum).to.equal(3000);
  });

  it('wraps its numbers at 65536', async () => {
    const { module, fd, send } = await connected();
    for (let i = 0; i < 50; i++) {
      send(fd, 'x'.repeat(1460));
      await module.settle();
    }
    send(fd, 'y');
    expect(module.calls.at(-1)).to.contain(`"seqNum":${73_000 % 65_536}`);
  });

  it('takes only what it has room for, and more after SEND', async () => {
    const { module, events, fd, send, poll } = await connected('tlv', { sendBuffer: 4000 });
    const writes = module.hold('SOCKWR');
    expect(send(fd, 'a'.repeat(5000))).to.equal('ok:4000');
    expect(send(fd, 'b')).to.equal('EAGAIN');
    expect(poll(fd)).to.equal(0);
    writes[0].ok();
    await module.settle();
    expect(events).to.deep.equal(['1 SEND']);
    expect(poll(fd)).to.equal(POLLOUT);
    expect(send(fd, 'b'.repeat(2000))).to.equal('ok:1460');
  });

  it('sends everything again from the first write that found no room', async () => {
    const { module, fd, send } = await connected();
    const writes = module.hold('SOCKWR');
    send(fd, 'a'.repeat(1460) + 'b'.repeat(1460) + 'c'.repeat(10));
    writes[0].ok();
    writes[1].refuse(failures.ready);
    writes[2].refuse(failures.sequence);
    await module.settle();
    expect(writes).to.have.length(3);
    await module.settle(10);
    expect(writes.slice(3).map(({ args }) => [args.length, args.seqNum])).to.deep.equal([
      [1460, 1460],
      [10, 2920],
    ]);
    expect(Buffer.from(writes[3].args.data as Uint8Array).toString()).to.equal('b'.repeat(1460));
  });

  it('keeps offering, ever more slowly', async () => {
    const { module, fd, send } = await connected('at');
    let refused = 0;
    module.answers.set('SOCKWR', () => {
      if (refused++ < 20) refusal(failures.ready)();
      return [];
    });
    send(fd, 'x');
    await module.settle(1000);
    expect(refused).to.be.within(8, 12);
    await module.settle(5000);
    expect(refused).to.equal(21);
  });

  it('does not double what the module has although its answer was lost', async () => {
    const { module, fd, send } = await connected();
    const writes = module.hold('SOCKWR');
    send(fd, 'abc');
    send(fd, 'def');
    writes[0].fail(new WincError('WINC_TIMEOUT', 'no answer'));
    writes[1].fail(new WincError('WINC_TIMEOUT', 'no answer'));
    await module.settle(10);
    expect(writes[2].args).to.include({ length: 3, seqNum: 0 });
    // It was accepted the first time.
    writes[2].refuse(failures.sequence);
    await module.settle(10);
    expect(writes[3].args).to.include({ length: 3, seqNum: 3 });
    expect(Buffer.from(writes[3].args.data as Uint8Array).toString()).to.equal('def');
  });

  it('fails rather than double on the AT wire, whose raw writes have no numbers', async () => {
    const { module, events, fd, send, recv } = await connected('at');
    module.answers.set('SOCKWR', () => {
      throw new WincError('WINC_TIMEOUT', 'no answer');
    });
    send(fd, 'abc');
    await module.settle(100);
    expect(module.calls).to.deep.equal(['SOCKWR {"sockId":700,"length":3,"data":"abc"}']);
    expect(events).to.deep.equal(['1 ERROR error']);
    expect(recv(fd)).to.equal('EIO');
  });

  it('flushes before it closes', async () => {
    const { module, sockets, fd, send } = await connected();
    const writes = module.hold('SOCKWR');
    send(fd, 'abc');
    sockets.shutdown(fd);
    await module.settle();
    expect(module.calls.at(-1)).to.match(/^SOCKWR/);
    writes[0].ok();
    await module.settle();
    expect(module.calls.at(-1)).to.equal('SOCKCL {"sockId":700}');
  });
});

describe('BsdSockets: receiving', () => {
  /** Answers SOCKRD from `stock`, as the AT wire does in raw mode. */
  function stocked(module: FakeModule, stock: { text: string }) {
    module.answers.set('SOCKRD', ({ length, sockId, outputMode }) => {
      const text = stock.text.slice(0, length as number);
      stock.text = stock.text.slice(text.length);
      const data = Buffer.from(text, 'latin1');
      const elements = { sockId, length: text.length, data };
      if (outputMode === 2) return [{ form: 'SOCKET_READ_RESPONSE', elements }];
      return [
        {
          form: 'SOCKET_READ_RESPONSE_TCP_EXTENDED',
          elements: { ...elements, pendData: stock.text.length },
        },
      ];
    });
  }
  const announce = (module: FakeModule, pendData: number) =>
    module.event('SOCKRXT', 'TCP_RECEIVE_POLLED', { sockId: 700, pendData });
  const reads = (module: FakeModule) =>
    module.calls
      .filter((call) => call.startsWith('SOCKRD'))
      .map((call) => call.replace(/^SOCKRD .*"length":/, ''));

  it('polls for what is announced, keeps the largest count, and goes on without a new one', async () => {
    const { module, fd, recv } = await connected('at');
    const waiting = module.hold('SOCKRD');
    announce(module, 1460);
    announce(module, 4000);
    announce(module, 2920);
    for (let i = 0; i < 3; i++) {
      const { args, ok } = waiting[i];
      const data = Buffer.alloc(args.length as number, 0x78);
      ok({ form: 'SOCKET_READ_RESPONSE', elements: { sockId: 700, length: data.length, data } });
      await module.settle();
    }
    expect(reads(module)).to.deep.equal(['1460}', '1460}', '1080}']);
    expect(recv(fd, 5000)).to.have.length(4000);
  });

  it('counts an announcement that comes in the same breath as the answer as what is left', async () => {
    const { module, fd, recv } = await connected('at');
    const waiting = module.hold('SOCKRD');
    announce(module, 1460);
    const data = Buffer.alloc(1460, 0x79);
    waiting[0].ok({ form: 'SOCKET_READ_RESPONSE', elements: { sockId: 700, length: 1460, data } });
    announce(module, 1460);
    await module.settle();
    waiting[1].ok({ form: 'SOCKET_READ_RESPONSE', elements: { sockId: 700, length: 1460, data } });
    await module.settle();
    expect(waiting.map(({ args }) => args.length)).to.deep.equal([1460, 1460]);
    expect(recv(fd, 5000)).to.have.length(2920);
  });

  it('stops polling when its buffer is full and goes on when it is read', async () => {
    const { module, fd, recv } = await connected('at', { receiveBuffer: 3000 });
    stocked(module, { text: 'y'.repeat(6000) });
    announce(module, 6000);
    await module.settle();
    expect(reads(module)).to.have.length(2);
    expect(recv(fd, 3000)).to.have.length(2920);
    await module.settle();
    expect(recv(fd, 3000)).to.have.length(2920);
    await module.settle();
    expect(recv(fd, 3000)).to.have.length(160);
  });

  it('loses nothing when the peer closes right after sending', async () => {
    const { module, events, fd, poll, recv } = await connected('at');
    stocked(module, { text: 'z'.repeat(2000) });
    announce(module, 2000);
    module.peerClosed(700);
    expect(poll(fd) & POLLHUP).to.equal(0);
    await module.settle();
    expect(events).to.deep.equal(['1 RECV', '1 RECV', '1 DISCONNECT']);
    expect(poll(fd)).to.equal(POLLIN | POLLHUP);
    expect(recv(fd, 5000)).to.have.length(2000);
    expect(recv(fd)).to.equal('ok:0');
    expect(recv(fd)).to.equal('ok:0');
  });

  it('asks what there is when events may have been lost', async () => {
    const { module, fd, recv } = await connected('at');
    stocked(module, { text: 'quiet' });
    module.emit('resync');
    await module.settle();
    expect(module.calls[0]).to.equal('SOCKRD {"sockId":700,"outputMode":3,"length":1}');
    expect(recv(fd)).to.equal('quiet');
  });

  it('moves the window on by half windows, one statement at a time', async () => {
    const { module, fd, recv } = await connected('tlv', { receiveBuffer: 4000 });
    const acknowledgements = module.hold('SOCKC');
    let sent = 0;
    const arrive = (length: number) => {
      const data = Buffer.alloc(length, 0x61);
      module.event('SOCKRXT', 'TCP_RECEIVE_ASYNC_RELIABLE', {
        sockId: 700,
        length,
        seqNum: sent & 0xffff,
        data,
      });
      sent += length;
    };
    arrive(1000);
    arrive(1000);
    recv(fd, 1500);
    expect(acknowledgements).to.have.length(0);
    recv(fd, 1500);
    expect(acknowledgements[0].args).to.deep.equal({ sockId: 700, id: 100, val: 2000 });
    arrive(2000);
    recv(fd, 2000);
    expect(acknowledgements).to.have.length(1);
    acknowledgements[0].ok();
    await module.settle();
    expect(acknowledgements[1].args).to.include({ val: 4000 });
    acknowledgements[1].ok();
    await module.settle();
    for (let i = 0; i < 40; i++) {
      arrive(2000);
      recv(fd, 2000);
      acknowledgements.at(-1)?.ok();
      await module.settle();
    }
    expect(acknowledgements.at(-1)?.args.val).to.equal(84_000 & 0xffff);
  });

  it('drops a repetition, and fails when something is missing', async () => {
    const { module, events, fd, recv } = await connected();
    const arrive = (seqNum: number, text: string) =>
      module.event('SOCKRXT', 'TCP_RECEIVE_ASYNC_RELIABLE', {
        sockId: 700,
        length: text.length,
        seqNum,
        data: Buffer.from(text),
      });
    arrive(0, 'abc');
    arrive(0, 'abc');
    arrive(3, 'def');
    expect(recv(fd)).to.equal('abcdef');
    arrive(10, 'xyz');
    expect(events.at(-1)).to.equal('1 ERROR error');
    expect(recv(fd)).to.equal('ENOBUFS');
  });

  it('fails rather than lose data that nothing holds back', async () => {
    const { module, events, fd, recv } = await connected('tlv', { receiveBuffer: 2000 });
    const arrive = () =>
      module.event('SOCKRXT', 'TCP_RECEIVE_ASYNC', {
        sockId: 700,
        length: 1500,
        data: Buffer.alloc(1500, 0x62),
      });
    arrive();
    arrive();
    expect(events).to.deep.equal(['1 RECV', '1 ERROR error']);
    expect(recv(fd, 4000)).to.have.length(1500);
    expect(recv(fd)).to.equal('ENOBUFS');
  });

  it('switches modes on request', async () => {
    const { module, sockets, fd } = await connected('at');
    sockets.setsockopt(fd, SOL_SOCKET, SO_ASYNC_MODE, AsyncMode.ACKED);
    sockets.setsockopt(fd, SOL_SOCKET, SO_ASYNC_MODE, AsyncMode.SIMPLE);
    sockets.setsockopt(fd, SOL_SOCKET, SO_ASYNC_MODE, AsyncMode.OFF);
    await module.settle();
    const values = module.calls.map((call) => JSON.parse(call.slice(6)) as { id: number; val: number });
    expect(values.filter(({ id }) => id === 101).map(({ val }) => val)).to.deep.equal([16384, 0, 0]);
    expect(values.filter(({ id }) => id === 102).map(({ val }) => val)).to.deep.equal([1460, 1460, 0]);
  });

  it('peeks, and tells how much there is', async () => {
    const { module, sockets, fd, recv, said } = await connected();
    expect(said(sockets.recv(fd, null, 0, MSG_PEEK | MSG_TRUNC))).to.equal('EAGAIN');
    module.event('SOCKRXT', 'TCP_RECEIVE_ASYNC', { sockId: 700, length: 3, data: Buffer.from('abc') });
    expect(sockets.recv(fd, null, 0, MSG_PEEK | MSG_TRUNC)).to.equal(3);
    const two = new Uint8Array(2);
    expect(sockets.recv(fd, two, 2, MSG_PEEK)).to.equal(2);
    expect(said(sockets.recv(fd, null, 5))).to.equal('EFAULT');
    expect(recv(fd)).to.equal('abc');
  });
});
