import { expect } from 'chai';
import type { DhcpClientOptions, DhcpLease } from '../../../../simulator/tcpip/dhcp/client.js';
import { DhcpClient } from '../../../../simulator/tcpip/dhcp/client.js';
import { decodeMessage, encodeMessage, messageType } from '../../../../simulator/tcpip/dhcp/message.js';
import { DhcpServer, type DhcpServerOptions } from '../../../../simulator/tcpip/dhcp/server.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { Lan } from './lan.js';

const macOf = (index: number): string => `02:00:00:00:00:${index.toString(16).padStart(2, '0')}`;
const typeNames = ['', 'DISCOVER', 'OFFER', 'REQUEST', 'DECLINE', 'ACK', 'NAK', 'RELEASE', 'INFORM'];

function network(serverOptions: Partial<DhcpServerOptions> = {}) {
  const lan = new Lan();
  const { clock } = lan;
  const router = lan.host(macOf(200), '10.0.2.2');
  const changes: string[] = [];
  const startServer = (): DhcpServer =>
    new DhcpServer(router, {
      clock,
      address: '10.0.2.2',
      prefix: 24,
      pool: ['10.0.2.15', '10.0.2.17'],
      leaseSeconds: 1000,
      changed: (...what) => changes.push(what.join(' ')),
      ...serverOptions,
    });
  const server = startServer();
  /** A client whose host takes and loses its address as the client says. */
  const client = (index: number, extra: Partial<DhcpClientOptions> = {}) => {
    const host = lan.host(macOf(index));
    const events: string[] = [];
    const made = new DhcpClient(host, {
      clock,
      random: seededRandom(index),
      bound: (lease: DhcpLease) => {
        host.address = lease.address;
        events.push(`bound ${lease.address}/${lease.prefix}`);
      },
      lost: (lease: DhcpLease) => {
        host.address = undefined;
        events.push(`lost ${lease.address}`);
      },
      ...extra,
    });
    return { client: made, host, events };
  };
  const types = (from = 0): string[] =>
    lan.sent.slice(from).map(({ data }) => typeNames[decodeMessage(data)?.options.messageType ?? 0]);
  return { lan, clock, server, startServer, client, types, changes };
}

/** As a server without rapid commit: strips the option, so that the four-message exchange is seen. */
const plainServer = { options: {} } as const;

