import { expect } from 'chai';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import type { TcpConnection } from '../../../../simulator/tcpip/contract.js';
import {
  ImpairedLink,
  memoryPipe,
  onClock,
  parseImpairment,
} from '../../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { createStack } from '../../../../simulator/tcpip/stack.js';
import type { TcpOptions } from '../../../../simulator/tcpip/tcp/options.js';

/** Sends as fast as it may for so long; what arrived, and both ends. */
function run(impairment: string, ms: number, options: { tcp?: TcpOptions; reads?: boolean } = {}) {
  const { tcp = {}, reads = true } = options;
  const clock = new VirtualClock();
  const [left, right] = memoryPipe({ dispatch: onClock(clock), queue: 65_536 });
  const spec = parseImpairment(impairment);
  const link = new ImpairedLink(left, { clock, random: seededRandom(1), outbound: spec, inbound: spec });
  const a = createStack({ link, clock, random: seededRandom(2), tcp });
  const b = createStack({ link: right, clock, random: seededRandom(3), tcp });
  a.addAddress('10.0.0.1', 24);
  b.addAddress('10.0.0.2', 24);
  const chunk = new Uint8Array(1 << 20);
  let received = 0;
  let server: TcpConnection | undefined;
  b.tcpListen({ port: 9 }, (c) => {
    server = c;
    return {
      readable(): void {
        if (reads) for (let n = c.read(chunk); n > 0; n = c.read(chunk)) received += n;
      },
    };
  });
  const send = (): void => {
    while (c.write(chunk) === chunk.length);
  };
  const c: TcpConnection = a.tcpConnect(
    { address: '10.0.0.2', port: 9 },
    { connected: send, writable: send },
  );
  clock.advance(ms);
  const result = { received, sender: c.info(), receiver: server!.info() };
  a.close();
  b.close();
  return result;
}

describe('buffer auto-tuning', () => {
  it('grows both buffers on a long fast path, and the throughput with them', () => {
    const { received, sender, receiver } = run('delay=20ms', 1200);
    expect(receiver.receiveBuffer).to.equal(4 << 20);
    expect(sender.sendBuffer).to.be.greaterThan(1 << 20);
    // 64 KiB per 40 ms would be 2 MB.
    expect(received).to.be.greaterThan(30e6);
  });

  it('keeps within the bounds it is given', () => {
    const tcp = { maxReceiveBuffer: 100_000, maxSendBuffer: 90_000 };
    const { sender, receiver } = run('delay=20ms', 3000, { tcp });
    expect(receiver.receiveBuffer).to.equal(100_000);
    expect(sender.sendBuffer).to.be.at.most(90_000);
  });

  it('does not grow for a user that does not read', () => {
    const { receiver } = run('delay=5ms', 3000, { reads: false });
    expect(receiver.receiveBuffer).to.equal(65_536);
    expect(receiver.receiveQueue).to.be.within(60_000, 65_536);
    expect(receiver.receiveWindow, 'less than a step of the scale').to.be.lessThan(128);
  });

  it('does not grow on a slow link', () => {
    const { receiver } = run('rate=2mbit,queue=20,delay=5ms', 10_000);
    expect(receiver.receiveBuffer).to.equal(65_536);
  });
});
