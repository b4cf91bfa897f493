import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import dnsPacket, { type RecordType } from 'dns-packet';
import fc from 'fast-check';
import { systemClock } from '../../../simulator/tcpip/clock.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import { DnsServer } from '../../../simulator/world/dns-server.js';
import { DnsUpstream } from '../../../simulator/world/dns-upstream.js';
import {
  addressRecord,
  type DnsRecord,
  DnsZone,
  hostNames,
  reverseName,
} from '../../../simulator/world/dns-zone.js';

const router = { ipv4: '10.0.2.2', ipv6: 'fd00::2' };

const question = (name: string, type: RecordType, edns?: number) =>
  dnsPacket.encode({
    type: 'query',
    id: 0x1234,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type, class: 'IN' }],
    ...(edns === undefined
      ? {}
      : {
          additionals: [
            {
              type: 'OPT' as const,
              name: '.' as const,
              udpPayloadSize: edns,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
        }),
  });

const rcode = (answer: Uint8Array) => answer[3] & 15;
const truncated = (answer: Uint8Array) => (answer[2] & 2) !== 0;

function ask(server: DnsServer, query: Uint8Array, over: 'udp' | 'tcp' = 'udp'): Uint8Array | undefined {
  let result: Uint8Array | undefined;
  server.query(query, over, (answer) => {
    expect(result).to.equal(undefined);
    result = answer;
  });
  return result;
}

function data(answer: Uint8Array | undefined): unknown[] {
  expect(answer).not.to.equal(undefined);
  return (dnsPacket.decode(Buffer.from(answer!)).answers ?? []).map((record) =>
    'data' in record ? record.data : undefined,
  );
}

