import { expect } from 'chai';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import type { Link } from '../../../../simulator/tcpip/contract.js';
import { memoryPipe, onClock } from '../../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { createStack } from '../../../../simulator/tcpip/stack.js';
import { Host, makeFrame, PEER_MAC } from '../host.js';
import { established, script } from './script.js';

/** Drops silently what is larger than `width`, as a tunnel without ICMP does. */
function blackHole(below: Link, width: () => number): Link {
  const link: Link = {
    mtu: below.mtu,
    transmit: (frame, length) => length - 14 > width() || below.transmit(frame, length),
    receive: () => {},
  };
  below.receive = (frame, length) => link.receive(frame, length);
  return link;
}

describe('scripts: path MTU', () => {
  script(
    'RFC 4821 7.6: segments of full size time out three times, then smaller ones go',
    `${established}
    write 5000
    drop 4
    +200 > . 1:1461(1460) ack 1
    +400 > . 1:1461(1460) ack 1
    +800 > . 1:1025(1024) ack 1
    count tcpBlackHoles 1
    +10 < . 1:1(0) ack 1025
    ...
    +10 < . 1:1(0) ack 3073
    ...
    < . 1:1(0) ack 5001`,
  );

  script(
    'RFC 5482 3.1: a user timeout set by the user is told to the peer, one told by the peer adopted',
    `${established}
    user-timeout 200000
    < P. 1:11(10) ack 1 <uto 300>
    > . 1:1(0) ack 11`,
  );

  for (const [name, from, quoted] of [
    ['RFC 1191 6.3: fragmentation needed', '10.0.0.254', { mtu: 1000, type: 3, code: 4 }],
    ['RFC 1191 5: an old router that tells no MTU', '10.0.0.254', { mtu: 0, type: 3, code: 4 }],
  ] as const) {
    it(name, () => {
      const host = new Host({ tcp: { timestamps: false, sack: false } });
      host.stack.addAddress('10.0.0.1', 24);
      host.stack.setNeighbor('10.0.0.2', PEER_MAC);
      const c = host.stack.tcpConnect({ address: '10.0.0.2', port: 80 }, {});
      const [syn] = host.take(0x0800).slice(-1);
      const answer = new Uint8Array(24);
      answer.set([0, 80, syn[34], syn[35], 0, 0, 0, 9]);
      new DataView(answer.buffer).setUint32(8, new DataView(syn.buffer).getUint32(38) + 1);
      answer.set([0x60, 0x12, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4], 12);
      host.receive(
        makeFrame({ from: '10.0.0.2', to: '10.0.0.1', protocol: 6, payload: answer, checksumAt: 16 }),
      );
      expect(c.state).to.equal('ESTABLISHED');
      c.write(new Uint8Array(4000));
      const [first] = host.take(0x0800).filter((frame) => frame.length > 1000);
      const payload = new Uint8Array(36);
      payload.set([quoted.type, quoted.code, 0, 0, 0, 0, quoted.mtu >> 8, quoted.mtu & 0xff]);
      payload.set(first.subarray(14, 42), 8);
      host.receive(makeFrame({ from, to: '10.0.0.1', protocol: 1, payload, checksumAt: 2 }));
      const again = host.take(0x0800);
      const largest = quoted.mtu === 0 ? 1492 : quoted.mtu;
      expect(Math.max(...again.map((frame) => frame.length - 14))).to.equal(largest);
      expect(c.info().mss).to.equal(largest - 40);
      expect(host.stack.stats.tcpTimeouts).to.equal(0);
      expect(host.stack.stats.tcpPathMtuReductions).to.equal(1);
    });
  }

  it('RFC 4821 7: through a black hole, and wide again once it is gone', () => {
    const clock = new VirtualClock();
    let width = 1200;
    const [left, right] = memoryPipe({ dispatch: onClock(clock) });
    const a = createStack({ link: blackHole(left, () => width), clock, random: seededRandom(1) });
    const b = createStack({ link: right, clock, random: seededRandom(2) });
    a.addAddress('10.0.0.1', 24);
    b.addAddress('10.0.0.2', 24);
    const into = new Uint8Array(65_536);
    let received = 0;
    b.tcpListen({ port: 9 }, (c) => ({
      readable(): void {
        for (let n = c.read(into); n > 0; n = c.read(into)) received += n;
      },
    }));
    const c = a.tcpConnect({ address: '10.0.0.2', port: 9 }, {});
    let sent = 0;
    const run = (seconds: number): void => {
      for (let i = 0; i < seconds; i++) {
        sent += c.write(into.subarray(0, 20_000));
        clock.advance(1000);
      }
    };
    run(60);
    const { mss } = c.info();
    expect(mss).to.be.within(1012, 1200 - 52);
    width = 1500;
    run(1300);
    expect(c.info().mss).to.equal(1448);
    clock.advance(1000);
    expect(received).to.equal(sent);
    expect(a.stats.tcpBlackHoles).to.equal(1);
  });
});
