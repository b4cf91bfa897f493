import { expect } from 'chai';
import type { Elements, Request, Values } from '../../../driver/protocol/messages.js';
import { decodeRequest, encodeRequest, TlvList } from '../../../driver/protocol/tlv/index.js';
import { crc16 } from '../../../simulator/crc16.js';
import { Bench } from './support/bench.js';

const hex = (data: Uint8Array): string => `[${Buffer.from(data).toString('hex').toUpperCase()}]`;
const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff);

function bench(): Bench {
  const made = Bench.booted();
  made.command('ATE0');
  return made;
}

function handleOf(answer: string): number {
  const found = /\+FS:[15],(\d+)\r\nOK\r\n/.exec(answer);
  expect(found, answer).not.equal(null);
  return Number(found?.[1]);
}

function load(made: Bench, type: number, name: string, data: Uint8Array): void {
  const handle = handleOf(made.command(`AT+FS=1,${type},5,"${name}",${data.length}`));
  for (let at = 0, block = 1; at < data.length; at += 128, block++) {
    const answer = made.command(`AT+FSTSFR=${handle},${block & 0xff},${hex(data.subarray(at, at + 128))}`);
    expect(answer).to.match(new RegExp(`^\\+FSTSFR:${handle},${block & 0xff},\\d+\r\nOK\r\n`));
  }
}

