import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { connectTcp } from '../../../bsd-sockets/index.js';
import { systemClock } from '../../../driver/clock.js';
import { WincModule } from '../../../driver/index.js';
import type { ModuleMessage } from '../../../driver/protocol/messages.js';
import { linkOptionsOf, TlvWire } from '../../../driver/session/tlv-wire.js';
import { MemorySpi } from '../../../driver/transport/spi-memory.js';
import { formatSpiTraceEntry, traceSpi } from '../../../driver/transport/spi-trace.js';
import type { Exchange, FirmwarePort } from '../../../simulator/frontend/frontend.js';
import { SdioFrontend } from '../../../simulator/frontend/sdio/index.js';
import { serveSpiBridge } from '../../../simulator/frontend/spi-bridge.js';
import { createSimulator } from '../../../simulator/simulator.js';

const code = (error: unknown) => (error as { code?: string }).code;

/** A firmware that answers everything with OK, and GMR with an information element before it. */
class YesFirmware implements FirmwarePort {
  readonly seen: number[] = [];
  late: Exchange[] | undefined;
  readonly #frontend: SdioFrontend;

  constructor(frontend: SdioFrontend) {
    this.#frontend = frontend;
    frontend.connect(this);
  }

  execute(exchange: Exchange): void {
    this.seen.push(exchange.request.seq);
    if (this.late !== undefined) this.late.push(exchange);
    else this.answer(exchange);
  }

  answer(exchange: Exchange): void {
    if (exchange.request.command === 'GMR') {
      exchange.respond({ command: 'GMR', form: 'INFORMATION_RESPONSE', elements: { versionInfo: '3.2.0' } });
    }
    exchange.finish({ code: 0 });
  }

  hardReset(): void {
    this.#frontend.booting();
    this.#frontend.booted('');
  }

  drained(): void {}
}

async function wire(url = 'memory:') {
  const frontend = new SdioFrontend();
  const firmware = new YesFirmware(frontend);
  const bus = new MemorySpi(frontend, url);
  const wire = new TlvWire(bus, { clock: systemClock });
  const messages: ModuleMessage[] = [];
  const state = { boots: 0, onMessage: (_message: ModuleMessage) => {} };
  await wire.start({
    message: (message) => {
      messages.push(message);
      state.onMessage(message);
    },
    booted: () => state.boots++,
    closed: () => {},
  });
  return { frontend, firmware, bus, wire, messages, state };
}

