import { expect } from 'chai';
import fc from 'fast-check';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import * as addresses from '../../../../simulator/tcpip/core/address.js';
import { AddressMap } from '../../../../simulator/tcpip/core/address-map.js';
import { sumBytes } from '../../../../simulator/tcpip/core/checksum.js';
import { Packet } from '../../../../simulator/tcpip/core/packet.js';
import { Timer, TimerWheel } from '../../../../simulator/tcpip/core/timer-wheel.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';

const parse = (text: string): addresses.Address => addresses.parseAddress(text)!;

describe('TimerWheel', () => {
  it('fires every timer at its time, never early, whatever is armed, moved and cancelled', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed);
      const clock = new VirtualClock(Math.floor(random() * 1e6));
      const wheel = new TimerWheel(clock);
      const expected = new Map<number, number>();
      const fired: [number, number][] = [];
      const timers = Array.from(
        { length: 60 },
        (_, id) => new Timer<number>(id, (owner) => fired.push([owner, wheel.now()])),
      );
      const spans = [3, 70, 5000, 300_000, 20_000_000];
      for (let step = 0; step < 400; step++) {
        const id = Math.floor(random() * timers.length);
        if (random() < 0.2) {
          timers[id].disarm();
          expected.delete(id);
        } else {
          const delay = Math.ceil(random() * spans[Math.floor(random() * spans.length)]);
          wheel.arm(timers[id], delay);
          expected.set(id, wheel.now() + delay);
        }
        clock.advance(Math.floor(random() * 50));
        for (const [owner, at] of fired.splice(0)) {
          expect(at, `seed ${seed}`).to.be.within(expected.get(owner)!, expected.get(owner)! + 1);
          expected.delete(owner);
        }
        for (const due of expected.values()) expect(due, `seed ${seed}`).to.be.at.least(wheel.now() - 1);
      }
      clock.advance(30_000_000);
      for (const [owner, at] of fired) {
        expect(at).to.be.within(expected.get(owner)!, expected.get(owner)! + 1);
        expected.delete(owner);
      }
      expect(expected.size).to.equal(0);
      expect(clock.pending).to.equal(0);
    }
  });

  it('lets a timer arm itself again', () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    const at: number[] = [];
    const timer: Timer<undefined> = new Timer<undefined>(undefined, () => {
      at.push(clock.now());
      if (at.length < 4) wheel.arm(timer, 100);
    });
    wheel.arm(timer, 100);
    clock.advance(1000);
    expect(at).to.deep.equal([100, 200, 300, 400]);
  });

  it('cancels all on close', () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    wheel.arm(new Timer<undefined>(undefined, () => expect.fail('closed')), 10);
    wheel.close();
    expect(clock.pending).to.equal(0);
    clock.advance(100);
  });
});

describe('addresses', () => {
  it('format(parse(x)) is RFC 5952', () => {
    for (const [text, canonical] of [
      ['10.0.2.15', '10.0.2.15'],
      ['255.255.255.255', '255.255.255.255'],
      ['FE80::1%eth0', 'fe80::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['::', '::'],
      ['::1', '::1'],
      ['::ffff:1.2.3.4', '1.2.3.4'],
      ['2001:0db8::0001', '2001:db8::1'],
    ]) {
      expect(addresses.formatAddress(parse(text))).to.equal(canonical);
    }
  });

  it('refuses what is none', () => {
    for (const text of [
      '',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '0x7f.1',
      '01.2.3.4x',
      'abc',
      ':::',
      '1::2::3',
      '1.2.3.4%a',
    ]) {
      expect(addresses.parseAddress(text), text).to.equal(undefined);
    }
  });

  it('survives bytes and text', () => {
    const words = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(words, words, words, words, (a, b, c, d) => {
        const address = new addresses.Address(a, b, c, d);
        expect(parse(addresses.formatAddress(address))).to.deep.equal(address);
        const bytes = new Uint8Array(20);
        address.writeV6(bytes, 3);
        const read = new addresses.Address();
        read.readV6(bytes, 3);
        expect(addresses.sameAddress(read, address)).to.equal(true);
      }),
    );
  });

  it('knows kinds and prefixes', () => {
    expect(addresses.isMulticast(parse('224.0.0.251'))).to.equal(true);
    expect(addresses.isMulticast(parse('ff02::fb'))).to.equal(true);
    expect(addresses.isMulticast(parse('223.255.255.255'))).to.equal(false);
    expect(addresses.isLoopback(parse('127.3.2.1'))).to.equal(true);
    expect(addresses.isLinkLocal(parse('fe80::5'))).to.equal(true);
    expect(addresses.isLinkLocal(parse('fec0::5'))).to.equal(false);
    expect(addresses.inPrefix(parse('10.1.2.3'), parse('10.1.0.0'), 16)).to.equal(true);
    expect(addresses.inPrefix(parse('10.2.2.3'), parse('10.1.0.0'), 16)).to.equal(false);
    expect(addresses.inPrefix(parse('2001:db8:1::1'), parse('2001:db8::'), 32)).to.equal(true);
    expect(addresses.inPrefix(parse('2001:db9::1'), parse('2001:db8::'), 32)).to.equal(false);
    expect(addresses.inPrefix(parse('10.1.2.3'), parse('::'), 0)).to.equal(false);
    expect(addresses.isDirectedBroadcast(parse('10.1.255.255'), parse('10.1.0.5'), 16)).to.equal(true);
    expect(addresses.isDirectedBroadcast(parse('10.1.0.1'), parse('10.1.0.0'), 31)).to.equal(false);
    expect(`${addresses.solicitedNode(parse('fe80::1234:5678'))}`).to.equal('ff02::1:ff34:5678');
  });
});

describe('AddressMap', () => {
  it('keeps at most its limit, and gives up the oldest', () => {
    const evicted: number[] = [];
    const map = new AddressMap<number>(100, (value) => evicted.push(value));
    for (let i = 0; i < 250; i++) map.set(addresses.v4Address(i), i);
    expect(map.size).to.equal(100);
    expect(evicted).to.deep.equal(Array.from({ length: 150 }, (_, i) => i));
    expect(map.get(addresses.v4Address(149))).to.equal(undefined);
    for (let i = 150; i < 250; i++) expect(map.get(addresses.v4Address(i))).to.equal(i);
    expect(map.delete(addresses.v4Address(200))).to.equal(true);
    expect(map.delete(addresses.v4Address(200))).to.equal(false);
    expect(map.get(addresses.v4Address(200))).to.equal(undefined);
    expect([...map.values()]).to.have.length(99);
  });
});

describe('checksum', () => {
  it('by words equals by bytes at every place and length (RFC 1071)', () => {
    const random = seededRandom(5);
    const packet = new Packet(3000);
    for (let i = 0; i < packet.frame.length; i++) packet.frame[i] = Math.floor(random() * 256);
    for (let at = 12; at < 22; at++) {
      for (const length of [0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 34, 35, 1447, 1448, 1449, 2900]) {
        expect(packet.sum(at, length) % 0xffff).to.equal(sumBytes(packet.frame, at, length) % 0xffff);
      }
    }
  });

  it('carries fully: all ones', () => {
    const packet = new Packet(70_000);
    packet.frame.fill(0xff);
    expect(packet.sum(14, 65_535)).to.equal(sumBytes(packet.frame, 14, 65_535));
    expect(packet.sum(14, 65_532)).to.equal(0xffff);
  });
});
