import { expect } from 'chai';
import { WincModule } from '../../../../driver/index.js';
import { spiPort } from '../../../../simulator/frontend/sdio/index.js';
import { createSimulator } from '../../../../simulator/simulator.js';

describe('SPI port of an embedded module', () => {
  it('is a transport the driver opens, and takes the simulator along when it closes', async () => {
    const simulator = await createSimulator({ profile: 'wincs02' });
    let closes = 0;
    const port = spiPort(simulator.modules[0].spi, 'sim:', async () => {
      closes++;
      await simulator.close();
    });
    const module = await WincModule.open(port);
    expect(module.wire).to.equal('tlv');
    expect((await module.info()).model).to.equal('WINCS02');
    await module.close();
    await port.close();
    expect(closes).to.equal(1);
    const error = await port.transfer(new Uint8Array(1)).catch((error) => error);
    expect(error).to.have.property('code', 'WINC_PORT_CLOSED');
  });
});
