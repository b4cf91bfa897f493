import { expect } from 'chai';
import {
  AF_INET,
  AF_INET6,
  AsyncMode,
  BsdSockets,
  Errno,
  errnoName,
  IP_ADD_MEMBERSHIP,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_TLS,
  IPPROTO_UDP,
  MSG_PEEK,
  MSG_TRUNC,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  SHUT_RDWR,
  SHUT_WR,
  SO_ASYNC_MODE,
  SO_KEEPALIVE,
  SO_RCVBUF,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SocketEvent,
  type SocketsOptions,
  TCP_NODELAY,
  TLS_CONF_IDX,
} from '../../bsd-sockets/index.js';
import { StatusCode, WincError } from '../../driver/protocol/index.js';
import { FakeModule, refusal } from './fake-module.js';

const peer = { family: AF_INET, address: '10.0.2.2', port: 80 };
const eventName = (event: number) => Object.entries(SocketEvent).find(([, value]) => value === event)?.[0];

function rig(wire: 'at' | 'tlv' = 'tlv', options: SocketsOptions = {}) {
  const module = new FakeModule(wire);
  const sockets = new BsdSockets(module.asModule, options);
  const events: string[] = [];
  sockets.registerEventCallback((fd, event, status) =>
    events.push(`${fd} ${eventName(event)}${status === 0 ? '' : ' error'}`),
  );
  /** `ok:n` or the name of errno. */
  const said = (result: number) => (result >= 0 ? `ok:${result}` : errnoName(sockets.errno));
  const poll = (fd: number, wanted = POLLIN | POLLOUT) => {
    const fds = [{ fd, events: wanted, revents: 0 }];
    sockets.poll(fds);
    return fds[0].revents;
  };
  const recv = (fd: number, length = 100) => {
    const buffer = new Uint8Array(length);
    const count = sockets.recv(fd, buffer);
    return count > 0 ? Buffer.from(buffer.subarray(0, count)).toString('latin1') : said(count);
  };
  const send = (fd: number, text: string) => said(sockets.send(fd, Buffer.from(text, 'latin1')));
  return { module, sockets, events, said, poll, recv, send };
}

/** A connected TCP socket with the module's number 700. */
async function connected(wire: 'at' | 'tlv' = 'tlv', options: SocketsOptions = {}) {
  const all = rig(wire, options);
  const fd = all.sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  await all.module.settle();
  all.sockets.connect(fd, peer);
  await all.module.settle();
  all.module.indicate(700);
  all.events.length = 0;
  all.module.calls.length = 0;
  return { ...all, fd };
}

