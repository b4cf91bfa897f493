import { constants } from 'node:os';
import { expect } from 'chai';
import { systemClock } from '../../../driver/clock.js';
import {
  findLine,
  GPIO_GET_CHIPINFO,
  GPIO_V2_GET_LINE,
  GPIO_V2_GET_LINEINFO,
  GPIO_V2_LINE_GET_VALUES,
  GPIO_V2_LINE_SET_VALUES,
} from '../../../driver/transport/gpio-chip.js';
import { openSpi, parseSpiUrl } from '../../../driver/transport/spi.js';
import { openSpiDevicePackage, type SpiDevicePackage } from '../../../driver/transport/spi-device-package.js';
import type { LinuxCalls } from '../../../driver/transport/spi-linux.js';
import {
  SPI_IOC_WR_BITS_PER_WORD,
  SPI_IOC_WR_MAX_SPEED_HZ,
  SPI_IOC_WR_MODE,
  SpidevBus,
  spiIocMessage,
} from '../../../driver/transport/spi-spidev.js';

const code = (error: unknown) => (error as { code?: string }).code;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What `linux/spi/spidev.h` and `linux/gpio.h` make of their macros on x86-64 and arm64. */
const REQUESTS = {
  SPI_IOC_WR_MODE: 0x40016b01,
  SPI_IOC_WR_BITS_PER_WORD: 0x40016b03,
  SPI_IOC_WR_MAX_SPEED_HZ: 0x40046b04,
  SPI_IOC_MESSAGE_1: 0x40206b00,
  SPI_IOC_MESSAGE_3: 0x40606b00,
  GPIO_GET_CHIPINFO_IOCTL: 0x8044b401,
  GPIO_V2_GET_LINEINFO_IOCTL: 0xc100b405,
  GPIO_V2_GET_LINE_IOCTL: 0xc250b407,
  GPIO_V2_LINE_GET_VALUES_IOCTL: 0xc010b40e,
  GPIO_V2_LINE_SET_VALUES_IOCTL: 0xc010b40f,
};

/** A kernel with one SPI bus that inverts every byte, and one GPIO chip of 28 lines. */
class FakeKernel implements LinuxCalls {
  readonly log: string[] = [];
  readonly memory = new Map<bigint, Buffer>();
  readonly open_ = new Map<number, string>();
  readonly levels = new Map<number, boolean>();
  missing: Record<string, number> = {};
  busy: number | undefined;
  readonly #edges: (() => void)[] = [];
  #next = 10;
  #lineOf = new Map<number, number>();

  open(path: string): number {
    const errno = this.missing[path];
    if (errno !== undefined) return -errno;
    const fd = this.#next++;
    this.open_.set(fd, path);
    this.log.push(`open ${path}`);
    return fd;
  }

