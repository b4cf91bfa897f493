/** OTA of an image the host has written to the alternate partition. API reference, module OTA. */
import { StatusCode } from '../../../driver/protocol/catalogue/statuses.js';
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import { ConfigTable } from '../config-table.js';
import { ImageState } from '../nvm.js';
import type { Service } from '../service.js';

export function ota(board: Board): Service {
  const { nvm } = board.flash;
  const table = new ConfigTable('OTAC', { defaults: { PROTOCOL: 1, TIMEOUT: 20 } });
  let lastOperation = 0;

  /** Its number comes before the status, the outcome after it. */
  function operation(outcome: 'VERIFY_DONE' | 'ACTIVATE_DONE' | 'INVALIDATE_DONE' | 'OTA_VERIFY_FAILED'): {
    readonly otaOpId: number;
  } {
    lastOperation = (lastOperation % 255) + 1;
    const otaOpId = lastOperation;
    const code = StatusCode[outcome];
    if (outcome === 'OTA_VERIFY_FAILED') {
      board.emit({ name: 'OTAERR', form: 'OTA_ERROR', elements: { otaOpId, errorCode: code } });
    } else board.emit({ name: 'OTA', form: 'OTA_STATUS', elements: { otaOpId, otaState: code } });
    return { otaOpId };
  }

  function activate(): boolean {
    if (!nvm.alternate.holdsImage) return false;
    if (nvm.alternateState !== ImageState.ACTIVATED) nvm.alternate.activate(nvm.nextSequence);
    nvm.locked = true;
    return true;
  }

  /** Falls back to the alternate image, if it is one that has run or would. */
  function invalidate(): boolean {
    if (!nvm.alternate.bootable) return false;
    nvm.current.invalidate();
    nvm.locked = true;
    return true;
  }

  return {
    config: { OTAC: single(table) },
    commands: {
      OTAVFY(call) {
        const outcome = nvm.alternate.holdsImage ? 'VERIFY_DONE' : 'OTA_VERIFY_FAILED';
        call.respond({ form: 'OTA_VERIFY_RESPONSE', elements: operation(outcome) });
      },
      OTAACT(call) {
        const outcome = activate() ? 'ACTIVATE_DONE' : 'OTA_VERIFY_FAILED';
        call.respond({ form: 'OTA_ACTIVATE_RESPONSE', elements: operation(outcome) });
      },
      OTAINV(call) {
        const outcome = invalidate() ? 'INVALIDATE_DONE' : 'OTA_VERIFY_FAILED';
        call.respond({ form: 'OTA_INVALIDATE_RESPONSE', elements: operation(outcome) });
      },
    },
  };
}
