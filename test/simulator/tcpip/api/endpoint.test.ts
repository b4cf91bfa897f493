import { expect } from 'chai';
import {
  type AcceptDecision,
  CONNECT_NO_FAST_OPEN,
  DisconnectedReason,
  type EndpointInitializeArgs,
  IncomingConnectionAction,
  type LinkedBuffer,
  OtError,
  SEND_MORE_TO_COME,
  TcpEndpoint,
  TcpListener,
} from '../../../../simulator/tcpip/api/endpoint/index.js';
import { addressOf, type Pair, pair, pattern } from './pair.js';

const linked = (data: Uint8Array, length = data.length): LinkedBuffer => ({ data, length });
const reasonNames = Object.keys(DisconnectedReason);

interface Logged {
  readonly endpoint: TcpEndpoint;
  readonly events: string[];
}

/** An endpoint that writes down its callbacks. */
function logged(net: Pair, side: 'a' | 'b', extra: Partial<EndpointInitializeArgs> = {}): Logged {
  const events: string[] = [];
  const endpoint = new TcpEndpoint();
  const error = endpoint.initialize(net[side], {
    context: side,
    established: () => events.push('established'),
    sendDone: (_, buffer) => events.push(`sendDone ${buffer.length}`),
    bytesAcked: (_, bytes) => events.push(`bytesAcked ${bytes}`),
    sendReady: () => events.push('sendReady'),
    receiveAvailable: (_, available, end, remaining) =>
      events.push(`receiveAvailable ${available} ${end} ${remaining}`),
    disconnected: (_, reason) => events.push(`disconnected ${reasonNames[reason]}`),
    receiveBuffer: new Uint8Array(4096),
    ...extra,
  });
  expect(error).to.equal(OtError.NONE);
  return { endpoint, events };
}

