import { expect } from 'chai';
import fc from 'fast-check';
import './seed.js';
import { decodeText, encodeText, textLength } from '../../../driver/protocol/text.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('text', () => {
  it('is UTF-8 where it can be', () => {
    expect(decodeText(Buffer.from('Zürich ☕ 😀'))).to.equal('Zürich ☕ 😀');
    expect(Buffer.from(encodeText('Zürich ☕ 😀')).toString('utf8')).to.equal('Zürich ☕ 😀');
  });

  it('carries other bytes as lone surrogates', () => {
    expect(decodeText(bytes(0x41, 0xff, 0x42))).to.equal('A\udcffB');
    // Overlong, surrogate, beyond U+10FFFF, cut short: none is UTF-8.
    for (const bad of [
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
      [0xe0, 0x80, 0x80],
    ]) {
      const text = decodeText(bytes(...bad));
      expect(text).to.equal(String.fromCharCode(...bad.map((byte) => 0xdc00 | byte)));
      expect([...encodeText(text)]).to.deep.equal(bad);
    }
  });

  it('answers any bytes unchanged after decoding and encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (value) => {
        const text = decodeText(value);
        expect([...encodeText(text)]).to.deep.equal([...value]);
        expect(textLength(text)).to.equal(value.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('answers any well-formed string unchanged after encoding and decoding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeText(encodeText(text))).to.equal(text);
      }),
    );
  });

  it('refuses half a surrogate pair', () => {
    for (const text of ['\ud800', 'a\ud83d', '\udc7f', '\udd00b']) {
      expect(() => encodeText(text))
        .to.throw('surrogate')
        .with.property('code', 'WINC_ARGUMENT');
      expect(textLength(text)).to.equal(undefined);
    }
  });
});
