import { expect } from 'chai';
import fc from 'fast-check';
import '../seed.js';
import { decodeCommandLine, defaultFormat, withFormatBits } from '../../../../driver/protocol/at/index.js';

const decode = (line: string) => decodeCommandLine(Buffer.from(line, 'latin1'));
const basics = (line: string) => decode(line).basics.map(({ name, value }) => `${name}${value}`);

function extended(line: string): unknown {
  const parsed = decode(line).extended;
  if (!parsed || 'status' in parsed) return parsed;
  return { form: parsed.request.form, args: parsed.request.args, ...(parsed.raw && { raw: parsed.raw }) };
}

describe('AT module decoder', () => {
  it('answers OK to AT alone', () => {
    expect(decode('AT')).to.deep.equal({ basics: [] });
  });

  it('chains basic commands, and one extended', () => {
    expect(basics('ATE0')).to.deep.equal(['E0']);
    expect(basics('ATV5E1F15M0&K3')).to.deep.equal(['V5', 'E1', 'F15', 'M0', '&K3']);
    expect(basics('ATE')).to.deep.equal(['E0']);
    expect(decode('ATE0+GMR').extended).to.deep.include({
      request: { kind: 'request', command: 'GMR', form: 'GMR', args: {}, seq: 0 },
    });
    expect(basics('ATE0+GMR')).to.deep.equal(['E0']);
  });

  it('refuses lines that are no commands', () => {
    expect(decode('!')).to.deep.equal({ basics: [], status: 0x0002 });
    expect(decode('at')).to.deep.equal({ basics: [], status: 0x0002 });
    expect(decode('AT!')).to.deep.equal({ basics: [], status: 0x0003 });
    expect(decode('ATE1V9')).to.deep.equal({ basics: [{ name: 'E', value: 1 }], status: 0x0003 });
    for (const line of ['ATE2', 'ATF16', 'ATM2', 'AT&K1', 'AT&', 'ATZ', 'AT +GMR', 'ATE-1']) {
      expect(decode(line).status, line).to.equal(0x0003);
    }
  });

  it('refuses extended commands as the module does', () => {
    expect(extended('AT+NOPE')).to.deep.equal({ status: 0x0003 });
    expect(extended('AT+gmr')).to.deep.equal({ status: 0x0003 });
    expect(extended('AT+')).to.deep.equal({ status: 0x0003 });
    expect(extended('AT+WSCN')).to.deep.equal({ status: 0x0005, command: 'WSCN' });
    expect(extended('AT+WSCN=7')).to.deep.equal({ status: 0x0004, command: 'WSCN' });
    expect(extended('AT+WSCN=1,1')).to.deep.equal({ status: 0x0005, command: 'WSCN' });
    expect(extended('AT+WSCN=99999999999')).to.deep.equal({ status: 0x0004, command: 'WSCN' });
    expect(extended('AT+WSCN=x')).to.deep.equal({ status: 0x0005, command: 'WSCN' });
    expect(extended('AT+WSCN="1"')).to.deep.equal({ status: 0x0004, command: 'WSCN' });
    expect(extended('AT+SOCKBL=5,80,11')).to.deep.equal({ status: 0x0004, command: 'SOCKBL' });
    expect(extended('AT+PPS=2')).to.deep.equal({ status: 0x0005, command: 'PPS' });
    expect(extended('AT+PPS=1,5')).to.deep.equal({ status: 0x0005, command: 'PPS' });
    expect(extended('AT+GMR=1')).to.deep.equal({ status: 0x0005, command: 'GMR' });
    expect(extended('AT+GMR=?')).to.deep.equal({ status: 0x0005, command: 'GMR' });
  });

  it('takes no parameters in three spellings', () => {
    for (const line of ['AT+WSTA', 'AT+WSTA=', 'AT+WSTA?']) {
      expect(extended(line), line).to.deep.equal({ form: 'WSTA', args: {} });
    }
  });

  it('takes numeric names', () => {
    expect(extended('AT+0E.00=2,4')).to.deep.equal({
      form: 'SOCKO',
      args: { protocol: 2, protocolVersion: 4 },
    });
    expect(extended('AT+14.01')).to.deep.equal({ form: 'WSTA', args: {} });
    expect(extended('AT+7F.00')).to.deep.equal({ status: 0x0003 });
  });

  it('finds the form by number, fixed value and lexical form', () => {
    expect(extended('AT+SOCKWR=6,2,"hi"')).to.deep.equal({
      form: 'SOCKWR',
      args: { sockId: 6, length: 2, data: new Uint8Array(Buffer.from('hi')) },
    });
    expect(extended('AT+SOCKWR=6,2,9,[6869]')).to.deep.nested.include({ 'args.seqNum': 9 });
    expect(extended('AT+SOCKWR=6,2')).to.deep.equal({
      form: 'SOCKWR',
      args: { sockId: 6, length: 2 },
      raw: 'write',
    });
    expect(extended('AT+SOCKWRTO=6,"10.0.0.2",80,2')).to.deep.include({ raw: 'write' });
    expect(extended('AT+SOCKRD=6,2,5')).to.deep.include({ raw: 'read' });
    expect(extended('AT+SOCKRDBUF=6,2,5')).to.deep.include({ raw: 'read' });
    expect(extended('AT+SOCKRD=6,1,5')).to.not.have.property('raw');
    expect(extended('AT+FSTSFR=7,1,128')).to.deep.include({ form: 'FSRECV' });
    expect(extended('AT+FSTSFR=7,1,[00]')).to.deep.include({ form: 'FSTSFR' });
    expect(extended('AT+FS=1,1,2,"x",10')).to.deep.include({ form: 'FSLOAD' });
    expect(extended('AT+FS=2,1')).to.deep.include({ form: 'FSOP' });
    expect(extended('AT+MQTTPROPTX=38,"k","v"')).to.deep.include({ form: 'MQTTPROPTXKV' });
    expect(extended('AT+MQTTPROPTX=38,"k"')).to.deep.include({ form: 'MQTTPROPTXKV' });
    expect(extended('AT+MQTTPROPTX=38')).to.deep.include({ form: 'MQTTPROPTX' });
    expect(extended('AT+TLSC=1,9,[00],1')).to.deep.include({ form: 'TLSCDA' });
    expect(extended('AT+IPR=115200')).to.deep.equal({ form: 'IPR', args: { baudRate: 115200 } });
  });

  it('types configuration values as declared', () => {
    const val = (line: string) => (extended(line) as { args: { val: unknown } }).args.val;
    expect(val('AT+WSTAC=1,[C3A9]')).to.equal('é');
    expect(val('AT+WSTAC=5,"aa:bb:cc:dd:ee:ff"')).to.equal('AA:BB:CC:DD:EE:FF');
    expect(val('AT+WSCNC=10,"MySSID"')).to.deep.equal(new Uint8Array(Buffer.from('MySSID')));
    expect(val('AT+DNSC=1.0,"FE80::1"')).to.equal('fe80::1');
    expect(val('AT+NETIFC=0,40,"10.0.0.2/24"')).to.equal('10.0.0.2/24');
    expect(val('AT+NETIFC=0,60.0,"2001:DB8::1/64"')).to.equal('2001:db8::1/64');
    expect(val('AT+CFG=200,5.10')).to.deep.equal({ int: 5, frac: 10 });
  });

  it('leaves it to the firmware which configuration values it takes', () => {
    expect(extended('AT+WSTAC=1,5')).to.deep.equal({ form: 'WSTAC', args: { id: 1, val: 5 } });
    expect(extended('AT+WSTAC=2,1')).to.deep.equal({ form: 'WSTAC', args: { id: 2, val: 1 } });
    expect(extended('AT+WSTAC=5,""')).to.deep.equal({ form: 'WSTAC', args: { id: 5, val: '' } });
    expect(extended('AT+CFG=10,1')).to.deep.equal({ form: 'CFG', args: { id: 10, val: 1 } });
    expect(extended('AT+CFG=256,1')).to.deep.equal({ status: 0x0004, command: 'CFG' });
  });

  it('takes addresses as text, bytes or number', () => {
    const address = (text: string) =>
      (extended(`AT+SOCKBR=6,${text},80`) as { args: { rmtAddr: unknown } }).args.rmtAddr;
    expect(address('"example.com"')).to.equal('example.com');
    expect(address('"FE80::1"')).to.equal('fe80::1');
    expect(address('[C0A8010A]')).to.deep.equal(Uint8Array.of(192, 168, 1, 10));
    expect(address('[6578616D706C652E636F6D]')).to.equal('example.com');
    expect(address('3232235786')).to.equal(3232235786);
  });

  it('obeys ATF', () => {
    const line = Buffer.from('AT+SOCKO=0x2');
    expect(decodeCommandLine(line, withFormatBits(defaultFormat, 3)).extended).to.deep.include({
      status: 0x0005,
    });
    expect(decodeCommandLine(line, withFormatBits(defaultFormat, 7)).extended).to.have.property('request');
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      'AT',
      '+',
      'SOCKWR',
      'FS',
      'TLSC',
      '0E.05',
      '=',
      ',',
      '"',
      '[',
      ']',
      '\\',
      '-1',
      '38',
      '9',
      '5.4',
      '0x',
      '?',
      'E0',
      '&K',
    );
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      fc
        .array(fc.oneof(piece, fc.string({ maxLength: 2 })), { maxLength: 20 })
        .map((parts) => Buffer.from(`AT+${parts.join('')}`, 'latin1')),
    );
    fc.assert(
      fc.property(line, fc.nat({ max: 15 }), (bytes, bits) => {
        const parsed = decodeCommandLine(bytes, withFormatBits(defaultFormat, bits));
        const { extended: found } = parsed;
        expect(parsed.status ?? (found && 'status' in found ? found.status : 0)).to.be.oneOf([0, 2, 3, 4, 5]);
      }),
      { numRuns: 5000 },
    );
  });
});