describe('BsdSockets: a TCP client', () => {
  it('opens, connects, sends, receives, ends and closes as the vendor describes', async () => {
    const { module, sockets, events, said, poll, recv, send } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    expect(fd).to.equal(1);
    expect(said(sockets.connect(fd, peer))).to.equal('EAGAIN');
    expect(send(fd, 'x')).to.equal('ENOTSOCK');
    expect(recv(fd)).to.equal('ENOTSOCK');
    expect(said(sockets.shutdown(fd))).to.equal('ENOTSOCK');
    expect(poll(fd)).to.equal(0);
    await module.settle();
    expect(events).to.deep.equal(['1 OPEN']);
    expect(send(fd, 'x')).to.equal('ENOTCONN');
    expect(said(sockets.connect(fd, peer))).to.equal('EINPROGRESS');
    expect(said(sockets.connect(fd, peer))).to.equal('EINPROGRESS');
    expect(recv(fd)).to.equal('EAGAIN');
    await module.settle();
    expect(poll(fd)).to.equal(0);
    module.indicate(700);
    expect(said(sockets.connect(fd, peer))).to.equal('EISCONN');
    expect(poll(fd)).to.equal(POLLOUT);
    expect(send(fd, 'hello')).to.equal('ok:5');
    await module.settle();
    module.event('SOCKRXT', 'TCP_RECEIVE_ASYNC_RELIABLE', {
      sockId: 700,
      length: 2,
      seqNum: 0,
      data: Buffer.from('hi'),
    });
    expect(poll(fd)).to.equal(POLLIN | POLLOUT);
    module.peerClosed(700);
    expect(poll(fd)).to.equal(POLLIN | POLLHUP);
    expect(send(fd, 'x')).to.equal('ENOTCONN');
    expect(recv(fd)).to.equal('hi');
    expect(recv(fd)).to.equal('ok:0');
    expect(poll(fd)).to.equal(POLLHUP);
    expect(said(sockets.shutdown(fd, SHUT_RDWR))).to.equal('ok:0');
    expect(recv(fd)).to.equal('EBADF');
    await module.settle();
    expect(events).to.deep.equal(['1 OPEN', '1 CONNECT', '1 SEND', '1 RECV', '1 DISCONNECT', '1 CLOSE']);
    expect(module.calls).to.deep.equal([
      'SOCKO {"protocol":2,"protocolVersion":4}',
      'SOCKC {"sockId":700,"id":101,"val":16384}',
      'SOCKC {"sockId":700,"id":102,"val":1460}',
      'SOCKBR {"sockId":700,"rmtAddr":"10.0.2.2","rmtPort":80}',
      'SOCKWR {"sockId":700,"length":5,"seqNum":0,"data":"hello"}',
      'SOCKCL {"sockId":700}',
    ]);
    expect(module.clock.pending).to.equal(0);
  });

  it('refuses what no socket can be', () => {
    const { sockets, said } = rig();
    expect(said(sockets.socket(2, SOCK_STREAM))).to.equal('EAFNOSUPPORT');
    expect(said(sockets.socket(AF_INET, 3))).to.equal('EINVAL');
    expect(said(sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_UDP))).to.equal('EPROTONOSUPPORT');
    expect(said(sockets.socket(AF_INET, SOCK_DGRAM, IPPROTO_TLS))).to.equal('EPROTONOSUPPORT');
  });

  it('has a limited number of descriptors and gives them out again after CLOSE', async () => {
    const { module, sockets, said } = rig('tlv', { maxSockets: 2 });
    let id = 0;
    module.answers.set('SOCKO', () => [{ elements: { sockId: ++id } }]);
    expect(sockets.socket(AF_INET, SOCK_STREAM)).to.equal(1);
    expect(sockets.socket(AF_INET6, SOCK_STREAM)).to.equal(2);
    expect(said(sockets.socket(AF_INET, SOCK_STREAM))).to.equal('ENFILE');
    await module.settle();
    sockets.shutdown(1);
    expect(said(sockets.socket(AF_INET, SOCK_STREAM))).to.equal('ENFILE');
    await module.settle();
    expect(sockets.socket(AF_INET, SOCK_STREAM)).to.equal(1);
  });

  it('answers bad descriptors as each function documents', () => {
    const { sockets, said, recv, send, poll } = rig();
    expect(said(sockets.connect(9, peer))).to.equal('ENOTSOCK');
    expect(said(sockets.getsockname(9, { ...peer }))).to.equal('ENOTSOCK');
    for (const each of [
      said(sockets.bind(9, peer)),
      said(sockets.listen(9, 0)),
      said(sockets.accept(9)),
      said(sockets.shutdown(9)),
      said(sockets.setsockopt(9, SOL_SOCKET, SO_KEEPALIVE, 1)),
      recv(9),
      send(9, 'x'),
    ]) {
      expect(each).to.equal('EBADF');
    }
    expect(poll(9)).to.equal(POLLNVAL);
    expect(poll(0)).to.equal(POLLNVAL);
    expect(poll(-1)).to.equal(0);
    expect(said(sockets.poll([], 0, 10))).to.equal('EINVAL');
    expect(said(sockets.poll(Array.from({ length: 21 }, () => ({ fd: 1, events: 0, revents: 0 }))))).to.equal(
      'EINVAL',
    );
  });

  it('checks addresses', async () => {
    const { module, sockets, said } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    await module.settle();
    expect(said(sockets.connect(fd, undefined))).to.equal('EFAULT');
    expect(said(sockets.connect(fd, { ...peer, family: AF_INET6 }))).to.equal('EAFNOSUPPORT');
    expect(said(sockets.connect(fd, { ...peer, port: 0 }))).to.equal('EINVAL');
    expect(said(sockets.connect(fd, { ...peer, port: 65536 }))).to.equal('EINVAL');
    expect(said(sockets.connect(fd, { ...peer, address: '::1' }))).to.equal('EINVAL');
    expect(said(sockets.connect(fd, { ...peer, address: 'example.com' }))).to.equal('EINPROGRESS');
  });

  it('tells a refused connection by POLLERR, ERROR and the reason', async () => {
    const { module, sockets, events, said, poll, recv } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    await module.settle();
    sockets.connect(fd, peer);
    await module.settle();
    module.event('SOCKERR', 'TCP_BIND_FAILED', { sockId: 700, errorCode: StatusCode.SOCKET_CONNECT_FAILED });
    expect(poll(fd)).to.equal(POLLERR);
    expect(events.slice(1)).to.deep.equal(['1 CONNECT error', '1 ERROR error']);
    expect(said(sockets.connect(fd, peer))).to.equal('ECONNREFUSED');
    expect(recv(fd)).to.equal('ECONNREFUSED');
    expect(said(sockets.shutdown(fd))).to.equal('ok:0');
    await module.settle();
    expect(events.at(-1)).to.equal('1 CLOSE');
  });

  it('gives up connecting after two minutes', async () => {
    const { module, sockets, said } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    await module.settle();
    sockets.connect(fd, peer);
    await module.settle(120_000);
    expect(said(sockets.connect(fd, peer))).to.equal('ETIMEDOUT');
  });

  it('fails every socket once when the module restarts or goes', async () => {
    for (const [event, errno] of [
      ['reset', 'ENETRESET'],
      ['close', 'ENETDOWN'],
    ] as const) {
      const { module, sockets, events, fd, recv, send, poll, said } = await connected();
      module.emit(event, new WincError('WINC_PORT_LOST', 'gone'));
      module.emit(event, new WincError('WINC_PORT_LOST', 'gone'));
      expect(events).to.deep.equal(['1 ERROR error']);
      expect(recv(fd)).to.equal(errno);
      expect(send(fd, 'x')).to.equal('ENOTCONN');
      expect(poll(fd)).to.equal(POLLERR);
      expect(said(sockets.shutdown(fd))).to.equal('ok:0');
      await module.settle();
      expect(events.at(-1)).to.equal('1 CLOSE');
    }
  });

  it('gives what had arrived before a failure first', async () => {
    const { module, fd, recv } = await connected();
    const data = Buffer.from('last words');
    module.event('SOCKRXT', 'TCP_RECEIVE_ASYNC', { sockId: 700, length: 10, data });
    module.emit('reset', '');
    expect(recv(fd)).to.equal('last words');
    expect(recv(fd)).to.equal('ENETRESET');
  });

  it('knows its addresses once it is connected', async () => {
    const { module, sockets, said } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    const name = { family: 0, address: '', port: 0 };
    expect(said(sockets.getpeername(fd, name))).to.equal('ENOTSOCK');
    await module.settle();
    expect(said(sockets.getpeername(fd, name))).to.equal('ENOTCONN');
    expect(said(sockets.getsockname(fd, name))).to.equal('ENOTCONN');
    sockets.connect(fd, peer);
    await module.settle();
    module.indicate(700);
    expect(said(sockets.getpeername(fd, name))).to.equal('ok:0');
    expect(name).to.deep.equal(peer);
    expect(said(sockets.getsockname(fd, name))).to.equal('ok:0');
    expect(name).to.deep.equal({ family: AF_INET, address: '10.0.2.15', port: 50000 });
  });

  it('refuses to close one direction only', async () => {
    const { sockets, fd, said } = await connected();
    expect(said(sockets.shutdown(fd, SHUT_WR))).to.equal('EINVAL');
  });
});