describe("the router's name server", () => {
  const zone = new DnsZone();
  zone.add(addressRecord('lab.test', '192.0.2.1'));
  zone.add(addressRecord('lab.test', '192.0.2.2'));
  zone.add(addressRecord('Lab.Test', '2001:db8::1'));
  zone.add({ name: 'www.lab.test', type: 'CNAME', data: 'lab.test' });
  zone.add({ name: 'away.test', type: 'CNAME', data: 'far.example' });
  zone.add({ name: 'loop.test', type: 'CNAME', data: 'loop.test' });
  zone.add({ name: 'lab.test', type: 'TXT', data: ['one', 'two'] });
  zone.add({ name: 'lab.test', type: 'MX', data: { preference: 10, exchange: 'mail.lab.test' } });
  zone.add({
    name: 'lab.test',
    type: 'SOA',
    data: {
      mname: 'ns.lab.test',
      rname: 'root.lab.test',
      serial: 1,
      refresh: 2,
      retry: 3,
      expire: 4,
      minimum: 5,
    },
  });
  zone.add({
    name: 'lab.test',
    type: 'DS',
    data: { keyTag: 1, algorithm: 8, digestType: 2, digest: 'abcd' },
  });
  zone.add(addressRecord('*.any.test', '192.0.2.9'));
  for (let index = 0; index < 40; index++) zone.add(addressRecord('many.test', `192.0.2.${index}`));
  const server = new DnsServer({ zones: () => [zone] });

  it('answers every record type it was given, whatever the case of the name', () => {
    expect(data(ask(server, question('lab.test', 'A')))).to.deep.equal(['192.0.2.1', '192.0.2.2']);
    expect(data(ask(server, question('LAB.test', 'AAAA')))).to.deep.equal(['2001:db8::1']);
    expect(data(ask(server, question('lab.test', 'TXT'))).map(String)).to.deep.equal(['one,two']);
    expect(data(ask(server, question('lab.test', 'MX')))).to.deep.equal([
      { preference: 10, exchange: 'mail.lab.test' },
    ]);
    expect(data(ask(server, question('lab.test', 'SOA')))[0]).to.include({ mname: 'ns.lab.test', serial: 1 });
    expect(data(ask(server, question('lab.test', 'DS')))[0]).to.deep.include({ keyTag: 1, algorithm: 8 });
    expect(data(ask(server, question('x.y.any.test', 'A')))).to.deep.equal(['192.0.2.9']);
  });

  it('adds the addresses of the hosts an answer names', () => {
    const own = new DnsZone();
    own.add({ name: 'lab.test', type: 'NS', data: 'ns.lab.test' });
    own.add(addressRecord('ns.lab.test', '192.0.2.53'));
    own.add(addressRecord('ns.lab.test', '2001:db8::53'));
    const answer = ask(new DnsServer({ zones: () => [own] }), question('lab.test', 'NS'));
    expect(data(answer)).to.deep.equal(['ns.lab.test']);
    const { additionals = [] } = dnsPacket.decode(Buffer.from(answer!));
    expect(additionals.map((record) => [record.name, 'data' in record && record.data])).to.deep.equal([
      ['ns.lab.test', '192.0.2.53'],
      ['ns.lab.test', '2001:db8::53'],
    ]);
  });

  it('refuses records that cannot be sent', () => {
    const bad: DnsRecord[] = [
      { name: 'a.test', type: 'A', data: 'nowhere' },
      { name: 'a.test', type: 'A', data: 5 },
      { name: 'a.test', type: 'MX', data: 'text' },
      { name: 'a.test', type: 'NONSENSE' as RecordType, data: 'x' },
      { name: `${'x'.repeat(64)}.test`, type: 'A', data: '192.0.2.1' },
    ];
    for (const record of bad)
      expect(() => new DnsZone().add(record), JSON.stringify(record))
        .to.throw()
        .with.property('code', 'WINC_ARGUMENT');
  });

  it('echoes identifier and question as asked', () => {
    const answer = dnsPacket.decode(Buffer.from(ask(server, question('LaB.tEsT', 'A'))!));
    expect(answer.id).to.equal(0x1234);
    expect(answer.questions?.[0].name).to.equal('LaB.tEsT');
    expect(answer.answers?.[0].name).to.equal('LaB.tEsT');
  });

  it('follows aliases inside the zone, and stops when they lead in a circle', () => {
    expect(data(ask(server, question('www.lab.test', 'A')))).to.deep.equal([
      'lab.test',
      '192.0.2.1',
      '192.0.2.2',
    ]);
    expect(data(ask(server, question('www.lab.test', 'CNAME')))).to.deep.equal(['lab.test']);
    expect(ask(server, question('loop.test', 'A'))).not.to.equal(undefined);
  });

  it('follows an alias out of the zone to the name server behind', () => {
    const behind = new DnsServer({
      zones: () => [zone],
      upstream: () => (query, done) => {
        const asked = dnsPacket.decode(Buffer.from(query));
        expect(asked.questions?.[0].name).to.equal('far.example');
        done(
          dnsPacket.encode({
            type: 'response',
            id: asked.id ?? 0,
            answers: [{ name: 'far.example', type: 'A', ttl: 5, data: '198.51.100.7' }],
          }),
        );
      },
    });
    expect(data(ask(behind, question('away.test', 'A')))).to.deep.equal(['far.example', '198.51.100.7']);
  });

  it('finds names of addresses', () => {
    expect(reverseName('192.0.2.1')).to.equal('1.2.0.192.in-addr.arpa');
    expect(data(ask(server, question(reverseName('192.0.2.1'), 'PTR')))).to.deep.equal(['lab.test']);
    expect(data(ask(server, question(reverseName('2001:db8::1'), 'PTR')))).to.deep.equal(['lab.test']);
  });

  it('tells a name without that type from a name that does not exist', () => {
    const nothing = ask(server, question('www.any.test', 'TXT'))!;
    expect(rcode(nothing)).to.equal(0);
    expect(data(nothing)).to.deep.equal([]);
    expect(rcode(ask(server, question('missing.test', 'A'))!)).to.equal(3);
  });

  it('repeats in a refusal the question byte for byte, even if its name is no text', () => {
    const name = Buffer.from([3, 0xff, 0x00, 0x22, 0]);
    const query = Buffer.concat([
      Buffer.from([0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
      name,
      Buffer.from([0, 1, 0, 1]),
    ]);
    const answer = ask(server, query)!;
    expect(rcode(answer)).to.equal(3);
    expect(Buffer.compare(answer.subarray(12), query.subarray(12))).to.equal(0);
  });

  it('truncates what does not fit a datagram, and gives all of it over TCP or to a client that takes more', () => {
    const short = ask(server, question('many.test', 'A'))!;
    expect(truncated(short)).to.equal(true);
    expect(data(short)).to.deep.equal([]);
    expect(data(ask(server, question('many.test', 'A'), 'tcp'))).to.have.length(40);
    expect(data(ask(server, question('many.test', 'A', 4096)))).to.have.length(40);
  });

  it('refuses other operations and classes, and answers no answer', () => {
    const update = Buffer.from(question('lab.test', 'A'));
    update[2] |= 5 << 3;
    expect(rcode(ask(server, update)!)).to.equal(4);
    const chaos = dnsPacket.encode({
      type: 'query',
      questions: [{ name: 'lab.test', type: 'TXT', class: 'CH' }],
    });
    expect(rcode(ask(server, chaos)!)).to.equal(5);
    const response = Buffer.from(question('lab.test', 'A'));
    response[2] |= 0x80;
    expect(ask(server, response)).to.equal(undefined);
  });

  it('misbehaves as told', () => {
    const faulty = new DnsServer({ zones: () => [zone] });
    faulty.behaviour = 'silent';
    expect(ask(faulty, question('lab.test', 'A'))).to.equal(undefined);
    faulty.behaviour = 'servfail';
    expect(rcode(ask(faulty, question('lab.test', 'A'))!)).to.equal(2);
    faulty.behaviour = 'answer';
    expect(rcode(ask(faulty, question('lab.test', 'A'))!)).to.equal(0);
  });

  it('takes any bytes for a query without harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const answer = ask(server, bytes);
        if (answer !== undefined) expect(answer[2] & 0x80).to.equal(0x80);
      }),
    );
  });
});

