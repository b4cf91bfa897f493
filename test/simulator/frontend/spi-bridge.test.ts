import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../../../driver/clock.js';
import { SdioLink } from '../../../driver/link/sdio/link.js';
import { BridgeFrameReader, bridgeFrame } from '../../../driver/protocol/sdio/index.js';
import { openBridge } from '../../../driver/transport/bridge.js';
import type { SpiTransport } from '../../../driver/transport/transport.js';
import { SdioSlave } from '../../../simulator/frontend/sdio/slave.js';
import { type SpiBridge, type SpiDevice, serveSpiBridge } from '../../../simulator/frontend/spi-bridge.js';
import { pattern } from '../../driver/link/sdio/bench.js';

const code = (error: unknown) => (error as { code?: string }).code;

/** A module that returns every message; it wakes as soon as reset is released. */
class EchoModule implements SpiDevice {
  onInterrupt: ((asserted: boolean) => void) | undefined;
  resets = 0;
  readonly slave = new SdioSlave({
    message: (bytes) => this.slave.post(bytes),
    interrupt: (asserted) => this.onInterrupt?.(asserted),
  });

  get interruptAsserted(): boolean {
    return this.slave.interruptAsserted;
  }

  transfer(mosi: Uint8Array): Uint8Array {
    const miso = new Uint8Array(mosi.length);
    this.slave.transfer(mosi, miso);
    return miso;
  }

  setReset(asserted: boolean): void {
    if (asserted) this.slave.sleep();
    else {
      this.resets++;
      this.slave.wake();
    }
  }
}

/** A client that writes bytes as it likes. */
function rawClient(address: string): Promise<Socket> {
  const [, host, port] = /^tcp:(.*):(\d+)$/.exec(address) ?? [];
  return new Promise((resolve, reject) => {
    const socket = connect(host === undefined ? { path: address.slice(5) } : { host, port: Number(port) });
    socket.once('error', reject);
    socket.once('data', () => resolve(socket));
  });
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

async function echoOnce(address: string): Promise<void> {
  const transport = (await openBridge(`bridge:${address}`, { clock: systemClock })) as SpiTransport;
  const link = new SdioLink(transport, { clock: systemClock });
  const received = new Promise<Uint8Array>((resolve, reject) => {
    link
      .start({
        message: (bytes) => resolve(bytes.slice()),
        recovered: () => {},
        closed: (error) => reject(error),
      })
      .then(() => link.send([pattern(1496, 3)]))
      .catch(reject);
  });
  expect(await received).to.deep.equal(pattern(1496, 3));
  received.catch(() => {});
  await link.close();
}

describe('SPI bridge', () => {
  let folder: string;
  let bridge: SpiBridge;
  let module: EchoModule;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bridge-'));
    module = new EchoModule();
  });

  afterEach(async () => {
    await bridge?.close();
    rmSync(folder, { recursive: true });
  });

  for (const kind of ['unix', 'tcp'] as const) {
    const listen = () => (kind === 'unix' ? `unix:${join(folder, 'spi')}` : 'tcp:0');

    it(`serves one client after another over ${kind}: clean, killed in a CMD53, babbling, clean`, async () => {
      bridge = await serveSpiBridge(listen(), module);
      await echoOnce(bridge.address);
      await echoOnce(bridge.address);

      const killed = await rawClient(bridge.address);
      killed.write(bridgeFrame(0x01, Buffer.from('ff400000000095ffff', 'hex')));
      killed.write(bridgeFrame(0x01, Buffer.from('ff759400480401ffffffff', 'hex')));
      killed.write(bridgeFrame(0x01, Buffer.from('ff759000000801ffffffff', 'hex')));
      const half = bridgeFrame(0x01, Buffer.from('fffe0002', 'hex'));
      killed.write(half.subarray(0, 7));
      await new Promise((resolve) => killed.once('data', resolve));
      killed.destroy();
      await closed(killed);

      await echoOnce(bridge.address);

      const babbling = await rawClient(bridge.address);
      for (let at = 0; at < 20; at++) babbling.write(bridgeFrame(0x01, pattern(333, at)));
      babbling.destroy();
      await closed(babbling);

      await echoOnce(bridge.address);
      expect(module.resets).to.equal(4);
      expect(bridge.refused).to.equal(0);
    });
  }

  it('lets a second client wait for the first', async () => {
    bridge = await serveSpiBridge('tcp:0', module);
    const first = await rawClient(bridge.address);
    const second = echoOnce(bridge.address);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(module.resets).to.equal(0);
    first.destroy();
    await second;
  });

  for (const [what, bytes] of [
    ['an unknown opcode', '070000000100'],
    ['a frame of an opcode only the module sends', '030000000101'],
    ['a reset without its level', '0200000000'],
    ['a length beyond all bounds', '01ffffffff'],
  ] as const) {
    it(`refuses ${what} and serves the next client`, async () => {
      bridge = await serveSpiBridge('tcp:0', module);
      const client = await rawClient(bridge.address);
      client.write(Buffer.from(bytes, 'hex'));
      await closed(client);
      expect(bridge.refused).to.equal(1);
      await echoOnce(bridge.address);
    });
  }

  it('releases a reset that a dead client left asserted', async () => {
    bridge = await serveSpiBridge('tcp:0', module);
    const client = await rawClient(bridge.address);
    client.write(bridgeFrame(0x02, Uint8Array.of(0)));
    await new Promise((resolve) => client.once('data', resolve));
    client.destroy();
    await closed(client);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(module.resets).to.equal(1);
  });

  it('replaces a socket file that a killed simulator left, but not one in use', async () => {
    const path = join(folder, 'spi');
    bridge = await serveSpiBridge(`unix:${path}`, module);
    const error = await serveSpiBridge(`unix:${path}`, module).catch((error) => error);
    expect(code(error)).to.equal('WINC_PORT_LOCKED');
    await bridge.close();
    writeFileSync(path, '');
    expect(code(await serveSpiBridge(`unix:${path}`, module).catch((error) => error))).to.equal(
      'WINC_PORT_LOCKED',
    );
  });

  it('says what is wrong with an address', async () => {
    for (const address of ['spi', 'unix:', 'tcp:', 'tcp:x:y', 'tcp:99999']) {
      expect(code(await serveSpiBridge(address, module).catch((error) => error))).to.equal('WINC_URL');
    }
    for (const url of ['bridge:', 'bridge:unix:', 'bridge:tcp:x', 'bridge:tcp:x:0']) {
      expect(code(await openBridge(url, { clock: systemClock }).catch((error) => error)), url).to.equal(
        'WINC_URL',
      );
    }
    const nobody = `bridge:unix:${join(folder, 'nobody')}`;
    expect(code(await openBridge(nobody, { clock: systemClock }).catch((error) => error))).to.equal(
      'WINC_PORT_MISSING',
    );
  });

  it('cuts frames wherever the stream is cut', () => {
    const stream = Buffer.concat([
      bridgeFrame(1, pattern(700, 1)),
      bridgeFrame(2, Uint8Array.of(1)),
      bridgeFrame(1, new Uint8Array(0)),
    ]);
    for (const size of [1, 2, 3, 7, 64, 1000]) {
      const frames: [number, number][] = [];
      const reader = new BridgeFrameReader(
        () => true,
        (opcode, payload) => frames.push([opcode, payload.length]),
      );
      for (let at = 0; at < stream.length; at += size)
        expect(reader.push(stream.subarray(at, at + size))).to.equal(true);
      expect(frames).to.deep.equal([
        [1, 700],
        [2, 1],
        [1, 0],
      ]);
    }
  });
});