describe('BsdSockets: options', () => {
  it('sets them in order, those set before OPEN too', async () => {
    const { module, sockets, said } = rig('at');
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    expect(said(sockets.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1))).to.equal('ok:0');
    expect(said(sockets.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 32768))).to.equal('ok:0');
    await module.settle();
    expect(said(sockets.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 30))).to.equal('ok:0');
    expect(said(sockets.setsockopt(fd, IPPROTO_IP, IP_TOS, 0xf0))).to.equal('ok:0');
    await module.settle();
    expect(module.calls.slice(1)).to.deep.equal([
      'SOCKC {"sockId":700,"id":2,"val":1}',
      'SOCKC {"sockId":700,"id":4,"val":32768}',
      'SOCKC {"sockId":700,"id":3,"val":30}',
      'SOCKC {"sockId":700,"id":32,"val":16}',
    ]);
  });

  it('refuses unknown ones, and values the module cannot take', async () => {
    const { sockets, said } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    const udp = sockets.socket(AF_INET, SOCK_DGRAM);
    expect(said(sockets.setsockopt(fd, SOL_SOCKET, 4711, 1))).to.equal('ENOPROTOOPT');
    expect(said(sockets.setsockopt(fd, 4711, TCP_NODELAY, 1))).to.equal('ENOPROTOOPT');
    expect(said(sockets.setsockopt(udp, IPPROTO_TCP, TCP_NODELAY, 1))).to.equal('ENOPROTOOPT');
    expect(said(sockets.setsockopt(fd, IPPROTO_TLS, TLS_CONF_IDX, 1))).to.equal('ENOPROTOOPT');
    expect(said(sockets.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 100))).to.equal('EINVAL');
    expect(said(sockets.setsockopt(fd, SOL_SOCKET, SO_ASYNC_MODE, 3))).to.equal('EINVAL');
    expect(said(sockets.setsockopt(fd, IPPROTO_IP, IP_TOS, 0x18))).to.equal('EINVAL');
    expect(said(sockets.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1.5))).to.equal('EINVAL');
  });

  it('survives one the module refuses, and tells', async () => {
    const { module, sockets, events, fd, send } = await connected();
    module.answers.set('SOCKC', refusal(StatusCode.SOCKET_SET_OPT_FAILED));
    sockets.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    await module.settle();
    expect(events).to.deep.equal(['1 ERROR error']);
    expect(send(fd, 'still there')).to.equal('ok:11');
  });
});

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

