import { expect } from 'chai';
import fc from 'fast-check';
import '../seed.js';
import {
  type AtFormat,
  defaultFormat,
  formatBits,
  withFormatBits,
} from '../../../../driver/protocol/at/format.js';
import {
  formatBytes,
  formatCode,
  formatHostText,
  formatInteger,
} from '../../../../driver/protocol/at/formatter.js';
import { lexParameters } from '../../../../driver/protocol/at/lexer.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const lex = (text: string, format: AtFormat = defaultFormat, strict = true) =>
  lexParameters(bytes(text), 0, format, strict);

/** Each token as a value: strings as their bytes in latin1. */
function values(text: string, format?: AtFormat): unknown {
  const { tokens, error } = lex(text, format);
  if (error) return error;
  return tokens.map((token) => {
    if (token.kind === 'int') return token.value;
    return token.kind === 'frac' ? `${token.int}.${token.frac}` : Buffer.from(token.bytes).toString('latin1');
  });
}

describe('AT lexer', () => {
  it('reads integers of every base', () => {
    expect(values('99,-128,0b10110011,0o6712,0xABCD,0xabcd,0XABCD,0B1,0O7,0')).to.deep.equal([
      99, -128, 179, 3530, 43981, 43981, 43981, 1, 7, 0,
    ]);
    expect(values('1234,-1234,0x1234,0o1234,0b1010001001')).to.deep.equal([1234, -1234, 4660, 668, 649]);
    expect(values('255,65535,16777215,4294967295,-2147483648')).to.deep.equal([
      255, 65535, 16777215, 4294967295, -2147483648,
    ]);
    expect(values('007,-0')).to.deep.equal([7, 0]);
  });

  it('refuses integers beyond 32 bits', () => {
    for (const text of ['4294967296', '-2147483649', '0x100000000', '99999999999999999999', '1.4294967296']) {
      expect(values(text), text).to.equal('range');
    }
  });

  it('reads fractional integers as pairs', () => {
    expect(values('5.10,5.1,-10.3,255.65535')).to.deep.equal(['5.10', '5.1', '-10.3', '255.65535']);
    for (const text of ['5.', '.5', '5.-1', '1.2.3', '0x5.1', '5.0x1'])
      expect(values(text), text).to.equal('syntax');
  });

  it('reads both string forms', () => {
    expect(values('"",[],"1234","1234, abcd",[12345678],[41c2A942]')).to.deep.equal([
      '',
      '',
      '1234',
      '1234, abcd',
      '\x124Vx',
      'A\xc2\xa9B',
    ]);
    expect(values(String.raw`"\0\t\\\"\r\n\a\b\v\f\e"`)).to.deep.equal(['\0\t\\"\r\n\x07\b\v\f\x1b']);
    expect(values('"A]B[C"')).to.deep.equal(['A]B[C']);
  });

  it('skips spaces where the module does', () => {
    expect(values(' 8, 3')).to.deep.equal([8, 3]);
    expect(values('"a" ,[62] , "c" ')).to.deep.equal(['a', 'b', 'c']);
    expect(values('8 ,3')).to.equal('syntax');
  });

  it('takes a string the line ends in', () => {
    expect(values('1,"/any?a=1')).to.deep.equal([1, '/any?a=1']);
    expect(values('[4142')).to.deep.equal(['AB']);
  });

  it('refuses everything else', () => {
    for (const text of [
      ',',
      '1,',
      ',1',
      '1,,2',
      '?',
      'abc',
      '-',
      '--1',
      '0x',
      '0b2',
      '0o8',
      '12a',
      '"a"b',
      '"a""b"',
      '[4]',
      '[4g]',
      '[41]42',
      '[ 41]',
      String.raw`"\x"`,
      '"\\',
      '"a\tb"',
      '"é"',
      '1 2',
    ]) {
      expect(values(text), JSON.stringify(text)).to.equal('syntax');
    }
  });

  it('is lenient to what a module prints', () => {
    expect(lex('"a\tb"', defaultFormat, false)).to.not.have.property('error');
    expect(lex('"é"', defaultFormat, false)).to.not.have.property('error');
  });

  it('obeys ATF', () => {
    const plain = withFormatBits(defaultFormat, 3);
    expect(values('10', plain)).to.deep.equal([10]);
    expect(values('0x10', plain)).to.equal('syntax');
    const hex = withFormatBits(defaultFormat, 15);
    expect(values('10,FF,ff,-10,0x10,0b11,5.10', hex)).to.deep.equal([16, 255, 255, -10, 16, 3, '5.10']);
    const hexOnly = withFormatBits(defaultFormat, 11);
    expect(values('0b11,10', hexOnly)).to.deep.equal([0xb11, 16]);
    expect(values('0x10', hexOnly)).to.equal('syntax');
  });

  it('knows the tokens before an error', () => {
    expect(lex('1,"a",x').tokens).to.have.length(2);
  });
});

