import { expect } from 'chai';
import fc from 'fast-check';
import { Bench } from '../../firmware/support/bench.js';

/** Pieces of what hosts say, so that noise meets the grammar now and then. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.constantFrom(
    'AT',
    'AT+',
    'ATE1',
    'AT+SOCKO=2',
    'AT+SOCKO=1,4',
    'AT+SOCKWR=3002,10',
    'AT+SOCKWR=3002,0',
    'AT+SOCKRD=3002,2,0',
    'AT+SOCKBR=3002,"10.0.0.1",80',
    'AT+SOCKC=3002,102,100',
    'AT+WSTA=1',
    'AT+WSTAC=1,"',
    'AT+WSCN=1',
    'AT+DNSRESOLV=1,"a.b"',
    'AT+TIME=3,"2025-10-24T18:03:43.00Z"',
    'AT+RST',
    'AT+CFG',
    '+++',
    '\x1b[A',
    '\b\b',
    ',',
    '"',
    '[',
    '-1',
    '0x',
  ),
  fc.constantFrom('\r\n', '\n', '\r', '\0'),
);

describe('AT wire: noise', () => {
  it('never throws, never hangs, never floods, and answers again afterwards', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, paced) => {
        const bench = Bench.booted({ paced });
        let said = 0;
        for (const text of pieces) {
          bench.type(text);
          bench.clock.advance(1);
          said += bench.take().length;
        }
        expect(said).to.be.below(100_000);
        // Whatever it is in the middle of: a payload, raw mode, a reset.
        bench.type('x'.repeat(1500));
        bench.wait(2000);
        bench.type('+++');
        bench.wait(2000);
        bench.type('\r\n');
        bench.wait(2000);
        bench.type('AT\r\n');
        expect(bench.wait(1000)).to.match(/OK\r\n>?$/);
      }),
      { numRuns: 300 },
    );
  });

  it('answers exactly one status for every line', () => {
    const line = fc
      .array(fc.integer({ min: 0x20, max: 0x7e }), { minLength: 1, maxLength: 60 })
      .map((codes) => String.fromCharCode(...codes))
      // Not into raw mode and not into a reset.
      .filter((text) => !/SOCKWR|SOCKRD|RST|ATV|ATM|ATE/.test(text));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 10 }), (lines) => {
        const bench = Bench.booted();
        bench.command('ATE0');
        for (const text of lines) {
          expect(bench.command(text).match(/^(OK|ERROR:\d+\.\d+,"[^"]+")\r\n/gm), text).to.have.length(1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