describe("the host's names", () => {
  it("are those of its hosts file, with loopback at the router's address", () => {
    const directory = mkdtempSync(join(tmpdir(), 'hosts-'));
    const file = join(directory, 'hosts');
    writeFileSync(
      file,
      '127.0.0.1 localhost printer # comment\n192.0.2.7\tnas nas.home\n::1 six\nnonsense\n',
    );
    const names = hostNames(router, file);
    rmSync(directory, { recursive: true });
    const addresses = (name: string, type: RecordType) =>
      names.find(name, type).answers.map((answer) => ('data' in answer ? answer.data : ''));
    expect(addresses('localhost', 'A')).to.deep.equal(['10.0.2.2']);
    expect(addresses('localhost', 'AAAA')).to.deep.equal(['fd00::2']);
    expect(addresses('printer', 'A')).to.deep.equal(['10.0.2.2']);
    expect(addresses('six', 'AAAA')).to.deep.equal(['fd00::2']);
    expect(addresses('nas.home', 'A')).to.deep.equal(['192.0.2.7']);
    expect(names.find('elsewhere', 'A').exists).to.equal(false);
  });
});

describe('a name server behind the router', () => {
  let upstreamSocket: Socket;
  let upstream: DnsUpstream;
  beforeEach(async () => {
    upstreamSocket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(upstreamSocket, 'listening');
  });
  afterEach(() => {
    upstream.close();
    upstreamSocket.close();
  });
  const at = () => `127.0.0.1:${upstreamSocket.address().port}`;
  const forward = (server: DnsServer, query: Uint8Array) =>
    new Promise<Uint8Array>((resolve) => server.query(query, 'udp', resolve));

  it('has its answer carried back under the identifier of the client', async () => {
    upstreamSocket.on('message', (query, from) => {
      const asked = dnsPacket.decode(query);
      const wrong = Buffer.from(query);
      wrong[0] ^= 1;
      upstreamSocket.send(wrong, from.port, from.address);
      const answer = { name: asked.questions![0].name, type: 'A' as const, ttl: 1, data: '198.51.100.1' };
      upstreamSocket.send(
        dnsPacket.encode({ ...asked, type: 'response', flags: 0, answers: [answer] }),
        from.port,
        from.address,
      );
    });
    upstream = new DnsUpstream({ clock: systemClock, random: seededRandom(1), servers: [at()] });
    const answer = await forward(
      new DnsServer({ zones: () => [], upstream: () => upstream.ask }),
      question('a.example', 'A'),
    );
    expect(data(answer)).to.deep.equal(['198.51.100.1']);
    expect(dnsPacket.decode(Buffer.from(answer)).id).to.equal(0x1234);
  });

  it('is given up for the next one, and for SERVFAIL when none answers', async () => {
    upstream = new DnsUpstream({
      clock: systemClock,
      random: seededRandom(1),
      servers: [at()],
      timeoutMs: 20,
    });
    const answer = await forward(
      new DnsServer({ zones: () => [], upstream: () => upstream.ask }),
      question('a.example', 'A'),
    );
    expect(rcode(answer)).to.equal(2);
  });
});
