import { expect } from 'chai';
import {
  AF_INET,
  IP_ADD_MEMBERSHIP,
  IPPROTO_IP,
  IPPROTO_TLS,
  IPPROTO_UDP,
  MSG_PEEK,
  MSG_TRUNC,
  POLLERR,
  POLLIN,
  POLLOUT,
  SOCK_DGRAM,
  SOCK_STREAM,
  TLS_CONF_IDX,
} from '../../bsd-sockets/index.js';
import { StatusCode } from '../../driver/protocol/index.js';
import { refusal } from './fake-module.js';

import { peer, rig } from './rig.js';

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
