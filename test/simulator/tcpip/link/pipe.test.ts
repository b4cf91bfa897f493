import { expect } from 'chai';
import fc from 'fast-check';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { onClock } from '../../../../simulator/tcpip/link/dispatch.js';
import { FrameQueue } from '../../../../simulator/tcpip/link/frame-queue.js';
import { memoryPipe } from '../../../../simulator/tcpip/link/pipe.js';
import { plain } from './frames.js';

describe('FrameQueue', () => {
  it('gives back what a plain array would, for any sequence of pushes and shifts', () => {
    const operation = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.constant('shift' as const),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(operation, { maxLength: 60 }),
        (limit, operations) => {
          const queue = new FrameQueue(limit);
          const model: { bytes: number[]; tag: number }[] = [];
          operations.forEach((what, tag) => {
            if (what === 'shift') {
              queue.shift();
              model.shift();
            } else {
              const taken = queue.push(what, what.length, tag) !== undefined;
              expect(taken).to.equal(model.length < limit);
              if (taken) model.push({ bytes: [...what], tag });
            }
            expect(queue.count).to.equal(model.length);
            expect(queue.bytes).to.equal(model.reduce((sum, { bytes }) => sum + bytes.length, 0));
            if (model.length === 0) return;
            expect([...queue.front.subarray(0, queue.frontLength)]).to.deep.equal(model[0].bytes);
            expect(queue.frontTag).to.equal(model[0].tag);
          });
        },
      ),
    );
  });

  it('refuses a bound that bounds nothing', () => {
    expect(() => new FrameQueue(0)).to.throw(RangeError);
    expect(() => new FrameQueue(1.5)).to.throw(RangeError);
  });
});

describe('memory pipe', () => {
  it('delivers in order, later, and a copy', () => {
    const clock = new VirtualClock();
    const [a, b] = memoryPipe({ dispatch: onClock(clock) });
    const seen: number[] = [];
    b.receive = (frame, length) => seen.push(frame[14], length);
    const frame = plain(1, 2, [7]);
    expect(a.transmit(frame, frame.length)).to.equal(true);
    frame[14] = 8;
    a.transmit(frame, 15);
    expect(seen).to.deep.equal([]);
    clock.advance(0);
    expect(seen).to.deep.equal([7, 15, 8, 15]);
  });

  it('answers from inside receive without recursion', () => {
    const clock = new VirtualClock();
    const [a, b] = memoryPipe({ dispatch: onClock(clock) });
    const frame = plain(1, 2, [0]);
    let depth = 0;
    let deepest = 0;
    let left = 1000;
    const bounce = (end: typeof a) => (bytes: Uint8Array, length: number) => {
      deepest = Math.max(deepest, ++depth);
      if (left-- > 0) end.transmit(bytes, length);
      depth--;
    };
    a.receive = bounce(a);
    b.receive = bounce(b);
    a.transmit(frame, frame.length);
    clock.advance(0);
    expect(left).to.equal(-1);
    expect(deepest).to.equal(1);
  });

  it('drops and says so when the queue is full or the frame too long', () => {
    const clock = new VirtualClock();
    const [a, b] = memoryPipe({ dispatch: onClock(clock), queue: 2, mtu: 100 });
    let received = 0;
    b.receive = () => received++;
    const frame = plain(1, 2);
    expect([1, 2, 3].map(() => a.transmit(frame, frame.length))).to.deep.equal([true, true, false]);
    clock.advance(0);
    expect(a.transmit(new Uint8Array(118), 118)).to.equal(true);
    expect(a.transmit(new Uint8Array(119), 119)).to.equal(false);
    clock.advance(0);
    expect(received).to.equal(3);
    expect(a.dropped).to.equal(2);
  });

  it('keeps the next frames when a receiver throws', () => {
    const clock = new VirtualClock();
    const [a, b] = memoryPipe({ dispatch: onClock(clock) });
    const seen: number[] = [];
    b.receive = (frame) => {
      if (frame[14] === 1) throw new Error('receiver');
      seen.push(frame[14]);
    };
    for (const value of [1, 2]) a.transmit(plain(1, 2, [value]), 15);
    expect(() => clock.advance(0)).to.throw('receiver');
    a.transmit(plain(1, 2, [3]), 15);
    clock.advance(0);
    expect(seen).to.deep.equal([2, 3]);
  });

  it('lets the event loop turn while two ends keep each other busy', async () => {
    const [a, b] = memoryPipe();
    const frame = plain(1, 2);
    let bounces = 0;
    let on = true;
    a.receive = () => on && a.transmit(frame, frame.length);
    b.receive = () => {
      bounces++;
      if (on) b.transmit(frame, frame.length);
    };
    a.transmit(frame, frame.length);
    await new Promise((resolve) => setTimeout(resolve, 1));
    on = false;
    expect(bounces).to.be.greaterThan(30);
  });
});