describe('FS', () => {
  it('loads, lists, reports and deletes', () => {
    const made = bench();
    expect(made.command('AT+FS=4')).to.equal('+FS:4,57344,28\r\nOK\r\n');
    load(made, 0, 'b', content(5000));
    load(made, 1, 'a', content(10));
    expect(made.flash.files.get('user', 'b')).to.deep.equal(content(5000));
    expect(made.command('AT+FS=4')).to.equal(`+FS:4,${57344 - 3 * 4096},26\r\nOK\r\n`);
    expect(made.command('AT+FS=2')).to.equal('+FS:2,1,"a"\r\n+FS:2,0,"b"\r\nOK\r\n');
    expect(made.command('AT+FS=2,0,"b"')).to.equal('+FS:2,0,"b"\r\nOK\r\n');
    expect(made.command('AT+FS=2,0,"a"')).to.equal('ERROR:7.2,"File Not Found"\r\n');
    expect(made.command('AT+FS=2,3')).to.equal('OK\r\n');
    expect(made.command('AT+FS=3,0,"b"')).to.equal('OK\r\n');
    expect(made.command('AT+FS=3,0,"b"')).to.equal('ERROR:7.2,"File Not Found"\r\n');
    expect(made.command('AT+FS=3,0')).to.equal('ERROR:0.5,"Incorrect Number of Parameters"\r\n');
  });

  it('tells of a new file once, after the status of its last block', () => {
    const made = bench();
    const handle = handleOf(made.command('AT+FS=1,1,5,"ca",3'));
    const done = `+FSTSFR:${handle},1,0\r\nOK\r\n`;
    expect(made.command(`AT+FSTSFR=${handle},1,"abc"`)).to.equal(`${done}\r+FSUP:1,1,"ca",3\r\n`);
    expect(made.command(`AT+FSTSFR=${handle},1,"abc"`)).to.equal(done);
    expect(made.command('AT+FSTSFR')).to.equal('OK\r\n');
  });

  it('keeps files over a reset, and forgets transfers', () => {
    const made = bench();
    load(made, 20, 'kept', content(1));
    const handle = handleOf(made.command('AT+FS=1,0,5,"lost",10'));
    made.command('AT+RST');
    made.wait(1000);
    made.command('ATE0');
    expect(made.command('AT+FS=2')).to.equal('+FS:2,20,"kept"\r\nOK\r\n');
    expect(made.command(`AT+FSTSFR=${handle}`)).to.match(/^ERROR:0\.4/);
    expect(made.command('AT+FS=4')).to.equal(`+FS:4,${57344 - 4096},27\r\nOK\r\n`);
  });

  it('takes blocks in order only, each with a CRC if the host likes, the last one also twice', () => {
    const made = bench();
    const [first, second] = [content(128), content(72)];
    const handle = handleOf(made.command('AT+FS=1,0,5,"f",200'));
    expect(made.command(`AT+FSTSFR=${handle}`)).to.equal(`+FSTSFR:${handle},0,200\r\nOK\r\n`);
    expect(made.command(`AT+FSTSFR=${handle},2,${hex(first)}`)).to.match(/^ERROR:0\.4/);
    expect(made.command(`AT+FSTSFR=${handle},1,${hex(first)},1`)).to.equal(
      'ERROR:7.5,"File write failed"\r\n',
    );
    const answer = `+FSTSFR:${handle},1,72\r\nOK\r\n`;
    expect(made.command(`AT+FSTSFR=${handle},1,${hex(first)},${crc16(first)}`)).to.equal(answer);
    expect(made.command(`AT+FSTSFR=${handle},1,${hex(first)}`)).to.equal(answer);
    expect(made.command('AT+FSTSFR')).to.equal(answer);
    expect(made.command(`AT+FSTSFR=${handle},2,${hex(content(73))}`)).to.match(/^ERROR:0\.4/);
    expect(made.command(`AT+FSTSFR=${handle},2,72`)).to.match(/^ERROR:0\.4/);
    expect(made.command(`AT+FSTSFR=${handle},2,${hex(second)}`)).to.include(`+FSTSFR:${handle},2,0\r\nOK`);
    expect(made.flash.files.get('user', 'f')).to.deep.equal(Buffer.concat([first, second]));
  });

  it('gives up a load that the host ends', () => {
    const made = bench();
    const handle = handleOf(made.command('AT+FS=1,0,5,"f",200'));
    expect(made.command('AT+FS=1,0,5,"f",200')).to.equal('ERROR:7.1,"File Exists"\r\n');
    expect(made.command(`AT+FSTSFR=${handle},0`)).to.equal('OK\r\n');
    expect(made.command('AT+FS=2')).to.equal('OK\r\n');
    handleOf(made.command('AT+FS=1,0,5,"f",200'));
  });

  it('sends blocks of the length asked for, again if asked again, of 128 bytes if none is', () => {
    const made = bench();
    const file = Uint8Array.from({ length: 300 }, (_, at) => 128 + (at % 128));
    made.flash.files.put('user', 'f', file);
    const handle = handleOf(made.command('AT+FS=5,0,5,"f"'));
    const block = (number: number, from: number, to: number): string =>
      `+FSTSFR:${handle},${number},${300 - to},${hex(file.subarray(from, to))}\r\nOK\r\n`;
    expect(made.command(`AT+FSTSFR=${handle},0,128`)).to.match(/^ERROR:0\.4/);
    expect(made.command(`AT+FSTSFR=${handle},1,100`)).to.equal(block(1, 0, 100));
    expect(made.command(`AT+FSTSFR=${handle},1,100`)).to.equal(block(1, 0, 100));
    expect(made.command(`AT+FSTSFR=${handle},3,100`)).to.match(/^ERROR:0\.4/);
    expect(made.command(`AT+FSTSFR=${handle},2`)).to.equal(block(2, 100, 228));
    expect(made.command(`AT+FSTSFR=${handle},3,"data"`)).to.match(/^ERROR:0\.4/);
    expect(made.command(`AT+FSTSFR=${handle},3,128`)).to.equal(block(3, 228, 300));
    expect(made.command(`AT+FSTSFR=${handle},3,128`)).to.equal(block(3, 228, 300));
    expect(made.command(`AT+FSTSFR=${handle},4`)).to.equal('OK\r\n');
    expect(made.command(`AT+FSTSFR=${handle}`)).to.match(/^ERROR:0\.4/);
  });

  it('counts blocks beyond 255 from 0', () => {
    const made = bench();
    load(made, 0, 'long', content(40_000));
    expect(made.flash.files.get('user', 'long')).to.deep.equal(content(40_000));
  });

  it('has no key read back', () => {
    const made = bench();
    load(made, 2, 'secret', content(100));
    expect(made.command('AT+FS=2,2')).to.equal('+FS:2,2,"secret"\r\nOK\r\n');
    for (const protocol of [1, 2, 3, 4, 5]) {
      expect(made.command(`AT+FS=5,2,${protocol},"secret"`)).to.equal('ERROR:0.10,"Access Denied"\r\n');
    }
  });

  it('refuses what it must', () => {
    const made = bench();
    const refusals: Record<string, RegExp> = {
      'AT+FS': /^ERROR:0\.5/,
      'AT+FS=6': /^ERROR:0\.4/,
      'AT+FS=1,1': /^ERROR:0\.5/,
      'AT+FS=2,9': /^ERROR:0\.4/,
      'AT+FS=1,9,5,"x",10': /^ERROR:0\.4/,
      'AT+FS=5,9,5,"x"': /^ERROR:0\.4/,
      'AT+FS=1,1,0,"x",10': /^ERROR:7\.0,"Unsupported File Transfer Protocol"/,
      'AT+FS=1,1,5': /^ERROR:0\.5/,
      'AT+FS=1,1,2': /^ERROR:0\.5/,
      'AT+FS=1,1,5,"",10': /^ERROR:0\.4/,
      'AT+FS=1,1,5,"x",0': /^ERROR:0\.4/,
      'AT+FS=1,1,5,"x",65536': /^ERROR:0\.4/,
      [`AT+FS=1,1,5,"${'x'.repeat(33)}",10`]: /^ERROR:0\.4/,
      'AT+FS=1,1,5,"x",57345': /^ERROR:7\.4,"File create failed"/,
      'AT+FS=5,1,5,"x"': /^ERROR:7\.2/,
      'AT+FSTSFR=1': /^ERROR:0\.4/,
      'AT+FSTSFR=1,256,[00]': /^ERROR:0\.4/,
    };
    for (const [line, answer] of Object.entries(refusals)) expect(made.command(line), line).to.match(answer);
  });

  it('bounds the transfers under way', () => {
    const made = bench();
    for (const name of ['a', 'b', 'c', 'd']) handleOf(made.command(`AT+FS=1,0,5,"${name}",1`));
    expect(made.command('AT+FS=1,0,5,"e",1')).to.equal('ERROR:7.4,"File create failed"\r\n');
    const open = [...made.command('AT+FSTSFR').matchAll(/\+FSTSFR:(\d+),0,1/g)].map(([, handle]) => handle);
    expect(open).to.have.length(4);
    made.command(`AT+FSTSFR=${open[0]},1,"x"`);
    handleOf(made.command('AT+FS=1,0,5,"e",1'));
    // A transfer that is through gave its place.
    expect(made.command(`AT+FSTSFR=${open[0]}`)).to.match(/^ERROR:0\.4/);
  });

  it('is the same on the TLV wire, with FS-TSFR alone', () => {
    const made = bench();
    const port = made.firmware.connect({ booting() {}, booted() {}, event() {} });
    const ask = (
      command: 'FS' | 'FSTSFR',
      form: string,
      args: Values,
    ): { code: number; elements: Elements } => {
      const sent: Request = { kind: 'request', command, form, args, seq: 7 };
      const decoded = decodeRequest(encodeRequest(sent), new TlvList());
      const answer = { code: -1, elements: {} as Elements };
      if (decoded === undefined || !('request' in decoded)) throw new Error('not decoded');
      port.execute({
        request: decoded.request,
        respond: ({ elements }) => Object.assign(answer, { elements }),
        finish: ({ code }) => Object.assign(answer, { code }),
      });
      return answer;
    };
    const file = content(200);
    const loading = ask('FS', 'FSLOAD', { op: 1, filetype: 1, tsfrprot: 5, filename: 'ca', filelength: 200 });
    const { tsfrHandle } = loading.elements;
    expect(
      ask('FSTSFR', 'FSTSFR', { tsfrHandle: tsfrHandle as number, blockNum: 1, data: file }).elements,
    ).to.include({
      blockNum: 1,
      bytesRemain: 0,
    });
    const storing = ask('FS', 'FSSTORE', { op: 5, filetype: 1, tsfrprot: 5, filename: 'ca' });
    const handle = storing.elements.tsfrHandle as number;
    const block = ask('FSTSFR', 'FSRECV', { tsfrHandle: handle, blockNum: 1, dataLength: 1024 });
    expect(block.elements.data).to.deep.equal(file);
    const xmodem = { op: 5, filetype: 1, tsfrprot: 2, filename: 'ca' };
    expect(ask('FS', 'FSSTORE', xmodem).code).to.equal(0x0700);
  });
});
