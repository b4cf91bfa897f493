import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { createSimulator, type Simulator, VirtualClock } from '../../simulator/index.js';
import { parseScenario } from '../../simulator/scenario/scenario.js';
import { openSimTransport } from '../../simulator/sim-transport.js';
import { systemClock } from '../../simulator/tcpip/clock.js';

/** A host that types and reads, on virtual time. */
class Terminal {
  text = '';
  readonly #sim: Simulator;
  readonly #clock: VirtualClock;
  readonly #uart;

  constructor(sim: Simulator, clock: VirtualClock, module = 0) {
    this.#sim = sim;
    this.#clock = clock;
    this.#uart = this.#sim.uart(module);
    this.#uart.onData = (bytes) => {
      this.text += Buffer.from(bytes).toString('latin1');
    };
  }

  /** What came within `ms` of virtual time. */
  async hear(ms: number): Promise<string> {
    this.text = '';
    await this.#clock.advanceAsync(ms);
    return this.text;
  }

  async say(line: string, ms = 50): Promise<string> {
    this.text = '';
    this.#uart.toModule(Buffer.from(`${line}\r\n`, 'latin1'));
    await this.#clock.advanceAsync(ms);
    return this.text;
  }

  async join(ssid: string, passphrase?: string): Promise<string> {
    await this.say(`AT+WSTAC=1,"${ssid}"`);
    await this.say(`AT+WSTAC=2,${passphrase === undefined ? 0 : 3}`);
    if (passphrase !== undefined) await this.say(`AT+WSTAC=3,"${passphrase}"`);
    return this.say('AT+WSTA=1', 15_000);
  }
}

