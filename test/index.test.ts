import { expect } from 'chai';
import { WincModule } from '../index.js';

describe('sim: transport', () => {
  for (const [profile, wire, model] of [
    ['rnwf02', 'at', 'RNWF02'],
    ['wincs02', 'tlv', 'WINCS02'],
  ] as const) {
    it(`${profile} is heard on its own wire`, async () => {
      const module = await WincModule.open(`sim:?profile=${profile}&seed=1`);
      try {
        expect(module.wire).to.equal(wire);
        expect(await module.info()).to.include({ manufacturer: 'Microchip', model });
      } finally {
        await module.close();
      }
    });
  }

  it('refuses an option it does not know before anything runs', async () => {
    const error = await WincModule.open('sim:?nonsense=1').catch((reason) => reason);
    expect(error).to.include({ code: 'WINC_URL' });
  });
});