  close(fd: number): void {
    this.log.push(`close ${this.open_.get(fd)}`);
    this.open_.delete(fd);
    for (const edge of this.#edges.splice(0)) edge();
  }

  addressOf(bytes: Uint8Array): bigint {
    const address = 0x7f00_0000_0000n + BigInt(this.memory.size) * 0x10_0000n;
    this.memory.set(address, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    return address;
  }

  async ioctlAsync(fd: number, request: number, argument: Uint8Array): Promise<number> {
    await null;
    return this.ioctl(fd, request, argument);
  }

  ioctl(fd: number, request: number, argument: Uint8Array): number {
    const bytes = Buffer.from(argument.buffer, argument.byteOffset, argument.length);
    this.log.push(`ioctl ${this.open_.get(fd)} ${request.toString(16)} ${hex(bytes).replace(/(00)+$/, '')}`);
    if (request === GPIO_GET_CHIPINFO) bytes.writeUInt32LE(28, 64);
    else if (request === GPIO_V2_GET_LINEINFO) this.#lineInfo(bytes);
    else if (request === GPIO_V2_GET_LINE) return this.#request(bytes);
    else if (request === GPIO_V2_LINE_GET_VALUES) {
      bytes.writeBigUInt64LE(this.levels.get(this.#lineOf.get(fd)!) === false ? 0n : 1n, 0);
    } else if (request === GPIO_V2_LINE_SET_VALUES) {
      this.levels.set(this.#lineOf.get(fd)!, bytes.readBigUInt64LE(0) === 1n);
    } else if ((request & 0xffff) === 0x6b00) return this.#message(bytes);
    return 0;
  }

  read(_fd: number, into: Uint8Array): number {
    into.fill(0, 0, 48);
    return 48;
  }

  readable(): Promise<boolean> {
    return new Promise((resolve) => this.#edges.push(() => resolve(true)));
  }

  edge(offset: number, high: boolean): void {
    this.levels.set(offset, high);
    for (const edge of this.#edges.splice(0)) edge();
  }

  #lineInfo(bytes: Buffer): void {
    const offset = bytes.readUInt32LE(64);
    bytes.write(`GPIO${offset}\0`, 0, 'utf8');
    if (offset === this.busy) {
      bytes.write('w1-gpio\0', 32, 'utf8');
      bytes.writeBigUInt64LE(1n, 72);
    }
  }

  #request(bytes: Buffer): number {
    const offset = bytes.readUInt32LE(0);
    if (offset === this.busy) return -constants.errno.EBUSY;
    const fd = this.#next++;
    this.open_.set(fd, `line ${offset}`);
    this.#lineOf.set(fd, offset);
    bytes.writeInt32LE(fd, 588);
    return 0;
  }

  #bytesAt(address: bigint, length: number): Buffer {
    for (const [start, bytes] of this.memory) {
      const from = Number(address - start);
      if (address >= start && from + length <= bytes.length) return bytes.subarray(from, from + length);
    }
    throw new Error('a structure points nowhere');
  }

  #message(bytes: Buffer): number {
    let total = 0;
    for (let at = 0; at < bytes.length; at += 32) {
      const length = bytes.readUInt32LE(at + 16);
      const out = this.#bytesAt(bytes.readBigUInt64LE(at), length);
      const back = this.#bytesAt(bytes.readBigUInt64LE(at + 8), length);
      for (let i = 0; i < length; i++) back[i] = ~out[i];
      total += length;
    }
    return total;
  }
}

const url = 'spi:/dev/spidev0.0?reset=GPIO17&int=GPIO27';

describe('spi: on Linux', () => {
  it('uses the numbers of the kernel headers', () => {
    expect({
      SPI_IOC_WR_MODE,
      SPI_IOC_WR_BITS_PER_WORD,
      SPI_IOC_WR_MAX_SPEED_HZ,
      SPI_IOC_MESSAGE_1: spiIocMessage(1),
      SPI_IOC_MESSAGE_3: spiIocMessage(3),
      GPIO_GET_CHIPINFO_IOCTL: GPIO_GET_CHIPINFO,
      GPIO_V2_GET_LINEINFO_IOCTL: GPIO_V2_GET_LINEINFO,
      GPIO_V2_GET_LINE_IOCTL: GPIO_V2_GET_LINE,
      GPIO_V2_LINE_GET_VALUES_IOCTL: GPIO_V2_LINE_GET_VALUES,
      GPIO_V2_LINE_SET_VALUES_IOCTL: GPIO_V2_LINE_SET_VALUES,
    }).to.deep.equal(REQUESTS);
  });

  it('passes exactly these structures for one window and for three in one message', async () => {
    const kernel = new FakeKernel();
    const bus = new SpidevBus('/dev/spidev0.0', { clock: 10_000_000, mode: 0, bits: 8 }, kernel, 4096);
    expect(kernel.log).to.deep.equal([
      'open /dev/spidev0.0',
      'ioctl /dev/spidev0.0 40016b01 ',
      'ioctl /dev/spidev0.0 40016b03 08',
      'ioctl /dev/spidev0.0 40046b04 809698',
    ]);
    kernel.log.length = 0;
    const [one] = await bus.transfer([Uint8Array.of(0xff, 0x40, 0x95)]);
    expect(hex(one)).to.equal('00bf6a');
    const out = '00000000007f0000';
    const back = '00001000007f0000';
    const rest = '80969800' + '0000' + '08';
    expect(kernel.log).to.deep.equal([`ioctl /dev/spidev0.0 40206b00 ${out}${back}03000000${rest}`]);
    kernel.log.length = 0;
    const three = await bus.transfer([Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(4, 5, 6)]);
    expect(three.map(hex)).to.deep.equal(['fefd', 'fc', 'fbfaf9']);
    expect(kernel.log).to.deep.equal([
      `ioctl /dev/spidev0.0 40606b00 ${[
        `${out}${back}02000000${rest}0100000000`,
        `02000000007f0000${'02001000007f0000'}01000000${rest}0100000000`,
        `03000000007f0000${'03001000007f0000'}03000000${rest}`,
      ].join('')}`,
    ]);
  });

  it('refuses more than the kernel takes in one message', async () => {
    const bus = new SpidevBus('/dev/spidev0.0', { clock: 1e6, mode: 0, bits: 8 }, new FakeKernel(), 64);
    expect(code(await bus.transfer([new Uint8Array(65)]).catch((error) => error))).to.equal(
      'WINC_PORT_FAILED',
    );
  });

  it('drives reset and follows the interrupt line, found by name', async () => {
    const kernel = new FakeKernel();
    const transport = await openSpi(url, { clock: systemClock }, kernel, ['/dev/gpiochip0']);
    const requests = kernel.log.filter((entry) => entry.includes('c250b407'));
    expect(requests[0]).to.match(/ 11000000.*77696e6373303200/);
    const fields = (entry: string) => {
      const bytes = Buffer.from(entry.split(' ')[3].padEnd(1184, '0'), 'hex');
      return {
        offset: bytes.readUInt32LE(0),
        flags: Number(bytes.readBigUInt64LE(288)),
        attributes: bytes.readUInt32LE(296),
        id: bytes.readUInt32LE(320),
        values: Number(bytes.readBigUInt64LE(328)),
        mask: Number(bytes.readBigUInt64LE(336)),
        lines: bytes.readUInt32LE(560),
      };
    };
    // Output, high from the start; input with both edges.
    expect(fields(requests[0])).to.deep.equal({
      offset: 17,
      flags: 8,
      attributes: 1,
      id: 2,
      values: 1,
      mask: 1,
      lines: 1,
    });
    expect(fields(requests[1])).to.deep.equal({
      offset: 27,
      flags: 0x34,
      attributes: 0,
      id: 0,
      values: 0,
      mask: 0,
      lines: 1,
    });

    await transport.setReset(true);
    expect(kernel.levels.get(17)).to.equal(false);
    await transport.setReset(false);
    expect(kernel.levels.get(17)).to.equal(true);

    const changes: boolean[] = [];
    let closed = 0;
    transport.start({ interrupt: (asserted) => changes.push(asserted), closed: () => closed++ });
    expect(transport.interruptAsserted).to.equal(false);
    for (const high of [false, true]) {
      kernel.edge(27, high);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(changes).to.deep.equal([true, false]);
    expect(hex(await transport.transfer(new Uint8Array(300)))).to.equal('ff'.repeat(300));
    await transport.close();
    expect(closed).to.equal(1);
    expect(kernel.open_.size).to.equal(0);
    expect(code(await transport.transfer(new Uint8Array(1)).catch((error) => error))).to.equal(
      'WINC_PORT_CLOSED',
    );
  });

  it('says what is wrong: missing, not permitted, in use by whom', async () => {
    const failure = async (change: (kernel: FakeKernel) => void) => {
      const kernel = new FakeKernel();
      change(kernel);
      const error = (await openSpi(url, { clock: systemClock }, kernel, ['/dev/gpiochip0']).catch(
        (error) => error,
      )) as Error;
      expect(kernel.open_.size, 'everything is closed again').to.equal(0);
      return `${code(error)} ${error.message}`;
    };
    const { ENOENT, EACCES } = constants.errno;
    expect(await failure((kernel) => (kernel.missing = { '/dev/spidev0.0': ENOENT }))).to.match(
      /^WINC_PORT_MISSING .*spidev0\.0/,
    );
    expect(await failure((kernel) => (kernel.missing = { '/dev/spidev0.0': EACCES }))).to.match(
      /^WINC_PORT_PERMISSION .*group spi/,
    );
    expect(await failure((kernel) => (kernel.missing = { '/dev/gpiochip0': EACCES }))).to.match(
      /^WINC_PORT_PERMISSION .*group gpio/,
    );
    expect(await failure((kernel) => (kernel.busy = 17))).to.match(/^WINC_PORT_LOCKED .*in use by w1-gpio/);
    expect(() => findLine('GPIO99', new FakeKernel(), ['/dev/gpiochip0'])).to.throw(
      'no GPIO chip has a line called GPIO99',
    );
  });

  it('reads its URL', () => {
    expect(parseSpiUrl(`${url}&clock=20000000&mode=3`)).to.deep.equal({
      path: '/dev/spidev0.0',
      bus: { clock: 20_000_000, mode: 3, bits: 8 },
      reset: 'GPIO17',
      interrupt: 'GPIO27',
      backend: 'koffi',
    });
    expect(parseSpiUrl(url).bus).to.deep.equal({ clock: 10_000_000, mode: 0, bits: 8 });
    expect(findLine('gpiochip4:7', new FakeKernel())).to.deep.equal({ chip: '/dev/gpiochip4', offset: 7 });
    for (const bad of [
      'spi:/dev/ttyS0?reset=1&int=2',
      'spi:/dev/spidev0.0',
      `${url}&speed=1`,
      `${url}&mode=4`,
      `${url}&clock=fast`,
      `${url}&backend=magic`,
    ]) {
      expect(() => parseSpiUrl(bad), bad)
        .to.throw()
        .with.property('code', 'WINC_URL');
    }
  });

  it('takes the package spi-device instead', async () => {
    const seen: object[] = [];
    const stand: SpiDevicePackage = {
      openSync: (bus, device, options) => {
        seen.push({ bus, device, options });
        return {
          transfer(message, done) {
            seen.push(
              message.map(({ sendBuffer, ...rest }) => ({
                ...rest,
                sendBuffer: hex(sendBuffer),
                receiveBuffer: 0,
              })),
            );
            for (const { sendBuffer, receiveBuffer } of message) sendBuffer.copy(receiveBuffer);
            done(null);
          },
          closeSync: () => seen.push({ closed: true }),
        };
      },
    };
    const bus = await openSpiDevicePackage(
      '/dev/spidev1.2',
      { clock: 5e6, mode: 0, bits: 8 },
      async () => stand,
    );
    expect((await bus.transfer([Uint8Array.of(1, 2), Uint8Array.of(3)])).map(hex)).to.deep.equal([
      '0102',
      '03',
    ]);
    bus.close();
    expect(seen).to.deep.equal([
      { bus: 1, device: 2, options: { mode: 0, bitsPerWord: 8, maxSpeedHz: 5e6 } },
      [
        { byteLength: 2, speedHz: 5e6, chipSelectChange: true, sendBuffer: '0102', receiveBuffer: 0 },
        { byteLength: 1, speedHz: 5e6, chipSelectChange: false, sendBuffer: '03', receiveBuffer: 0 },
      ],
      { closed: true },
    ]);
  });
});