describe('TLV wire', () => {
  it('sends 70,000 requests, past the wrap of the sequence number, and hears every status in order', async function () {
    this.timeout(60_000);
    const { wire: tlv, firmware, state } = await wire();
    const total = 70_000;
    let next = 0;
    let answered = 0;
    await new Promise<void>((resolve, reject) => {
      const send = () => {
        const seq = next++ & 0xffff;
        tlv.send({ kind: 'request', command: 'GMR', args: {}, seq }).catch(reject);
      };
      state.onMessage = (message) => {
        if (message.kind === 'response') return;
        if (message.kind !== 'status' || message.seq !== (answered & 0xffff))
          reject(new Error('out of order'));
        if (++answered === total) resolve();
        else if (next < total) send();
      };
      for (let at = 0; at < tlv.window; at++) send();
    });
    expect(firmware.seen).to.have.length(total);
    expect(firmware.seen[65_536]).to.equal(0);
    await tlv.close();
  });

  it('answers in the order of the requests, whatever the firmware does', async () => {
    const { wire: tlv, firmware, messages } = await wire();
    firmware.late = [];
    const sent = [0, 1, 2].map((seq) => tlv.send({ kind: 'request', command: 'GMR', args: {}, seq }));
    await Promise.all(sent);
    while (firmware.late.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const exchange of firmware.late.reverse()) firmware.answer(exchange);
    while (messages.length < 6) await new Promise((resolve) => setImmediate(resolve));
    expect(messages.map((message) => [message.kind, (message as { seq: number }).seq])).to.deep.equal([
      ['response', 0],
      ['status', 0],
      ['response', 1],
      ['status', 1],
      ['response', 2],
      ['status', 2],
    ]);
    await tlv.close();
  });

  it('refuses bad arguments before anything is sent', async () => {
    const { wire: tlv, bus } = await wire();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { transfers } = bus;
    const args = { type: 1, queryName: 'x'.repeat(257) };
    const error = await tlv
      .send({ kind: 'request', command: 'DNSRESOLV', args, seq: 0 })
      .catch((error) => error);
    expect(code(error)).to.equal('WINC_ARGUMENT');
    expect(bus.transfers).to.equal(transfers);
    await tlv.close();
  });

  it('reports a module that restarted by itself', async () => {
    const { wire: tlv, firmware, state } = await wire();
    firmware.hardReset();
    await tlv.send({ kind: 'request', command: 'GMR', args: {}, seq: 0 }).catch(() => {});
    while (state.boots === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await tlv.recover('gentle', 1000);
    expect(state.boots).to.equal(1);
    await tlv.close();
  });

  it('takes its link options from the URL', () => {
    expect(linkOptionsOf('spi:/dev/spidev0.0?windows=vendor&crc=on')).to.deep.equal({
      windows: 'vendor',
      crc: true,
    });
    expect(linkOptionsOf('bridge:unix:/x')).to.deep.equal({ windows: 'merged', crc: false });
    for (const bad of ['memory:?windows=wide', 'memory:?crc=1'])
      expect(() => linkOptionsOf(bad)).to.throw(bad);
  });

  it('shows no secret in a trace', async () => {
    const frontend = new SdioFrontend();
    new YesFirmware(frontend);
    const lines: string[] = [];
    const bus = traceSpi(new MemorySpi(frontend), systemClock, (entry) =>
      lines.push(formatSpiTraceEntry(entry)),
    );
    const tlv = new TlvWire(bus, { clock: systemClock });
    await tlv.start({ message: () => {}, booted: () => {}, closed: () => {} });
    const secret = 'correct horse battery';
    await tlv.send({ kind: 'request', command: 'WSTAC', args: { id: 3, val: secret }, seq: 0 });
    await tlv.send({ kind: 'request', command: 'WSTAC', args: { id: 1, val: 'network' }, seq: 1 });
    const trace = lines.join('\n');
    expect(trace).to.contain(Buffer.from('network').toString('hex'));
    expect(trace).to.not.contain(Buffer.from(secret).toString('hex').slice(0, 16));
    expect(trace).to.contain('2a'.repeat(secret.length));
    await tlv.close();
  });

  describe('under the whole driver, with the emulated firmware', () => {
    let server: Server;
    let port: number;
    let folder: string;

    before(async () => {
      server = createServer((socket) => {
        socket.on('error', () => {});
        socket.pipe(socket);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as { port: number }).port;
      folder = mkdtempSync(join(tmpdir(), 'winc-'));
    });

    after(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });

    for (const options of ['', '?windows=vendor', '?crc=on']) {
      it(`joins and echoes 100,000 bytes over bridge:unix:${options}`, async () => {
        const simulator = await createSimulator({
          profile: 'wincs02',
          accessPoints: [{ ssid: 'lab', passphrase: 'secret123' }],
          hostNetwork: 'loopback',
        });
        const bridge = await serveSpiBridge(`unix:${join(folder, 'spi')}`, simulator.modules[0].spi);
        const module = await WincModule.open(`bridge:${bridge.address}${options}`);
        try {
          expect(module.wire).to.equal('tlv');
          expect((await module.info()).model).to.equal('WINCS02');
          const { addresses } = await module.wifi.join({ ssid: 'lab', passphrase: 'secret123' });
          expect(addresses.at(-1)).to.match(/^10\.0\.2\./);
          const socket = await connectTcp(module, '10.0.2.2', port);
          const data = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at * 7 + (at >> 8)));
          const parts: Buffer[] = [];
          socket.on('data', (part) => parts.push(part));
          socket.write(data);
          while (parts.reduce((sum, { length }) => sum + length, 0) < data.length) await once(socket, 'data');
          expect(Buffer.concat(parts).equals(data)).to.equal(true);
          socket.destroy();
        } finally {
          await module.close();
          await bridge.close();
          await simulator.close();
        }
      });
    }
  });
});
