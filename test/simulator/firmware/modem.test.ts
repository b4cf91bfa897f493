import { expect } from 'chai';
import { crc16 } from '../../../simulator/crc16.js';
import { Bench } from './support/bench.js';

const SOH = '\x01';
const STX = '\x02';
const EOT = '\x04';
const ACK = '\x06';
const NAK = '\x15';
const CAN = '\x18';
const OK = 'OK\r\n';

const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1');
const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 31 + 1) & 0xff);

function packet(number: number, data: string, check: 'sum' | 'crc', size = 128, fill = '\x1a'): string {
  const body = Buffer.from(data.padEnd(size, fill), 'latin1');
  const sum = body.reduce((total, byte) => total + byte, 0) & 0xff;
  const crc = crc16(body);
  const tail = check === 'sum' ? [sum] : [crc >> 8, crc & 0xff];
  const head = [size === 128 ? 1 : 2, number & 0xff, ~number & 0xff];
  return text(Buffer.concat([Buffer.from(head), body, Buffer.from(tail)]));
}

const parts = (data: Uint8Array, size: number): string[] =>
  Array.from({ length: Math.ceil(data.length / size) }, (_, at) =>
    text(data.subarray(at * size, (at + 1) * size)),
  );

const header = (name: string, length: number): string => packet(0, `${name}\0${length}\0`, 'crc', 128, '\0');
const lastHeader = packet(0, '', 'crc', 128, '\0');

function bench(): Bench {
  const made = Bench.booted();
  made.command('ATE0');
  return made;
}

function say(made: Bench, bytes: string): string {
  made.type(Buffer.from(bytes, 'latin1'));
  return made.take();
}

