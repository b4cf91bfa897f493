import { expect } from 'chai';
import fc from 'fast-check';
import { decodeArchive, encodeArchive } from '../../../simulator/firmware/config-archive.js';
import { Bench } from './support/bench.js';

const OK = 'OK\r\n';

function bench(): Bench {
  const made = Bench.booted();
  made.command('ATE0');
  return made;
}

function restart(made: Bench): void {
  made.command('AT+RST');
  made.wait(1000);
  made.command('ATE0');
}

function configure(made: Bench): void {
  for (const line of [
    'AT+WSTAC=1,"SSID"',
    'AT+WSTAC=2,3',
    'AT+WSTAC=3,"Password"',
    'AT+NETIFC=0,20,1',
    'AT+DNSC=1,"1.1.1.1"',
    'AT+DNSC=1,"9.9.9.9"',
    'AT+DNSC=2,0',
  ]) {
    expect(made.command(line), line).to.equal(OK);
  }
}

const queries = ['AT+WSTAC', 'AT+DNSC', 'AT+NETIFC=0'];
const state = (made: Bench): string[] => queries.map((line) => made.command(line));
const SUMMARY = /^\+CFGCP:0x0500,\d+,\d+\r\n\+CFGCP:0x0900,\d+,\d+\r\n\+CFGCP:0x1400,\d+,\d+\r\nOK\r\n$/;

