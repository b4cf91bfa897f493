import { expect } from 'chai';
import { SdioSlave, type SlaveOptions } from '../../../../simulator/frontend/sdio/slave.js';
import { readTranscript, transcriptNames } from '../../../driver/link/sdio/transcripts.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

class Bench {
  readonly slave: SdioSlave;
  readonly changes: boolean[] = [];
  readonly received: string[] = [];

  constructor(options: SlaveOptions) {
    this.slave = new SdioSlave(
      {
        message: (bytes) => this.received.push(hex(bytes)),
        interrupt: (asserted) => this.changes.push(asserted),
      },
      options,
    );
  }

  transfer(mosi: Uint8Array): Uint8Array {
    const miso = new Uint8Array(mosi.length);
    this.slave.transfer(mosi, miso);
    return miso;
  }

  announce(messages: readonly Uint8Array[]): void {
    const lengths = Buffer.alloc(messages.length * 4);
    for (const [at, message] of messages.entries()) lengths.writeUInt32LE(message.length / 4, at * 4);
    const single = messages.length === 1;
    if (!single) {
      this.transfer(Buffer.from('ff758402180301ffffffff', 'hex'));
      this.transfer(Buffer.from('fffe0000000000ffffff', 'hex'));
      this.transfer(
        Buffer.from([0xff, 0x75, 0x80, 0x02, 0x1e, lengths.length, 0x01, 0xff, 0xff, 0xff, 0xff]),
      );
      this.transfer(Buffer.concat([Buffer.from('fffe', 'hex'), lengths, Buffer.from('0000ffffff', 'hex')]));
    }
    this.transfer(Buffer.from('ff759400480401ffffffff', 'hex'));
    const words = single ? messages[0].length / 4 : messages.length;
    this.transfer(Uint8Array.of(0xff, 0xfe, words, 0, messages.length, 1, 0, 0, 0xff, 0xff, 0xff));
  }

  initialise(): void {
    this.slave.wake();
    for (const entry of readTranscript('init').entries)
      if (entry.kind === 'window') this.transfer(entry.mosi);
    this.changes.length = 0;
  }
}

describe('SDIO slave against the recorded hosts', () => {
  for (const name of transcriptNames()) {
    it(`answers ${name} byte for byte`, () => {
      const transcript = readTranscript(name);
      const bench = new Bench({ burstRequest: name === 'burst_one_txreq_per_message' ? 'each' : 'sum' });
      // These begin with a reset: the module has booted when the bus is first not all zeros.
      let booting = name === 'init' || name.startsWith('own_');
      if (!booting) bench.initialise();
      if (transcript.announcedBefore.length > 0) bench.announce(transcript.announcedBefore);
      const turns = [...transcript.module];
      const expected: boolean[] = [];
      if (turns[0]?.before === 0) {
        for (const message of turns.shift()!.messages) bench.slave.post(message);
      }
      bench.changes.length = 0;
      transcript.entries.forEach((entry, at) => {
        if (entry.kind === 'reset') {
          if (entry.asserted) bench.slave.sleep();
        } else if (entry.kind === 'interrupt') {
          expected.push(entry.asserted);
          if (turns[0]?.before === at)
            for (const message of turns.shift()!.messages) bench.slave.post(message);
        } else if (entry.kind === 'window') {
          if (booting && entry.miso.some((byte) => byte !== 0)) {
            booting = false;
            bench.slave.wake();
          }
          const miso = bench.transfer(entry.mosi);
          expect(hex(miso), `entry ${at}, MOSI ${hex(entry.mosi)}`).to.equal(hex(entry.miso));
          expect(bench.changes, `INTOUT by entry ${at}`).to.deep.equal(expected);
        }
      });
      expect(turns, 'events not raised').to.be.empty;
      const sent = transcript.records.flatMap(({ record }) =>
        record.kind === 'message' && record.from === 'host' ? [hex(record.bytes)] : [],
      );
      expect(bench.received).to.deep.equal(sent);
      expect(bench.slave.counters).to.include({ unready: 0, unasked: 0, badTokens: 0, badWords: 0 });
    });
  }
});