describe('XMODEM and YMODEM loads', () => {
  it('are as the reference shows one', () => {
    const made = bench();
    const file = content(1391);
    expect(made.command('AT+FS=1,1,2,"ISRGRootX1",1391')).to.equal('#C');
    expect(made.wait(1000)).to.equal('C');
    for (const [at, part] of parts(file, 128).entries()) {
      expect(say(made, packet(at + 1, part, 'crc')), `packet ${at + 1}`).to.equal(ACK);
    }
    expect(say(made, EOT)).to.equal(`${ACK}${OK}\r+FSUP:1,1,"ISRGRootX1",1391\r\n`);
    expect(made.flash.files.get('cert', 'ISRGRootX1')).to.deep.equal(file);
    expect(made.command('AT')).to.equal(OK);
  });

  it('with checksums', () => {
    const made = bench();
    expect(made.command('AT+FS=1,0,1,"f",130')).to.equal(`#${NAK}`);
    expect(say(made, packet(1, text(content(128)), 'sum'))).to.equal(ACK);
    expect(say(made, packet(2, text(content(130).subarray(128)), 'sum'))).to.equal(ACK);
    expect(say(made, EOT)).to.match(/^\x06OK/);
    expect(made.flash.files.get('user', 'f')).to.deep.equal(content(130));
  });

  it('with packets of 1024 bytes, and of 128 among them, arriving byte by byte', () => {
    const made = bench();
    const file = content(1100);
    expect(made.command('AT+FS=1,0,3,"f",1100')).to.equal('#C');
    const [long, rest] = parts(file, 1024);
    let answer = '';
    for (const byte of packet(1, long, 'crc', 1024)) answer += say(made, byte);
    expect(answer).to.equal(ACK);
    expect(say(made, packet(2, rest, 'crc'))).to.equal(ACK);
    expect(say(made, EOT)).to.match(/^\x06OK/);
    expect(made.flash.files.get('user', 'f')).to.deep.equal(file);
  });

  it('of a batch, names and lengths from the sender', () => {
    const made = bench();
    expect(made.command('AT+FS=1,1,4')).to.equal('#C');
    expect(say(made, header('certs/a.der', 1025))).to.equal(`${ACK}C`);
    const [long, rest] = parts(content(1025), 1024);
    expect(say(made, packet(1, long, 'crc', 1024) + packet(2, rest, 'crc') + EOT)).to.equal(
      `${ACK}${ACK}${ACK}C`,
    );
    expect(say(made, header('b', 3))).to.equal(`${ACK}C`);
    expect(say(made, packet(1, 'abc', 'crc'))).to.equal(ACK);
    expect(say(made, EOT)).to.equal(`${ACK}C`);
    expect(say(made, lastHeader)).to.equal(`${ACK}${OK}\r+FSUP:1,1,"a.der",1025\r\n\r+FSUP:1,1,"b",3\r\n`);
    expect(made.flash.files.get('cert', 'a.der')).to.deep.equal(content(1025));
    expect(text(made.flash.files.get('cert', 'b') as Uint8Array)).to.equal('abc');
  });

  it('of one file under the name of the command', () => {
    const made = bench();
    expect(made.command('AT+FS=1,1,4,"own",3')).to.equal('#C');
    say(made, header('other', 3));
    say(made, packet(1, 'abc', 'crc') + EOT);
    expect(say(made, lastHeader)).to.match(/^\x06OK/);
    expect(made.flash.files.list().map(({ name }) => name)).to.deep.equal(['own']);
  });

  it('refuse a second file where one was named, and a file that exists', () => {
    const made = bench();
    made.command('AT+FS=1,1,4,"own",3');
    say(made, header('a', 3) + packet(1, 'abc', 'crc') + EOT);
    expect(say(made, header('b', 3))).to.match(/^\x18\x18ERROR:7\.4/);
    made.command('AT+FS=1,1,4');
    expect(say(made, header('own', 3))).to.equal(`${CAN}${CAN}ERROR:7.1,"File Exists"\r\n`);
    made.command('AT+FS=1,1,4');
    expect(say(made, header('no length', 0))).to.match(/^\x18\x18ERROR:0\.5/);
  });

  it('are refused before raw mode begins', () => {
    const made = bench();
    made.flash.files.put('user', 'f', content(1));
    expect(made.command('AT+FS=1,0,2,"f",10')).to.equal('ERROR:7.1,"File Exists"\r\n');
    expect(made.command('AT+FS=1,0,3,"g",60000')).to.equal('ERROR:7.4,"File create failed"\r\n');
  });

  it('ask again for damaged packets, and take repeated ones once', () => {
    const made = bench();
    made.command('AT+FS=1,0,2,"f",256');
    const [first, second] = parts(content(256), 128);
    const good = packet(1, first, 'crc');
    expect(say(made, `${good.slice(0, 50)}?${good.slice(51)}`)).to.equal(NAK);
    expect(say(made, good)).to.equal(ACK);
    expect(say(made, good)).to.equal(ACK);
    expect(say(made, packet(2, second, 'crc') + EOT)).to.match(/^\x06\x06OK/);
    expect(made.flash.files.get('user', 'f')).to.deep.equal(content(256));
  });

  it('ask again when a packet stops halfway', () => {
    const made = bench();
    made.command('AT+FS=1,0,2,"f",200');
    const [first, second] = parts(content(200), 128);
    say(made, packet(1, first, 'crc'));
    expect(say(made, packet(2, second, 'crc').slice(0, 60))).to.equal('');
    expect(made.wait(10_000)).to.equal(NAK);
    expect(say(made, packet(2, second, 'crc') + EOT)).to.match(/^\x06\x06OK/);
    expect(made.flash.files.get('user', 'f')).to.deep.equal(content(200));
  });

  const ends: Record<string, { bytes?: string; wait?: number; answer: RegExp }> = {
    'the host cancels': { bytes: CAN + CAN, answer: /ERROR:7\.5,"File write failed"\r\n$/ },
    'a packet is missing': { bytes: packet(3, 'x', 'crc'), answer: /^\x18\x18ERROR:7\.5/ },
    'the file is too short': { bytes: EOT, answer: /^\x18\x18ERROR:7\.5/ },
    'the host falls silent': { wait: 120_000, answer: /^\x15+\x18\x18ERROR:0\.8,"Command Timed Out"\r\n$/ },
  };
  for (const [reason, { bytes, wait, answer }] of Object.entries(ends)) {
    it(`end when ${reason}, and leave nothing behind`, () => {
      const made = bench();
      made.command('AT+FS=1,0,2,"f",200');
      say(made, packet(1, text(content(128)), 'crc'));
      expect((bytes ? say(made, bytes) : '') + (wait ? made.wait(wait) : '')).to.match(answer);
      expect(made.command('AT+FS=4')).to.equal('+FS:4,57344,28\r\nOK\r\n');
      expect(made.command('AT+FSTSFR')).to.equal(OK);
    });
  }

  it('end when nobody ever sends', () => {
    const made = bench();
    made.command('AT+FS=1,0,2,"f",200');
    expect(made.wait(60_000)).to.equal(`${'C'.repeat(59)}ERROR:0.8,"Command Timed Out"\r\n`);
  });

  it('end with a reset', () => {
    const made = bench();
    made.command('AT+FS=1,0,2,"f",200');
    made.firmware.hardReset();
    expect(made.wait(60_000)).to.match(/^\r\+BOOT:"[^"]*"\r\n>$/);
    expect(made.command('ATE0')).to.include(OK);
    expect(made.command('AT+FS=4')).to.equal('+FS:4,57344,28\r\nOK\r\n');
  });
});

