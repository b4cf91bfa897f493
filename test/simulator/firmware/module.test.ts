import { expect } from 'chai';
import dnsPacket, { type Answer } from 'dns-packet';
import type { Association, Radio } from '../../../simulator/firmware/radio.js';
import { EmulatedModule } from '../../../simulator/module.js';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import type { TcpConnection } from '../../../simulator/tcpip/contract.js';
import { DhcpServer } from '../../../simulator/tcpip/dhcp/index.js';
import { onClock } from '../../../simulator/tcpip/link/dispatch.js';
import { memoryPipe } from '../../../simulator/tcpip/link/pipe.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import { createStack } from '../../../simulator/tcpip/stack.js';

/** One open network whose other host answers DHCP, DNS and an echo port. */
function network(clock: VirtualClock) {
  const [moduleEnd, routerEnd] = memoryPipe({ dispatch: onClock(clock) });
  const random = seededRandom(99);
  const router = createStack({ link: routerEnd, clock, random, mac: '02:00:00:00:00:FE' });
  router.addAddress('10.0.2.2', 24);
  new DhcpServer(router, { clock, address: '10.0.2.2', prefix: 24, pool: ['10.0.2.15', '10.0.2.30'] });
  const names = router.udpBind(
    { port: 53 },
    {
      message(data, from) {
        const { id, questions = [] } = dnsPacket.decode(Buffer.from(data));
        const answers: Answer[] =
          questions[0].type === 'A' ? [{ type: 'A', name: questions[0].name, data: '10.0.2.2', ttl: 5 }] : [];
        names.send(dnsPacket.encode({ type: 'response', id: id ?? 0, questions, answers }), from);
      },
    },
  );
  const peers: TcpConnection[] = [];
  router.tcpListen({ port: 7 }, (peer) => {
    peers.push(peer);
    const buffer = new Uint8Array(4096);
    const echo = (): void => {
      while (peer.writable > 0) {
        const length = peer.read(buffer.subarray(0, Math.min(buffer.length, peer.writable)));
        if (length === 0) break;
        peer.write(buffer.subarray(0, length));
      }
      if (peer.ended) peer.shutdown();
    };
    return { readable: echo, writable: echo };
  });
  const radio: Radio = {
    hear: (channel) =>
      channel === 1
        ? [
            {
              ssid: Buffer.from('lab'),
              bssid: '02:00:00:00:00:AA',
              channel,
              rssi: -40,
              security: 'open' as const,
            },
          ]
        : [],
    join(_request, handler) {
      const association: Association = {
        bssid: '02:00:00:00:00:AA',
        channel: 1,
        rssi: -40,
        link: moduleEnd,
        lost: () => {},
        roamed: () => {},
        leave: () => {},
      };
      return clock.setTimer(() => handler.joined(association), 1);
    },
  };
  return { radio, router, peers };
}

class Host {
  readonly clock = new VirtualClock();
  readonly net = network(this.clock);
  readonly module: EmulatedModule;
  /** Everything the module ever said. */
  transcript = '';
  #output = '';

  constructor(options: { pacedUart?: boolean } = {}) {
    this.module = new EmulatedModule({
      clock: this.clock,
      random: seededRandom(5),
      radio: this.net.radio,
      mac: '02:00:00:00:00:01',
      ...options,
    });
    this.module.uart.onData = (bytes) => {
      this.#output += Buffer.from(bytes).toString('latin1');
      this.transcript += Buffer.from(bytes).toString('latin1');
    };
    this.module.powerUp();
    this.until(/>$/);
    this.send('ATE0\r\n');
    this.until(/OK\r\n/);
  }

  send(data: string | Uint8Array): void {
    this.module.uart.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Lets time pass until the module has said something; forgets what came before its end. */
  until(pattern: RegExp, withinMs = 20_000): RegExpExecArray {
    for (let waited = 0; ; waited++) {
      const found = pattern.exec(this.#output);
      if (found !== null) {
        this.#output = this.#output.slice(found.index + found[0].length);
        return found;
      }
      if (waited > withinMs)
        throw new Error(`${pattern} did not come: ${JSON.stringify(this.#output.slice(0, 200))}`);
      this.clock.advance(1);
    }
  }

  command(line: string): void {
    this.send(`${line}\r\n`);
    this.until(/OK\r\n/);
  }

  join(): void {
    this.command('AT+WSTAC=1,"lab"');
    this.command('AT+WSTA=1');
    this.until(/\+WSTAAIP:1,"10\.0\.2\.15"\r\n/);
  }

  /** Connects to the echo port by name. */
  connect(): number {
    this.send('AT+SOCKO=2\r\n');
    const id = Number(this.until(/\+SOCKO:(\d+)\r\nOK\r\n/)[1]);
    this.command(`AT+SOCKBR=${id},"echo.lab",7`);
    this.until(new RegExp(`\\+SOCKIND:${id},"10\\.0\\.2\\.15",\\d+,"10\\.0\\.2\\.2",7\\r\\n`));
    return id;
  }
}

const pattern = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 0xff));

