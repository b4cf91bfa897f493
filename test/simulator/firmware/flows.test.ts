import { expect } from 'chai';
import { Bench } from './support/bench.js';
import { flows, keyOf, steps } from './support/exchanges.js';
import { type Run, type Scenario, scenarios } from './support/scenarios.js';
import { type Item, takeApart } from './support/transcript.js';
import { matches } from './support/unify.js';

/** The longest any of them waits: a DNS or connection time-out. */
const PATIENCE = 15_000;

class Replay {
  readonly run: Run;
  readonly #scenario: Scenario;
  readonly #echo: boolean;
  #said: Item[] = [];

  constructor(scenario: Scenario, echo: boolean) {
    this.run = { bench: Bench.booted(), ids: new Map() };
    this.#scenario = scenario;
    this.#echo = echo;
    scenario.given?.(this.run);
    this.run.bench.command(echo ? 'ATE1' : 'ATE0');
    this.run.bench.take();
  }

  type(text: string): void {
    expect(this.#said, 'said and not expected').to.deep.equal([]);
    const { bench } = this.run;
    if (text.startsWith('(raw)')) {
      bench.type(text.slice(5));
      this.#said = takeApart(bench.take(), '', this.#echo);
      return;
    }
    const line = text.replace(/^(AT\+(?:SOCK\w+|FSTSFR)=)(\d+)/, (all, head: string, id: string) => {
      const own = this.run.ids.get(Number(id));
      return own === undefined ? all : `${head}${own}`;
    });
    const binary = /^AT\+SOCKRD\w*=\d+,2,(\d+)/.exec(line);
    const payload = /^AT\+SOCKWR(TO)?=(?!.*")/.test(line) ? 0 : undefined;
    bench.type(`${line}\r\n`);
    const echoed = this.#echo ? `${line}\r\n` : '';
    this.#said = takeApart(bench.take(), echoed, this.#echo, binary ? Number(binary[1]) : payload);
  }

  hear(text: string): void {
    if (this.#said.length === 0) this.#provoke(text);
    const item = this.#said.shift();
    const wanted = text.replace('(raw)', '');
    expect(item, `nothing said, expected ${text}`).not.equal(undefined);
    if (!matches(wanted, item?.text ?? '', this.run.ids)) expect(item?.text).to.equal(wanted);
  }

  end(): void {
    expect(this.#said, 'said and not expected').to.deep.equal([]);
  }

  #provoke(text: string): void {
    const { bench } = this.run;
    this.#scenario.causes?.[text]?.(this.run);
    for (let waited = 0; waited < PATIENCE && this.#said.length === 0; waited += 5) {
      bench.clock.advance(waited === 0 ? 0 : 5);
      // After a reset the echo is on, whatever it was.
      const output = bench.take();
      const prompt = this.#echo || output.startsWith('\r+BOOT');
      this.#said = takeApart(output, '', prompt);
    }
  }
}

/** Told in words, and tested beside the others of its kind. */
const elsewhere = new Set(['fs | load XMODEM-CRC']);

describe('documented exchanges', () => {
  for (const echo of [true, false]) {
    describe(echo ? 'with echo' : 'without echo', () => {
      for (const flow of flows) {
        const key = keyOf(flow);
        const scenario = scenarios[key];
        if (scenario === undefined) continue;
        it(key, () => {
          const replay = new Replay(scenario, echo);
          for (const step of steps(flow, scenario)) {
            if (step.startsWith('> ')) replay.type(step.slice(2));
            else replay.hear(step);
          }
          replay.end();
        });
      }
    });
  }

  it('covers every area of this firmware', () => {
    const areas = [
      'fs',
      'nvm',
      'ota',
      'system',
      'scan',
      'join',
      'ip',
      'dns',
      'tcp-client',
      'tcp-server',
      'udp',
      'multicast',
      'sntp',
    ];
    const missing = flows
      .filter(({ area }) => areas.includes(area))
      .map(keyOf)
      .filter((key) => scenarios[key] === undefined && !elsewhere.has(key));
    expect(missing).to.deep.equal([]);
  });
});
