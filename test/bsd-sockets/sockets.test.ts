import { expect } from 'chai';
import {
  AF_INET,
  AF_INET6,
  Errno,
  errnoName,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_TLS,
  IPPROTO_UDP,
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
  TCP_NODELAY,
  TLS_CONF_IDX,
} from '../../bsd-sockets/index.js';
import { StatusCode, WincError } from '../../driver/protocol/index.js';
import { refusal } from './fake-module.js';

import { connected, peer, rig } from './rig.js';

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
    expect(events.slice(1)).to.deep.equal(['1 ERROR error']);
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

describe('Errno', () => {
  it('names its numbers', () => {
    expect(errnoName(Errno.EWOULDBLOCK)).to.equal('EAGAIN');
    expect(errnoName(Errno.ECONNREFUSED)).to.equal('ECONNREFUSED');
    expect(errnoName(4711)).to.equal(undefined);
  });
});