describe('EmulatedModule on the TCP/IP engine', () => {
  it('joins, gets a lease, resolves a name and connects', () => {
    const host = new Host();
    host.join();
    host.connect();
    host.send('AT+NETIFC=0,40\r\n');
    host.until(/\+NETIFC:40,"10\.0\.2\.15\/24"\r\nOK/);
  });

  it('carries every byte both ways, pushed within a window', () => {
    const host = new Host();
    host.join();
    const id = host.connect();
    host.command(`AT+SOCKC=${id},101,7500`);
    host.command(`AT+SOCKC=${id},102,1460`);
    host.command('ATF4');
    const sent = pattern(100_000);
    const frames = () => [...host.transcript.matchAll(/\r\+SOCKRXT:\d+,(\d+),(\d+),\[([0-9A-F]*)\]\r\n/g)];
    const arrived = () => frames().reduce((sum, [, length]) => sum + Number(length), 0);
    let acknowledged = 0;
    for (let at = 0; acknowledged < sent.length; ) {
      const piece = sent.subarray(at, at + 1460);
      if (piece.length > 0) {
        host.send(`AT+SOCKWR=${id},${piece.length}\r\n`);
        if (host.until(/#|ERROR:14\.12[^\r]*\r\n/)[0] === '#') {
          host.send(piece);
          host.until(/OK\r\n/);
          at += piece.length;
        }
      }
      host.clock.advance(2);
      expect(arrived() - acknowledged).to.be.at.most(7500);
      acknowledged = arrived();
      host.command(`AT+SOCKC=${id},100,${acknowledged % 0x1_0000}`);
    }
    let total = 0;
    for (const [, length, sequence] of frames()) {
      expect(Number(sequence)).to.equal(total % 0x1_0000);
      total += Number(length);
    }
    expect(Buffer.concat(frames().map(([, , , hex]) => Buffer.from(hex, 'hex')))).to.deep.equal(sent);
  });

  it('tells the end of the stream when the peer has closed, and closes', () => {
    const host = new Host();
    host.join();
    const id = host.connect();
    host.net.peers[0].write(Buffer.from('bye'));
    host.net.peers[0].shutdown();
    host.until(new RegExp(`\\+SOCKRXT:${id},3\\r\\n`));
    host.send(`AT+SOCKRD=${id},2,3\r\n`);
    host.until(new RegExp(`^#byeOK\\r\\n\\r\\+SOCKCL:${id}\\r\\n`));
    host.send(`AT+SOCKCL=${id}\r\n`);
    host.until(new RegExp(`^\\+SOCKCL:${id}\\r\\nOK\\r\\n`));
    host.clock.advance(10);
    expect(host.net.peers[0].state).to.match(/TIME-WAIT|CLOSED/);
  });

  it('reports a refused port', () => {
    const host = new Host();
    host.join();
    host.send('AT+SOCKO=2\r\n');
    const id = host.until(/\+SOCKO:(\d+)\r\nOK\r\n/)[1];
    host.command(`AT+SOCKBR=${id},"10.0.2.2",9`);
    host.until(new RegExp(`^\\r\\+SOCKERR:${id},14\\.7,"Socket Connect Failed"\\r\\n`), 100);
  });

  it('is reached by a client, and by datagrams', () => {
    const host = new Host();
    host.join();
    host.send('AT+SOCKO=2\r\n');
    const id = host.until(/\+SOCKO:(\d+)\r\nOK\r\n/)[1];
    host.command(`AT+SOCKBL=${id},80`);
    const client = host.net.router.tcpConnect({ address: '10.0.2.15', port: 80 }, {});
    host.until(/\+SOCKIND:\d+,"10\.0\.2\.15",80,"10\.0\.2\.2",\d+\r\n/);
    client.write(Buffer.from('hello'));
    host.until(/\+SOCKRXT:\d+,5\r\n/);

    host.send('AT+SOCKO=1\r\n');
    const udp = host.until(/\+SOCKO:(\d+)\r\nOK\r\n/)[1];
    host.command(`AT+SOCKBL=${udp},5000`);
    const sender = host.net.router.udpBind({ port: 6000 }, { message: () => {} });
    sender.send(Buffer.from('dgram'), { address: '10.0.2.15', port: 5000 });
    host.until(new RegExp(`\\+SOCKRXU:${udp},"10\\.0\\.2\\.2",6000,5,1\\r\\n`));
  });

  it('joins again after leaving, and after a reset', () => {
    const host = new Host();
    host.join();
    host.command('AT+WSTA=0');
    host.until(/\+WSTALD:1\r\n/);
    host.command('AT+WSTA=1');
    host.until(/\+WSTAAIP:2,"10\.0\.2\.15"\r\n/);
    host.module.reset();
    host.until(/\+BOOT.*\r\n>/);
    host.send('ATE0\r\n');
    host.until(/OK\r\n/);
    host.join();
    host.connect();
  });

  it('sends as fast as its UART and no faster', () => {
    const host = new Host({ pacedUart: true });
    host.join();
    const id = host.connect();
    const start = host.clock.now();
    const data = pattern(1460);
    for (let i = 0; i < 16; i++) {
      host.send(`AT+SOCKWR=${id},1460\r\n`);
      host.until(/#/);
      host.send(data);
      host.until(/OK\r\n/);
    }
    const seconds = (host.clock.now() - start) / 1000;
    expect((16 * 1460) / seconds).to.be.within(0.9 * 23_040, 23_040);
  });
});
