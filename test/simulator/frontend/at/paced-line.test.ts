import { expect } from 'chai';
import { PacedLine } from '../../../../simulator/frontend/at/paced-line.js';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { Bench } from '../../firmware/support/bench.js';

describe('PacedLine', () => {
  it('passes bytes at once without a speed', () => {
    let out = '';
    const line = new PacedLine(new VirtualClock(), 100, (bytes) => (out += Buffer.from(bytes).toString()));
    line.write(Buffer.from('now'));
    expect(out).to.equal('now');
  });

  it('takes ten bit times per byte', () => {
    const clock = new VirtualClock();
    const arrivals: number[] = [];
    const line = new PacedLine(clock, 100_000, (bytes) => {
      for (const _ of bytes) arrivals.push(clock.now());
    });
    line.setSpeed(230_400);
    line.write(new Uint8Array(23_040));
    clock.advance(999);
    expect(arrivals.length).to.be.within(22_900, 23_040);
    clock.advance(3);
    expect(arrivals).to.have.length(23_040);
    for (const [at, when] of arrivals.entries())
      expect(when).to.be.at.least(((at + 1) * 10_000) / 230_400 - 1e-6);
  });

  it('keeps the order over the end of its ring and a change of speed', () => {
    const clock = new VirtualClock();
    const out: number[] = [];
    const line = new PacedLine(clock, 64, (bytes) => out.push(...bytes));
    line.setSpeed(9600);
    for (let at = 0; at < 200; at += 10) {
      line.write(Uint8Array.from({ length: 10 }, (_, i) => at + i));
      clock.advance(8);
      if (at === 100) line.setSpeed(115_200);
    }
    clock.advance(100);
    expect(out).to.deep.equal(Array.from({ length: 200 }, (_, i) => i));
    expect(line.waiting).to.equal(0);
  });

  it('loses and counts what exceeds it', () => {
    const line = new PacedLine(new VirtualClock(), 10, () => {});
    line.setSpeed(9600);
    line.write(new Uint8Array(25));
    expect(line.waiting).to.equal(10);
    expect(line.dropped).to.equal(15);
  });
});

describe('AT wire: speed', () => {
  it('takes its time in both directions at 230400 baud', () => {
    const bench = new Bench({ paced: true });
    bench.firmware.powerUp();
    bench.wait(100);
    bench.type('AT+GMR\r\n');
    expect(bench.wait(0.2)).to.equal('');
    bench.wait(0.2);
    // 8 bytes echoed and 62 answered need 3 ms, and 8 bytes in 0.35 ms before that.
    expect(bench.wait(1)).to.not.contain('OK');
    bench.wait(20);
    expect(bench.command('AT')).to.equal('');
  });

  it('changes speed after the status of AT+IPR', () => {
    const bench = new Bench({ paced: true });
    bench.firmware.powerUp();
    bench.wait(100);
    bench.type('AT+IPR=9600\r\n');
    bench.wait(100);
    bench.take();
    bench.type('AT\r\n');
    expect(bench.wait(3)).to.equal('');
    expect(bench.wait(20)).to.equal('AT\r\nOK\r\n>');
  });
});
