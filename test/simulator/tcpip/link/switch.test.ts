import { expect } from 'chai';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { VirtualSwitch } from '../../../../simulator/tcpip/link/switch.js';
import { plain } from './frames.js';

/** A switch with `count` ports; `sent` sends a frame into a port and answers which ports it came out of. */
function network(count: number, options: { addresses?: number; queue?: number } = {}) {
  const clock = new VirtualClock();
  const device = new VirtualSwitch({ clock, ...options });
  const out: number[] = [];
  const ports = Array.from({ length: count }, (_, index) => {
    const port = device.port();
    port.receive = () => out.push(index);
    return port;
  });
  const sent = (port: number, frame: Uint8Array): number[] => {
    out.length = 0;
    ports[port].transmit(frame, frame.length);
    clock.advance(0);
    return [...out];
  };
  return { clock, device, ports, sent };
}

describe('virtual switch', () => {
  it('floods unknown, broadcast and multicast, and nobody hears himself', () => {
    const { sent } = network(4);
    expect(sent(0, plain(1, 9))).to.deep.equal([1, 2, 3]);
    expect(sent(2, plain(3, 'all'))).to.deep.equal([0, 1, 3]);
    expect(sent(1, plain(2, 'group'))).to.deep.equal([0, 2, 3]);
  });

  it('learns where a sender is, follows him, and keeps local traffic local', () => {
    const { sent } = network(3);
    sent(0, plain(1, 'all'));
    expect(sent(1, plain(2, 1))).to.deep.equal([0]);
    expect(sent(2, plain(1, 2))).to.deep.equal([1]);
    expect(sent(1, plain(2, 1))).to.deep.equal([2]);
    expect(sent(2, plain(5, 1))).to.deep.equal([]);
  });

  it('forgets after the ageing time, and when the port is unplugged', () => {
    const { sent, clock, ports } = network(3);
    sent(0, plain(1, 'all'));
    clock.advance(300_000);
    expect(sent(1, plain(2, 1))).to.deep.equal([0]);
    clock.advance(1);
    expect(sent(1, plain(2, 1))).to.deep.equal([0, 2]);
    sent(0, plain(1, 'all'));
    ports[0].close();
    expect(sent(1, plain(2, 1))).to.deep.equal([2]);
    expect(ports[0].transmit(plain(1, 2), 14)).to.equal(false);
  });

  it('remembers no more addresses than it is told, the oldest first out', () => {
    const { sent, device } = network(3, { addresses: 8 });
    for (let host = 10; host < 18; host++) sent(0, plain(host, 'all'));
    expect(sent(1, plain(2, 10))).to.deep.equal([0, 2]);
    for (let host = 1000; host < 3000; host++) sent(0, plain(host, 'all'));
    expect(device.addresses).to.equal(8);
  });

  it('learns no group address and keeps the reserved ones on their link', () => {
    const { sent, device } = network(2);
    const frame = plain(1, 'all');
    frame[6] |= 1;
    expect(sent(0, frame)).to.deep.equal([1]);
    expect(device.addresses).to.equal(0);
    const bridgeProtocol = plain(1, 2);
    bridgeProtocol.set([0x01, 0x80, 0xc2, 0, 0, 0x0e]);
    expect(sent(0, bridgeProtocol)).to.deep.equal([]);
    bridgeProtocol[5] = 0x10;
    expect(sent(0, bridgeProtocol)).to.deep.equal([1]);
  });

  it('bounds what waits in it, and counts what it refuses', () => {
    const { ports, clock } = network(2, { queue: 3 });
    const frame = plain(1, 'all');
    const taken = Array.from({ length: 5 }, () => ports[0].transmit(frame, frame.length));
    expect(taken).to.deep.equal([true, true, true, false, false]);
    expect(ports[0].transmit(new Uint8Array(13), 13)).to.equal(false);
    expect(ports[0].dropped).to.equal(3);
    clock.advance(0);
    expect(ports[0].transmit(frame, frame.length)).to.equal(true);
  });
});