describe('CFGCP', () => {
  it('saves what was changed to a file and brings it back', () => {
    const made = bench();
    const before = state(made);
    configure(made);
    const configured = state(made);
    const summary = made.command('AT+CFGCP=0,"saved"');
    expect(summary).to.match(SUMMARY);
    expect(made.command('AT+FS=2,20')).to.equal('+FS:2,20,"saved"\r\nOK\r\n');
    restart(made);
    expect(state(made)).to.deep.equal(before);
    made.command('AT+DNSC=1,"8.8.8.8"');
    expect(made.command('AT+CFGCP="saved",0')).to.equal(summary);
    expect(state(made)).to.deep.equal(configured);
    expect(made.command('AT+CFGCP=0,"again"')).to.equal(summary);
  });

  it('saves nothing where nothing was changed', () => {
    const made = bench();
    expect(made.command('AT+CFGCP=0,"empty"')).to.equal(OK);
    expect(made.flash.files.get('cfg', 'empty')).to.have.length(8);
  });

  it('brings the joining data back well enough to join', () => {
    const made = Bench.joined();
    made.command('AT+CFGCP=0,"lab"');
    restart(made);
    made.command('AT+CFGCP="lab",0');
    expect(made.command('AT+WSTA=1')).to.equal(OK);
    expect(made.wait(100)).to.include('+WSTALU:');
  });

  it('leaves alone what is locked', () => {
    const made = Bench.joined();
    made.command('AT+CFGCP=0,1');
    made.command('AT+WSTA=0');
    made.wait(100);
    made.command('AT+WSTAC=1,"other"');
    made.command('AT+CFGCP=0,2');
    made.command('AT+CFGCP=1,0');
    made.command('AT+WSTA=1');
    made.wait(100);
    expect(made.command('AT+CFGCP=2,0')).to.match(/^ERROR:0\.6/);
    expect(made.command('AT+WSTAC=1')).to.equal('+WSTAC:1,"MyAP"\r\nOK\r\n');
  });

  it('copies between slots, which a reset empties', () => {
    const made = bench();
    made.command('AT+TIME=3,"2025-10-24T18:03:43.00Z"');
    configure(made);
    const configured = state(made);
    expect(made.command('AT+CFGCP=0,1')).to.match(SUMMARY);
    expect(made.command('AT+CFG=51.1')).to.equal('+CFG:51.1,1761329023\r\nOK\r\n');
    expect(made.command('AT+CFGCP=1,2')).to.match(SUMMARY);
    made.command('AT+DNSC=0,0');
    made.command('AT+WSTAC=0,0');
    expect(made.command('AT+CFGCP=2,0')).to.match(SUMMARY);
    expect(state(made)).to.deep.equal(configured);
    expect(made.command('AT+CFG=51.1,0')).to.equal(OK);
    expect(made.command('AT+CFGCP=1,0')).to.equal('ERROR:3.0,"Configuration not present"\r\n');
    restart(made);
    expect(made.command('AT+CFGCP=2,0')).to.match(/^ERROR:3\.0/);
  });

  it('leaves out what the filter names, either way', () => {
    const made = bench();
    configure(made);
    made.command('AT+CFG=50,"+WSTAC"');
    made.command('AT+CFG=50,0x0900');
    made.command('AT+CFG=50,0x0300');
    expect(made.command('AT+CFGCP=0,"dns"')).to.match(/^\+CFGCP:0x0500,\d+,\d+\r\nOK\r\n$/);
    expect(made.command('AT+CFG=50.1')).to.equal('+CFG:50.1,2304\r\nOK\r\n');
  });

  it('loads autoexec before the prompt', () => {
    const made = bench();
    configure(made);
    const configured = state(made);
    made.command('AT+CFGCP=0,"autoexec"');
    restart(made);
    expect(state(made)).to.deep.equal(configured);
    expect(made.command('AT+CFG=52')).to.equal('+CFG:52,0.0\r\nOK\r\n');
    made.command('AT+FS=3,20,"autoexec"');
    made.flash.files.put('cfg', 'autoexec', Buffer.from('no such file'));
    restart(made);
    expect(made.command('AT+CFG=52')).to.match(/^\+CFG:52,1\.3,"File System Error"\r\nOK/);
    expect(made.command('AT+WSTAC=1')).to.equal(OK);
  });

  it('takes files as the vendor compiles them', () => {
    // AT+DNSC=1,"1.1.1.1" and AT+NETIFC=0,20,1 and AT+WSTA=1, as it compiles them: short integers, address types.
    const file = [
      '0008000000e1f568',
      '00050d000200 0300000101 0800000401010101',
      '00090f000300 0300000100 0300000114 0300000101',
      '011405000100 0300000101',
    ];
    const made = bench();
    made.flash.files.put('cfg', 'compiled', Buffer.from(file.join('').replaceAll(' ', ''), 'hex'));
    expect(made.command('AT+CFGCP="compiled",0')).to.match(
      /^\+CFGCP:0x0500,1,\d+\r\n\+CFGCP:0x0900,1,\d+\r\nOK/,
    );
    expect(made.command('AT+DNSC=1')).to.include('"1.1.1.1"');
    expect(made.command('AT+NETIFC=0,20')).to.equal('+NETIFC:20,1\r\nOK\r\n');
  });

  it('refuses what cannot be', () => {
    const made = bench();
    made.flash.files.put('cfg', 'broken', Uint8Array.of(0, 8, 0));
    const refusals: Record<string, RegExp> = {
      'AT+CFGCP': /^ERROR:0\.5/,
      'AT+CFGCP=0': /^ERROR:0\.5/,
      'AT+CFGCP=0,0': /^ERROR:0\.4/,
      'AT+CFGCP=0,3': /^ERROR:0\.4/,
      'AT+CFGCP=1,"file"': /^ERROR:0\.4/,
      'AT+CFGCP="a","b"': /^ERROR:0\.4/,
      'AT+CFGCP="none",0': /^ERROR:7\.2/,
      'AT+CFGCP="broken",0': /^ERROR:1\.3/,
      'AT+CFGCP=0,""': /^ERROR:0\.4/,
      'AT+CFGCP=1,0': /^ERROR:3\.0/,
      'AT+CFG=51.1,5': /^ERROR:0\.4/,
    };
    for (const [line, answer] of Object.entries(refusals)) expect(made.command(line), line).to.match(answer);
  });
});

describe('configuration files', () => {
  it('come back as they were', () => {
    const value = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }),
      fc.string(),
      fc.uint8Array({ maxLength: 40 }),
    );
    const id = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.record({ int: fc.nat(255), frac: fc.nat(255) }, { noNullPrototype: true }),
    );
    const items = fc.array(fc.record({ id, value }, { noNullPrototype: true }), { minLength: 1 });
    const indexed = fc.array(fc.record({ instance: fc.nat(255), id, value }, { noNullPrototype: true }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(fc.nat(), items, indexed, (time, station, interfaces) => {
        const archive = {
          time,
          groups: [
            { command: 'WSTAC', items: station },
            { command: 'NETIFC', items: interfaces },
          ],
        } as const;
        expect(decodeArchive(encodeArchive(archive))).to.deep.equal(archive);
      }),
    );
  });

  it('never throw, whatever they hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
        decodeArchive(Buffer.concat([Buffer.from('0008000000000000', 'hex'), noise]));
        decodeArchive(noise);
      }),
    );
  });
});