describe('BsdSockets: servers', () => {
  it('binds, listens, accepts, and serves the connection under a descriptor of its own', async () => {
    const { module, sockets, events, said, poll, recv, send } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    expect(said(sockets.bind(fd, { family: AF_INET, address: '0.0.0.0', port: 7777 }))).to.equal('ok:0');
    expect(said(sockets.listen(fd, 2))).to.equal('EAGAIN');
    await module.settle();
    expect(said(sockets.listen(fd, 2))).to.equal('EAGAIN');
    await module.settle();
    expect(said(sockets.listen(fd, 2))).to.equal('ok:0');
    expect(events).to.deep.equal(['1 OPEN', '1 LISTEN']);
    expect(module.calls.at(-1)).to.equal('SOCKBL {"sockId":700,"lclPort":7777,"pendSkts":2}');
    expect(said(sockets.accept(fd))).to.equal('EAGAIN');
    module.indicate(701, 7777, 51000);
    // Data may come before it is accepted.
    module.event('SOCKRXT', 'TCP_RECEIVE_ASYNC_RELIABLE', {
      sockId: 701,
      length: 2,
      seqNum: 0,
      data: Buffer.from('hi'),
    });
    expect(events.at(-1)).to.equal('1 CONNECT_REQ');
    expect(poll(fd)).to.equal(POLLIN);
    const from = { family: 0, address: '', port: 0 };
    const child = sockets.accept(fd, from);
    expect(child).to.equal(2);
    expect(from).to.deep.equal({ family: AF_INET, address: '10.0.2.2', port: 51000 });
    expect(poll(fd)).to.equal(0);
    expect(recv(child)).to.equal('hi');
    expect(send(child, 'yo')).to.equal('ok:2');
    module.peerClosed(701);
    expect(recv(child)).to.equal('ok:0');
    sockets.shutdown(child);
    sockets.shutdown(fd);
    await module.settle();
    expect(events.slice(-2)).to.deep.equal(['2 CLOSE', '1 CLOSE']);
  });

  it('answers misuse', async () => {
    const { module, sockets, said } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    const udp = sockets.socket(AF_INET, SOCK_DGRAM);
    await module.settle();
    expect(said(sockets.listen(fd, 0))).to.equal('EADDRINUSE');
    expect(said(sockets.listen(udp, 0))).to.equal('EOPNOTSUPP');
    expect(said(sockets.bind(fd, { family: AF_INET, address: '0.0.0.0', port: 0 }))).to.equal('EINVAL');
    expect(said(sockets.bind(fd, undefined))).to.equal('EFAULT');
    expect(said(sockets.accept(fd))).to.equal('EINVAL');
  });

  it('tells a port that is taken', async () => {
    const { module, sockets, events, said } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    await module.settle();
    sockets.bind(fd, { family: AF_INET, address: '0.0.0.0', port: 80 });
    module.answers.set('SOCKBL', refusal(StatusCode.SOCKET_BIND_FAILED));
    sockets.listen(fd, 0);
    await module.settle();
    expect(events.at(-1)).to.equal('1 ERROR error');
    expect(said(sockets.listen(fd, 0))).to.equal('EADDRINUSE');
  });

  it('closes a connection nobody listens for', async () => {
    const { module } = rig();
    module.indicate(900, 1234);
    await module.settle();
    expect(module.calls).to.deep.equal(['SOCKCL {"sockId":900}']);
  });

  it('closes what was never accepted with its listener', async () => {
    const { module, sockets } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM);
    await module.settle();
    sockets.bind(fd, { family: AF_INET, address: '0.0.0.0', port: 80 });
    sockets.listen(fd, 0);
    await module.settle();
    module.indicate(701, 80);
    sockets.shutdown(fd);
    await module.settle();
    expect(module.calls.slice(-2).sort()).to.deep.equal(['SOCKCL {"sockId":700}', 'SOCKCL {"sockId":701}']);
  });
});

