import { expect } from 'chai';
import { Bench } from './support/bench.js';

const OK = 'OK\r\n';
const BAD = 'ERROR:0.4,"Invalid Parameter"\r\n';
const LOCKED = 'ERROR:29.0,"NVM Locked Until Reset"\r\n';

function bench(): Bench {
  const made = Bench.booted();
  made.command('ATE0');
  return made;
}

/** Sequence number, version, source address and state of what AT+DI lists. */
function images(made: Bench): string[] {
  return [...made.command('AT+DI=15').matchAll(/\+DI:15\.\d,(.*)\r\n/g)].map(([, image]) => image);
}

function restart(made: Bench): void {
  made.command('AT+RST');
  made.wait(1000);
  made.command('ATE0');
}

const HEADER = 'FFFFFFFF0101E0005048434D0300000000050304FFFFFFFF';

/** 4.3.5.0 in the header, and enough behind it. */
function writeImage(made: Bench): void {
  made.command('AT+NVMER=0,240');
  expect(made.wait(0)).to.equal('\r+NVMER\r\n');
  expect(made.command(`AT+NVMWR=0,24,[${HEADER}]`)).to.equal(OK);
  expect(made.command(`AT+NVMWR=512,4,[00112233]`)).to.equal(OK);
}

describe('NVM', () => {
  it('tells its size', () => {
    expect(bench().command('AT+NVMC')).to.equal(
      '+NVMC:1,0\r\n+NVMC:2,240\r\n+NVMC:3,4096\r\n+NVMC:4,2\r\nOK\r\n',
    );
  });

  it('hashes as the reference shows, by every method', () => {
    const made = bench();
    made.command('AT+NVMER=0,1');
    made.wait(0);
    made.command('AT+NVMWR=0,4,[4D434850]');
    const hashes: Record<number, RegExp> = {
      2: /,2,0xCD77\r\n$/,
      10: /,10,\[[\dA-F]{40}\]\r\n$/,
      11: /,11,\[7BE8FA11F537A1CA4612D6E30CAF94A20F3C37999012119672BE21DAD2791D5C\]\r\n$/,
      12: /,12,\[[\dA-F]{56}\]\r\n$/,
      13: /,13,\[[\dA-F]{128}\]\r\n$/,
      14: /,14,\[[\dA-F]{96}\]\r\n$/,
    };
    for (const [mode, hash] of Object.entries(hashes)) {
      expect(made.command(`AT+NVMC=4,${mode}`)).to.equal(OK);
      const answer = made.command('AT+NVMCHK=0,4');
      expect(answer.startsWith('OK\r\n\r+NVMCHK:0x00000000,4,')).to.equal(true);
      expect(answer).to.match(hash);
    }
    expect(made.command('AT+NVMC=4,3')).to.equal(BAD);
    expect(made.command('AT+NVMCHK=0,983040')).to.include('+NVMCHK:0x00000000,983040,');
  });

  it('writes as flash does: bits become 0 until the sector is erased', () => {
    const made = bench();
    made.command('AT+NVMER=0,2');
    made.wait(0);
    expect(made.command('AT+NVMRD=4094,4')).to.equal('+NVMRD:0x00000FFE,4,[FFFFFFFF]\r\nOK\r\n');
    made.command('AT+NVMWR=4094,2,[F0F0]');
    made.command('AT+NVMWR=4094,2,[8FFF]');
    made.command('AT+NVMWR=0X00001000,2,[0102]');
    expect(made.command('AT+NVMRD=4094,4')).to.equal('+NVMRD:0x00000FFE,4,[80F00102]\r\nOK\r\n');
    made.command('AT+NVMER=1,1');
    made.wait(0);
    expect(made.command('AT+NVMRD=4094,4')).to.equal('+NVMRD:0x00000FFE,4,[80F0FFFF]\r\nOK\r\n');
  });

  it('refuses what crosses a sector or the end', () => {
    const made = bench();
    for (const line of [
      'AT+NVMWR=4095,2,[0000]',
      'AT+NVMWR=0,2,[00]',
      'AT+NVMWR=0,1,[0000]',
      'AT+NVMRD=983039,2',
      'AT+NVMCHK=1,983040',
      'AT+NVMER=239,2',
    ]) {
      expect(made.command(line), line).to.equal(BAD);
    }
    expect(made.command(`AT+NVMWR=0x000EFC00,1024,[${'A5'.repeat(1024)}]`)).to.equal(OK);
    expect(made.command('AT+NVMRD=983039,1')).to.match(/^\+NVMRD:0x000EFFFF,1,/);
  });

  it('takes its time to erase, and nothing else meanwhile', () => {
    const made = Bench.booted({
      timings: { boot: 20, associate: 0, associationFailure: 0, handshake: 0, sectorErase: 45 },
    });
    made.command('ATE0');
    expect(made.command('AT+NVMER=0,240')).to.equal(OK);
    expect(made.command('AT+NVMER=0,1')).to.match(/^ERROR:0\.1/);
    expect(made.command('AT+NVMWR=0,1,[00]')).to.match(/^ERROR:0\.1/);
    expect(made.wait(240 * 45 - 1)).to.equal('');
    expect(made.wait(1)).to.equal('\r+NVMER\r\n');
  });
});