describe('XMODEM and YMODEM stores', () => {
  const file = content(1391);
  function storing(protocol: number): Bench {
    const made = bench();
    made.flash.files.put('cert', 'f', file);
    expect(made.command(`AT+FS=5,1,${protocol},"f"`)).to.equal('#');
    return made;
  }

  it('with checksums', () => {
    const made = storing(1);
    let answer = say(made, NAK);
    for (const [at, part] of parts(file, 128).entries()) {
      expect(answer).to.equal(packet(at + 1, part, 'sum'));
      answer = say(made, ACK);
    }
    expect(answer).to.equal(EOT);
    expect(say(made, ACK)).to.equal(OK);
  });

  it('with CRC, again where the host wants it again', () => {
    const made = storing(2);
    const [first, second] = parts(file, 128);
    expect(say(made, 'C')).to.equal(packet(1, first, 'crc'));
    expect(say(made, NAK)).to.equal(packet(1, first, 'crc'));
    expect(say(made, ACK)).to.equal(packet(2, second, 'crc'));
    expect(say(made, CAN + CAN)).to.equal('ERROR:0.1,"General Error"\r\n');
  });

  it('with checksums for a host that asks for them', () => {
    const made = storing(2);
    expect(say(made, NAK)).to.equal(packet(1, parts(file, 128)[0], 'sum'));
  });

  it('with packets of 1024 bytes', () => {
    const made = storing(3);
    const [long, rest] = parts(file, 1024);
    expect(say(made, 'C')).to.equal(packet(1, long, 'crc', 1024));
    const answer = say(made, ACK);
    expect(answer).to.equal(packet(2, rest, 'crc', 1024));
    expect(answer.startsWith(STX)).to.equal(true);
    expect(say(made, ACK)).to.equal(EOT);
    expect(say(made, ACK)).to.equal(OK);
  });

  it('with name and length', () => {
    const made = storing(4);
    const answer = say(made, 'C');
    expect(answer).to.equal(header('f', 1391));
    expect(answer.startsWith(SOH)).to.equal(true);
    expect(say(made, ACK)).to.equal('');
    const [long, rest] = parts(file, 1024);
    expect(say(made, 'C')).to.equal(packet(1, long, 'crc', 1024));
    expect(say(made, ACK)).to.equal(packet(2, rest, 'crc', 1024));
    expect(say(made, ACK)).to.equal(EOT);
    expect(say(made, NAK)).to.equal(EOT);
    expect(say(made, ACK)).to.equal('');
    expect(say(made, 'C')).to.equal(lastHeader);
    expect(say(made, ACK)).to.equal(OK);
  });

  it('end well when the host has all data and says no more', () => {
    const made = storing(3);
    say(made, 'C');
    say(made, ACK);
    expect(say(made, ACK)).to.equal(EOT);
    expect(made.wait(2999)).to.equal(EOT + EOT);
    expect(made.wait(1)).to.equal(OK);
  });

  it('end when nobody receives', () => {
    const made = storing(2);
    expect(made.wait(60_000)).to.equal(`${CAN}${CAN}ERROR:0.8,"Command Timed Out"\r\n`);
    expect(made.command('AT+FSTSFR')).to.equal(OK);
  });
});
