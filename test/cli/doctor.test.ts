import { expect } from 'chai';
import { holdersOf } from '../../cli/doctor.js';
import type { Finding } from '../../cli/doctor-findings.js';
import { versionFinding } from '../../cli/doctor-findings.js';
import { diagnoseSpi } from '../../cli/doctor-spi.js';
import { diagnoseUart } from '../../cli/doctor-uart.js';
import { MemorySpi } from '../../driver/transport/spi-memory.js';
import type { ByteTransport, ByteTransportHandler, SpiTransport } from '../../driver/transport/transport.js';
import { SdioFrontend } from '../../simulator/frontend/sdio/index.js';
import { VirtualClock } from '../../simulator/tcpip/clock.js';
import { settle } from '../driver/link/sdio/bench.js';

async function collect(
  clock: VirtualClock,
  findings: AsyncGenerator<Finding>,
): Promise<Map<string, Finding>> {
  const found = new Map<string, Finding>();
  const walk = async () => {
    for await (const finding of findings) found.set(finding.check, finding);
  };
  await settle(clock, walk());
  return found;
}

describe('doctor on SPI', () => {
  function bench(bootMs: number, version = '3.2.0') {
    const clock = new VirtualClock();
    const frontend = new SdioFrontend();
    frontend.connect({
      execute: ({ request, respond, finish }) => {
        respond({ command: 'GMR', form: 'INFORMATION_RESPONSE', elements: { versionInfo: version } });
        finish({ command: request.command, code: 0 });
      },
      hardReset: () => {
        frontend.booting();
        clock.setTimer(() => frontend.booted(''), bootMs);
      },
      drained: () => {},
    });
    return { clock, frontend, bus: new MemorySpi(frontend) };
  }
  const states = (found: Map<string, Finding>) => [...found.values()].map(({ state }) => state);

  it('finds nothing wrong with a sound module, and tells its boot time and version', async () => {
    const { clock, bus } = bench(3500);
    const found = await collect(clock, diagnoseSpi(bus, clock));
    expect(states(found), [...found.values()].map(({ detail }) => detail).join('\n')).to.deep.equal(
      Array(6).fill('ok'),
    );
    expect(found.get('answer to CMD0')!.values!.bootMs).to.be.within(3490, 3600);
    expect(found.get('firmware')!.values).to.deep.equal({ version: '3.2.0' });
  });

  const failures: [string, (bus: SpiTransport) => Partial<SpiTransport>, string, RegExp][] = [
    [
      'MISO is not connected',
      () => ({ transfer: async (mosi) => new Uint8Array(mosi.length).fill(0xff) }),
      'answer to CMD0',
      /stays high/,
    ],
    [
      'the module is held in reset',
      () => ({ transfer: async (mosi) => new Uint8Array(mosi.length) }),
      'answer to CMD0',
      /stays low/,
    ],
    [
      'the clock is too fast',
      (bus) => ({
        transfer: async (mosi) => (await bus.transfer(mosi)).map((byte, at) => (byte >> 1) ^ (at * 37)),
      }),
      'answer to CMD0',
      /too fast/,
    ],
    ['INTOUT is not connected', () => ({ interruptAsserted: false }), 'interrupt and messages', /INTOUT/],
  ];
  for (const [what, change, check, detail] of failures) {
    it(`says so when ${what}`, async () => {
      const { clock, bus } = bench(100);
      const broken: SpiTransport = {
        kind: 'spi',
        url: 'memory:',
        interruptAsserted: false,
        transfer: (mosi) => bus.transfer(mosi),
        setReset: (asserted) => bus.setReset(asserted),
        start: () => {},
        close: () => bus.close(),
        ...change(bus),
      };
      const found = await collect(clock, diagnoseSpi(broken, clock));
      const last = [...found.values()].at(-1)!;
      expect(last.check).to.equal(check);
      expect(last.state).to.equal('fail');
      expect(last.detail).to.match(detail);
    });
  }

  it('notices single wrong bits', async () => {
    const { clock, bus } = bench(100);
    const transfer = bus.transfer.bind(bus);
    let count = 0;
    bus.transfer = async (mosi) => {
      const miso = new Uint8Array(await transfer(mosi));
      if (++count === 150) miso[9] ^= 0x10;
      return miso;
    };
    const found = await collect(clock, diagnoseSpi(bus, clock));
    expect(found.get('registers')!.state).to.equal('fail');
    expect(found.get('registers')!.detail).to.match(/lower clock/);
  });
});

