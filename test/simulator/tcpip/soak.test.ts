import { expect } from 'chai';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import type { Random, TcpConnection } from '../../../simulator/tcpip/contract.js';
import { ImpairedLink, memoryPipe, onClock, parseImpairment } from '../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import { createStack, type EngineStack } from '../../../simulator/tcpip/stack.js';
import type { TcpOptions } from '../../../simulator/tcpip/tcp/options.js';

/** A byte that depends on its whole position, so that no piece can stand in another's place unnoticed. */
const byteAt = (position: number, salt: number): number =>
  (Math.imul(position ^ salt, 0x9e3779b1) >>> 24) & 0xff;

interface Direction {
  sent: number;
  received: number;
}

/** Sends `total` patterned bytes in writes of random size, checks what comes in, and shuts down after the last. */
function endpoint(
  connection: () => TcpConnection,
  total: number,
  random: Random,
  outgoing: Direction,
  incoming: Direction,
  salt: number,
) {
  const into = new Uint8Array(40_000);
  const pump = (): void => {
    const c = connection();
    while (outgoing.sent < total) {
      const size = Math.min(total - outgoing.sent, 1 + Math.floor(random() * 20_000));
      const start = outgoing.sent;
      const data = Uint8Array.from({ length: size }, (_, i) => byteAt(start + i, salt));
      const taken = c.write(data);
      outgoing.sent += taken;
      if (taken < size) return;
    }
    c.shutdown();
  };
  return {
    connected: pump,
    writable: pump,
    readable(): void {
      const c = connection();
      const n = c.read(into);
      for (let i = 0; i < n; i++) {
        if (into[i] !== byteAt(incoming.received + i, ~salt))
          throw new Error(`wrong byte at ${incoming.received + i}`);
      }
      incoming.received += n;
      if (c.readable > 0) this.readable();
    },
  };
}

interface Soak {
  readonly client: EngineStack;
  readonly server: EngineStack;
  readonly clock: VirtualClock;
}

function soak(
  seed: number,
  impairment: string,
  options: { total?: number; tcp?: TcpOptions; v6?: boolean } = {},
): Soak {
  const { total = 400_000, tcp = {}, v6 = false } = options;
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const [left, right] = memoryPipe({ dispatch: onClock(clock) });
  const spec = parseImpairment(impairment);
  const impaired = new ImpairedLink(left, {
    clock,
    random: seededRandom(seed + 1),
    outbound: spec,
    inbound: spec,
  });
  const client = createStack({ link: impaired, clock, random: seededRandom(seed + 2), tcp });
  const server = createStack({ link: right, clock, random: seededRandom(seed + 3), tcp });
  client.addAddress(v6 ? 'fd00::1' : '10.0.0.1', v6 ? 64 : 24);
  server.addAddress(v6 ? 'fd00::2' : '10.0.0.2', v6 ? 64 : 24);
  clock.advance(5000);
  const up: Direction = { sent: 0, received: 0 };
  const down: Direction = { sent: 0, received: 0 };
  const closed: string[] = [];
  server.tcpListen({ port: 9 }, (connection) => ({
    ...endpoint(() => connection, total, random, down, up, ~7),
    closed: (failure) => closed.push(failure),
  }));
  const connection: TcpConnection = client.tcpConnect(
    { address: v6 ? 'fd00::2' : '10.0.0.2', port: 9 },
    { ...endpoint(() => connection, total, random, up, down, 7), closed: (failure) => closed.push(failure) },
  );
  for (let step = 0; closed.length < 2 && step < 3000; step++) clock.advance(1000);
  expect(closed, `${JSON.stringify({ up, down })}`).to.deep.equal(['none', 'none']);
  expect(up.received).to.equal(total);
  expect(down.received).to.equal(total);
  return { client, server, clock };
}

/** Nothing of it is left once TIME-WAIT is over. */
function finish({ client, server, clock }: Soak): void {
  clock.advance(130_000);
  expect([...client.connections()].length + [...server.connections()].length).to.equal(0);
  client.close();
  server.close();
}

describe('soak: every byte arrives, both ways at once', () => {
  const links = [
    'delay=10ms',
    'loss=1%,delay=10ms',
    'loss=10%,delay=20ms,jitter=5ms',
    'loss=5%,burst=4,delay=20ms',
    'reorder=20%,delay=10ms,jitter=8ms',
    'dup=10%,delay=5ms',
    'corrupt=2%,delay=5ms',
    'loss=2%,reorder=5%,dup=5%,corrupt=1%,delay=30ms,jitter=20ms',
    'rate=8mbit,queue=30,delay=20ms',
    'loss=3%',
  ];
  for (const [index, impairment] of links.entries()) {
    for (const seed of [1, 2, 3]) {
      it(`${impairment}, seed ${seed}`, () => finish(soak(100 * index + seed, impairment)));
    }
  }

  it('over IPv6', () => finish(soak(7, 'loss=3%,delay=10ms,reorder=5%', { v6: true })));
  for (const [name, tcp] of [
    ['without SACK', { sack: false }],
    ['without timestamps', { timestamps: false }],
    ['without window scaling', { windowScaling: false }],
    ['without any extension', { sack: false, timestamps: false, windowScaling: false }],
    ['with Reno', { congestionControl: 'reno' }],
    ['with ECN', { ecn: 'on' }],
    [
      'with small buffers',
      { receiveBuffer: 3000, maxReceiveBuffer: 3000, sendBuffer: 2000, maxSendBuffer: 2000 },
    ],
    ['with tiny segments', { maxSegmentSize: 100 }],
  ] satisfies [string, TcpOptions][]) {
    it(`${name}, lossy`, () => {
      finish(soak(31, 'loss=4%,delay=10ms,reorder=3%', { total: 100_000, tcp }));
    });
  }

  it('marks instead of losses: ECN keeps a clean link free of retransmissions', () => {
    const run = soak(5, 'ecn=2%,delay=10ms', { tcp: { ecn: 'on' } });
    expect(run.client.stats.tcpCongestionMarks + run.server.stats.tcpCongestionMarks).to.be.greaterThan(0);
    expect(run.client.stats.tcpRetransmits + run.server.stats.tcpRetransmits).to.equal(0);
    finish(run);
  });

  it('a clean link with delay needs no retransmission at all', () => {
    const run = soak(6, 'delay=25ms');
    expect(run.client.stats.tcpRetransmits + run.server.stats.tcpRetransmits).to.equal(0);
    finish(run);
  });

  it('the same seed gives the same run', () => {
    const once = soak(11, 'loss=5%,delay=10ms,jitter=5ms');
    const again = soak(11, 'loss=5%,delay=10ms,jitter=5ms');
    expect({ ...once.client.stats }).to.deep.equal({ ...again.client.stats });
    expect({ ...once.server.stats }).to.deep.equal({ ...again.server.stats });
  });
});
