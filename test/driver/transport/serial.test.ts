import { expect } from 'chai';
import { SerialPortMock } from 'serialport';
import { systemClock } from '../../../driver/clock.js';
import { openSerial, type SerialPortClass } from '../../../driver/transport/serial.js';

const Mock = SerialPortMock as unknown as SerialPortClass;
type MockPort = { emitData(bytes: Buffer): void; lastWrite: Buffer | null; isOpen: boolean };
const open = (url: string, portClass: SerialPortClass = Mock) =>
  openSerial(url, { clock: systemClock }, portClass);

describe('serial: transport', () => {
  beforeEach(() => {
    SerialPortMock.binding.reset();
    SerialPortMock.binding.createPort('/dev/ttyTEST');
  });

  it('opens with 230400 8N1 by default, and as the URL says otherwise', async () => {
    const seen: object[] = [];
    class Spy extends SerialPortMock {
      constructor(options: ConstructorParameters<typeof SerialPortMock>[0]) {
        super(options);
        seen.push(options);
      }
    }
    const first = await open('serial:/dev/ttyTEST', Spy as unknown as SerialPortClass);
    await first.close();
    const second = await open('serial:/dev/ttyTEST?baud=115200&rtscts=1', Spy as unknown as SerialPortClass);
    await second.close();
    expect(seen[0]).to.include({ path: '/dev/ttyTEST', baudRate: 230400, rtscts: false, lock: true });
    expect(seen[1]).to.include({ baudRate: 115200, rtscts: true });
  });

  it('passes bytes both ways without ever being paused', async () => {
    let port!: SerialPortMock;
    class Spy extends SerialPortMock {
      constructor(options: ConstructorParameters<typeof SerialPortMock>[0]) {
        super(options);
        port = this;
      }
    }
    const transport = await open('serial:/dev/ttyTEST', Spy as unknown as SerialPortClass);
    const got = new Promise<string>((resolve) => {
      transport.start({ data: (bytes) => resolve(Buffer.from(bytes).toString('latin1')), closed: () => {} });
    });
    await transport.write(Buffer.from('AT\r\n'));
    const binding = port.port as unknown as MockPort;
    expect(binding.lastWrite?.toString()).to.equal('AT\r\n');
    binding.emitData(Buffer.from('OK\r\n\xff', 'latin1'));
    expect(await got).to.equal('OK\r\n\xff');
    expect(port.isPaused()).to.equal(false);
    await transport.close();
  });

  it('reports an unplugged device once, and no end of its own', async () => {
    let port!: SerialPortMock;
    class Spy extends SerialPortMock {
      constructor(options: ConstructorParameters<typeof SerialPortMock>[0]) {
        super(options);
        port = this;
      }
    }
    const transport = await open('serial:/dev/ttyTEST', Spy as unknown as SerialPortClass);
    const ends: (Error | undefined)[] = [];
    const ended = new Promise<void>((resolve) => {
      transport.start({
        data: () => {},
        closed: (error) => {
          ends.push(error);
          resolve();
        },
      });
    });
    // What the stream does when a read fails with ENXIO.
    (port as unknown as { _disconnected(error: Error): void })._disconnected(
      Object.assign(new Error('ENXIO'), { disconnect: true }),
    );
    await ended;
    await transport.close();
    expect(ends).to.have.length(1);
    expect(ends[0]).to.have.property('code', 'WINC_PORT_LOST');
    const failed = await transport.write(Buffer.from('x')).catch((error: { code: string }) => error.code);
    expect(failed).to.equal('WINC_PORT_LOST');
  });

  it('names what stands in the way', async () => {
    const cases: [string, string][] = [
      ['Error: No such file or directory, cannot open /dev/x', 'WINC_PORT_MISSING'],
      ['Error Resource temporarily unavailable Cannot lock port', 'WINC_PORT_LOCKED'],
      ['Error: Device or resource busy, cannot open /dev/x', 'WINC_PORT_LOCKED'],
      ['Error: Permission denied, cannot open /dev/x', 'WINC_PORT_PERMISSION'],
      ['Error: something else', 'WINC_PORT_FAILED'],
    ];
    for (const [message, code] of cases) {
      class Refusing {
        open(callback: (error: Error) => void) {
          callback(new Error(message));
        }
      }
      const error = await open('serial:/dev/ttyX', Refusing as unknown as SerialPortClass).catch((e) => e);
      expect(error.code, message).to.equal(code);
      expect(error.message).to.match(/^serial:\/dev\/ttyX: .*\.$/);
    }
  });
});
