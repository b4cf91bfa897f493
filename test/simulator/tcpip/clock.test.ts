import { expect } from 'chai';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';

describe('VirtualClock', () => {
  it('runs timers in the order they are due, equal ones in the order they were set', () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    clock.setTimer(() => ran.push(`c@${clock.now()}`), 30);
    clock.setTimer(() => ran.push(`a@${clock.now()}`), 10);
    clock.setTimer(() => ran.push(`b@${clock.now()}`), 10);
    clock.advance(20);
    expect(ran).to.deep.equal(['a@10', 'b@10']);
    expect(clock.now()).to.equal(20);
    clock.advance(10);
    expect(ran).to.deep.equal(['a@10', 'b@10', 'c@30']);
  });

  it('runs a timer set by a timer if it falls into the same advance', () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    const again = (): void => {
      at.push(clock.now());
      clock.setTimer(again, 5);
    };
    clock.setTimer(again, 5);
    clock.advance(17);
    expect(at).to.deep.equal([5, 10, 15]);
    expect(clock.pending).to.equal(1);
    expect(clock.next).to.equal(20);
  });

  it('forgets a cancelled timer', () => {
    const clock = new VirtualClock();
    const timer = clock.setTimer(() => expect.fail('cancelled'), 1);
    timer.cancel();
    expect(clock.pending).to.equal(0);
    clock.advance(10);
  });

  it('keeps heap order under many timers', () => {
    const clock = new VirtualClock();
    const random = seededRandom(7);
    const due: number[] = [];
    for (let i = 0; i < 500; i++) clock.setTimer(() => due.push(clock.now()), Math.floor(random() * 100));
    clock.advance(100);
    expect(due).to.have.length(500);
    expect(due).to.deep.equal([...due].sort((a, b) => a - b));
  });

  it('lets promises settle between timers in advanceAsync', async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimer(resolve, ms));
    const task = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await sleep(10);
        ran.push(`${clock.now()}`);
      }
    };
    void task();
    await clock.advanceAsync(20);
    expect(ran).to.deep.equal(['10', '20']);
    await clock.advanceAsync(10);
    expect(ran).to.deep.equal(['10', '20', '30']);
  });
});

describe('seededRandom', () => {
  it('repeats by seed and differs between seeds', () => {
    const draw = (seed: number): number[] => Array.from({ length: 8 }, seededRandom(seed));
    expect(draw(1)).to.deep.equal(draw(1));
    expect(draw(1)).to.not.deep.equal(draw(2));
  });

  it('is roughly uniform', () => {
    const random = seededRandom(3);
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < 16000; i++) bins[Math.floor(random() * 16)]++;
    for (const count of bins) expect(count).to.be.within(850, 1150);
  });
});
