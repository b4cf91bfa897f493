import { expect } from 'chai';
import type { BeaconSecurity } from '../../../simulator/firmware/radio.js';
import { Bench } from './support/bench.js';
import { type FakeAccessPoint, lab } from './support/fake-radio.js';

const ap = (ssid: string, rest: Partial<FakeAccessPoint> = {}): FakeAccessPoint => ({
  ...lab,
  ssid,
  ...rest,
});

const scan = (accessPoints: FakeAccessPoint[], ...settings: string[]): { bench: Bench; output: string } => {
  const bench = Bench.booted();
  bench.command('ATE0');
  bench.radio.accessPoints = accessPoints;
  for (const setting of settings) expect(bench.command(`AT+WSCNC=${setting}`)).to.equal('OK\r\n');
  expect(bench.command('AT+WSCN=1')).to.equal('OK\r\n');
  return { bench, output: bench.wait(5000) };
};
const found = (output: string): string[] => Array.from(output.matchAll(/"([^"]*)"\r\n/g), ([, ssid]) => ssid);

describe('scan', () => {
  const kinds: readonly [BeaconSecurity, boolean, number][] = [
    ['open', false, 0],
    ['wpa2-mixed-personal', false, 2],
    ['wpa2-personal', false, 3],
    ['wpa2-personal', true, 4],
    ['wpa3-transition-personal', true, 5],
    ['wpa3-personal', true, 5],
    ['wpa2-mixed-enterprise', false, 6],
    ['wpa2-enterprise', false, 7],
    ['wpa3-transition-enterprise', true, 8],
    ['wpa3-enterprise', true, 9],
  ];
  for (const [security, mfp, type] of kinds) {
    it(`recommends type ${type} for ${security}${mfp ? ' with protected management frames' : ''}`, () => {
      const { output } = scan([ap('x', { security, mfp })]);
      expect(output).to.equal(`\r+WSCNIND:-42,${type},6,"00:01:02:03:04:05","x"\r\n\r+WSCNDONE:1\r\n`);
    });
  }

  it('leaves out what the filters leave out', () => {
    const all = kinds.map(([security, mfp], at) =>
      ap(`${security}${mfp}`, { security, mfp, bssid: `00:00:00:00:00:0${at}` }),
    );
    all.push(ap('wep', { security: 'unsupported', bssid: '00:00:00:00:00:FF' }));
    expect(found(scan(all).output)).to.have.length(10);
    expect(found(scan(all, '7,4').output)).to.deep.equal(['openfalse']);
    expect(found(scan(all, '7,8').output)).to.deep.equal(['wep']);
    expect(found(scan(all, '7,0x12').output)).to.deep.equal(['wpa2-mixed-enterprisefalse']);
    expect(found(scan(all, '7,0x41').output)).to.deep.equal([
      'wpa3-transition-personaltrue',
      'wpa3-personaltrue',
    ]);
  });

  it('keeps to channels, threshold and names', () => {
    const networks = [
      ap('one', { channel: 1, bssid: '00:00:00:00:00:01', rssi: -30 }),
      ap('six', { channel: 6, bssid: '00:00:00:00:00:06', rssi: -80 }),
      ap('thirteen', { channel: 13, bssid: '00:00:00:00:00:13' }),
    ];
    expect(found(scan(networks, '1,6').output)).to.deep.equal(['six']);
    expect(found(scan(networks, '11,0x1001').output)).to.deep.equal(['one', 'thirteen']);
    expect(found(scan(networks, '6,-50').output)).to.deep.equal(['one', 'thirteen']);
    expect(found(scan(networks, '10,"six"', '10,"one"').output)).to.deep.equal(['one', 'six']);
    expect(found(scan(networks, '1,0').output)).to.have.length(3);
  });

  it('finds hidden networks it asks for, and lists others without a name', () => {
    const hidden = [ap('secret', { hidden: true })];
    expect(scan(hidden).output).to.contain(',[]\r\n');
    expect(found(scan(hidden, '10,"secret"').output)).to.deep.equal(['secret']);
  });

  it('listens as long as told on every channel, and only listens when passive', () => {
    const { bench } = scan([], '3,100', '4,3');
    bench.radio.heard.length = 0;
    bench.command('AT+WSCN=0');
    expect(bench.wait(13 * 300 - 1)).to.equal('');
    expect(bench.wait(1)).to.equal('\r+WSCNDONE:0\r\n');
    expect(bench.radio.heard).to.deep.equal(
      Array.from({ length: 13 }, (_, at) => ({ channel: at + 1, active: false })),
    );
  });

  it('is not started twice', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    bench.command('AT+WSCN=1');
    expect(bench.command('AT+WSCN=1')).to.equal('ERROR:1.0,"Wi-Fi Request Failed"\r\n');
  });

  it('keeps quiet about single results if told to, and keeps the best of them', () => {
    const networks = Array.from({ length: 10 }, (_, at) =>
      ap(`n${at}`, { bssid: `00:00:00:00:00:0${at}`, rssi: -40 - at }),
    );
    const { bench, output } = scan(networks.reverse(), '8,0');
    expect(output).to.equal('\r+WSCNDONE:10\r\n');
    const kept = bench.command('AT+WSCNC=20');
    expect(kept.match(/\+WSCNC:20\./g)).to.have.length(8);
    expect(kept).to.match(/^\+WSCNC:20\.0,-40,3,6,"00:00:00:00:00:00","n0"\r\n/);
    expect(bench.command('AT+WSCNC=20.7')).to.equal('+WSCNC:20.7,-47,3,6,"00:00:00:00:00:07","n7"\r\nOK\r\n');
  });

  it('reports an access point once, at its strongest', () => {
    const { output } = scan([ap('x', { rssi: -70 }), ap('x', { rssi: -50 })]);
    expect(output).to.equal('\r+WSCNIND:-50,3,6,"00:01:02:03:04:05","x"\r\n\r+WSCNDONE:1\r\n');
  });
});
