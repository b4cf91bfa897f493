import { expect } from 'chai';
import fc from 'fast-check';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { onClock } from '../../../../simulator/tcpip/link/dispatch.js';
import { ImpairedLink } from '../../../../simulator/tcpip/link/impair.js';
import { bursts, type Impairment, parseImpairment } from '../../../../simulator/tcpip/link/impair-spec.js';
import { memoryPipe } from '../../../../simulator/tcpip/link/pipe.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { onesSum, plain, udp4 } from './frames.js';

interface Arrival {
  readonly id: number;
  readonly time: number;
  readonly frame: Uint8Array;
}

/** Sends `count` frames, one each `everyMs`, through the impairment; frame i carries its number. */
function run(impairment: Impairment, count: number, everyMs = 1, seed = 1, ecn = 0) {
  const clock = new VirtualClock();
  const [near, far] = memoryPipe({ dispatch: onClock(clock), queue: 20_000 });
  const link = new ImpairedLink(near, { clock, random: seededRandom(seed), outbound: impairment });
  const arrivals: Arrival[] = [];
  far.receive = (frame, length) => {
    const copy = frame.slice(0, length);
    arrivals.push({ id: (copy[18] << 8) | copy[19], time: clock.now(), frame: copy });
  };
  for (let i = 0; i < count; i++) {
    const frame = udp4(ecn, [1, 2, 3, 4], i);
    expect(link.transmit(frame, frame.length)).to.equal(true);
    clock.advance(everyMs);
  }
  clock.advance(60_000);
  return { arrivals, counters: link.counters.out, pending: clock.pending };
}

