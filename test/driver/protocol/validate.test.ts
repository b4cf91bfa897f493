import { expect } from 'chai';
import type { CommandName } from '../../../driver/protocol/catalogue/index.js';
import { commands } from '../../../driver/protocol/catalogue/index.js';
import { type JsonObject, requestFromJson } from '../../../driver/protocol/json.js';
import type { Values } from '../../../driver/protocol/messages.js';
import { checkArgs, isProblem, type Resolved, validateArgs } from '../../../driver/protocol/validate.js';
import { fixture } from './fixtures.js';

interface Vector extends JsonObject {
  command: string;
  function: string;
  case: string;
}

function check(command: CommandName, args: Values, rawFollows = false) {
  const result = checkArgs(commands[command], args, { rawFollows });
  return isProblem(result) ? { status: result.status, param: result.param } : result.form.name;
}

const valuesOf = (command: string, args: Values): Resolved['values'] => validateArgs(command, args).values;

describe('arguments', () => {
  it('accepts every request of the vendor encoder', () => {
    for (const vector of fixture<Vector[]>('commands.json')) {
      const { command, args, form } = requestFromJson(vector);
      const resolved = validateArgs(command, args, { form });
      expect(`WINC_Cmd${resolved.form.name}`, `${command} ${vector.case}`).to.equal(vector.function);
    }
  });

  it('refuses every request the vendor encoder refuses', () => {
    const accepted = fixture<Vector[]>('rejects.json').filter((vector) => {
      const { command, args, form } = requestFromJson(vector);
      return !isProblem(checkArgs(commands[command], args, { form }));
    });
    // Quirk si-filter: a bit mask in the manuals, single bits in the encoder.
    expect([...new Set(accepted.map(({ command }) => command))]).to.deep.equal(['SI']);
  });

  it('refuses gaps, which the vendor encoder cuts silently', () => {
    for (const vector of fixture<Vector[]>('quirks.json')) {
      if (!vector.case.startsWith('gap:')) continue;
      const { command, args, form } = requestFromJson(vector);
      const result = checkArgs(commands[command], args, { form });
      expect(isProblem(result) && result.status, `${command} ${vector.case}`).to.equal(0x0005);
    }
  });

  it('names the parameter and what it takes', () => {
    const refuse = (command: string, args: Values, message: string) =>
      expect(() => validateArgs(command, args))
        .to.throw(message)
        .with.property('code', 'WINC_ARGUMENT');
    refuse('SOCKO', { protocol: 3 }, 'SOCKO: protocol must be one of 1 UDP, 2 TCP');
    refuse('SOCKO', {}, 'SOCKO needs protocol');
    refuse('SOCKO', { protocol: 2, port: 80 }, 'SOCKO has no parameter port');
    refuse('SOCKBL', { sockId: 5, lclPort: 70000 }, 'SOCKBL: lclPort must be an integer from 1 to 65535');
    refuse('SOCKBL', { sockId: 5, lclPort: 1.5 }, 'lclPort must be an integer');
    refuse('SOCKBL', { sockId: Number.NaN, lclPort: 5 }, 'sockId must be an integer');
    refuse('DNSC', { val: 1 }, 'DNSC: val needs id');
    refuse('SI', { filter: 16 }, 'bits of 1 WIFI_MEM_ALLOC');
    refuse('FS', { op: 1 }, 'FS needs filetype');
    refuse('FS', { filetype: 1, filename: 'x' }, 'FS needs op');
    refuse('PPS', { ppsState: 2 }, 'PPS needs pauseTime');
    refuse('WSTAC', { id: 1, val: 'x'.repeat(33) }, 'val must be at most 32 bytes (SSID)');
    refuse('WSTAC', { id: 1, val: '☕'.repeat(11) }, 'at most 32 bytes');
    refuse('WSTAC', { id: 2, val: 1 }, 'val must be one of 0 OPEN');
    refuse('WSTAC', { id: 5, val: 'no mac' }, 'must be a MAC address');
    refuse('CFG', { id: 10, val: 1 }, 'read only');
    refuse('DNSC', { id: { int: 1, frac: 4 }, val: '1.2.3.4' }, 'no index 4 in DNS_SVR');
    refuse('WSTAC', { id: 1, val: 'a\ud800' }, 'surrogate');
    refuse('SOCKWR', { sockId: 1, length: 1, data: 5 }, 'data must be a Uint8Array or a string');
    expect(() => validateArgs('NOPE', {}))
      .to.throw('NOPE')
      .with.property('code', 'WINC_UNKNOWN_COMMAND');
    expect(() => validateArgs('constructor', {}))
      .to.throw()
      .with.property('code', 'WINC_UNKNOWN_COMMAND');
  });

  it('finds the form', () => {
    expect(check('FS', { op: 2 })).to.equal('FSOP');
    expect(check('FS', { op: 1, filetype: 1 })).to.equal('FSLOAD');
    expect(check('FS', { op: 5, filetype: 1, filename: 'x' })).to.equal('FSSTORE');
    expect(check('TIME', {})).to.equal('TIME');
    expect(check('TIME', { format: 3 })).to.equal('TIME');
    expect(check('TIME', { format: 3, dateTime: '2025-10-24T18:03:43Z' })).to.equal('TIMERFC');
    expect(check('TIME', { format: 1, utcSec: 5 })).to.equal('TIMEUTCSEC');
    expect(check('TLSC', { conf: 1, id: 9 })).to.equal('TLSC');
    expect(check('TLSC', { conf: 1, id: 9, digest: new Uint8Array(20) })).to.equal('TLSCDA');
    expect(check('MQTTPROPTX', { id: 38, key: 'k' })).to.equal('MQTTPROPTXKV');
    expect(check('MQTTPROPTX', { id: 38, val: new Uint8Array(1) })).to.deep.equal({
      status: 5,
      param: 'val',
    });
    expect(check('MQTTPROPRX', { id: 0, val: 0 })).to.equal('MQTTPROPRXPRESET');
    expect(check('FSTSFR', { tsfrHandle: 1, blockNum: 1, dataLength: 128 })).to.equal('FSRECV');
    expect(check('PPS', { ppsState: 2, pauseTime: 9 })).to.equal('PPSPAUSE');
  });

  it('answers the statuses of the module', () => {
    expect(check('SOCKO', { protocol: 3 })).to.deep.equal({ status: 0x0004, param: 'protocol' });
    expect(check('SOCKO', {})).to.deep.equal({ status: 0x0005, param: 'protocol' });
    expect(check('SOCKWR', { sockId: 1, length: 5 })).to.deep.equal({ status: 0x0005, param: 'data' });
    expect(check('SOCKWR', { sockId: 1, length: 5 }, true)).to.equal('SOCKWR');
  });

  it('fills in presets and converts', () => {
    expect(valuesOf('FS', { op: 1, filetype: 0 })).to.deep.equal([1, 0, 5, undefined, undefined]);
    expect(valuesOf('SOCKWR', { sockId: 1, length: 2, data: 'é' })[3]).to.deep.equal(Buffer.from('é'));
    expect(valuesOf('MQTTUNSUB', { topicName: Uint8Array.of(0x61, 0xff) })).to.deep.equal(['a\udcff']);
  });

  it('types what the wire allows several types for', () => {
    const address = (rmtAddr: Values['x']) => valuesOf('SOCKBR', { sockId: 1, rmtAddr, rmtPort: 80 })[1];
    expect(address('192.168.1.10')).to.deep.equal({ type: 'IPV4ADDR', value: '192.168.1.10' });
    expect(address('fe80::1')).to.deep.equal({ type: 'IPV6ADDR', value: 'fe80::1' });
    expect(address('example.com')).to.deep.equal({ type: 'STRING', value: 'example.com' });
    expect(address('192.168.1.10/24')).to.deep.equal({ type: 'IPV4ADDR', value: '192.168.1.10/24' });
    expect(address('192.168.1.10/33')).to.deep.equal({ type: 'STRING', value: '192.168.1.10/33' });
    expect(address(3232235786)).to.deep.equal({ type: 'INTEGER_UNSIGNED', value: 3232235786 });
    expect(address({ type: 'STRING', value: '1.2.3.4' })).to.deep.equal({ type: 'STRING', value: '1.2.3.4' });
    const config = (command: string, id: Values['x'], val: Values['x'], more: Values = {}) =>
      valuesOf(command, { ...more, id, val }).at(-1);
    expect(config('WSTAC', 1, 'ssid')).to.deep.equal({ type: 'STRING', value: 'ssid' });
    expect(config('WSTAC', 2, 3)).to.deep.equal({ type: 'INTEGER', value: 3 });
    expect(config('WSTAC', 5, '00:11:22:aa:bb:cc')).to.deep.equal({
      type: 'MACADDR',
      value: '00:11:22:aa:bb:cc',
    });
    expect(config('WSTAC', 51, true)).to.deep.equal({ type: 'BOOL', value: 1 });
    expect(config('CFG', 21, 230400)).to.deep.equal({ type: 'INTEGER_UNSIGNED', value: 230400 });
    expect(config('NETIFC', 40, '10.0.0.2/24', { intf: 0 })).to.deep.equal({
      type: 'IPV4ADDR',
      value: '10.0.0.2/24',
    });
    expect(config('SNTPC', 3, 'pool.ntp.org')).to.deep.equal({ type: 'STRING', value: 'pool.ntp.org' });
    expect(config('SNTPC', 3, '10.0.0.1')).to.deep.equal({ type: 'IPV4ADDR', value: '10.0.0.1' });
    expect(config('CFG', { int: 50, frac: 0 }, 'WSTAC')).to.deep.equal({ type: 'STRING', value: 'WSTAC' });
    expect(config('CFG', { int: 50, frac: 0 }, 5)).to.deep.equal({ type: 'INTEGER_UNSIGNED', value: 5 });
    // An id the catalogue does not know: the value speaks for itself.
    expect(config('CFG', 200, 4_000_000_000)).to.deep.equal({
      type: 'INTEGER_UNSIGNED',
      value: 4_000_000_000,
    });
    expect(config('CFG', 200, -1)).to.deep.equal({ type: 'INTEGER', value: -1 });
    // Stated by the caller: beyond what is declared, within what the type holds.
    expect(config('CFG', 10, { type: 'INTEGER', value: 1 })).to.deep.equal({ type: 'INTEGER', value: 1 });
    for (const wrong of [
      { type: 'INTEGER', value: 2 ** 31 },
      { type: 'IPV4ADDR', value: '1.2.3' },
      { type: 'BOOL', value: 2 },
      { type: 'NOPE', value: 2 },
    ]) {
      expect(() => validateArgs('CFG', { id: 1, val: wrong as never }), JSON.stringify(wrong)).to.throw(
        'val',
      );
    }
  });
});
