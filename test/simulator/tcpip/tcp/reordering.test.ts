import { expect } from 'chai';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { memoryPipe, onClock } from '../../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { createStack } from '../../../../simulator/tcpip/stack.js';
import type { Connection } from '../../../../simulator/tcpip/tcp/connection.js';

describe('RACK', () => {
  it('RFC 8985 6.2 step 3: sees no reordering on a clean link, wherever the sequence numbers start', () => {
    const clock = new VirtualClock();
    const links = memoryPipe({ dispatch: onClock(clock) });
    const [client, server] = links.map((link, at) => {
      const stack = createStack({ link, clock, random: seededRandom(at + 1) });
      stack.addAddress(`10.0.0.${at + 1}`, 24);
      return stack;
    });
    const into = new Uint8Array(65_536);
    server.tcpListen({ port: 7 }, (connection) => ({ readable: () => void connection.read(into) }));
    const starts = new Set<boolean>();
    for (let n = 0; n < 16; n++) {
      const connection = client.tcpConnect({ address: '10.0.0.2', port: 7 }, {}) as Connection;
      connection.write(new Uint8Array(20_000));
      clock.advance(500);
      starts.add(connection.iss < 0);
      expect(connection.readable + connection.sendBuffer.length, 'all acknowledged').to.equal(0);
      expect(connection.rackReordering, `initial sequence number ${connection.iss >>> 0}`).to.equal(false);
    }
    expect([...starts].sort()).to.deep.equal([false, true]);
    client.close();
    server.close();
  });
});
