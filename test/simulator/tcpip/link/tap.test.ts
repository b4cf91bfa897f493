import { expect } from 'chai';
import { TapLink } from '../../../../simulator/tcpip/link/tap.js';

describe('TAP device', () => {
  for (const name of ['', 'a name', 'a/b', 'sixteen-letters-', 'nul\0', 'é']) {
    it(`refuses ${JSON.stringify(name)} as a name before it asks the kernel`, () => {
      expect(() => new TapLink(name))
        .to.throw('is no interface name')
        .with.property('code', 'EINVAL');
    });
  }
});