describe('endpoint API (OpenThread otTcp)', () => {
  let net: Pair;
  beforeEach(() => {
    net = pair();
  });
  afterEach(() => net.close());

  function listening(decide: (peer: string) => AcceptDecision, log: string[] = []): TcpListener {
    const listener = new TcpListener();
    listener.initialize(net.b, {
      context: 'listener',
      acceptReady: (_, peer) => decide(peer.address),
      acceptDone: (_, _endpoint, peer) => log.push(`acceptDone ${peer.address}`),
    });
    expect(listener.listen({ address: '::', port: 80 })).to.equal(OtError.NONE);
    return listener;
  }

  /** Client and server, connected. */
  async function connected(flags = CONNECT_NO_FAST_OPEN) {
    const server = logged(net, 'b');
    const log: string[] = [];
    const listener = listening(
      () => ({ action: IncomingConnectionAction.ACCEPT, into: server.endpoint }),
      log,
    );
    const client = logged(net, 'a');
    expect(client.endpoint.connect({ address: addressOf.b, port: 80 }, flags)).to.equal(OtError.NONE);
    await net.advance(10);
    return { client, server, listener, log };
  }

  it('initialize once, deinitialize, getInstance, getContext', () => {
    const { endpoint } = logged(net, 'a');
    expect(endpoint.initialize(net.a, { receiveBuffer: new Uint8Array(4096) })).to.equal(OtError.FAILED);
    expect([endpoint.getInstance(), endpoint.getContext()]).to.deep.equal([net.a, 'a']);
    expect(endpoint.deinitialize()).to.equal(OtError.NONE);
    expect(endpoint.deinitialize()).to.equal(OtError.FAILED);
    expect(endpoint.getInstance()).to.equal(undefined);
    expect(new TcpEndpoint().initialize(net.a, { receiveBuffer: new Uint8Array(10) })).to.equal(
      OtError.FAILED,
    );
  });

  it('connect without Fast Open, established, acceptDone, addresses', async () => {
    const { client, server, log } = await connected();
    expect(client.events[0]).to.equal('established');
    expect(server.events[0]).to.equal('established');
    expect(log).to.deep.equal([`acceptDone ${addressOf.a}`]);
    expect(client.endpoint.getPeerAddress()).to.deep.equal({ address: addressOf.b, port: 80 });
    expect(server.endpoint.getPeerAddress()).to.deep.equal(client.endpoint.getLocalAddress());
    expect(client.endpoint.connect({ address: addressOf.b, port: 80 }, 0)).to.equal(OtError.FAILED);
  });

  it('connect with Fast Open sends nothing before the first data', async () => {
    const { client, server } = await connected(0);
    expect(client.events).to.deep.equal([]);
    expect([...net.b.connections()].length).to.equal(0);
    client.endpoint.sendByReference(linked(pattern(10)), 0);
    await net.advance(100);
    expect(client.events).to.include.members(['established', 'sendDone 10']);
    expect(server.events).to.include('receiveAvailable 10 false 4086');
  });

  it('the second Fast Open connection carries its data in the SYN', async () => {
    const { client, server, log } = await connected(0);
    client.endpoint.sendByReference(linked(pattern(10)), 0);
    await net.advance(100);
    client.endpoint.abort();
    await net.advance(10);
    [server.events.length, log.length] = [0, 0];
    // From now on only SYNs pass.
    net.lose = (frame) => frame[23] === 6 && (frame[47] & 2) === 0;
    client.endpoint.connect({ address: addressOf.b, port: 80 }, 0);
    client.endpoint.sendByReference(linked(pattern(20)), 0);
    await net.advance(5);
    expect(server.events).to.include('receiveAvailable 20 false 4076');
    expect(log, 'ready before the handshake is done').to.deep.equal([`acceptDone ${addressOf.a}`]);
  });

  it('bind chooses address and port, refuses what is not ours', async () => {
    const server = logged(net, 'b');
    listening(() => ({ action: IncomingConnectionAction.ACCEPT, into: server.endpoint }));
    const { endpoint } = logged(net, 'a');
    expect(endpoint.bind({ address: '192.0.2.1', port: 5000 })).to.equal(OtError.FAILED);
    expect(endpoint.bind({ address: 'none', port: 5000 })).to.equal(OtError.FAILED);
    expect(endpoint.bind({ address: addressOf.a, port: 5000 })).to.equal(OtError.NONE);
    expect(endpoint.getLocalAddress()).to.deep.equal({ address: addressOf.a, port: 5000 });
    endpoint.connect({ address: addressOf.b, port: 80 }, CONNECT_NO_FAST_OPEN);
    await net.advance(10);
    expect(server.endpoint.getPeerAddress()).to.deep.equal({ address: addressOf.a, port: 5000 });
    expect(endpoint.bind({ address: '::', port: 0 }), 'while connected').to.equal(OtError.FAILED);
  });

  it('sendByReference: zero copy, ownership back in sendDone, bytesAcked counts', async () => {
    const { client, server } = await connected();
    const [one, two] = [linked(pattern(1000)), linked(pattern(500, 1000))];
    const given: LinkedBuffer[] = [];
    client.endpoint.deinitialize();
    const again = logged(net, 'a', { sendDone: (_, buffer) => void given.push(buffer) });
    server.endpoint.abort();
    again.endpoint.connect({ address: addressOf.b, port: 80 }, CONNECT_NO_FAST_OPEN);
    await net.advance(10);
    expect(again.endpoint.sendByReference(one, 0)).to.equal(OtError.NONE);
    expect(again.endpoint.sendByReference(two, 0)).to.equal(OtError.NONE);
    expect(given).to.deep.equal([]);
    await net.advance(200);
    expect(given).to.deep.equal([one, two]);
    expect(given[0]).to.equal(one);
    const acked = again.events.filter((event) => event.startsWith('bytesAcked'));
    expect(acked.reduce((sum, event) => sum + Number(event.slice(11)), 0)).to.equal(1500);
  });

  it('sendByReference refuses a chain, an empty buffer, and when there is no connection', async () => {
    const idle = logged(net, 'a');
    expect(idle.endpoint.sendByReference(linked(pattern(5)), 0)).to.equal(OtError.FAILED);
    const { client } = await connected();
    expect(client.endpoint.sendByReference({ ...linked(pattern(5)), next: linked(pattern(5)) }, 0)).to.equal(
      OtError.FAILED,
    );
    expect(client.endpoint.sendByReference(linked(pattern(5), 0), 0)).to.equal(OtError.FAILED);
    expect(client.endpoint.sendByReference(linked(pattern(5), 6), 0)).to.equal(OtError.FAILED);
  });

  it('sendByExtension grows the last buffer, in place, and fails when there is none', async () => {
    const { client, server } = await connected();
    expect(client.endpoint.sendByExtension(5, 0)).to.equal(OtError.FAILED);
    const buffer = linked(pattern(100), 60);
    client.endpoint.sendByReference(buffer, SEND_MORE_TO_COME);
    expect(client.endpoint.sendByExtension(41, 0)).to.equal(OtError.FAILED);
    expect(client.endpoint.sendByExtension(40, 0)).to.equal(OtError.NONE);
    await net.advance(200);
    expect(client.events.filter((event) => event.startsWith('sendDone'))).to.deep.equal(['sendDone 100']);
    const { buffer: got } = server.endpoint.receiveByReference();
    expect([...(got?.data ?? [])]).to.deep.equal([...pattern(100)]);
    expect(client.endpoint.sendByExtension(1, 0)).to.equal(OtError.FAILED);
  });

  it('MORE_TO_COME holds a short segment back', async () => {
    const { client, server } = await connected();
    client.endpoint.sendByReference(linked(pattern(10)), SEND_MORE_TO_COME);
    await net.advance(20);
    expect(server.events.some((event) => event.startsWith('receive'))).to.equal(false);
    client.endpoint.sendByReference(linked(pattern(5)), 0);
    await net.advance(20);
    expect(server.events).to.include('receiveAvailable 15 false 4081');
  });

  it('sendReady comes after each send, from outside it, and only when nothing waits for the peer', async () => {
    const { client } = await connected();
    client.endpoint.sendByReference(linked(pattern(10)), 0);
    expect(client.events).to.not.include('sendReady');
    await net.advance(200);
    expect(client.events.filter((event) => event === 'sendReady').length).to.equal(1);
    client.events.length = 0;
    client.endpoint.sendByReference(linked(pattern(20_000)), 0);
    await net.advance(50);
    expect(client.events, 'the peer has room for 4096 only').to.not.include('sendReady');
  });

  it('receiveByReference, receiveContiguify and commitReceive work where the bytes lie', async () => {
    const { client, server } = await connected();
    const { endpoint } = server;
    const data = pattern(7000);
    client.endpoint.sendByReference(linked(data), 0);
    await net.advance(100);
    expect(endpoint.commitReceive(5000, 0)).to.equal(OtError.FAILED);
    let offset = 0;
    let wrapped = 0;
    while (offset < data.length) {
      const { buffer } = endpoint.receiveByReference();
      if (buffer === undefined) break;
      if (buffer.next !== undefined) {
        wrapped++;
        const chained = [...buffer.data, ...buffer.next.data];
        expect(endpoint.receiveContiguify()).to.equal(OtError.NONE);
        const whole = endpoint.receiveByReference().buffer;
        expect(whole?.next).to.equal(undefined);
        expect([...(whole?.data ?? [])]).to.deep.equal(chained);
      }
      const piece = Math.min(900, buffer.length);
      expect([...buffer.data.subarray(0, piece)]).to.deep.equal([...data.subarray(offset, offset + piece)]);
      expect(endpoint.commitReceive(piece, 0)).to.equal(OtError.NONE);
      offset += piece;
      await net.advance(300);
    }
    expect(offset).to.equal(7000);
    expect(wrapped).to.be.greaterThan(0);
  });

  it('sendEndOfStream: the peer sees the end after all data; sending afterwards fails; receiving goes on', async () => {
    const { client, server } = await connected();
    client.endpoint.sendByReference(linked(pattern(10)), 0);
    expect(client.endpoint.sendEndOfStream()).to.equal(OtError.NONE);
    expect(client.endpoint.sendEndOfStream()).to.equal(OtError.FAILED);
    expect(client.endpoint.sendByReference(linked(pattern(1)), 0)).to.equal(OtError.FAILED);
    await net.advance(100);
    expect(server.events.at(-1)).to.equal('receiveAvailable 10 true 4086');
    server.endpoint.sendByReference(linked(pattern(3)), 0);
    await net.advance(100);
    expect(client.events).to.include('receiveAvailable 3 false 4093');
  });

  it('disconnected twice around TIME-WAIT for who closes first, once for the other', async () => {
    const { client, server } = await connected();
    client.endpoint.sendEndOfStream();
    await net.advance(100);
    server.endpoint.sendEndOfStream();
    await net.advance(100);
    const ends = (events: string[]): string[] => events.filter((event) => event.startsWith('disconnected'));
    expect(ends(client.events)).to.deep.equal(['disconnected TIME_WAIT']);
    expect(ends(server.events)).to.deep.equal(['disconnected NORMAL']);
    expect(client.endpoint.connect({ address: addressOf.b, port: 80 }, 0), 'busy').to.equal(OtError.FAILED);
    await net.advance(200_000);
    expect(ends(client.events)).to.deep.equal(['disconnected TIME_WAIT', 'disconnected NORMAL']);
    expect(client.endpoint.connect({ address: addressOf.b, port: 80 }, 0)).to.equal(OtError.NONE);
  });

  it('disconnected REFUSED, RESET, TIMED_OUT', async () => {
    const refused = logged(net, 'a');
    refused.endpoint.connect({ address: addressOf.b, port: 81 }, CONNECT_NO_FAST_OPEN);
    await net.advance(10);
    expect(refused.events).to.deep.equal(['disconnected REFUSED']);
    const { client, server } = await connected();
    server.endpoint.abort();
    await net.advance(10);
    expect(client.events.at(-1)).to.equal('disconnected RESET');
    net.lose = (frame) => frame[23] === 6;
    const silent = logged(net, 'a');
    silent.endpoint.connect({ address: addressOf.b, port: 80 }, CONNECT_NO_FAST_OPEN);
    await net.advance(300_000);
    expect(silent.events).to.deep.equal(['disconnected TIMED_OUT']);
  });

  it('abort resets, calls nothing back, and the endpoint is free at once', async () => {
    const { client, server } = await connected();
    client.endpoint.sendByReference(linked(pattern(10)), 0);
    client.events.length = 0;
    expect(client.endpoint.abort()).to.equal(OtError.NONE);
    expect(client.endpoint.connect({ address: addressOf.b, port: 81 }, CONNECT_NO_FAST_OPEN)).to.equal(
      OtError.NONE,
    );
    await net.advance(100);
    expect(server.events.at(-1)).to.equal('disconnected RESET');
    expect(client.events).to.deep.equal(['disconnected REFUSED']);
  });

  it('deinitialize ends a live connection as abort does', async () => {
    const { client, server } = await connected();
    client.endpoint.deinitialize();
    await net.advance(10);
    expect(server.events.at(-1)).to.equal('disconnected RESET');
    expect(client.endpoint.getContext()).to.equal(undefined);
  });

  it('listener: initialize, listen, stopListening, deinitialize', async () => {
    const listener = listening(() => ({ action: IncomingConnectionAction.REFUSE }));
    expect([listener.getInstance(), listener.getContext()]).to.deep.equal([net.b, 'listener']);
    expect(
      listener.initialize(net.b, { acceptReady: () => ({ action: IncomingConnectionAction.REFUSE }) }),
    ).to.equal(OtError.FAILED);
    expect(listener.listen({ address: '::', port: 81 })).to.equal(OtError.FAILED);
    const other = new TcpListener();
    expect(other.listen({ address: '::', port: 80 })).to.equal(OtError.FAILED);
    other.initialize(net.b, { acceptReady: () => ({ action: IncomingConnectionAction.REFUSE }) });
    expect(other.listen({ address: '::', port: 80 }), 'taken').to.equal(OtError.FAILED);
    expect(listener.stopListening()).to.equal(OtError.NONE);
    expect(listener.stopListening()).to.equal(OtError.FAILED);
    expect(other.listen({ address: addressOf.b, port: 80 })).to.equal(OtError.NONE);
    expect(listener.deinitialize()).to.equal(OtError.NONE);
    expect(listener.deinitialize()).to.equal(OtError.FAILED);
  });

  it('acceptReady REFUSE resets; DEFER is silent until the peer asks again', async () => {
    const server = logged(net, 'b');
    const answers: AcceptDecision[] = [
      { action: IncomingConnectionAction.REFUSE },
      { action: IncomingConnectionAction.DEFER },
      { action: IncomingConnectionAction.ACCEPT, into: server.endpoint },
    ];
    const peers: string[] = [];
    listening((peer) => {
      peers.push(peer);
      return answers.shift() ?? { action: IncomingConnectionAction.REFUSE };
    });
    const client = logged(net, 'a');
    client.endpoint.connect({ address: addressOf.b, port: 80 }, CONNECT_NO_FAST_OPEN);
    await net.advance(10);
    expect(client.events).to.deep.equal(['disconnected REFUSED']);
    client.endpoint.connect({ address: addressOf.b, port: 80 }, CONNECT_NO_FAST_OPEN);
    await net.advance(500);
    expect(client.events.length).to.equal(1);
    await net.advance(5000);
    expect(client.events.slice(1, 2)).to.deep.equal(['established']);
    expect(peers).to.deep.equal([addressOf.a, addressOf.a, addressOf.a]);
  });

  it('ACCEPT into a busy endpoint is as DEFER', async () => {
    const { server } = await connected();
    const client = logged(net, 'a');
    client.endpoint.connect({ address: addressOf.b, port: 80 }, CONNECT_NO_FAST_OPEN);
    await net.advance(500);
    expect(client.events).to.deep.equal([]);
    server.endpoint.abort();
    await net.advance(5000);
    expect(client.events[0]).to.equal('established');
  });
});
