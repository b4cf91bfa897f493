/** nmap's view of the engine: a standard host whose sequence numbers nobody guesses. */
import { expect } from 'chai';
import { startService } from '../../cli/stack-services.js';
import { type EngineHost, startEngine } from './support/engine.js';
import { needs } from './support/namespace.js';

describe('engine under nmap', function () {
  this.timeout(90_000);
  let host: EngineHost;
  before(function () {
    needs(this, 'ip', 'nmap');
    host = startEngine();
    startService(host.stack, { service: 'echo', port: 7 });
  });
  after(() => host?.close());

  /** The state nmap finds each port in. */
  async function scan(...args: string[]): Promise<Record<string, string>> {
    const all = ['-n', '-Pn', '-p', '7,8,9', '--max-retries', '2', ...args, host.network.ours.ipv4];
    const { stdout, stderr } = await host.network.run('nmap', all);
    const states = [...stdout.toString().matchAll(/^(\d+)\/(?:tcp|udp)\s+(\S+)/gm)].map(([, port, state]) => [
      port,
      state,
    ]);
    expect(states.length, stdout.toString() + stderr).to.equal(3);
    return Object.fromEntries(states);
  }

  for (const [name, flag, open] of [
    ['connect', '-sT', 'open'],
    ['SYN', '-sS', 'open'],
    ['FIN', '-sF', 'open|filtered'],
    ['Xmas', '-sX', 'open|filtered'],
    ['null', '-sN', 'open|filtered'],
    ['UDP', '-sU', 'open'],
  ] as const) {
    it(`${name} scan: one port open, the others closed`, async () => {
      expect(await scan(flag)).to.deep.equal({ 7: open, 8: 'closed', 9: 'closed' });
    });
  }

  it('ACK scan: everything is unfiltered', async () => {
    expect(await scan('-sA')).to.deep.equal({ 7: 'unfiltered', 8: 'unfiltered', 9: 'unfiltered' });
  });

  it('sequence numbers: "Good luck!", and IP identifiers that tell nothing', async () => {
    const args = ['-n', '-Pn', '-O', '-v', '-p', '7,8', '--max-os-tries', '1', host.network.ours.ipv4];
    const { stdout } = await host.network.run('nmap', args);
    const text = stdout.toString();
    const [, difficulty, comment] = /TCP Sequence Prediction: Difficulty=(\d+) \((.*)\)/.exec(text) ?? [];
    expect(comment, text).to.equal('Good luck!');
    expect(Number(difficulty)).to.be.at.least(250);
    expect(text).to.match(/IP ID Sequence Generation: (All zeros|Randomized)/);
  });
});