describe('a simulator in this process', () => {
  let sim: Simulator | undefined;
  afterEach(async () => {
    await sim?.close();
    sim = undefined;
  });

  it('boots, joins, and loses its network when that disappears, on virtual time', async () => {
    const clock = new VirtualClock();
    sim = await createSimulator({ clock, seed: 1, accessPoints: [{ ssid: 'lab', passphrase: 'secret123' }] });
    const terminal = new Terminal(sim, clock);
    expect(await terminal.hear(5000)).to.match(/\+BOOT:"RNWF - AT Command Interface 3\.2\.0 .*"\r\n>$/);
    const joined = await terminal.join('lab', 'secret123');
    expect(joined).to.match(/\r\+WSTALU:1,"[0-9A-F:]{17}",6\r\n/);
    expect(joined).to.contain('\r+WSTAAIP:1,"10.0.2.15"\r\n');
    const lost = sim.expect('WSTALD');
    sim.world.accessPoint('lab').disappear(3000);
    expect(await terminal.hear(3500)).to.contain('\r+WSTALD:1\r\n');
    expect((await lost).module).to.equal(0);
    expect(await terminal.say('AT+WSTA=1', 15_000)).to.contain('+WSTAAIP:2,"10.0.2.15"');
    expect(JSON.stringify(sim.trace)).to.contain('WSTAC').and.not.to.contain('secret123');
  });

  it('is the same for the same seed', async () => {
    const run = async (): Promise<string> => {
      const clock = new VirtualClock();
      const one = await createSimulator({ clock, seed: 42, impair: { loss: 0.2 } });
      const terminal = new Terminal(one, clock);
      await terminal.hear(5000);
      const text = (await terminal.join('wincs02')) + (await terminal.say('AT+PING="10.0.2.2"', 10_000));
      await one.close();
      expect(clock.pending).to.equal(0);
      return text + JSON.stringify(one.trace);
    };
    expect(await run()).to.equal(await run());
  });

  it('holds several modules on one air', async () => {
    const clock = new VirtualClock();
    sim = await createSimulator({ clock, seed: 1, modules: 3 });
    const terminals = sim.modules.map((_, index) => new Terminal(sim!, clock, index));
    await clock.advanceAsync(5000);
    for (const [index, terminal] of terminals.entries())
      expect(await terminal.join('wincs02')).to.contain(`"10.0.2.${15 + index}"`);
    const answer = new Promise((resolve) => sim?.world.router.stack.ping('10.0.2.17', {}, resolve));
    await clock.advanceAsync(1000);
    expect(await answer).to.have.property('ttl');
    expect(sim.modules.map(({ address }) => address)).to.deep.equal(['10.0.2.15', '10.0.2.16', '10.0.2.17']);
  });

  it('plays a scenario', async () => {
    const clock = new VirtualClock();
    const scenario = parseScenario(
      JSON.stringify({
        seed: 1,
        accessPoints: [{ ssid: 'lab' }],
        dns: [{ name: 'a.test', type: 'A', data: '192.0.2.1' }],
        events: [
          { at: 30, do: 'disappear', accessPoint: 'lab', for: 5 },
          { at: 60, do: 'dns', behaviour: 'servfail' },
        ],
      }),
    );
    sim = await createSimulator({ ...scenario.options, clock });
    const cancel = scenario.apply(sim);
    const terminal = new Terminal(sim, clock);
    await terminal.hear(5000);
    await terminal.join('lab');
    expect(await terminal.say('AT+DNSRESOLV=1,"a.test"', 1000)).to.contain(
      '+DNSRESOLV:1,"a.test","192.0.2.1"',
    );
    await clock.advanceAsync(29_900 - clock.now());
    expect(await terminal.hear(3000)).to.contain('+WSTALD:1');
    await clock.advanceAsync(40_000 - clock.now());
    expect(await terminal.say('AT+WSTA=1', 15_000)).to.contain('+WSTAAIP:2');
    await clock.advanceAsync(61_000 - clock.now());
    expect(await terminal.say('AT+DNSRESOLV=1,"b.test"', 20_000)).to.contain('+DNSERR:5.');
    cancel();
  });

  it('is not made of what cannot be', async () => {
    for (const options of [
      { modules: 0 },
      { router: { address: '192.168.1.1' } },
      { router: { address: '10.0.2.2', firstLease: '10.0.2.9', lastLease: '10.0.2.8' } },
      { router: { address: 'here' } },
      { router: { ipv6Prefix: 'fd00::1:2:3:4' } },
      { dns: [{ name: 'a.test', type: 'A' as const, data: 'x' }] },
      { accessPoints: [{ ssid: '' }] },
    ]) {
      const clock = new VirtualClock();
      const error = await createSimulator({ ...options, clock }).catch((caught: unknown) => caught);
      expect(error, JSON.stringify(options)).to.have.property('code', 'WINC_ARGUMENT');
      clock.advance(1);
      expect(clock.pending).to.equal(0);
    }
  });

  it('reaches a server of the host through its URL alone', async () => {
    const server = createServer((socket) => socket.end('hello from the host')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const transport = await openSimTransport('sim:?ap=lab:secret123&seed=1', { clock: systemClock });
    expect(transport.url).to.equal('sim:?ap=lab&seed=1');
    sim = transport.simulator;
    let text = '';
    let check = () => {};
    let closed = 0;
    transport.start({
      data: (bytes) => {
        text += Buffer.from(bytes).toString('latin1');
        check();
      },
      closed: () => closed++,
    });
    const until = (pattern: RegExp): Promise<RegExpExecArray> =>
      new Promise((resolve) => {
        check = () => {
          const found = pattern.exec(text);
          if (found === null) return;
          check = () => {};
          text = text.slice(found.index + found[0].length);
          resolve(found);
        };
        check();
      });
    const say = async (line: string, pattern: RegExp) => {
      await transport.write(Buffer.from(`${line}\r\n`));
      return until(pattern);
    };
    await until(/\+BOOT:.*\r\n/);
    await say('ATE0', /OK\r\n/);
    for (const line of ['AT+WSTAC=1,"lab"', 'AT+WSTAC=2,3', 'AT+WSTAC=3,"secret123"'])
      await say(line, /OK\r\n/);
    await say('AT+WSTA=1', /\+WSTAAIP:1,"10\.0\.2\.15"\r\n/);
    const [, id] = await say('AT+SOCKO=2,4', /\+SOCKO:(\d+)\r\nOK\r\n/);
    await say(`AT+SOCKBR=${id},"10.0.2.2",${port}`, /\+SOCKIND:/);
    await until(/\+SOCKRXT:\d+,19\r\n/);
    const [, data] = await say(`AT+SOCKRD=${id},1,19`, /\+SOCKRD:\d+,19,"(.*)"\r\nOK/);
    expect(data).to.equal('hello from the host');
    await transport.close();
    await transport.close();
    expect(closed).to.equal(1);
    server.close();
  });
});
