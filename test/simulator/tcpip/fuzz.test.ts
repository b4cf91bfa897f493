import { expect } from 'chai';
import { fuzz } from './fuzz.js';

describe('fuzz: mutated frames into a stack with live connections', () => {
  for (const seed of [1, 2, 3]) {
    it(`10,000 frames, seed ${seed}`, () => {
      const { stats, controlBytes } = fuzz(10_000, seed);
      expect(controlBytes).to.be.greaterThan(3000);
      // They got as far as the transports, not only to the first check.
      expect(stats.tcpSegmentsIn).to.be.greaterThan(2000);
      expect(stats.malformedPackets).to.be.greaterThan(100);
    });
  }
});
