import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Bench } from '../../firmware/support/bench.js';

interface Transcript {
  readonly source: string;
  readonly device: string;
  readonly firmware?: string;
  readonly lines: readonly { readonly dir: '<' | '>'; readonly text: string }[];
}
const transcripts = JSON.parse(
  readFileSync(
    new URL('../../../../firmware-fixtures/protocol/real-transcripts.json', import.meta.url),
    'utf8',
  ),
) as readonly Transcript[];

/** The lines of one transcript, by a command in it and the firmware it was seen on. */
const seen = (command: string, firmware: string): readonly string[] => {
  const found = transcripts.find(
    ({ lines, firmware: version }) =>
      version === firmware && lines.some(({ dir, text }) => dir === '>' && text === command),
  );
  if (found === undefined) throw new Error(`no transcript of ${command} on ${firmware}`);
  const at = found.lines.findIndex(({ dir, text }) => dir === '>' && text === command);
  const rest = found.lines.slice(at + 1);
  const end = rest.findIndex(({ dir }) => dir === '>');
  return rest.slice(0, end < 0 ? rest.length : end).map(({ text }) => text);
};

describe('what real modules were seen to print', () => {
  it('AT+GMR of firmware 3.2.0, to the byte', () => {
    const [line] = seen('AT+GMR', '3.2.0');
    expect(Bench.booted().command('AT+GMR')).to.equal(`AT+GMR\r\n${line}\r\nOK\r\n>`);
  });

  it('the banner of 3.2.0, up to the end a flashing tool waits for', () => {
    const bench = new Bench();
    bench.firmware.powerUp();
    const output = bench.wait(100);
    const [, banner] = transcripts
      .flatMap(({ lines }) => lines)
      .map(({ text }) => /(\+BOOT:"RNWF - AT Command Interface 3\.2\.0 .*"\r\n)/.exec(text) ?? [])
      .find(([, text]) => text !== undefined) as string[];
    expect(output).to.equal(`\r${banner}>`);
    expect(output).to.contain('nology Inc"\r\n');
  });

  it('a command with a wrong number of parameters on 3.1.0', () => {
    const [line] = seen('AT+CFGCP', '3.1.0');
    expect(Bench.booted().command('AT+CFGCP')).to.equal(`AT+CFGCP\r\n${line}\r\n>`);
  });

  it('an unknown command at ATV3 on 2.0.0', () => {
    const [line] = seen('AT+CFGCP=?', '2.0.0');
    const bench = Bench.booted();
    bench.command('ATE0V3');
    // CFGCP came later; then it was a name like this one.
    expect(bench.command('AT+CFGXX=?')).to.equal(`${line}\r\n`);
  });

  it('AT+DI of firmware 3.2.0', () => {
    const output = Bench.booted().command('AT+DI');
    for (const line of seen('AT+DI', '3.2.0')) expect(output).to.contain(`${line}\r\n`);
  });

  it('the default of ROAMING', () => {
    const [line] = seen('AT+WSTAC', '3.1.0');
    expect(Bench.booted().command('AT+WSTAC')).to.contain(`${line}\r\n`);
  });

  it('the link-local address in upper case, before the lease', () => {
    const bench = Bench.booted({
      prepare: (stack) => {
        stack.linkLocal = 'fe80::df6a:dc30:93bf:60ae';
      },
    });
    bench.command('ATE0');
    for (const line of ['AT+WSTAC=1,"MyAP"', 'AT+WSTAC=2,3', 'AT+WSTAC=3,"MyAPPSK"', 'AT+WSTA=1'])
      bench.command(line);
    const [, , linkLocal] = seen('AT+WSTA=1', '3.1.0');
    const output = bench.wait(100);
    expect(output).to.contain(`\r${linkLocal}\r\n`);
    expect(output.indexOf('FE80')).to.be.below(output.indexOf('192.168'));
  });

  describe('the engine this firmware descends from, byte for byte', () => {
    const ancestor = transcripts.find(({ device }) => device.startsWith('AnyCloud AT engine'));
    const dialect = (text: string): string => text.replace(/ERROR:(\d),/g, 'ERROR:0.$1,');
    const known = ['AT\r\n', '\r\n', 'at\r\n', 'AT+NOPE\r\n', 'ATE0\r\n'];
    const lines = ancestor?.lines ?? [];
    for (const [at, { dir, text }] of lines.entries()) {
      if (dir !== '>' || !known.includes(text)) continue;
      it(JSON.stringify(text), () => {
        const bench = Bench.booted();
        bench.type(text);
        expect(bench.take()).to.equal(dialect(lines[at + 1].text));
      });
    }
  });
});