describe('DHCP client and server', () => {
  it('binds with what the server says', () => {
    const { clock, client, lan, changes } = network({
      options: { nameServers: ['10.0.2.3'], domain: 'lab' },
    });
    const { client: one, events } = client(1, { hostname: 'module' });
    one.start();
    clock.advance(10);
    expect(one.state).to.equal('BOUND');
    expect(events).to.deep.equal(['bound 10.0.2.15/24']);
    expect(changes).to.deep.equal([`bound ${macOf(1)} 10.0.2.15`]);
    expect(one.lease).to.deep.include({
      server: '10.0.2.2',
      routers: ['10.0.2.2'],
      nameServers: ['10.0.2.3'],
      leaseSeconds: 1000,
    });
    expect(one.lease?.options.domain).to.equal('lab');
    const discover = decodeMessage(lan.sent[0].data)!;
    expect(discover).to.deep.include({ broadcast: true, clientAddress: '0.0.0.0' });
    expect(discover.options).to.deep.include({ hostname: 'module', maximumSize: 1500 });
    expect([...(discover.options.clientId ?? [])]).to.deep.equal([1, 2, 0, 0, 0, 0, 1]);
  });

  it('goes DISCOVER, OFFER, REQUEST, ACK with a server that commits slowly', () => {
    const { clock, client, types, lan } = network(plainServer);
    dropRapidCommit(lan);
    const { client: one } = client(1);
    one.start();
    clock.advance(10);
    expect(types()).to.deep.equal(['DISCOVER', 'OFFER', 'REQUEST', 'ACK']);
    expect(decodeMessage(lan.sent[2].data)?.options).to.deep.include({
      requestedAddress: '10.0.2.15',
      serverId: '10.0.2.2',
    });
    expect(one.state).to.equal('BOUND');
  });

  it('repeats after 4, 8, 16, 32, 64, 64 s, each within a second', () => {
    const { clock, client, lan } = network();
    lan.lose = () => true;
    const { client: one } = client(1);
    one.start();
    const times: number[] = [];
    for (let second = 0; second < 260; second += 0.25) {
      while (times.length < lan.sent.length) times.push(clock.now() / 1000);
      clock.advance(250);
    }
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    expect(gaps.length).to.be.at.least(6);
    for (const [i, wanted] of [4, 8, 16, 32, 64, 64].entries()) expect(gaps[i]).to.be.closeTo(wanted, 1.3);
    expect(new Set(gaps.map((gap) => gap % 1)).size, 'jitter').to.be.greaterThan(1);
  });

  it('starts over when the chosen server does not acknowledge', () => {
    const { clock, client, types, lan } = network();
    dropRapidCommit(lan);
    const { client: one } = client(1);
    let lost = 0;
    const lose = lan.lose;
    lan.lose = (data) => {
      lose(data);
      return decodeMessage(data)?.options.messageType === messageType.request && lost++ < 4;
    };
    one.start();
    clock.advance(120_000);
    expect(types()).to.deep.equal([
      'DISCOVER',
      'OFFER',
      'REQUEST',
      'REQUEST',
      'REQUEST',
      'REQUEST',
      'DISCOVER',
      'OFFER',
      'REQUEST',
      'ACK',
    ]);
    expect(one.state).to.equal('BOUND');
  });

  it('renews at half the lease with the server alone, and keeps the address', () => {
    const { clock, client, lan, types } = network();
    const { client: one, events } = client(1);
    one.start();
    clock.advance(10);
    const before = lan.sent.length;
    clock.advance(499_000);
    expect(lan.sent.length).to.equal(before);
    clock.advance(2000);
    expect(types(before)).to.deep.equal(['REQUEST', 'ACK']);
    expect(lan.sent[before].to.address).to.equal('10.0.2.2');
    expect(decodeMessage(lan.sent[before].data)).to.deep.include({
      clientAddress: '10.0.2.15',
      broadcast: false,
    });
    expect(events).to.deep.equal(['bound 10.0.2.15/24', 'bound 10.0.2.15/24']);
    clock.advance(10_000_000);
    expect(one.state).to.equal('BOUND');
    expect(events).to.not.include('lost 10.0.2.15');
  });

  it('rebinds with anybody when its server is silent, then gives the address up at the end', () => {
    const { clock, client, server, lan } = network();
    const { client: one, events } = client(1);
    one.start();
    clock.advance(10);
    server.close();
    clock.advance(600_000);
    expect(one.state).to.equal('RENEWING');
    clock.advance(280_000);
    expect(one.state).to.equal('REBINDING');
    expect(lan.sent.at(-1)?.to.address).to.equal('255.255.255.255');
    expect(events).to.deep.equal(['bound 10.0.2.15/24']);
    clock.advance(125_000);
    expect(one.state).to.equal('SELECTING');
    expect(events).to.deep.equal(['bound 10.0.2.15/24', 'lost 10.0.2.15']);
    expect(one.lease).to.equal(undefined);
  });

  it('is rebound by a server that came back meanwhile', () => {
    const { clock, client, server, startServer } = network({ reservations: { [macOf(1)]: '10.0.2.15' } });
    const { client: one, events } = client(1);
    one.start();
    clock.advance(10);
    server.close();
    clock.advance(880_000);
    expect(one.state).to.equal('REBINDING');
    startServer();
    clock.advance(100_000);
    expect(one.state).to.equal('BOUND');
    expect(events).to.deep.equal(['bound 10.0.2.15/24', 'bound 10.0.2.15/24']);
  });

  it('declines an address that somebody has, and takes another after 10 s', () => {
    const { clock, client, changes, types } = network();
    const probed: string[] = [];
    const { client: one, events } = client(1, {
      probe: (address, done) => {
        probed.push(address);
        const timer = clock.setTimer(() => done(address === '10.0.2.15'), 300);
        return () => timer.cancel();
      },
    });
    one.start();
    clock.advance(5000);
    expect(types()).to.deep.equal(['DISCOVER', 'ACK', 'DECLINE']);
    clock.advance(10_000);
    expect(probed).to.deep.equal(['10.0.2.15', '10.0.2.16']);
    expect(events).to.deep.equal(['bound 10.0.2.16/24']);
    expect(changes).to.include(`declined ${macOf(1)} 10.0.2.15`);
  });

  it('reboots with its old address, and is told when that is not his', () => {
    const { clock, client, types, lan } = network();
    const { client: one, events } = client(1);
    one.start();
    clock.advance(10);
    one.stop();
    expect(events.pop()).to.equal('lost 10.0.2.15');
    let before = lan.sent.length;
    const again = client(1, { previousAddress: '10.0.2.15' });
    again.client.start();
    clock.advance(10);
    expect(types(before)).to.deep.equal(['REQUEST', 'ACK']);
    expect(again.events).to.deep.equal(['bound 10.0.2.15/24']);
    before = lan.sent.length;
    const other = client(2, { previousAddress: '192.168.1.9' });
    other.client.start();
    clock.advance(10);
    expect(types(before)).to.deep.equal(['REQUEST', 'NAK', 'DISCOVER', 'ACK']);
    expect(other.events).to.deep.equal(['bound 10.0.2.16/24']);
  });

  it('is silent to a reboot with an address of the network it knows nothing of (RFC 2131 4.3.2)', () => {
    const { clock, client, types } = network();
    const { client: one, events } = client(1, { previousAddress: '10.0.2.17' });
    one.start();
    clock.advance(10);
    expect(types()).to.deep.equal(['REQUEST']);
    clock.advance(120_000);
    expect(events).to.deep.equal(['bound 10.0.2.17/24']);
  });

  it('loses the address at once when a renewal is refused', () => {
    const { clock, client, server, startServer } = network();
    const { client: one, events } = client(1);
    one.start();
    clock.advance(10);
    server.close();
    const second = startServer();
    clock.advance(501_000);
    expect(events.slice(0, 2)).to.deep.equal(['bound 10.0.2.15/24', 'lost 10.0.2.15']);
    expect(one.state).to.equal('BOUND');
    expect([...second.leases]).to.deep.equal([[macOf(1), '10.0.2.15']]);
  });

  it('release ends the lease on both sides', () => {
    const { clock, client, server, changes } = network();
    const { client: one, events } = client(1);
    one.start();
    clock.advance(10);
    expect(server.leases.size).to.equal(1);
    one.release();
    clock.advance(10);
    expect(events).to.deep.equal(['bound 10.0.2.15/24', 'lost 10.0.2.15']);
    expect(server.leases.size).to.equal(0);
    expect(changes.at(-1)).to.equal(`released ${macOf(1)} 10.0.2.15`);
    expect(clock.pending).to.equal(0);
  });

  it('stop at any time leaves no timer and no socket', () => {
    for (const after of [0, 1, 2, 3, 400, 600_000, 900_000]) {
      const { clock, client, lan } = network();
      const { client: one, host } = client(1, {
        probe: (_, done) => {
          const timer = clock.setTimer(() => done(false), 300);
          return () => timer.cancel();
        },
      });
      const sockets = lan.sockets.length;
      one.start();
      clock.advance(after);
      one.stop();
      clock.advance(10);
      expect([clock.pending, lan.sockets.length, host.address, one.state], `after ${after}`).to.deep.equal([
        0,
        sockets,
        undefined,
        'STOPPED',
      ]);
    }
  });

  it('ignores messages of other transactions, clients and servers', () => {
    const { clock, client, lan, server } = network();
    server.close();
    const { client: one } = client(1);
    one.start();
    clock.advance(1);
    const asked = decodeMessage(lan.sent[0].data)!;
    const rogue = lan.host(macOf(9), '10.0.2.9').udpBind({ port: 67 }, { message() {} });
    const good = {
      ...asked,
      op: 'reply' as const,
      yourAddress: '10.0.2.50',
      options: { messageType: 2, serverId: '10.0.2.9', subnetMask: '255.255.255.0' },
    };
    const to = { address: '255.255.255.255', port: 68 };
    for (const bad of [
      { ...good, transaction: (asked.transaction ^ 1) >>> 0 },
      { ...good, hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 2) },
      { ...good, op: 'request' as const },
      { ...good, yourAddress: '0.0.0.0' },
      { ...good, options: { ...good.options, messageType: 5 } },
      { ...good, options: { messageType: 2 } },
      { ...good, options: { ...good.options, subnetMask: '255.0.255.0' } },
    ]) {
      rogue.send(encodeMessage(bad), to);
    }
    rogue.send(Uint8Array.of(1, 2, 3), to);
    clock.advance(10);
    expect(one.state).to.equal('SELECTING');
    rogue.send(encodeMessage(good), to);
    clock.advance(10);
    expect(one.state).to.equal('REQUESTING');
  });
});

