/** ASSOC: who is associated; the answer is an event. API reference, module ASSOC. */
import { AssociationRole } from '../../../driver/protocol/catalogue/assoc.js';
import type { Board } from '../board.js';
import type { Service } from '../service.js';

export function assoc(board: Board): Service {
  const { station } = board;
  return {
    commands: {
      ASSOC({ args: { assocId } }) {
        const { association } = station;
        // Hosts of real modules ask for all associations to see whether they must join: none is an error.
        if (association === undefined || (assocId !== undefined && assocId !== station.assocId)) {
          return 'ASSOC_NOT_FOUND';
        }
        board.emit({
          name: 'ASSOC',
          form: 'WIFI_ASSOCIATION_REPORT',
          elements: {
            assocId: station.assocId,
            // The role of the peer: a station is associated with an access point.
            apSta: AssociationRole.AP,
            bssid: association.bssid,
            rssi: association.rssi,
          },
        });
        return undefined;
      },
    },
  };
}
