import type { Clock } from '../../tcpip/contract.js';
import type { ModuleConnection } from '../module-stack.js';

/** So long the peer may go on sending; then it is reset. Milliseconds. */
const LINGER = 60_000;

/** What was written still goes out, then the FIN; what comes in is thrown away. */
export function endGently(connection: ModuleConnection, clock: Clock): void {
  if (connection.state === 'CLOSED') return;
  const discard = new Uint8Array(1460);
  const timer = clock.setTimer(() => connection.abort(), LINGER);
  const drain = (): void => {
    while (connection.read(discard) > 0);
  };
  connection.handler = { readable: drain, closed: () => timer.cancel() };
  connection.shutdown();
  drain();
}