describe('BsdSockets: datagrams', () => {
  const from = { rmtAddr: '10.0.2.2', rmtPort: 9 };

  async function bound(wire: 'at' | 'tlv') {
    const all = rig(wire);
    const fd = all.sockets.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    const local = { family: AF_INET, address: '0.0.0.0', port: 5000 };
    expect(all.said(all.sockets.bind(fd, local))).to.equal('EAGAIN');
    await all.module.settle();
    expect(all.said(all.sockets.bind(fd, local))).to.equal('EAGAIN');
    await all.module.settle();
    expect(all.said(all.sockets.bind(fd, local))).to.equal('ok:0');
    all.module.calls.length = 0;
    return { ...all, fd };
  }

  it('binds, and receives with the sender and true lengths', async () => {
    const { module, sockets, events, fd, said, poll } = await bound('tlv');
    expect(events).to.deep.equal(['1 OPEN', '1 LISTEN']);
    for (const [text, seqNum] of [
      ['first', 0],
      ['second one', 5],
    ] as const) {
      module.event('SOCKRXU', 'UDP_RECEIVE_ASYNC_RELIABLE', {
        sockId: 700,
        ...from,
        length: text.length,
        seqNum,
        data: Buffer.from(text),
      });
    }
    expect(poll(fd)).to.equal(POLLIN | POLLOUT);
    expect(sockets.recvfrom(fd, null, 0, MSG_PEEK | MSG_TRUNC, null)).to.equal(5);
    const address = { family: 0, address: '', port: 0 };
    const buffer = new Uint8Array(6);
    expect(sockets.recvfrom(fd, buffer, 6, 0, address)).to.equal(5);
    expect(address).to.deep.equal({ family: AF_INET, address: '10.0.2.2', port: 9 });
    expect(sockets.recvfrom(fd, buffer, 6, MSG_TRUNC)).to.equal(10);
    expect(Buffer.from(buffer).toString()).to.equal('second');
    expect(said(sockets.recvfrom(fd, buffer))).to.equal('EAGAIN');
  });

  it('polls one datagram after the other, as the answers tell', async () => {
    const { module, sockets, fd } = await bound('at');
    const stock = ['one', 'three'];
    module.answers.set('SOCKRD', ({ sockId, outputMode }) => {
      expect(outputMode).to.equal(3);
      const data = Buffer.from(stock.shift() as string);
      const pendData = stock[0]?.length ?? 0;
      const elements = { sockId, length: data.length, pendData, pendDatagram: stock.length, ...from, data };
      return [{ form: 'SOCKET_READ_RESPONSE_UDP_EXTENDED', elements }];
    });
    module.event('SOCKRXU', 'UDP_RECEIVE_POLLED', { sockId: 700, ...from, pendData: 3, pendDatagram: 1 });
    await module.settle();
    const buffer = new Uint8Array(10);
    expect(sockets.recvfrom(fd, buffer)).to.equal(3);
    expect(sockets.recvfrom(fd, buffer)).to.equal(5);
    expect(module.calls.map((call) => /"length":(\d+)/.exec(call)?.[1])).to.deep.equal(['3', '5']);
  });

  it('sends to addresses, and to its peer once connected', async () => {
    const { module, sockets, fd, said, send } = await bound('tlv');
    expect(send(fd, 'x')).to.equal('EDESTADDRREQ');
    expect(said(sockets.sendto(fd, Buffer.alloc(1473), 0, peer))).to.equal('EMSGSIZE');
    expect(said(sockets.sendto(fd, Buffer.from('hello'), 0, peer))).to.equal('ok:5');
    expect(said(sockets.connect(fd, peer))).to.equal('EINPROGRESS');
    await module.settle();
    expect(said(sockets.connect(fd, peer))).to.equal('EISCONN');
    expect(send(fd, 'you')).to.equal('ok:3');
    await module.settle();
    expect(module.calls).to.deep.equal([
      'SOCKWRTO {"sockId":700,"rmtAddr":"10.0.2.2","rmtPort":80,"length":5,"seqNum":0,"data":"hello"}',
      'SOCKBR {"sockId":700,"rmtAddr":"10.0.2.2","rmtPort":80}',
      'SOCKWR {"sockId":700,"length":3,"seqNum":5,"data":"you"}',
    ]);
  });

  it('skips a datagram the module refuses and sends the next', async () => {
    const { module, sockets, events, fd } = await bound('at');
    module.answers.set('SOCKWRTO', ({ rmtPort }) =>
      rmtPort === 1 ? refusal(StatusCode.SOCKET_SEND_FAILED)() : [],
    );
    sockets.sendto(fd, Buffer.from('a'), 0, { ...peer, port: 1 });
    sockets.sendto(fd, Buffer.from('b'), 0, peer);
    await module.settle();
    expect(events.slice(-2)).to.deep.equal(['1 SEND error', '1 SEND']);
  });

  it('joins groups once it is bound, and only groups', async () => {
    const { module, sockets, fd, said } = await bound('at');
    const unbound = sockets.socket(AF_INET, SOCK_DGRAM);
    const join = (on: number, multiaddr: string) =>
      said(sockets.setsockopt(on, IPPROTO_IP, IP_ADD_MEMBERSHIP, { multiaddr }));
    expect(join(fd, '224.0.0.251')).to.equal('ok:0');
    expect(join(fd, '10.0.0.1')).to.equal('EINVAL');
    expect(join(fd, 'ff02::fb')).to.equal('EINVAL');
    expect(join(unbound, '224.0.0.251')).to.equal('EINVAL');
    await module.settle();
    expect(module.calls).to.include('SOCKBM {"sockId":700,"mcastAddr":"224.0.0.251","mcastPort":5000}');
  });
});

