/** DFU: what an image must say to run where it is to be programmed. API reference, module DFU. */
import { ImageState, Partition as Target } from '../../../driver/protocol/catalogue/dfu.js';
import type { Board } from '../board.js';
import { ADDRESS_AT, LATENT, type Partition, SEQUENCE_AT } from '../nvm.js';
import type { Service } from '../service.js';

const FIELD_LENGTH = 4;

export function dfu({ flash: { nvm } }: Board): Service {
  function partition(target: number): Partition {
    if (target === Target.ALTERNATE) return nvm.alternate;
    if (target === Target.CURRENT) return nvm.current;
    return target === Target.LOW ? nvm.low : nvm.high;
  }

  return {
    commands: {
      DFUADR(call) {
        const chosen = partition(call.args.partition);
        call.respond({
          form: 'PARAMETERS_FOR_MODIFYING_THE_LITTLE_ENDIAN_ADDRESS_FIELD_OF_A_DFU_IMAGE',
          elements: { offset: ADDRESS_AT, length: FIELD_LENGTH, value: chosen.base },
        });
        const other = chosen === nvm.current ? nvm.alternate : nvm.current;
        return other.bootable ? undefined : 'DFU_ADDRESS_WARNING';
      },
      DFUSEQ(call) {
        const value = call.args.imageState === ImageState.LATENT ? LATENT : nvm.nextSequence;
        call.respond({
          form: 'PARAMETERS_FOR_MODIFYING_THE_LITTLE_ENDIAN_SEQUENCE_NUMBER_FIELD_OF_A_DFU_IMAGE',
          elements: { offset: SEQUENCE_AT, length: FIELD_LENGTH, value },
        });
      },
    },
  };
}
