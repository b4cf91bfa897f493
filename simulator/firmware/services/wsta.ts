/** WSTA: the station. API reference, module WSTA. */
import { StatusCode } from '../../../driver/protocol/catalogue/statuses.js';
import { StationState, Switch } from '../../../driver/protocol/catalogue/wsta.js';
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import type { Service } from '../service.js';

export function wsta(board: Board): Service {
  const { station, network } = board;
  const assocId = (): number => station.assocId;
  station.observers.push({
    linkUp() {
      const { bssid = '', channel = 0 } = station.association ?? {};
      board.emit({ name: 'WSTALU', form: 'LINK_UP', elements: { assocId: assocId(), bssid, channel } });
    },
    linkDown(id) {
      board.emit({ name: 'WSTALD', form: 'LINK_DOWN', elements: { assocId: id } });
    },
    failed() {
      const errorCode = StatusCode.STA_CONN_FAILED;
      board.emit({ name: 'WSTAERR', form: 'LINK_ERROR', elements: { errorCode } });
    },
    roamed() {
      board.emit({ name: 'WSTAROAM', form: 'ROAMING_OCCURRED', elements: { assocId: assocId() } });
    },
  });
  network.observers.push({
    addressAdded({ address, origin }) {
      if (origin === 'static') return;
      board.emit({
        name: 'WSTAAIP',
        form: 'ASSIGNMENT_OF_IP_ADDRESS_TO_ASSOCIATION',
        elements: { assocId: assocId(), ipAddress: address },
      });
    },
  });

  return {
    config: { WSTAC: single(station.config) },
    commands: {
      WSTA(call) {
        const { state } = call.args;
        if (state === Switch.ENABLE) return station.connect();
        if (state === Switch.DISABLE) station.leave();
        else {
          const now = station.connected ? StationState.CONNECTED : StationState.NOT_CONNECTED;
          call.respond({ form: 'STATE_ONLY', elements: { state: now } });
        }
        return undefined;
      },
    },
  };
}
