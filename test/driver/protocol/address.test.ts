import { expect } from 'chai';
import fc from 'fast-check';
import './seed.js';
import {
  formatIpv4,
  formatIpv6,
  formatMac,
  isIpv4,
  isIpv6,
  parseIpv4,
  parseIpv6,
  parseMac,
} from '../../../driver/protocol/address.js';

describe('address', () => {
  it('takes dotted quads only', () => {
    for (const text of ['0.0.0.0', '192.168.1.10', '255.255.255.255'])
      expect(isIpv4(text), text).to.equal(true);
    for (const text of [
      '192.168.1',
      '1.2.3.256',
      '01.2.3.4',
      '0x1.2.3.4',
      '1.2.3.4 ',
      '',
      '1.2.3.4.5',
      '16909060',
    ]) {
      expect(isIpv4(text), text).to.equal(false);
      expect(parseIpv4(text), text).to.equal(undefined);
    }
  });

  it('reads and writes masks', () => {
    expect([...(parseIpv4('192.168.1.10/24') ?? [])]).to.deep.equal([192, 168, 1, 10, 255, 255, 255, 0]);
    expect(formatIpv4(Uint8Array.of(192, 168, 1, 10, 255, 255, 255, 0))).to.equal('192.168.1.10/24');
    expect(parseIpv4('10.0.0.1/255.0.0.0')).to.deep.equal(parseIpv4('10.0.0.1/8'));
    expect(formatIpv4(Uint8Array.of(1, 2, 3, 4, 255, 0, 255, 0))).to.equal('1.2.3.4/255.0.255.0');
    expect(formatIpv4(Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0))).to.equal('1.2.3.4/0');
    expect(formatIpv4(Uint8Array.of(1, 2, 3, 4, 255, 255, 255, 255))).to.equal('1.2.3.4/32');
    for (const text of ['1.2.3.4/33', '1.2.3.4/24R', '1.2.3.4/255.355.255.0', '1.2.3.4/']) {
      expect(parseIpv4(text), text).to.equal(undefined);
    }
  });

  it('writes IPv6 as RFC 5952 says', () => {
    const text = (source: string) => formatIpv6(parseIpv6(source) ?? new Uint8Array());
    expect(text('2001:DB8:0:0:1:0:0:1')).to.equal('2001:db8::1:0:0:1');
    expect(text('FE80::DF6A:DC30:93BF:60AE')).to.equal('fe80::df6a:dc30:93bf:60ae');
    expect(text('::')).to.equal('::');
    expect(text('2001:470:6CFA:130:1000:1000:1000:1000/64')).to.equal(
      '2001:470:6cfa:130:1000:1000:1000:1000/64',
    );
    for (const bad of ['fe80::1%eth0', '::1/129', '::1/64R', '1::2::3', ':', '12345::', 'abcd', '1.2.3.4']) {
      expect(parseIpv6(bad), bad).to.equal(undefined);
    }
    expect(isIpv6('fe80::1%1')).to.equal(false);
  });

  it('round-trips', () => {
    const sized = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(sized(4), sized(16), sized(6), (v4, v6, mac) => {
        expect([...(parseIpv4(formatIpv4(v4)) ?? [])]).to.deep.equal([...v4]);
        expect([...(parseIpv6(formatIpv6(v6)) ?? [])]).to.deep.equal([...v6]);
        expect([...(parseMac(formatMac(mac)) ?? [])]).to.deep.equal([...mac]);
      }),
    );
    fc.assert(
      fc.property(sized(8), (v4) => {
        expect([...(parseIpv4(formatIpv4(v4)) ?? [])]).to.deep.equal([...v4]);
      }),
    );
  });

  it('refuses what is no MAC', () => {
    expect([...(parseMac('12:34:56:78:9a:BC') ?? [])]).to.deep.equal([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc]);
    for (const text of ['12:34:56:78:9a:gc', '12:34:56:78:9a', '123456789abc', '12:34:56:78:9a:bc:de']) {
      expect(parseMac(text), text).to.equal(undefined);
    }
  });
});
