import { expect } from 'chai';
import { SdioSlave } from '../../../../simulator/frontend/sdio/slave.js';

/** Marsaglia's xorshift32: fast enough for millions of bytes. */
function noise(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const total = Number(process.env.WINC_FUZZ_BYTES ?? 10_000_000);

describe('SDIO slave under random bytes', () => {
  // Uniform bytes rarely form a command; the second source strings plausible pieces together.
  const sources: Record<string, (random: () => number, window: Uint8Array) => void> = {
    uniform(random, window) {
      for (let at = 0; at < window.length; at++) window[at] = random();
    },
    plausible(random, window) {
      const pieces = [
        0xff, 0xfe, 0xfc, 0x40, 0x45, 0x74, 0x75, 0x7b, 0x00, 0x10, 0x94, 0x48, 0x04, 0x01, 0x02,
      ];
      for (let at = 0; at < window.length; at++) {
        const draw = random();
        window[at] = draw % 8 === 0 ? draw >>> 8 : pieces[(draw >>> 8) % pieces.length];
      }
    },
  };

  for (const [name, fill] of Object.entries(sources)) {
    it(`survives ${total} ${name} bytes and works after MCLR`, function () {
      this.timeout(total / 10 + 10_000);
      const random = noise(0x5eed);
      let messages = 0;
      const slave = new SdioSlave({ message: () => messages++, interrupt: () => {} }, { queueBytes: 4096 });
      slave.wake();
      const window = new Uint8Array(300);
      const miso = new Uint8Array(300);
      for (let sent = 0; sent < total; ) {
        const length = 1 + (random() % window.length);
        const mosi = window.subarray(0, length);
        fill(random, mosi);
        slave.transfer(mosi, miso);
        if (random() % 64 === 0) slave.post(mosi.subarray(0, 100));
        sent += length;
      }
      expect(slave.counters.bytes).to.be.at.least(total);
      slave.sleep();
      slave.wake();
      const go = Uint8Array.of(0xff, 0x40, 0, 0, 0, 0, 0x95, 0xff, 0xff);
      slave.transfer(go, miso);
      expect(miso[8]).to.equal(0x01);
      expect(slave.queued).to.equal(0);
    });
  }
});
