import { expect } from 'chai';
import dnsPacket from 'dns-packet';
import { Bench } from './support/bench.js';
import { record, serveNames, type Zone } from './support/name-server.js';

const zone: Zone = {
  answers: {
    'A a.test': [record('A', 'a.test', '10.1.1.1', 30)],
    'A two.test': [record('A', 'two.test', '10.1.1.1'), record('A', 'two.test', '10.1.1.2')],
    'A alias.test': [record('CNAME', 'alias.test', 'a.test'), record('A', 'a.test', '10.1.1.1')],
    'CNAME alias.test': [record('CNAME', 'alias.test', 'a.test')],
    'AAAA v6.test': [record('AAAA', 'v6.test', '2001:db8:0:0:0:0:0:1')],
    'SOA a.test': [
      record('SOA', 'a.test', {
        mname: 'ns.test',
        rname: 'admin.test',
        serial: 4_000_000_000,
        refresh: 10_800,
        retry: 3600,
        expire: 604_800,
        minimum: 3600,
      }),
    ],
    'PTR 1.1.1.10.in-addr.arpa': [record('PTR', '1.1.1.10.in-addr.arpa', 'a.test')],
    'MX a.test': [record('MX', 'a.test', { preference: 10, exchange: 'mail.test' })],
    'TXT a.test': [record('TXT', 'a.test', ['v=spf1 ', 'mx'])],
    'SRV _x._tcp.test': [
      record('SRV', '_x._tcp.test', { target: 'h.test', priority: 5, weight: 0, port: 993 }),
    ],
    'DS a.test': [
      record('DS', 'a.test', {
        keyTag: 2371,
        algorithm: 13,
        digestType: 2,
        digest: Buffer.from('E44A', 'hex'),
      }),
    ],
    'NSEC a.test': [record('NSEC', 'a.test', { nextDomain: 'b.test', rrtypes: ['A', 'RRSIG', 'NSEC'] })],
    'DNSKEY a.test': [
      record('DNSKEY', 'a.test', { flags: 257, algorithm: 13, key: Buffer.from('99DB', 'hex') }),
    ],
    'NSEC3PARAM a.test': [record('NSEC3PARAM', 'a.test', Buffer.from('0100000801AA', 'hex'))],
  },
  additionals: { 'MX a.test': [record('A', 'mail.test', '10.1.1.9')] },
};

const setup = (served: Zone = zone) => {
  const bench = Bench.joined();
  return { bench, asked: serveNames(bench.stack, served) };
};
const resolve = (bench: Bench, type: number, name: string): string => {
  expect(bench.command(`AT+DNSRESOLV=${type},"${name}"`)).to.match(/^OK\r\n/);
  return bench.wait(10);
};

