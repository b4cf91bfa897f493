import { spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SerialPort } from 'serialport';
import { openPty, type Pty } from '../../../simulator/pty/pty.js';

const pattern = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8) * 13 + seed) & 255);

const until = async (condition: () => boolean) => {
  const deadline = performance.now() + 9000;
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
};

describe('a pseudo-terminal as a serial port', () => {
  let pty: Pty;
  const ports: SerialPort[] = [];

  const openPort = async (path: string): Promise<SerialPort> => {
    const port = new SerialPort({ path, baudRate: 230400, autoOpen: false });
    ports.push(port);
    await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
    return port;
  };

  const collect = (port: SerialPort) => {
    const chunks: Buffer[] = [];
    let length = 0;
    port.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
    });
    return { all: () => Buffer.concat(chunks), length: () => length };
  };

  afterEach(async () => {
    for (const port of ports.splice(0)) {
      if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
    }
    await pty?.close();
  });

  it('carries every byte value both ways', async () => {
    pty = await openPty();
    const heard: number[] = [];
    pty.receive = (bytes) => heard.push(...bytes);
    const port = await openPort(pty.path);
    const received = collect(port);
    const every = Uint8Array.from({ length: 256 }, (_, index) => index);
    port.write(Buffer.from(every));
    pty.write(every);
    await until(() => heard.length >= 256 && received.length() >= 256);
    expect(heard).to.deep.equal([...every]);
    expect([...received.all()]).to.deep.equal([...every]);
  });

  it('carries 1 MiB each way at once without a wrong byte', async () => {
    pty = await openPty({ backlog: 1 << 20 });
    const size = 1 << 20;
    const fromHost = pattern(size, 1);
    const fromModule = pattern(size, 2);
    const heard = new Uint8Array(size);
    let length = 0;
    pty.receive = (bytes) => {
      heard.set(bytes, length);
      length += bytes.length;
    };
    const port = await openPort(pty.path);
    const received = collect(port);
    port.write(Buffer.from(fromHost));
    pty.write(fromModule);
    await until(() => length >= size && received.length() >= size);
    expect(Buffer.compare(heard, fromHost)).to.equal(0);
    expect(Buffer.compare(received.all(), fromModule)).to.equal(0);
    expect(pty.dropped).to.equal(0);
  });

  it('bounds what it holds for a host that does not read, and counts what it drops', async () => {
    pty = await openPty({ backlog: 4096 });
    const offered = 256 * 1024;
    const sent = pattern(offered, 3);
    for (let offset = 0; offset < offered; offset += 1000) pty.write(sent.subarray(offset, offset + 1000));
    expect(pty.dropped).to.be.greaterThan(0);
    const expected = offered - pty.dropped;
    // not by serialport, which throws away what came before it opened the port
    const cat = spawn('cat', [pty.path], { stdio: ['ignore', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    cat.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await until(() => chunks.reduce((sum, chunk) => sum + chunk.length, 0) >= expected);
    cat.kill();
    expect(Buffer.compare(Buffer.concat(chunks), sent.subarray(0, expected))).to.equal(0);
  });

  it('outlives its clients: raw mode and readiness stay between two of them', async () => {
    pty = await openPty();
    let heard = '';
    pty.receive = (bytes) => {
      heard += Buffer.from(bytes).toString('latin1');
    };
    for (const round of ['first\r\n', 'second\x03\x04\x11\x13\r\n']) {
      const child = spawn('sh', ['-c', 'exec cat > "$0"', pty.path]);
      child.stdin.end(round, 'latin1');
      await new Promise((resolve) => child.on('exit', resolve));
      await until(() => heard.endsWith(round));
    }
    expect(heard).to.equal('first\r\nsecond\x03\x04\x11\x13\r\n');
  });

  describe('its link', () => {
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'pty-link-'));
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    it('names the slave while the terminal is open, and is gone after', async () => {
      const link = join(directory, 'winc');
      symlinkSync('/dev/nothing', link);
      pty = await openPty({ link });
      expect(pty.name).to.equal(link);
      expect(readlinkSync(link)).to.equal(pty.path);
      await pty.close();
      expect(lstatSync(link, { throwIfNoEntry: false })).to.equal(undefined);
    });

    it('leaves alone a link that another terminal took since', async () => {
      const link = join(directory, 'winc');
      pty = await openPty({ link });
      const other = await openPty({ link });
      await pty.close();
      expect(readlinkSync(link)).to.equal(other.path);
      await other.close();
    });

    it('does not overwrite a file', async () => {
      const path = join(directory, 'file');
      writeFileSync(path, 'precious');
      const error = await openPty({ link: path }).catch((caught: unknown) => caught);
      expect(error).to.have.property('code', 'WINC_PTY_LINK');
      expect(existsSync(path)).to.equal(true);
    });

    it('reports a directory that is not there', async () => {
      const error = await openPty({ link: join(directory, 'none', 'winc') }).catch(
        (caught: unknown) => caught,
      );
      expect(error).to.have.property('code', 'WINC_PTY_LINK');
    });
  });
});
