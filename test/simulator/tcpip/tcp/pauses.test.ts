/** A process that is held up must not take its own pause for a loss. */
import { expect } from 'chai';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import type { Clock, Link, TcpConnection } from '../../../../simulator/tcpip/contract.js';
import { Device, memoryPipe, onClock } from '../../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { createStack, type EngineStack } from '../../../../simulator/tcpip/stack.js';
import type { TcpOptions } from '../../../../simulator/tcpip/tcp/options.js';

/** What arrives waits here until it is asked for. */
class WaitingLink extends Device {
  held = false;
  readonly #waiting: Uint8Array[] = [];

  protected override inbound(frame: Uint8Array, length: number): void {
    if (this.held) this.#waiting.push(frame.slice(0, length));
    else this.receive(frame, length);
  }

  override poll(): void {
    for (const frame of this.#waiting.splice(0)) this.receive(frame, frame.length);
  }
}

/** Each segment sent takes so long. */
class SlowLink extends Device {
  costMs = 0;
  spentMs = 0;

  override transmit(frame: Uint8Array, length: number): boolean {
    this.spentMs += this.costMs;
    return super.transmit(frame, length);
  }
}

interface Sender {
  readonly stack: EngineStack;
  readonly connection: TcpConnection;
}

/** A connection through `link`, established, its round trip measured. */
function connected(
  { clock, ours, link, theirs }: { clock: VirtualClock; ours: Clock; link: Link; theirs: Link },
  tcp: TcpOptions,
): Sender {
  const random = seededRandom(1);
  const stack = createStack({ link, clock: ours, random, mac: '02:00:00:00:00:01', tcp });
  const peer = createStack({ link: theirs, clock, random, mac: '02:00:00:00:00:02', tcp });
  stack.addAddress('10.0.0.1', 24);
  peer.addAddress('10.0.0.2', 24);
  clock.advance(1000);
  peer.tcpListen({ port: 80 }, () => ({}));
  const connection = stack.tcpConnect({ address: '10.0.0.2', port: 80 }, {});
  clock.advance(100);
  connection.write(new Uint8Array(100));
  clock.advance(1000);
  expect(connection.state).to.equal('ESTABLISHED');
  expect(stack.stats.tcpRetransmits).to.equal(0);
  return { stack, connection };
}

describe('pauses of the process', () => {
  it('an acknowledgement that waits in the link is read before its timeout strikes', () => {
    const clock = new VirtualClock();
    const [left, theirs] = memoryPipe({ dispatch: onClock(clock) });
    const link = new WaitingLink(left);
    // Devices pass the question on.
    const { stack, connection } = connected({ clock, ours: clock, link: new Device(link), theirs }, {});
    link.held = true;
    connection.write(new Uint8Array(5000));
    clock.advance(2000);
    expect(stack.stats).to.include({ tcpTailLossProbes: 0, tcpTimeouts: 0, tcpRetransmits: 0 });
    expect(connection.info().inFlight).to.equal(0);
  });

  it('RFC 8985 7.2: the probe of a burst counts from its last segment, however long the burst took', () => {
    const clock = new VirtualClock();
    const [left, theirs] = memoryPipe({ dispatch: onClock(clock) });
    const link = new SlowLink(left);
    const ours: Clock = {
      now: () => clock.now() + link.spentMs,
      setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
    };
    const tcp = { initialWindow: 64, receiveBuffer: 1 << 20, sendBuffer: 1 << 20 };
    const { stack, connection } = connected({ clock, ours, link, theirs }, tcp);
    link.costMs = 0.5;
    connection.write(new Uint8Array(60_000));
    link.costMs = 0;
    expect(link.spentMs).to.be.greaterThan(15);
    clock.advance(1000);
    expect(connection.info().inFlight).to.equal(0);
    expect(stack.stats).to.include({ tcpTailLossProbes: 0, tcpRetransmits: 0 });
  });
});