describe('AT+DNSRESOLV', () => {
  const cases: readonly [type: number, name: string, answer: string][] = [
    [1, 'two.test', '\r+DNSRESOLV:1,"two.test","10.1.1.1"\r\n\r+DNSRESOLV:1,"two.test","10.1.1.2"\r\n'],
    [1, 'alias.test', '\r+DNSRESOLV:1,"alias.test","10.1.1.1"\r\n'],
    [5, 'alias.test', '\r+DNSRESOLV:5,"alias.test","a.test"\r\n'],
    [28, 'v6.test', '\r+DNSRESOLV:28,"v6.test","2001:DB8::1"\r\n'],
    [6, 'a.test', '\r+DNSRESOLV:6,"a.test","ns.test",4000000000,10800,3600,604800,3600,"admin.test"\r\n'],
    [12, '1.1.1.10.in-addr.arpa', '\r+DNSRESOLV:12,"1.1.1.10.in-addr.arpa","a.test"\r\n'],
    [15, 'a.test', '\r+DNSRESOLV:15,"a.test","mail.test",10\r\n\r+DNSRESOLV:1,"mail.test","10.1.1.9"\r\n'],
    [16, 'a.test', '\r+DNSRESOLV:16,"a.test","v=spf1 mx"\r\n'],
    [33, '_x._tcp.test', '\r+DNSRESOLV:33,"_x._tcp.test","h.test",5,0,993\r\n'],
    [43, 'a.test', '\r+DNSRESOLV:43,"a.test",2371,13,2,[E44A]\r\n'],
    [47, 'a.test', '\r+DNSRESOLV:47,"a.test","b.test",[0006400000000003]\r\n'],
    [48, 'a.test', '\r+DNSRESOLV:48,"a.test",257,3,13,[99DB]\r\n'],
    [51, 'a.test', '\r+DNSRESOLV:51,"a.test",[0100000801AA]\r\n'],
  ];
  for (const [type, name, answer] of cases) {
    it(`type ${type}, ${name}`, () => {
      expect(resolve(setup().bench, type, name)).to.equal(answer);
    });
  }

  it('answers a known name out of the cache until its time is over', () => {
    const { bench, asked } = setup();
    const answer = resolve(bench, 1, 'a.test');
    expect(bench.command('AT+DNSRESOLV=1,"A.test"')).to.equal(`OK\r\n${answer.replace('a.test', 'A.test')}`);
    expect(asked).to.have.length(1);
    bench.wait(30_000);
    resolve(bench, 1, 'a.test');
    expect(asked).to.have.length(2);
  });

  it('keeps nothing longer than DNS_CACHE_TTL', () => {
    const { bench, asked } = setup();
    bench.command('AT+DNSC=6,5');
    resolve(bench, 1, 'a.test');
    bench.wait(5000);
    resolve(bench, 1, 'a.test');
    expect(asked).to.have.length(2);
  });

  it('asks the configured servers and port, one after the other, within the time-out', () => {
    const { bench, asked } = setup({ answers: {}, silent: ['a.test'] });
    bench.command('AT+DNSC=2,0');
    bench.command('AT+DNSC=1,"9.9.9.9"');
    bench.command('AT+DNSC=1,"8.8.8.8"');
    bench.command('AT+DNSC=3,2000');
    bench.command('AT+DNSRESOLV=1,"a.test"');
    expect(bench.wait(1990)).to.equal('');
    expect(asked.map(({ server }) => server)).to.deep.equal(['9.9.9.9', '8.8.8.8', '9.9.9.9', '8.8.8.8']);
    expect(bench.wait(20)).to.equal('\r+DNSERR:5.1,"DNS Query Timeout",1,"a.test"\r\n');
  });

  it('tells a record that is not there, a server that fails, an answer cut short', () => {
    const { bench } = setup();
    expect(resolve(bench, 28, 'a.test')).to.equal('\r+DNSERR:5.3,"DNS Record Not Found",28,"a.test"\r\n');
    const truncated = setup({ ...zone, flags: dnsPacket.TRUNCATED_RESPONSE });
    expect(resolve(truncated.bench, 1, 'a.test')).to.contain('+DNSERR:5.6');
    const failing = setup({ ...zone, flags: 2 });
    expect(resolve(failing.bench, 1, 'a.test')).to.equal('\r+DNSERR:5.2,"DNS Error",1,"a.test"\r\n');
  });

  it('asks for checked answers where only those count', () => {
    const { bench, asked } = setup();
    bench.command('AT+DNSC=8,2');
    expect(resolve(bench, 1, 'a.test')).to.equal(
      '\r+DNSERR:5.5,"DNS Data Authentication Error",1,"a.test"\r\n',
    );
    expect(asked[0].packet.additionals?.[0]).to.include({ type: 'OPT', flag_do: true });
    const checked = setup({ ...zone, flags: dnsPacket.AUTHENTIC_DATA });
    checked.bench.command('AT+DNSC=8,2');
    expect(resolve(checked.bench, 1, 'a.test')).to.equal('\r+DNSRESOLV:1,"a.test","10.1.1.1"\r\n');
  });

  it('prefers what DNS_PROTO_PREF says', () => {
    const { bench, asked } = setup();
    bench.command('AT+DNSC=4,2');
    resolve(bench, 255, 'a.test');
    expect(asked.map(({ packet }) => packet.questions?.[0].type)).to.deep.equal(['AAAA', 'A']);
    bench.command('AT+DNSC=4,3');
    expect(resolve(bench, 255, 'two.test')).to.not.contain('DNSERR');
  });

  it('pays no attention to answers nobody asked for', () => {
    const { bench } = setup({ answers: {}, silent: ['a.test'] });
    bench.command('AT+DNSRESOLV=1,"a.test"');
    const [socket] = [...bench.stack.udp];
    const forged = (id: number, name: string) =>
      dnsPacket.encode({
        type: 'response',
        id,
        questions: [{ type: 'A', name }],
        answers: [record('A', name, '6.6.6.6')],
      });
    const sent = dnsPacket.decode(Buffer.from(socket.sent[0].data));
    const id = sent.id ?? 0;
    socket.deliver(forged((id + 1) & 0xffff, 'a.test'), { address: '192.168.0.1', port: 53 });
    socket.deliver(forged(id, 'b.test'), { address: '192.168.0.1', port: 53 });
    socket.deliver(forged(id, 'a.test'), { address: '6.6.6.6', port: 53 });
    socket.deliver(forged(id, 'a.test'), { address: '192.168.0.1', port: 54 });
    socket.deliver('rubbish', { address: '192.168.0.1', port: 53 });
    expect(bench.take()).to.equal('');
    socket.deliver(forged(id, 'a.test'), { address: '192.168.0.1', port: 53 });
    expect(bench.take()).to.equal('\r+DNSRESOLV:1,"a.test","6.6.6.6"\r\n');
  });

  it('refuses names that are none, and needs a network', () => {
    const { bench } = setup();
    for (const name of ['', 'a..b', '.', `${'x'.repeat(64)}.test`]) {
      expect(resolve(bench, 1, name) || bench.take(), name).to.satisfy(
        (text: string) => text === '' || /5\.2/.test(text),
      );
    }
    const offline = Bench.booted();
    expect(offline.command('AT+DNSRESOLV=1,"a.test"')).to.contain('ERROR:9.0');
  });

  it('resolves the name of AT+SOCKBR', () => {
    const { bench } = setup();
    bench.stack.onConnect = (connection) => connection.establish();
    const id = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
    bench.command(`AT+SOCKBR=${id},"alias.test",80`);
    expect(bench.wait(20)).to.contain(`+SOCKIND:${id},"192.168.0.20",`).and.contain('"10.1.1.1",80');
    const other = Number(/\+SOCKO:(\d+)/.exec(bench.command('AT+SOCKO=2'))?.[1]);
    bench.command(`AT+SOCKBR=${other},"nowhere.test",80`);
    expect(bench.wait(20)).to.equal(`\r+SOCKERR:${other},5.4,"DNS Non-Existent Domain"\r\n`);
  });
});