describe('doctor on a UART', () => {
  /** A module that answers whole lines, and what an adapter may do to them. */
  class FakeUart implements ByteTransport {
    readonly kind = 'bytes';
    readonly url: string = 'serial:/dev/ttyUSB0';
    baud = 230_400;
    moduleBaud = 230_400;
    echo = true;
    silent = false;
    crBecomesCrLf = false;
    fifo = Number.POSITIVE_INFINITY;
    #line = '';
    #handler!: ByteTransportHandler;

    start(handler: ByteTransportHandler): void {
      this.#handler = handler;
    }

    async write(bytes: Uint8Array): Promise<void> {
      if (this.silent || this.baud !== this.moduleBaud) return;
      let text = Buffer.from(bytes).toString('latin1').slice(0, this.fifo);
      if (this.crBecomesCrLf) text = text.replace(/\r\n?/g, '\r\n');
      let answer = '';
      for (const character of text) {
        this.#line += character;
        if (character !== '\n') continue;
        const line = this.#line.trim();
        if (this.echo) answer += this.#line;
        this.#line = '';
        if (line === 'AT+GMR') answer += '+GMR:"3.2.0"\r\nOK\r\n';
        else if (line !== '') answer += 'OK\r\n';
      }
      if (answer !== '') this.#handler.data(Buffer.from(answer, 'latin1'));
    }

    async close(): Promise<void> {}

    async setBaudRate(baud: number): Promise<void> {
      this.baud = baud;
    }
  }
  const diagnose = async (change: (uart: FakeUart) => void) => {
    const uart = new FakeUart();
    change(uart);
    const clock = new VirtualClock();
    return collect(clock, diagnoseUart(uart, clock));
  };

  it('finds nothing wrong with a sound module', async () => {
    const found = await diagnose(() => {});
    expect([...found.values()].map(({ state }) => state)).to.deep.equal(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(found.get('echo')!.detail).to.match(/^on/);
    expect((await diagnose((uart) => (uart.echo = false))).get('echo')!.detail).to.equal('off');
  });

  it('finds the baud rate', async () => {
    const found = await diagnose((uart) => (uart.moduleBaud = 115_200));
    expect(found.get('answer to AT')).to.deep.include({ state: 'warn', values: { baud: 115_200 } });
    expect(found.get('firmware')!.state).to.equal('ok');
  });

  it('says that nothing answers', async () => {
    const found = await diagnose((uart) => (uart.silent = true));
    expect(found.get('answer to AT')).to.include({ state: 'fail', silent: true });
  });

  it('recognises an adapter that changes line ends', async () => {
    const found = await diagnose((uart) => (uart.crBecomesCrLf = true));
    expect(found.get('line ends')!.state).to.equal('fail');
  });

  it('recognises lost bytes', async () => {
    const found = await diagnose((uart) => (uart.fifo = 64));
    expect(found.get('flow control')!.state).to.equal('warn');
    expect(found.get('flow control')!.detail).to.match(/^16 answers to 40/);
  });

  it('knows which firmware it knows', () => {
    expect(versionFinding('3.2.0').state).to.equal('ok');
    expect(versionFinding('2.0.0').detail).to.match(/older/);
    expect(versionFinding('4.0.0').detail).to.match(/not known/);
  });

  it('names who has a port open', () => {
    expect(holdersOf('/nonexistent')).to.deep.equal([]);
  });
});
