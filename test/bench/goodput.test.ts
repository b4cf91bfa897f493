import { expect } from 'chai';
import { cell, share } from '../../bench/goodput.js';

describe('goodput on virtual time', () => {
  it('is the same for the same seed and another for another', () => {
    const goodput = (seed: number): number => cell(0.03, 200, 64, seed).goodput;
    expect(goodput(1)).to.equal(goodput(1));
    expect(goodput(1)).to.not.equal(goodput(2));
  });

  it('fills the window without loss, and stays near the response functions with it', () => {
    const clean = cell(0, 20, 64, 1);
    expect(clean.goodput / clean.cubic).to.be.within(0.9, 1);
    for (const loss of [0.001, 0.01, 0.03]) {
      const { goodput, cubic, mathis } = cell(loss, 200, 512, 1);
      expect(cubic).to.be.at.least(mathis);
      expect(goodput / cubic, `loss ${loss}`).to.be.within(0.8, 1.6);
    }
  });

  it('shares a bottleneck evenly, with queue drops and with ECN marks', () => {
    for (const ecn of [false, true]) {
      const { index, used, shares } = share(4, 1, ecn);
      expect(shares.length).to.equal(4);
      expect(index).to.be.within(0.95, 1);
      expect(used).to.be.within(0.85, 1);
    }
  });
});