describe('impairments', () => {
  it('does nothing, and keeps no frame, when told nothing', () => {
    const { arrivals, pending } = run({}, 10);
    expect(arrivals.map(({ id, time }) => [id, time])).to.deep.equal(
      Array.from({ length: 10 }, (_, i) => [i, i]),
    );
    expect(pending).to.equal(0);
  });

  it('loses as often as told, one by one', () => {
    const { arrivals, counters } = run({ loss: 0.1 }, 10_000, 0);
    expect(arrivals.length + counters.lost).to.equal(10_000);
    expect(counters.lost).to.be.within(880, 1120);
  });

  it('loses in bursts of the mean length told', () => {
    const { arrivals, counters } = run({ loss: bursts(0.1, 5) }, 20_000, 0);
    let gaps = 0;
    for (let i = 1; i < arrivals.length; i++) if (arrivals[i].id !== arrivals[i - 1].id + 1) gaps++;
    expect(counters.lost / 20_000).to.be.within(0.08, 0.12);
    expect(counters.lost / gaps).to.be.within(4.3, 5.8);
  });

  it('delays, and jitter does not reorder', () => {
    const { arrivals } = run({ delayMs: 20, jitterMs: 5 }, 1000, 1);
    const delays = arrivals.map(({ id, time }) => time - id);
    expect(arrivals.map(({ id }) => id)).to.deep.equal(Array.from({ length: 1000 }, (_, i) => i));
    expect(Math.min(...delays)).to.be.within(15, 17);
    expect(Math.max(...delays)).to.be.within(23, 25.001);
  });

  it('reorders by one to three places and never sits on the last frame', () => {
    const { arrivals, counters } = run({ reorder: 0.1 }, 2000, 1);
    expect(arrivals.length).to.equal(2000);
    expect(counters.reordered).to.be.within(150, 250);
    const displaced = arrivals.map(({ id }, place) => place - id);
    expect(Math.max(...displaced)).to.be.within(1, 5);
    expect(run({ reorder: 1 }, 3, 0).arrivals.map(({ time }) => Math.round(time))).to.deep.equal([
      10, 10, 10,
    ]);
  });

  it('duplicates', () => {
    const { arrivals, counters } = run({ duplicate: 0.2 }, 1000, 1);
    expect(arrivals.length).to.equal(1000 + counters.duplicated);
    expect(counters.duplicated).to.be.within(150, 250);
  });

  it('inverts exactly one bit', () => {
    const { arrivals } = run({ corrupt: 1 }, 200, 1);
    arrivals.forEach(({ frame }, i) => {
      const whole = udp4(0, [1, 2, 3, 4], i);
      const bits = [...frame].reduce(
        (sum, byte, at) => sum + (byte ^ whole[at]).toString(2).replace(/0/g, '').length,
        0,
      );
      expect(bits).to.equal(1);
    });
  });

  it('keeps the rate, queues what waits, and drops what the queue has no room for', () => {
    // 46 bytes at 46 kbit/s: 8 ms each.
    const { arrivals, counters } = run({ rateBitsPerSecond: 46_000, queueFrames: 10 }, 30, 0);
    expect(arrivals.map(({ time }) => Math.round(time))).to.deep.equal(
      Array.from({ length: 11 }, (_, i) => 8 * (i + 1)),
    );
    expect(counters.overflow).to.equal(19);
    expect(run({ rateBitsPerSecond: 46_000, queueBytes: 46 * 4 }, 30, 0).arrivals.length).to.equal(4);
  });

  it('marks instead of losing when the ends are capable, and the IPv4 checksum stays right', () => {
    const { arrivals, counters } = run({ loss: 0.5, ecn: true }, 200, 1, 1, 2);
    expect(arrivals.length).to.equal(200);
    expect(counters.marked).to.be.within(70, 130);
    for (const { frame } of arrivals) {
      expect(frame[15] & 3).to.be.oneOf([2, 3]);
      expect(onesSum(frame, 14, 20)).to.equal(0xffff);
    }
    expect(arrivals.filter(({ frame }) => (frame[15] & 3) === 3).length).to.equal(counters.marked);
    expect(run({ loss: 0.5, ecn: true }, 200, 1, 1, 0).counters.marked).to.equal(0);
  });

  it('marks what finds the queue half full', () => {
    const { arrivals } = run({ rateBitsPerSecond: 46_000, queueFrames: 10, ecn: true }, 11, 0, 1, 1);
    expect(arrivals.map(({ frame }) => frame[15] & 3)).to.deep.equal([1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3]);
  });

  it('is the same for the same seed and another for another', () => {
    const config = parseImpairment(
      'loss=5%,delay=10ms,jitter=5ms,reorder=5%,dup=5%,corrupt=5%,rate=1mbit,queue=20',
    );
    const outcome = (seed: number) => JSON.stringify(run(config, 300, 1, seed).arrivals);
    expect(outcome(3)).to.equal(outcome(3));
    expect(outcome(3)).to.not.equal(outcome(4));
  });

  it('every frame is delivered, lost or refused: none appears from nowhere, none is kept', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const config = fc.record(
      {
        loss: share,
        delayMs: fc.double({ min: 0, max: 500, noNaN: true }),
        jitterMs: fc.double({ min: 0, max: 50, noNaN: true }),
        reorder: share,
        duplicate: share,
        corrupt: share,
        rateBitsPerSecond: fc.integer({ min: 10_000, max: 10_000_000 }),
        ecn: fc.oneof(share, fc.boolean()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        config,
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.integer(),
        (impairment, every, seed) => {
          const { arrivals, counters, pending } = run(impairment, 100, every, seed, 1);
          expect(arrivals.length).to.equal(100 + counters.duplicated - counters.lost - counters.overflow);
          expect(pending).to.equal(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('treats the two directions apart and tells what it did', () => {
    const clock = new VirtualClock();
    const [near, far] = memoryPipe({ dispatch: onClock(clock) });
    const told: string[] = [];
    const link = new ImpairedLink(near, {
      clock,
      random: seededRandom(1),
      inbound: { loss: 1 },
      observe: (verdict, _frame, length, direction) => told.push(`${verdict} ${length} ${direction}`),
    });
    let out = 0;
    let back = 0;
    far.receive = () => out++;
    link.receive = () => back++;
    link.transmit(plain(1, 2), 14);
    far.transmit(plain(2, 1, [5]), 15);
    clock.advance(1);
    expect([out, back, told]).to.deep.equal([1, 0, ['lost 15 in']]);
  });

  it('close drops what is under way', () => {
    const clock = new VirtualClock();
    const [near, far] = memoryPipe({ dispatch: onClock(clock) });
    const link = new ImpairedLink(near, { clock, random: seededRandom(1), outbound: { delayMs: 5 } });
    let out = 0;
    far.receive = () => out++;
    link.transmit(plain(1, 2), 14);
    link.close();
    clock.advance(100);
    expect([out, clock.pending]).to.deep.equal([0, 0]);
  });
});

describe('impairment text', () => {
  it('reads every key', () => {
    expect(
      parseImpairment(
        'loss=1%,delay=20ms,jitter=1.5ms,reorder=0.01,dup=0.5%,corrupt=0.1%,rate=10mbit,queue=50,ecn',
      ),
    ).to.deep.equal({
      loss: 0.01,
      delayMs: 20,
      jitterMs: 1.5,
      reorder: 0.01,
      duplicate: 0.005,
      corrupt: 0.001,
      rateBitsPerSecond: 1e7,
      queueFrames: 50,
      ecn: true,
    });
    expect(parseImpairment('loss=10%,burst=4')).to.deep.equal({ loss: bursts(0.1, 4) });
    expect(parseImpairment('rate=500kbit, queue=64kb, ecn=5%')).to.deep.equal({
      rateBitsPerSecond: 5e5,
      queueBytes: 64_000,
      ecn: 0.05,
    });
    expect(parseImpairment('delay=300us').delayMs).to.be.closeTo(0.3, 1e-12);
  });

  for (const [text, why] of [
    ['', 'is not key=value'],
    ['loss', 'loss needs a value'],
    ['los=1', 'unknown "los"'],
    ['loss=101%', 'no probability'],
    ['loss=-1', 'no probability'],
    ['loss=1%,loss=2%', 'loss twice'],
    ['delay=fast', 'write a time'],
    ['rate=10', 'write a rate'],
    ['rate=0mbit', 'rate of 0'],
    ['queue=5', 'queue without rate'],
    ['burst=2', 'burst without loss'],
    ['loss=90%,burst=0.5', 'no bursts'],
  ]) {
    it(`refuses "${text}"`, () => {
      expect(() => parseImpairment(text))
        .to.throw(why)
        .with.property('code', 'EINVAL');
    });
  }
});