describe('DHCP server', () => {
  it('gives each client his own address, the same again, until the pool is empty', () => {
    const { clock, client, server } = network();
    const all = [1, 2, 3, 4].map((index) => client(index));
    for (const { client: one } of all) one.start();
    clock.advance(10);
    expect(all.map(({ host }) => host.address)).to.deep.equal([
      '10.0.2.15',
      '10.0.2.16',
      '10.0.2.17',
      undefined,
    ]);
    all[1].client.release();
    clock.advance(70_000);
    expect(all[3].host.address).to.equal('10.0.2.16');
    expect(server.leases.get(macOf(4))).to.equal('10.0.2.16');
  });

  it('takes an address back when its lease has run out', () => {
    const { clock, client, lan } = network();
    const gone = [1, 2, 3].map((index) => client(index));
    for (const { client: one } of gone) one.start();
    clock.advance(10);
    for (const { client: one } of gone) one.stop();
    const late = client(5);
    late.client.start();
    clock.advance(900_000);
    expect(late.host.address).to.equal(undefined);
    clock.advance(200_000);
    expect(late.host.address).to.equal('10.0.2.15');
    expect(lan.sent.length).to.be.greaterThan(5);
  });

  it('keeps reservations for whom they are for', () => {
    const reservations = { [macOf(9)]: '10.0.2.15', [macOf(8)]: '10.0.2.200' };
    const { clock, client } = network({ reservations });
    const [nine, eight, other] = [9, 8, 1].map((index) => client(index));
    for (const { client: one } of [other, nine, eight]) one.start();
    clock.advance(10);
    expect([nine, eight, other].map(({ host }) => host.address)).to.deep.equal([
      '10.0.2.15',
      '10.0.2.200',
      '10.0.2.16',
    ]);
  });

  it('answers a relay at its address and returns its option (RFC 3046)', () => {
    const { clock, lan } = network();
    const socket = lan.host(macOf(7), '10.0.2.7').udpBind({ port: 67 }, { message() {} });
    const discover = {
      op: 'request' as const,
      hardwareType: 1,
      hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 1),
      hops: 1,
      transaction: 5,
      seconds: 0,
      broadcast: false,
      clientAddress: '0.0.0.0',
      yourAddress: '0.0.0.0',
      nextServer: '0.0.0.0',
      relay: '10.0.2.7',
      serverName: '',
      bootFileName: '',
      options: { messageType: messageType.discover, relayAgent: Uint8Array.of(1, 1, 65) },
    };
    socket.send(encodeMessage(discover), { address: '10.0.2.2', port: 67 });
    clock.advance(10);
    expect(lan.sent[1].to).to.deep.equal({ address: '10.0.2.7', port: 67 });
    expect(decodeMessage(lan.sent[1].data)).to.deep.include({ relay: '10.0.2.7', yourAddress: '10.0.2.15' });
    expect([...(decodeMessage(lan.sent[1].data)?.options.relayAgent ?? [])]).to.deep.equal([1, 1, 65]);
  });

  it('answers INFORM with settings and no address (RFC 2131 4.3.5)', () => {
    const { clock, lan, server } = network();
    const host = lan.host(macOf(7), '10.0.2.70');
    const socket = host.udpBind({ port: 68 }, { message() {} });
    const { options: _, ...rest } = decodeMessage(
      encodeMessage({
        op: 'request',
        hardwareType: 1,
        hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 7),
        hops: 0,
        transaction: 5,
        seconds: 0,
        broadcast: false,
        clientAddress: '10.0.2.70',
        yourAddress: '0.0.0.0',
        nextServer: '0.0.0.0',
        relay: '0.0.0.0',
        serverName: '',
        bootFileName: '',
        options: {},
      }),
    )!;
    socket.send(encodeMessage({ ...rest, options: { messageType: messageType.inform } }), {
      address: '10.0.2.2',
      port: 67,
    });
    clock.advance(10);
    const answer = decodeMessage(lan.sent[1].data)!;
    expect(lan.sent[1].to).to.deep.equal({ address: '10.0.2.70', port: 68 });
    expect(answer.yourAddress).to.equal('0.0.0.0');
    expect(answer.options.leaseSeconds).to.equal(undefined);
    expect(answer.options.routers).to.deep.equal(['10.0.2.2']);
    expect(server.leases.size).to.equal(0);
  });

  it('refuses a configuration outside its network', () => {
    for (const bad of [
      { pool: ['10.0.3.1', '10.0.3.9'] as const },
      { pool: ['10.0.2.20', '10.0.2.10'] as const },
      { reservations: { [macOf(1)]: '192.168.0.1' } },
      { address: 'router' },
    ]) {
      expect(() => network(bad))
        .to.throw()
        .with.property('code', 'EINVAL');
    }
  });
});

/** Takes the rapid commit option out of every DISCOVER on its way. */
function dropRapidCommit(lan: Lan): void {
  lan.lose = (data) => {
    const message = decodeMessage(data);
    if (message?.options.rapidCommit === true && message.op === 'request') {
      const { rapidCommit: _, ...options } = message.options;
      const without = encodeMessage({ ...message, options });
      data.fill(0);
      data.set(without.subarray(0, data.length));
    }
    return false;
  };
}