describe('OTA of a local image', () => {
  it('runs the new image after activation and a reset, and keeps the old one', () => {
    const made = bench();
    const before = ['0xFFFFFFB0,0x04030200,0x600F0000,2', '0xFFFFFFC0,0x01030100,0x60000000,3'];
    expect(images(made)).to.deep.equal(before);
    writeImage(made);
    expect(images(made)[1]).to.equal('0xFFFFFFFF,0x04030500,0xFFFFFFFF,0');
    restart(made);
    expect(images(made)[0], 'a latent image does not run').to.equal(before[0]);
    expect(made.command('AT+OTAVFY')).to.equal('+OTAVFY:1\r\nOK\r\n\r+OTA:1,10.2,"Verify Done"\r\n');
    expect(made.command('AT+OTAACT')).to.equal('+OTAACT:2\r\nOK\r\n\r+OTA:2,10.3,"Activate Done"\r\n');
    expect(images(made)).to.deep.equal([before[0], '0xFFFFFFA0,0x04030500,0x60000000,1']);
    restart(made);
    expect(images(made)).to.deep.equal([
      '0xFFFFFFA0,0x04030500,0x60000000,2',
      '0xFFFFFFB0,0x04030200,0x600F0000,3',
    ]);
    expect(made.command('AT+OTAVFY'), 'numbers start over').to.include('+OTAVFY:1');
  });

  it('locks what it has decided on until the next reset', () => {
    const made = bench();
    writeImage(made);
    made.command('AT+OTAACT');
    expect(made.command('AT+NVMER=0,1')).to.equal(LOCKED);
    expect(made.command('AT+NVMWR=0,1,[00]')).to.equal(LOCKED);
    expect(made.command('AT+NVMRD=512,4')).to.include('[00112233]');
    restart(made);
    expect(made.command('AT+NVMER=0,1')).to.equal(OK);
  });

  it('finds no image where there is none', () => {
    const made = bench();
    made.command('AT+NVMER=0,240');
    made.wait(0);
    made.command(`AT+NVMWR=0,24,[${HEADER}]`);
    expect(made.command('AT+DI=14')).to.equal('+DI:14,1\r\nOK\r\n');
    const failed = '\r+OTAERR:1,10.11,"Image Verify Failed"\r\n';
    expect(made.command('AT+OTAVFY')).to.equal(`+OTAVFY:1\r\nOK\r\n${failed}`);
    expect(made.command('AT+OTAACT')).to.equal(`+OTAACT:2\r\nOK\r\n${failed.replace(':1', ':2')}`);
    expect(made.command('AT+OTAINV')).to.equal(`+OTAINV:3\r\nOK\r\n${failed.replace(':1', ':3')}`);
    expect(made.command('AT+NVMER=0,1')).to.equal(OK);
  });

  it('takes an image without the header we know, too', () => {
    const made = bench();
    made.command('AT+NVMER=0,240');
    made.wait(0);
    for (let at = 0; at < 2048; at += 128) made.command(`AT+NVMWR=${at},128,[${'3C'.repeat(128)}]`);
    expect(images(made)[1]).to.match(/^0xFFFFFFFF,0xFFFFFFFF,0x3C3C3C3C,0$/);
    made.command('AT+OTAACT');
    restart(made);
    expect(images(made)[0]).to.equal('0xFFFFFFA0,0xFFFFFFFF,0x60000000,2');
  });

  it('goes back to the image before', () => {
    const made = bench();
    expect(made.command('AT+OTAINV')).to.equal('+OTAINV:1\r\nOK\r\n\r+OTA:1,10.4,"Invalidate Done"\r\n');
    expect(images(made)).to.deep.equal([
      '0x00000000,0x04030200,0x600F0000,2',
      '0xFFFFFFC0,0x01030100,0x60000000,1',
    ]);
    restart(made);
    expect(images(made)).to.deep.equal([
      '0xFFFFFFC0,0x01030100,0x60000000,2',
      '0x00000000,0x04030200,0x600F0000,0',
    ]);
  });
});

describe('DFU', () => {
  it('tells what an image must say', () => {
    const made = bench();
    expect(made.command('AT+DFUADR=0')).to.equal('+DFUADR:20,4,0x60000000\r\nOK\r\n');
    expect(made.command('AT+DFUADR=1')).to.equal('+DFUADR:20,4,0x600F0000\r\nOK\r\n');
    expect(made.command('AT+DFUADR=2')).to.equal('+DFUADR:20,4,0x60000000\r\nOK\r\n');
    expect(made.command('AT+DFUADR=3')).to.equal('+DFUADR:20,4,0x600F0000\r\nOK\r\n');
    expect(made.command('AT+DFUADR=4')).to.equal(BAD);
    expect(made.command('AT+DFUSEQ=0')).to.equal('+DFUSEQ:0,4,0xFFFFFFFF\r\nOK\r\n');
    expect(made.command('AT+DFUSEQ=1')).to.equal('+DFUSEQ:0,4,0xFFFFFFA0\r\nOK\r\n');
  });

  it('warns before the only image that boots is replaced', () => {
    const made = bench();
    made.command('AT+NVMER=0,240');
    made.wait(0);
    expect(made.command('AT+DFUADR=0')).to.equal('+DFUADR:20,4,0x60000000\r\nOK\r\n');
    expect(made.command('AT+DFUADR=3')).to.equal(
      '+DFUADR:20,4,0x600F0000\r\nERROR:30.0,"No Bootable Image In Other Partition"\r\n',
    );
  });
});