describe('AT formatter', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const print = (text: string, bits: number, isString = true) =>
    formatBytes(bytes(text), isString, withFormatBits(defaultFormat, bits));

  it('prints strings as ATF says', () => {
    expect([0, 1, 2, 3].map((bits) => print('plain', bits))).to.deep.equal([
      '[706C61696E]',
      '"plain"',
      '"plain"',
      '"plain"',
    ]);
    expect([0, 1, 2, 3].map((bits) => print('a"b\r', bits))).to.deep.equal([
      '[6122620D]',
      '[6122620D]',
      String.raw`"a\"b\r"`,
      String.raw`"a\"b\r"`,
    ]);
    expect([0, 1, 2, 3].map((bits) => print('a', bits, false))).to.deep.equal([
      '[61]',
      '[61]',
      '[61]',
      '"a"',
    ]);
    expect(print('A\r\nB"C\\D\tE', 7)).to.equal(String.raw`"A\r\nB\"C\\D\tE"`);
    expect(print('A\xc2\xa9B', 7)).to.equal('[41C2A942]');
    expect([0, 1, 2, 3].map((bits) => print('', bits))).to.deep.equal(['[]', '[]', '[]', '[]']);
  });

  it('prints integers as ATF says', () => {
    const print = (value: number, bits: number, digits?: number) =>
      formatInteger(value, withFormatBits(defaultFormat, bits), digits);
    expect(print(255, 7)).to.equal('255');
    expect(print(255, 7, 4)).to.equal('0x00FF');
    expect(print(0xffffffff, 7, 8)).to.equal('0xFFFFFFFF');
    expect(print(255, 3, 4)).to.equal('255');
    expect(print(255, 15, 4)).to.equal('FF');
    expect(print(-38, 15)).to.equal('-38');
    expect(formatCode(0x0e0c)).to.equal('14.12');
  });

  it('is understood whatever the format, byte for byte', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 15 }),
        fc.boolean(),
        fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
        (source, integer, bits, isString, digits) => {
          const format = withFormatBits(defaultFormat, bits);
          expect(formatBits(format)).to.equal(bits);
          const text = `${formatBytes(source, isString, format)},${formatInteger(integer, format, digits)}`;
          expect(text).to.match(/^[\x20-\x7e]*$/);
          const { tokens, error } = lex(text, format);
          expect(error).to.equal(undefined);
          expect(tokens[0])
            .to.have.property('bytes')
            .that.deep.equals(tokens[0].kind === 'text' ? Buffer.from(source) : source);
          expect(tokens[1]).to.deep.equal({ kind: 'int', value: integer });
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('keeps what a host sends within its quotes', () => {
    expect(formatHostText('My "AP"\\')).to.equal(String.raw`"My \"AP\"\\"`);
    expect(formatHostText('a\r\nAT+RST')).to.equal('[610D0A41542B525354]');
    for (const byte of all) {
      const text = formatHostText(Uint8Array.of(0x41, byte));
      expect(text).to.match(/^(?:"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|\[[0-9A-F]*\])$/);
      const [token] = lex(text).tokens;
      expect('bytes' in token && [...token.bytes]).to.deep.equal([0x41, byte]);
    }
  });
});
