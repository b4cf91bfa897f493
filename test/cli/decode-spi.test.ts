import { expect } from 'chai';
import { annotateSpiLog, describeMessage, messagesOfSpiLog, spiLogToPcapng } from '../../cli/decode-spi.js';
import { detectSpiLog, readSpiLog } from '../../cli/spi-log.js';
import { systemClock } from '../../driver/clock.js';
import { SdioLink } from '../../driver/link/sdio/link.js';
import { encodeRequest } from '../../driver/protocol/tlv/index.js';
import { MemorySpi } from '../../driver/transport/spi-memory.js';
import { formatSpiTraceEntry, parseSpiTrace, traceSpi } from '../../driver/transport/spi-trace.js';
import { SdioFrontend } from '../../simulator/frontend/sdio/index.js';
import { transcriptNames, transcriptText } from '../driver/link/sdio/transcripts.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const messages = (log: string) =>
  [...messagesOfSpiLog(log)].map(({ from, bytes }) => `${from} ${hex(bytes)}`);
const windows = (log: string) => parseSpiTrace(log).filter((entry) => entry.kind === 'window');
const spaced = (bytes: Uint8Array) => hex(bytes).toUpperCase().replace(/../g, '$& ').trim();

describe('decode --wire spi', () => {
  for (const name of transcriptNames()) {
    it(`annotates ${name}, and reads its own lines again`, () => {
      const log = transcriptText(name);
      const lines = [...annotateSpiLog(log)];
      expect(
        lines.filter((line) => line.includes('# !')),
        'nothing strange',
      ).to.be.empty;
      expect(parseSpiTrace(lines.join('\n'))).to.deep.equal(parseSpiTrace(log));
      expect(messages(lines.join('\n'))).to.deep.equal(messages(log));
      if (name.startsWith('own_')) return;
      // Every message the vendor's recordings are annotated with is found; ours have only what is under test here.
      const recorded = log.split('\n').filter((line) => /=> (REQ|RSP|STATUS|AEC) /.test(line)).length;
      expect(messages(log)).to.have.length(recorded);
    });
  }

  it('says what each part of an exchange means', () => {
    const text = [...annotateSpiLog(transcriptText('sockwr'))].join('\n');
    for (const part of [
      '# CMD53 W fn1:00024 HOST_WORD 4 bytes incrementing -> R1=00',
      'host word 0101009f: TX_REQ, 1 message, length 159',
      'CMD52 R fn1:00008 INT_ID -> R1=00 data=0c [MESSAGE ACK]',
      'CMD53 W fn1:00000 DATA 1 blocks fixed',
      'REQ SOCKWR seq=6 {sockId=17603, length=600, seqNum=0, data={"hex":"',
      'STATUS SOCKWR seq=6 status=0x0000',
      'EVENT SOCKRXT {SOCK_ID=17603, LENGTH=600, SEQ_NUM=0, DATA=',
    ]) {
      expect(text).to.contain(part);
    }
    const init = [...annotateSpiLog(transcriptText('init'))].join('\n');
    expect(init)
      .to.contain('-> MISO low: booting')
      .and.to.contain('CMD5 operating conditions 00200000 -> R1=00 OCR=90200000');
  });

  it('reads sigrok annotations and both CSV exports of Saleae Logic', () => {
    const log = transcriptText('sockwr');
    const all = windows(log);
    const sigrok = all
      .flatMap(({ mosi, miso }, at) => [
        `${at * 100}-${at * 100 + 90} spi-1: mosi-transfer: ${spaced(mosi)}`,
        `${at * 100}-${at * 100 + 90} spi-1: miso-transfer: ${spaced(miso)}`,
      ])
      .join('\n');
    const packets = ['Time [s],Packet ID,MOSI,MISO'];
    const table = ['name,type,start_time,duration,"mosi","miso"'];
    all.forEach(({ mosi, miso }, at) => {
      table.push(`"SPI","enable",${at},1e-8,,`);
      mosi.forEach((byte, i) => {
        const [out, back] = [byte, miso[i]].map(
          (value) => `0x${value.toString(16).toUpperCase().padStart(2, '0')}`,
        );
        packets.push(`${at}.00000${i % 10},${at},${out},${back}`);
        table.push(`"SPI","result",${at},1e-7,${out},${back}`);
      });
      table.push(`"SPI","disable",${at},1e-8,,`);
    });
    for (const [format, text] of [
      ['trace', log],
      ['sigrok', sigrok],
      ['saleae-packets', packets.join('\n')],
      ['saleae-table', table.join('\r\n')],
    ] as const) {
      expect(detectSpiLog(text)).to.equal(format);
      expect(messages(text), format).to.deep.equal(messages(log));
    }
    expect([...readSpiLog(packets.join('\n'))]).to.have.length(all.length);
  });

  it('says which line is wrong', () => {
    const broken = (text: string) => () => [...readSpiLog(text)];
    expect(broken('hello')).to.throw('neither an SPI trace');
    expect(broken('H>M ff | M>H ff\nH>M f | M>H ff')).to.throw('line 2');
    expect(broken('H>M ffff | M>H ff')).to.throw('line 1: 2 bytes out and 1 in');
    expect(broken('Time [s],Packet ID,MOSI,MISO\n0,0,0x1FF,0')).to.throw('line 2: "0x1FF" is no byte');
    expect(broken('1-2 spi-1: mosi-transfer: FF\n3-4 spi-1: mosi-transfer: FF')).to.throw('line 2');
  });

  it('decodes our own trace of merged windows', async () => {
    const frontend = new SdioFrontend();
    frontend.connect({
      execute: ({ request, respond, finish }) => {
        respond({ command: 'GMR', form: 'INFORMATION_RESPONSE', elements: { versionInfo: '3.2.0' } });
        finish({ command: request.command, code: 0 });
      },
      hardReset: () => frontend.booted(''),
      drained: () => {},
    });
    const lines: string[] = [];
    const bus = traceSpi(new MemorySpi(frontend), systemClock, (entry) =>
      lines.push(formatSpiTraceEntry(entry)),
    );
    const link = new SdioLink(bus, { clock: systemClock });
    const got: string[] = [];
    const done = new Promise<void>((resolve) => {
      void link
        .start({
          message: (bytes) => {
            got.push(describeMessage(bytes));
            if (bytes[0] === 1) resolve();
          },
          recovered: () => {},
          closed: () => {},
        })
        .then(() => link.send([encodeRequest({ kind: 'request', command: 'GMR', args: {}, seq: 7 })]));
    });
    await done;
    await link.close();
    const decoded = [...messagesOfSpiLog(lines.join('\n'))].map(({ bytes }) => describeMessage(bytes));
    expect(decoded).to.include.members([...got, 'REQ GMR seq=7 {}']);
    expect(got).to.deep.equal([
      'EVENT BOOT {}',
      'RSP GMR seq=7 {VERSION_INFO="3.2.0"}',
      'STATUS GMR seq=7 status=0x0000',
    ]);
  });

  it('writes a capture file with a commented packet per message', () => {
    const file = Buffer.from(spiLogToPcapng(transcriptText('single_command'), 1_700_000_000_000));
    expect(file.readUInt32LE(0)).to.equal(0x0a0d0d0a);
    const text = file.toString('latin1');
    for (const comment of [
      'REQ GMI seq=0 {}',
      'RSP GMI seq=0 {MAN_ID="Microchip Technology Inc."}',
      'STATUS GMI seq=0',
    ]) {
      expect(text).to.contain(comment);
    }
  });
});
