/** PING: AT+PING. API reference, module PING. */
import { StatusCode, type StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { Board } from '../board.js';
import type { Service } from '../service.js';
import { hostOf } from '../values.js';

/** Ours: the reference names neither a time-out nor how many may be under way. */
const TIMEOUT_MS = 4000;
const MAX_PENDING = 4;

export function ping(board: Board): Service {
  const { network, resolver } = board;
  let pending = 0;

  function finish(outcome: { address: string; rtt: number } | StatusName): void {
    pending--;
    if (typeof outcome === 'string') {
      const errorCode = StatusCode[outcome];
      board.emit({ name: 'PINGERR', form: 'PING_ERROR', elements: { errorCode } });
      return;
    }
    const { address: ipAddress, rtt } = outcome;
    board.emit({ name: 'PING', form: 'PING_SUCCESS_RESPONSE', elements: { ipAddress, rtt } });
  }

  return {
    commands: {
      PING({ args: { targetAddr, protocolVersion } }) {
        if (!network.up) return 'NETWORK_INTF_DOWN';
        if (pending >= MAX_PENDING) return 'PING_FAILED';
        pending++;
        resolver.lookup(hostOf(targetAddr), protocolVersion, (found) => {
          if (found in StatusCode) {
            finish(found as StatusName);
            return;
          }
          network.stack.ping(found, { timeoutMs: TIMEOUT_MS }, (result) => {
            if (typeof result === 'string') finish('PING_FAILED');
            else finish({ address: found, rtt: Math.round(result.rttMs) });
          });
        });
        return undefined;
      },
    },
  };
}
