import { expect } from 'chai';
import { type ConfigCommandName, commands, configIds } from '../../../driver/protocol/catalogue/index.js';
import { ConfigTable } from '../../../simulator/firmware/config-table.js';
import { Bench } from './support/bench.js';

const quiet = (): Bench => {
  const bench = Bench.booted();
  bench.command('ATE0');
  return bench;
};

describe('ConfigTable', () => {
  it('exists for every configuration command, with no value but its defaults', () => {
    const names = Object.keys(configIds) as ConfigCommandName[];
    expect(names).to.have.length.above(20);
    for (const name of names) {
      const table = new ConfigTable(name);
      for (const { id, val } of table.entries()) {
        const param = commands[name].config?.get(typeof id === 'number' ? id : id.int);
        expect(val, `${name} ${param?.name}`).to.equal(param?.default ?? 0);
      }
    }
  });

  it('keeps one form of a value, whatever form it came in', () => {
    const table = new ConfigTable('NETIFC');
    for (const value of ['10.1.2.3', Uint8Array.of(10, 1, 2, 3), 0x0a010203]) {
      expect(table.set(configIds.NETIFC.GATEWAY, value)).to.equal(undefined);
      expect(table.text('GATEWAY')).to.equal('10.1.2.3');
    }
    const station = new ConfigTable('WSTAC');
    for (const value of ['aa:bb:cc:dd:ee:ff', Uint8Array.of(0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff)]) {
      expect(station.set(configIds.WSTAC.BSSID, value)).to.equal(undefined);
      expect(station.text('BSSID')).to.equal('AA:BB:CC:DD:EE:FF');
    }
    for (const zeros of ['00:00:00:00:00:00', '']) {
      expect(station.set(configIds.WSTAC.BSSID, zeros)).to.equal(undefined);
      expect(station.text('BSSID')).to.equal(undefined);
    }
    expect(station.set(configIds.WSTAC.SSID, { type: 'BYTE_ARRAY', value: Buffer.from('net') })).to.equal(
      undefined,
    );
    expect(station.text('SSID')).to.equal('net');
    expect(station.set(configIds.WSTAC.WPA3_TD, { type: 'INTEGER', value: 1 })).to.equal(undefined);
    expect(station.number('WPA3_TD')).to.equal(1);
  });

  it('refuses what is out of range, too long, or of another type', () => {
    const table = new ConfigTable('WSTAC');
    const { SSID, CHANNEL, SEC_TYPE, BSSID, CREDENTIALS } = configIds.WSTAC;
    for (const [id, value] of [
      [SSID, 'x'.repeat(33)],
      [SSID, 5],
      [CREDENTIALS, 'x'.repeat(129)],
      [CHANNEL, 14],
      [CHANNEL, -1],
      [CHANNEL, '1'],
      [SEC_TYPE, 1],
      [BSSID, 'not a mac'],
    ] as const) {
      expect(table.set(id, value), `${id} ${value}`).to.equal('INVALID_PARAMETER');
    }
  });
});

describe('configuration commands', () => {
  it('answer 0.7 for an unknown id, an index there is not, and a read-only value', () => {
    const bench = quiet();
    for (const line of [
      'AT+WSTAC=99',
      'AT+WSTAC=99,1',
      'AT+DNSC=1.4',
      'AT+WSTAC=1.0',
      'AT+NETIFC=0,2,"AA:BB:CC:DD:EE:FF"',
    ]) {
      expect(bench.command(line), line).to.equal('ERROR:0.7,"Configuration Access Failed"\r\n');
    }
  });

  it('append to a parameter of several values, replace one, remove one, remove all', () => {
    const bench = quiet();
    for (const name of ['SSID1', 'SSID2', 'SSID3'])
      expect(bench.command(`AT+WSCNC=10,"${name}"`)).to.equal('OK\r\n');
    expect(bench.command('AT+WSCNC=10')).to.equal(
      '+WSCNC:10.0,"SSID1"\r\n+WSCNC:10.1,"SSID2"\r\n+WSCNC:10.2,"SSID3"\r\nOK\r\n',
    );
    expect(bench.command('AT+WSCNC=10.1,""')).to.equal('OK\r\n');
    expect(bench.command('AT+WSCNC=10')).to.equal('+WSCNC:10.0,"SSID1"\r\n+WSCNC:10.1,"SSID3"\r\nOK\r\n');
    bench.command('AT+WSCNC=10.0,"other"');
    expect(bench.command('AT+WSCNC=10.0')).to.equal('+WSCNC:10.0,"other"\r\nOK\r\n');
    expect(bench.command('AT+WSCNC=10,[]')).to.equal('OK\r\n');
    expect(bench.command('AT+WSCNC=10')).to.equal('OK\r\n');
    for (let i = 0; i < 4; i++) expect(bench.command(`AT+WSCNC=10,"${i}"`)).to.equal('OK\r\n');
    expect(bench.command('AT+WSCNC=10,"5"')).to.equal('ERROR:0.7,"Configuration Access Failed"\r\n');
  });

  it('load preset 0 and tell which preset was loaded', () => {
    const bench = quiet();
    bench.command('AT+WSTAC=1,"changed"');
    bench.command('AT+WSTAC=4,11');
    expect(bench.command('AT+WSTAC=0')).to.equal('+WSTAC:0,0\r\nOK\r\n');
    expect(bench.command('AT+WSTAC=0,0')).to.equal('OK\r\n');
    expect(bench.command('AT+WSTAC=0,1')).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
    expect(bench.command('AT+WSTAC')).to.contain('+WSTAC:4,0\r\n').and.not.contain('+WSTAC:1,');
  });

  it('have instances where the catalogue says so', () => {
    const bench = quiet();
    bench.command('AT+TLSC=1,1,"one"');
    bench.command('AT+TLSC=4,1,"four"');
    expect(bench.command('AT+TLSC=1,1')).to.equal('+TLSC:1,"one"\r\nOK\r\n');
    expect(bench.command('AT+TLSC=4,1')).to.equal('+TLSC:1,"four"\r\nOK\r\n');
    expect(bench.command('AT+TLSC=5,1')).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
    expect(bench.command('AT+NETIFC')).to.equal('+NETIFC:0,1\r\nOK\r\n');
  });

  it('forget everything in a reset', () => {
    const bench = quiet();
    bench.command('AT+WSTAC=1,"changed"');
    bench.firmware.hardReset();
    bench.wait(100);
    expect(bench.command('AT+WSTAC=1')).to.equal('AT+WSTAC=1\r\nOK\r\n>');
  });

  it('tell what the module is', () => {
    const bench = quiet();
    expect(bench.command('AT+CFG=10')).to.equal('+CFG:10,3.2\r\nOK\r\n');
    expect(bench.command('AT+CFG=13')).to.equal('+CFG:13,"a1ac4"\r\nOK\r\n');
    expect(bench.command('AT+CFG=21,9600')).to.equal('OK\r\n');
    expect(bench.command('AT+IPR')).to.equal('+IPR:9600\r\nOK\r\n');
  });
});