describe('BsdSockets: TLS', () => {
  it('connects in two steps', async () => {
    const { module, sockets, events, said, poll, send } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TLS);
    await module.settle();
    expect(said(sockets.connect(fd, peer))).to.equal('EINVAL');
    sockets.setsockopt(fd, IPPROTO_TLS, TLS_CONF_IDX, 2);
    expect(said(sockets.connect(fd, peer))).to.equal('EINPROGRESS');
    await module.settle();
    expect(module.calls.slice(-2)).to.deep.equal([
      'SOCKTLS {"sockId":700,"tlsConf":2}',
      'SOCKBR {"sockId":700,"rmtAddr":"10.0.2.2","rmtPort":80}',
    ]);
    module.indicate(700);
    expect(poll(fd)).to.equal(0);
    expect(send(fd, 'x')).to.equal('ENOTCONN');
    expect(said(sockets.connect(fd, peer))).to.equal('EINPROGRESS');
    module.event('SOCKTLS', 'TLS_SUCCEED', { sockId: 700 });
    expect(events.slice(1)).to.deep.equal(['1 CONNECT', '1 TLS_CONNECT']);
    expect(poll(fd)).to.equal(POLLOUT);
    expect(send(fd, 'x')).to.equal('ok:1');
  });

  it('fails with EPROTO when the handshake does', async () => {
    const { module, sockets, poll, recv } = rig();
    const fd = sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TLS);
    sockets.setsockopt(fd, IPPROTO_TLS, TLS_CONF_IDX, 1);
    await module.settle();
    sockets.connect(fd, peer);
    await module.settle();
    module.indicate(700);
    module.event('SOCKERR', 'TCP_BIND_FAILED', { sockId: 700, errorCode: StatusCode.SOCKET_TLS_FAILED });
    expect(poll(fd)).to.equal(POLLERR);
    expect(recv(fd)).to.equal('EPROTO');
  });
});

describe('Errno', () => {
  it('names its numbers', () => {
    expect(errnoName(Errno.EWOULDBLOCK)).to.equal('EAGAIN');
    expect(errnoName(Errno.ECONNREFUSED)).to.equal('ECONNREFUSED');
    expect(errnoName(4711)).to.equal(undefined);
  });
});
