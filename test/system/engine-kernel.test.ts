/** The engine against the Linux kernel's TCP on a TAP device, seen by tshark. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { TcpStream } from '../../simulator/tcpip/api/stream.js';
import { systemClock } from '../../simulator/tcpip/clock.js';
import type { Link, PingResult, TcpConnection, TcpFailure } from '../../simulator/tcpip/contract.js';
import { CapturedLink, CaptureFile, ImpairedLink } from '../../simulator/tcpip/link/index.js';
import { randomBytes, seededRandom } from '../../simulator/tcpip/random.js';
import { createStack, type EngineStack } from '../../simulator/tcpip/stack.js';
import { KernelNetwork, needs, retransmissions, tshark, wireFaults } from './support/namespace.js';

const megabytes = 10;
const payload = randomBytes(seededRandom(1), megabytes * 2 ** 20);
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

describe('engine against the kernel', function () {
  this.timeout(60_000);
  let folder: string;
  let network: KernelNetwork;
  let stack: EngineStack;
  let payloadFile: string;

  before(function () {
    needs(this, 'ip', 'ss', 'ping', 'socat', 'dumpcap', 'tshark');
    folder = mkdtempSync(join(tmpdir(), 'engine-kernel-'));
    payloadFile = join(folder, 'payload');
    writeFileSync(payloadFile, payload);
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  async function up(chain: (tap: Link) => Link = (tap) => tap): Promise<void> {
    // Tail loss probes would take a pause of this process, on a machine with other work, for a loss.
    network = new KernelNetwork({ sysctl: { 'net.ipv4.tcp_early_retrans': 0 } });
    stack = createStack({ link: chain(network.tap) });
    stack.addAddress(network.ours.ipv4, 24);
    stack.startIpv6();
    stack.addAddress(network.ours.ipv6, 64);
    stack.setGateway(network.kernel.ipv4);
  }
  async function down(): Promise<void> {
    stack?.close();
    await network?.close();
  }
  afterEach(down);

  const ping = (address: string): Promise<PingResult | string> =>
    new Promise((resolve) => stack.ping(address, { timeoutMs: 1000 }, resolve));

  it('ping, both ways, both versions', async () => {
    await up();
    expect(await ping(network.kernel.ipv4)).to.include({ bytes: 32 });
    const { stdout, code } = await network.run('ping', ['-c', '3', '-i', '0.2', network.ours.ipv4]);
    expect(code, stdout.toString()).to.equal(0);
    // Our address is ours after duplicate address detection only.
    while (!stack.addresses.some(({ address }) => address === network.ours.ipv6)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const six = await network.run('ping', ['-6', '-c', '3', '-i', '0.2', '-s', '4000', network.ours.ipv6]);
    expect(six.code, six.stdout.toString()).to.equal(0);
    expect(await ping(network.kernel.ipv6)).to.include({ bytes: 32 });
    expect(await ping('10.88.0.77')).to.be.oneOf(['EHOSTUNREACH', 'ETIMEDOUT']);
  });

  /** Up, down and both ways at once; recorded by our own device, which misses nothing: dumpcap does, on a busy machine. */
  async function transfers(file: string): Promise<void> {
    const capture = new CaptureFile(file);
    await up((tap) => new CapturedLink(tap, capture.writer, 'stack'));

    // We connect: their sha256sum answers what it got; then their file comes to us.
    await network.serve(5001, 'socat', ['-t20', 'TCP-LISTEN:5001,reuseaddr', 'SYSTEM:sha256sum']);
    const upload = new TcpStream(stack.tcpConnect({ address: network.kernel.ipv4, port: 5001 }, {}));
    upload.end(payload);
    expect(String(await collected(upload))).to.include(sha256(payload));
    await network.serve(5002, 'socat', ['-u', `OPEN:${payloadFile}`, 'TCP-LISTEN:5002,reuseaddr']);
    const download = new TcpStream(stack.tcpConnect({ address: network.kernel.ipv4, port: 5002 }, {}));
    download.end();
    expect(sha256(await collected(download))).to.equal(sha256(payload));

    // They connect: both directions of one connection at once, through an echo.
    stack.tcpListen({ port: 7 }, (connection) => {
      const stream = new TcpStream(connection);
      pipeline(stream, stream).catch(() => {});
      return stream.handler;
    });
    const echoed = await network.run('socat', ['-t20', '-', `TCP:${network.ours.ipv4}:7`], payload);
    expect(echoed.stderr).to.equal('');
    expect(sha256(echoed.stdout)).to.equal(sha256(payload));
    capture.close();
  }

  it(`${megabytes} MiB each way in both roles, byte for byte, and tshark finds nothing to complain of`, async () => {
    const file = join(folder, 'bulk.pcapng');
    let again: string[][] = [];
    // The kernel acknowledges nothing while a program that is inside its socket waits for a processor, and sends again
    // what we, waiting for one, have not read. A fault of the stack would show every time.
    for (let tries = 0; tries < 3; tries++) {
      if (tries > 0) await down();
      await transfers(file);
      expect(await tshark(file, wireFaults)).to.deep.equal([]);
      const lengths = await tshark(file, 'tcp.len > 0', ['tcp.len']);
      expect(lengths.reduce((sum, [length]) => sum + Number(length), 0)).to.be.greaterThan(
        4 * payload.length,
      );
      expect(stack.stats).to.include({ linkDrops: 0, queueDrops: 0 });
      again = await tshark(file, retransmissions, ['frame.number', 'ip.src', 'tcp.seq', 'tcp.len']);
      if (again.length === 0) break;
    }
    expect(again).to.deep.equal([]);
  });

  it('refused ports: ours to the kernel, the kernel’s to us, and what a UDP port nobody has answers', async () => {
    await up();
    const failure = await new Promise<TcpFailure>((closed) => {
      stack.tcpConnect({ address: network.kernel.ipv4, port: 1 }, { closed });
    });
    expect(failure).to.equal('refused');
    const { code, stderr } = await network.run('socat', ['-', `TCP:${network.ours.ipv4}:1`]);
    expect([code, stderr.trim()]).to.deep.equal([1, stderr.trim()]);
    expect(stderr).to.include('Connection refused');
    const udp = await network.run('socat', ['-t1', '-', `UDP:${network.ours.ipv4}:1`], Buffer.from('x'));
    expect(udp.stderr).to.include('Connection refused');
  });

  it('simultaneous close: both FINs cross, both ends pass CLOSING', async () => {
    await up(
      (tap) =>
        new ImpairedLink(tap, {
          clock: systemClock,
          random: seededRandom(1),
          outbound: { delayMs: 100 },
          inbound: { delayMs: 100 },
        }),
    );
    const file = join(folder, 'close.pcapng');
    const endCapture = await network.capture(file);
    const states = new Set<string>();
    const closed = new Promise<[TcpConnection, TcpFailure]>((resolve) => {
      stack.tcpListen({ port: 9 }, (connection) => ({
        connected: () => {
          // The kernel closes when it has the line; we do when the line has arrived there but its FIN not yet here.
          connection.write(Buffer.from('go\n'));
          setTimeout(() => connection.shutdown(), 100);
          const watch = setInterval(() => states.add(connection.state), 5);
          setTimeout(() => clearInterval(watch), 1000);
        },
        closed: (failure) => resolve([connection, failure]),
      }));
    });
    const script = `exec 3<>/dev/tcp/${network.ours.ipv4}/9; read -r line <&3; exec 3>&-`;
    const { code, stderr } = await network.run('bash', ['-c', script]);
    expect(code, stderr).to.equal(0);
    const [connection, failure] = await closed;
    states.add(connection.state);
    expect(failure).to.equal('none');
    expect([...states]).to.include.members(['FIN-WAIT-1', 'CLOSING']);
    const waiting = await network.run('ss', ['-Hant', 'sport != :0']);
    expect(waiting.stdout.toString()).to.match(/TIME-WAIT|CLOSING/);
    await endCapture();
    const fins = await tshark(file, 'tcp.flags.fin == 1', ['ip.src', 'tcp.ack', 'tcp.seq']);
    expect(fins.map(([source]) => source).sort()).to.deep.equal([network.kernel.ipv4, network.ours.ipv4]);
    expect(await tshark(file, `${wireFaults} || ${retransmissions}`)).to.deep.equal([]);
  });

  it('our own capture file is one tshark reads: directions, comments, no fault', async () => {
    const file = join(folder, 'own.pcapng');
    const capture = new CaptureFile(file);
    await up((tap) => {
      const link = new ImpairedLink(tap, {
        clock: systemClock,
        random: seededRandom(3),
        outbound: { loss: 0.3 },
        observe: (verdict, frame, length, direction) =>
          capture.writer.packet(0, frame, length, { comment: `verdict: ${verdict}`, direction }),
      });
      capture.writer.interface('impaired');
      return new CapturedLink(link, capture.writer, 'stack');
    });
    // Until the neighbour is known, whatever gets lost of that.
    while (typeof (await ping(network.kernel.ipv4)) === 'string');
    await Promise.all(Array.from({ length: 20 }, () => ping(network.kernel.ipv4)));
    capture.close();
    const fields = ['frame.interface_name', 'frame.packet_flags_direction', 'frame.comment'];
    const packets = await tshark(file, 'icmp', fields);
    const commented = packets.filter(([, , comment]) => comment !== undefined && comment !== '');
    expect(packets.length).to.be.greaterThan(20);
    expect(commented.length).to.be.greaterThan(2);
    for (const [name, , comment] of commented)
      expect([name, comment]).to.deep.equal(['impaired', 'verdict: lost']);
    expect(new Set(packets.map(([name, direction]) => `${name} ${Number(direction)}`))).to.deep.equal(
      new Set(['impaired 2', 'stack 1', 'stack 2']),
    );
    expect(await tshark(file, wireFaults)).to.deep.equal([]);
  });
});

async function collected(stream: TcpStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
