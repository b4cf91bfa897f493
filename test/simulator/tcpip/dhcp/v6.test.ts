import { expect } from 'chai';
import fc from 'fast-check';
import {
  Dhcp6Client,
  type Dhcp6Information,
  decodeMessage6,
  encodeMessage6,
  readInformation,
} from '../../../../simulator/tcpip/dhcp/v6.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { Lan } from './lan.js';

const option = (code: number, ...data: number[]) => ({ code, data: Uint8Array.from(data) });
const dns = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53];

function setup() {
  const lan = new Lan();
  const told: Dhcp6Information[] = [];
  const host = lan.host('02:00:00:00:00:01', 'fe80::1');
  const client = new Dhcp6Client(host, {
    clock: lan.clock,
    random: seededRandom(1),
    informed: (information) => told.push(information),
  });
  return { lan, told, client };
}

describe('stateless DHCPv6', () => {
  it('messages come back from the wire as they went', () => {
    const message = fc.record({
      type: fc.nat(255),
      transaction: fc.nat(0xff_ffff),
      options: fc.array(fc.record({ code: fc.nat(65_535), data: fc.uint8Array({ maxLength: 300 }) }), {
        maxLength: 8,
      }),
    });
    fc.assert(
      fc.property(
        message,
        (value) => void expect(decodeMessage6(encodeMessage6(value))).to.deep.equal(value),
      ),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void decodeMessage6(bytes)));
  });

  it('reads name servers, domains, time servers of both kinds and the refresh time', () => {
    const information = readInformation({
      type: 7,
      transaction: 1,
      options: [
        option(23, ...dns, ...dns),
        option(24, 3, 108, 97, 98, 0),
        option(31, ...dns),
        option(56, 0, 1, 0, 16, ...dns, 0, 9, 0, 1, 7),
        option(32, 0, 0, 14, 16),
        option(999, 1),
      ],
    });
    expect(information).to.deep.equal({
      nameServers: ['2001:db8::53', '2001:db8::53'],
      searchDomains: ['lab'],
      ntpServers: ['2001:db8::53', '2001:db8::53'],
      refreshSeconds: 3600,
    });
  });

  it('asks until answered, growing slower, and takes only an answer to its question', () => {
    const { lan, told, client } = setup();
    client.start();
    lan.clock.advance(20_000);
    const asked = lan.sent.map(({ data }) => decodeMessage6(data)!);
    expect(asked.length).to.equal(5);
    expect(lan.sent[0].to).to.deep.equal({ address: 'ff02::1:2', port: 547 });
    expect(asked[0].type).to.equal(11);
    expect(asked[0].options.map(({ code }) => code)).to.deep.equal([1, 6, 8]);
    expect([...asked[0].options[0].data]).to.deep.equal([0, 3, 0, 1, 2, 0, 0, 0, 0, 1]);
    expect(new Set(asked.map(({ transaction }) => transaction)).size).to.equal(1);
    const server = lan.host('02:00:00:00:00:02', 'fe80::2').udpBind({ port: 547 }, { message() {} });
    const reply = {
      type: 7,
      transaction: asked[0].transaction,
      options: [option(2, 0, 3), asked[0].options[0], option(23, ...dns)],
    };
    const to = { address: 'fe80::1', port: 546 };
    for (const bad of [
      { ...reply, transaction: reply.transaction ^ 1 },
      { ...reply, type: 2 },
      { ...reply, options: reply.options.slice(1) },
      { ...reply, options: [option(2, 0, 3), option(1, 9)] },
      { ...reply, options: [...reply.options, option(13, 0, 1)] },
    ]) {
      server.send(encodeMessage6(bad), to);
    }
    lan.clock.advance(5);
    expect(told).to.deep.equal([]);
    server.send(encodeMessage6(reply), to);
    lan.clock.advance(5);
    expect(told.map(({ nameServers }) => nameServers)).to.deep.equal([['2001:db8::53']]);
    lan.clock.advance(86_000_000);
    expect(lan.sent.filter(({ from }) => from.port === 546).length).to.equal(5);
    lan.clock.advance(401_000);
    expect(lan.sent.filter(({ from }) => from.port === 546).length).to.be.greaterThan(5);
    client.stop();
    expect(lan.clock.pending).to.equal(0);
  });
});
