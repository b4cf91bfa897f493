import { expect } from 'chai';
import type { PingResult } from '../../../simulator/tcpip/contract.js';
import { Bench } from './support/bench.js';

/** A joined module whose echoes end when the test says so. */
function setup() {
  const bench = Bench.joined();
  const pending: { address: string; done: (result: PingResult | string) => void }[] = [];
  bench.stack.ping = (address, _options, done) => {
    pending.push({ address, done });
    return () => {};
  };
  return { bench, pending };
}
const reply = (rttMs: number): PingResult => ({ rttMs, ttl: 64, bytes: 32 });

describe('AT+PING', () => {
  it('reports address and whole milliseconds after OK', () => {
    const { bench, pending } = setup();
    expect(bench.command('AT+PING="192.168.0.1"')).to.equal('OK\r\n');
    expect(pending[0].address).to.equal('192.168.0.1');
    pending[0].done(reply(12.6));
    expect(bench.take()).to.equal('\r+PING:"192.168.0.1",13\r\n');
  });

  it('reports what does not reply, and goes on', () => {
    const { bench, pending } = setup();
    bench.command('AT+PING="10.255.255.1"');
    pending[0].done('EHOSTUNREACH');
    expect(bench.take()).to.equal('\r+PINGERR:11.0,"Ping Failed"\r\n');
    expect(bench.command('AT+PING="192.168.0.1"')).to.equal('OK\r\n');
  });

  it('takes IPv6 addresses, and refuses one of the wrong family', () => {
    const { bench, pending } = setup();
    expect(bench.command('AT+PING="2001:DB8::1",6')).to.equal('OK\r\n');
    pending[0].done(reply(1));
    expect(bench.take()).to.equal('\r+PING:"2001:DB8::1",1\r\n');
    expect(bench.command('AT+PING="2001:DB8::1",4')).to.match(/^OK\r\n\r\+PINGERR:0\.4/);
  });

  it('has four under way at most, each answered once', () => {
    const { bench, pending } = setup();
    for (let n = 1; n <= 4; n++) expect(bench.command(`AT+PING="10.0.0.${n}"`)).to.equal('OK\r\n');
    expect(bench.command('AT+PING="10.0.0.5"')).to.equal('ERROR:11.0,"Ping Failed"\r\n');
    for (const { done } of pending.reverse()) done(reply(2));
    expect(bench.take().match(/\+PING:/g)).to.have.length(4);
    expect(bench.command('AT+PING="10.0.0.5"')).to.equal('OK\r\n');
  });

  it('needs a network', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    expect(bench.command('AT+PING="10.0.0.1"')).to.match(/^ERROR:/);
  });
});
