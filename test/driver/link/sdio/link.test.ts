import { expect } from 'chai';
import { randomTiming } from '../../../../simulator/frontend/sdio/behaviour.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { type LinkBench, linkBench, pattern } from './bench.js';

const code = (error: unknown) => (error as { code?: string }).code;

/** The module returns every message. */
function echo(bench: LinkBench): LinkBench {
  bench.module.onMessage = (bytes) => bench.module.slave.post(bytes);
  return bench;
}

async function untilReceived(bench: LinkBench, count: number): Promise<void> {
  if (bench.received.length >= count) return;
  await bench.settle(
    new Promise<void>((resolve) => {
      bench.onReceived = () => {
        if (bench.received.length >= count) resolve();
      };
    }),
  );
}

const seeds = Number(process.env.WINC_SPI_SEEDS ?? 1000);

describe('SDIO link', () => {
  for (const windows of ['merged', 'vendor'] as const) {
    describe(`windows=${windows}`, () => {
      it('initialises a module that takes its time to boot', async () => {
        const bench = linkBench({}, { windows }, 3500);
        await bench.start();
        expect(bench.clock.now()).to.be.within(3500, 4500);
        await bench.link.close();
      });

      it('says that the module is silent, and how', async () => {
        const bench = linkBench({}, { windows, bootTimeout: 3000 }, 60_000);
        const error = (await bench.start().catch((error) => error)) as Error;
        expect(code(error), String(error)).to.equal('WINC_MODULE_SILENT');
        expect(error.message).to.contain('stays low');
      });

      it('carries messages of the lengths around a block, both ways', async () => {
        const bench = echo(linkBench({}, { windows }));
        await bench.start();
        const lengths = [4, 8, 508, 512, 516, 1024, 1028, 1496, 1536, 4080];
        for (const [at, length] of lengths.entries())
          await bench.settle(bench.link.send([pattern(length, at)]));
        await untilReceived(bench, lengths.length);
        expect(bench.received).to.deep.equal(lengths.map((length, at) => pattern(length, at)));
        expect(bench.module.slave.counters).to.include({ unready: 0, unasked: 0, badTokens: 0 });
        await bench.link.close();
      });

      it('sends bursts of eight and takes lists of eight', async () => {
        const bench = echo(linkBench({}, { windows }));
        await bench.start();
        const burst = Array.from({ length: 8 }, (_, at) => pattern(40 + 4 * at, at));
        await bench.settle(bench.link.send(burst));
        await untilReceived(bench, 8);
        expect(bench.received).to.deep.equal(burst);
        expect(bench.link.counters.events).to.equal(2);
        await bench.link.close();
      });

      it('has checksums computed and checked when asked', async () => {
        const bench = echo(linkBench({}, { windows, crc: true }));
        await bench.start();
        await bench.settle(bench.link.send([pattern(1496, 1)]));
        await untilReceived(bench, 1);
        expect(bench.received[0]).to.deep.equal(pattern(1496, 1));
        expect(bench.module.slave.counters.badChecksums).to.equal(0);
        await bench.link.close();
      });
    });
  }

  it(`keeps all data intact over ${seeds} seeds of filler, busy and list lengths`, async function () {
    this.timeout(seeds * 60 + 10_000);
    for (let seed = 1; seed <= seeds; seed++) {
      const random = seededRandom(seed);
      const upTo = (limit: number) => Math.floor(random() * limit);
      const bench = echo(
        linkBench(
          {
            timing: randomTiming(random),
            listLength: 1 + upTo(8),
            burstRequest: random() < 0.5 ? 'sum' : 'each',
          },
          { windows: random() < 0.75 ? 'merged' : 'vendor', crc: random() < 0.3 },
          upTo(300),
        ),
      );
      await bench.start();
      const sent: Uint8Array[] = [];
      const done: Promise<void>[] = [];
      for (let group = 0; group < 3; group++) {
        const burst = Array.from({ length: 1 + upTo(4) }, () =>
          pattern(4 + 4 * upTo(random() < 0.2 ? 1019 : 60), upTo(256)),
        );
        sent.push(...burst);
        done.push(bench.link.send(burst));
      }
      await bench.settle(Promise.all(done));
      await untilReceived(bench, sent.length);
      expect(bench.received, `seed ${seed}`).to.deep.equal(sent);
      expect(bench.link.counters.busErrors, `seed ${seed}`).to.equal(0);
      expect(bench.module.slave.counters, `seed ${seed}`).to.include({
        unready: 0,
        unasked: 0,
        badTokens: 0,
      });
      await bench.link.close();
    }
  });

  describe('when the module misbehaves', () => {
    for (const what of [
      'no-data-ready',
      'interrupt-stuck',
      'write-crc',
      'response-error',
      'no-event',
    ] as const) {
      it(`recovers from ${what} and loses nothing`, async () => {
        const bench = echo(linkBench());
        await bench.start();
        bench.module.slave.misbehave(what);
        for (let at = 0; at < 3; at++) await bench.settle(bench.link.send([pattern(700, at)]));
        await untilReceived(bench, 3);
        expect(bench.received).to.deep.equal([0, 1, 2].map((at) => pattern(700, at)));
        expect(bench.recoveries).to.deep.equal([false]);
        expect(bench.link.windows).to.equal('vendor');
        await bench.link.close();
      });
    }

    for (const what of ['late-token', 'long-busy', 'interrupt-glitch'] as const) {
      it(`merely waits through ${what}`, async () => {
        const bench = echo(linkBench());
        await bench.start();
        bench.module.slave.misbehave(what);
        await bench.settle(bench.link.send([pattern(700, 1)]));
        await untilReceived(bench, 1);
        expect(bench.recoveries).to.be.empty;
        await bench.link.close();
      });
    }

    it('fetches a block again whose checksum is wrong', async () => {
      const bench = echo(linkBench({}, { crc: true }));
      await bench.start();
      await bench.settle(bench.link.send([pattern(700, 1)]));
      bench.module.slave.misbehave('read-crc');
      await untilReceived(bench, 1);
      expect(bench.received).to.deep.equal([pattern(700, 1)]);
      await bench.link.close();
    });

    for (const what of ['hang-low', 'hang-high'] as const) {
      it(`resets a module that hangs (${what}), and says that its state is lost`, async () => {
        const bench = echo(linkBench());
        await bench.start();
        bench.module.slave.misbehave(what);
        const error = await bench.settle(bench.link.send([pattern(8, 1)])).catch((error) => error);
        expect(code(error)).to.equal('WINC_BUS');
        expect(bench.recoveries).to.deep.equal([true]);
        await bench.settle(bench.link.send([pattern(8, 2)]));
        await untilReceived(bench, 1);
        await bench.link.close();
      });
    }

    it('notices that the module restarted by itself', async () => {
      const bench = echo(linkBench());
      await bench.start();
      bench.module.restart();
      await bench.settle(bench.link.send([pattern(8, 1)])).catch(() => {});
      expect(bench.recoveries).to.deep.equal([true]);
      await bench.link.close();
    });

    it('gives up with a typed failure when nothing helps', async () => {
      const bench = linkBench({}, { bootTimeout: 1000 });
      await bench.start();
      bench.module.setReset = () => {};
      bench.module.slave.misbehave('hang-high');
      const error = await bench.settle(bench.link.send([pattern(8, 1)])).catch((error) => error);
      expect(code(error)).to.equal('WINC_BUS');
      expect(code(bench.closed?.error)).to.equal('WINC_BUS');
      expect(code(await bench.link.send([pattern(8, 1)]).catch((error) => error))).to.equal(
        'WINC_PORT_CLOSED',
      );
    });
  });

  it('counts an interrupt without an event and goes on', async () => {
    const bench = echo(linkBench());
    await bench.start();
    bench.module.slave.misbehave('interrupt-glitch');
    await bench.settle(bench.link.send([pattern(8, 1)]));
    await untilReceived(bench, 1);
    await bench.link.close();
  });

  it('recovers on request without losing the module’s state, or with', async () => {
    const bench = echo(linkBench());
    await bench.start();
    await bench.settle(bench.link.recover('gentle'));
    await bench.settle(bench.link.recover('reset'));
    expect(bench.recoveries).to.deep.equal([false, true]);
    await bench.settle(bench.link.send([pattern(8, 1)]));
    await untilReceived(bench, 1);
    await bench.link.close();
  });

  it('refuses a message that is not made of whole words', async () => {
    const bench = linkBench();
    await bench.start();
    expect(code(await bench.link.send([new Uint8Array(7)]).catch((error) => error))).to.equal(
      'WINC_ARGUMENT',
    );
    await bench.link.close();
  });
});
