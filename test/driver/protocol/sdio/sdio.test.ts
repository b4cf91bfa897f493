import { expect } from 'chai';
import fc from 'fast-check';
import {
  crc7,
  crc16,
  directArgument,
  extendedArgument,
  mailboxWord,
  parseDirect,
  parseExtended,
  parseMailboxWord,
  writeCommand,
} from '../../../../driver/protocol/sdio/index.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('SDIO over SPI, the pure part', () => {
  it('computes the checksums of the specification and of the recorded runs', () => {
    // SD Physical Layer, section 4.5: CMD0, CMD17 and the answer to CMD17; 512 bytes of ff.
    expect(crc7(Uint8Array.of(0x40, 0, 0, 0, 0), 0, 5)).to.equal(0x4a);
    expect(crc7(Uint8Array.of(0x51, 0, 0, 0, 0), 0, 5)).to.equal(0x2a);
    expect(crc7(Uint8Array.of(0x11, 0, 0, 9, 0), 0, 5)).to.equal(0x33);
    expect(crc16(new Uint8Array(512).fill(0xff), 0, 512)).to.equal(0x7fa1);
    expect(crc16(Uint8Array.of(9, 2, 0, 1, 1, 9), 1, 4)).to.equal(0xce78);
  });

  it('writes commands as the recorded hosts do, and with checksums on demand', () => {
    const command = (index: number, argument: number, checked = false) => {
      const out = new Uint8Array(8);
      writeCommand(out, 1, index, argument, checked);
      return hex(out.subarray(1, 7));
    };
    expect(command(0, 0)).to.equal('400000000095');
    expect(command(5, 0x200000)).to.equal('450020000001');
    expect(command(52, directArgument(true, 1, 0x09, 0x04))).to.equal('749000120401');
    expect(command(52, directArgument(true, 0, 0x18000, 0x02))).to.equal('748300000201');
    expect(command(53, extendedArgument(true, 1, 0x24, 4, false, true))).to.equal('759400480401');
    expect(command(53, extendedArgument(false, 1, 0, 2, true, false))).to.equal('751800000201');
    // 512 bytes in byte mode are written as 0.
    expect(command(53, extendedArgument(true, 1, 0, 512, false, false))).to.equal('759000000001');
    expect(command(17, 0, true)).to.equal('510000000055');
  });

  it('reads arguments and mailbox words back', () => {
    const address = fc.integer({ min: 0, max: 0x1ffff });
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.integer({ min: 0, max: 7 }),
        address,
        fc.integer({ min: 0, max: 255 }),
        (write, fn, at, value) => {
          expect(parseDirect(directArgument(write, fn, at, value))).to.deep.equal({
            write,
            fn,
            address: at,
            value,
          });
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.boolean(),
        address,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 511 }),
        (write, at, blocks, increment, count) => {
          const parsed = parseExtended(extendedArgument(write, 1, at, count, blocks, increment));
          expect(parsed).to.deep.equal({ write, fn: 1, address: at, blocks, increment, count });
        },
      ),
    );
    expect(parseExtended(extendedArgument(true, 1, 0, 512, false, false)).count).to.equal(512);
    expect(parseMailboxWord(mailboxWord(1, 3, 6))).to.deep.equal({ type: 1, count: 3, length: 6 });
    expect(mailboxWord(2, 5, 11)).to.equal(0x0205000b);
  });
});
