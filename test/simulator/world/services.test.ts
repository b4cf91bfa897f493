import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'chai';
import dnsPacket from 'dns-packet';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import type { Stack } from '../../../simulator/tcpip/contract.js';
import { UdpNat } from '../../../simulator/world/nat/udp-nat.js';
import { World } from '../../../simulator/world/world.js';
import { joinStation, TestConnection } from './station.js';

const router = '10.0.2.2';

describe('what the router answers itself', () => {
  let world: World;
  let stack: Stack;

  beforeEach(async () => {
    world = new World({
      seed: 1,
      dns: [{ name: 'a.test', type: 'A', data: '192.0.2.1' }],
      utcNow: () => 1e12,
    });
    stack = await joinStation(world);
  });
  afterEach(() => {
    stack.close();
    world.close();
  });

  const ask = (port: number, question: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve) => {
      const socket = stack.udpBind({}, { message: (data) => resolve(data.slice()) });
      socket.send(question, { address: router, port });
    });

  const question = (name: string) =>
    dnsPacket.encode({ type: 'query', id: 7, flags: 0x100, questions: [{ name, type: 'A', class: 'IN' }] });

  it('names, over UDP', async () => {
    const answer = dnsPacket.decode(Buffer.from(await ask(53, question('a.test'))));
    expect(answer.answers?.[0]).to.include({ name: 'a.test', data: '192.0.2.1' });
    const localhost = dnsPacket.decode(Buffer.from(await ask(53, question('localhost'))));
    expect(localhost.answers?.[0]).to.include({ data: router });
  });

  it('no name but its own when it is cut off from the host', async () => {
    world.router.hostNetwork = 'none';
    expect((await ask(53, question('localhost')))[3] & 15).to.equal(3);
    expect((await ask(53, question('a.test')))[3] & 15).to.equal(0);
  });

  it('names, over TCP, several questions in one segment and one in several', async () => {
    const connection = new TestConnection(stack, { address: router, port: 53 });
    const framed = Buffer.concat(
      ['a.test', 'b.test', 'a.test'].flatMap((name) => {
        const query = question(name);
        return [Buffer.from([query.length >> 8, query.length & 255]), query];
      }),
    );
    connection.send(framed.subarray(0, 50));
    await connection.length(2);
    connection.send(framed.subarray(50), true);
    expect(await connection.closed()).to.equal('none');
    const received = Buffer.concat(connection.received);
    const rcodes: number[] = [];
    for (let at = 0; at < received.length; at += 2 + received.readUInt16BE(at))
      rcodes.push(received[at + 5] & 15);
    expect(rcodes).to.deep.equal([0, 3, 0]);
  });

  it("the time, by the world's clock and as wrong as told", async () => {
    const request = new Uint8Array(48);
    request[0] = 0x23;
    const seconds = async () => new DataView((await ask(123, request)).buffer).getUint32(40) - 2_208_988_800;
    expect(await seconds()).to.equal(1e9);
    world.router.ntp.offsetMs = -3_600_000;
    expect(await seconds()).to.equal(1e9 - 3600);
  });
});

describe('flows of datagrams', () => {
  let server: Datagrams;
  let clock: VirtualClock;
  let nat: UdpNat;

  beforeEach(async () => {
    server = createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    clock = new VirtualClock();
    nat = new UdpNat({
      clock,
      limit: 3,
      idleMs: 1000,
      destination: () => ({ address: '127.0.0.1', family: 4 }),
    });
  });
  afterEach(() => {
    nat.close();
    server.close();
    expect(clock.pending).to.equal(0);
  });

  const send = async (port: number): Promise<number> => {
    const to = { address: router, port: server.address().port };
    nat.forward(Buffer.from('x'), { address: '10.0.2.15', port }, to, () => {});
    const [, from] = await once(server, 'message');
    return from.port;
  };

  it('keep their socket while they are used, and lose it after', async () => {
    const first = await send(1000);
    clock.advance(600);
    expect(await send(1000)).to.equal(first);
    clock.advance(600);
    expect(nat.flows).to.equal(1);
    clock.advance(500);
    expect(nat.flows).to.equal(0);
  });

  it('are at most as many as allowed: the one unused for longest goes', async () => {
    const first = await send(1000);
    const second = await send(1001);
    await send(1002);
    expect(await send(1000)).to.equal(first);
    await send(1003);
    expect(nat.flows).to.equal(3);
    expect(await send(1000)).to.equal(first);
    expect(await send(1001)).not.to.equal(second);
  });
});
