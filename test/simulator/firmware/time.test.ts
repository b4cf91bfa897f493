import { expect } from 'chai';
import { Bench } from './support/bench.js';

const quiet = (): Bench => {
  const bench = Bench.booted();
  bench.command('ATE0');
  return bench;
};

describe('AT+TIME', () => {
  it('is not known until it is set', () => {
    expect(quiet().command('AT+TIME=1')).to.equal('ERROR:16.0,"Time Error"\r\n');
  });

  it('is set and told in three forms', () => {
    const bench = quiet();
    expect(bench.command('AT+TIME=1,1761329023')).to.equal('OK\r\n');
    expect(bench.command('AT+TIME=1')).to.equal('OK\r\n\r+TIME:1761329023\r\n');
    expect(bench.command('AT+TIME=2')).to.equal('OK\r\n\r+TIME:3970317823\r\n');
    expect(bench.command('AT+TIME=3')).to.equal('OK\r\n\r+TIME:"2025-10-24T18:03:43.00Z"\r\n');
    expect(bench.command('AT+TIME=2,3970317824')).to.equal('OK\r\n');
    expect(bench.command('AT+TIME=3,"2025-10-24T18:03:50.25Z"')).to.equal('OK\r\n');
    expect(bench.command('AT+TIME=3')).to.equal('OK\r\n\r+TIME:"2025-10-24T18:03:50.25Z"\r\n');
  });

  it('goes on, and is told in the form last asked for, at first in NTP seconds', () => {
    const bench = quiet();
    bench.command('AT+TIME=1,1761329023');
    expect(bench.command('AT+TIME')).to.equal('OK\r\n\r+TIME:3970317823\r\n');
    bench.wait(5000);
    expect(bench.command('AT+TIME=1')).to.equal('OK\r\n\r+TIME:1761329028\r\n');
    expect(bench.command('AT+TIME')).to.equal('OK\r\n\r+TIME:1761329028\r\n');
  });

  it('takes NTP seconds after their turn in 2036', () => {
    const bench = quiet();
    bench.command('AT+TIME=2,100');
    expect(bench.command('AT+TIME=3')).to.contain('"2036-02-07T06:29:56.00Z"');
  });

  it('refuses what is no date', () => {
    const bench = quiet();
    for (const text of ['yesterday', '2025-13-01T00:00:00Z', '2025-10-24 18:03:43']) {
      expect(bench.command(`AT+TIME=3,"${text}"`)).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
    }
    expect(bench.command('AT+TIME=4')).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
  });
});
