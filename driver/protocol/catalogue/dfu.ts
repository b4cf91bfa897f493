/** DFU: address and sequence number of an image for an update over DFU. */
import { command, defineModule, hex, int, u8 } from '../schema.js';

export const Partition = { ALTERNATE: 0, CURRENT: 1, LOW: 2, HIGH: 3 } as const;
export const ImageState = { LATENT: 0, ACTIVATED: 1 } as const;

export const DFU = defineModule(30, 'DFU', {
  commands: {
    DFUADR: command(0x1e00, {
      forms: { DFUADR: { PARTITION: u8(Partition) } },
      responses: {
        PARAMETERS_FOR_MODIFYING_THE_LITTLE_ENDIAN_ADDRESS_FIELD_OF_A_DFU_IMAGE: {
          OFFSET: int(),
          LENGTH: int(),
          VALUE: hex(8, int()),
        },
      },
    }),
    DFUSEQ: command(0x1e01, {
      forms: { DFUSEQ: { IMAGE_STATE: u8(ImageState) } },
      responses: {
        PARAMETERS_FOR_MODIFYING_THE_LITTLE_ENDIAN_SEQUENCE_NUMBER_FIELD_OF_A_DFU_IMAGE: {
          OFFSET: int(),
          LENGTH: int(),
          VALUE: hex(8, int()),
        },
      },
    }),
  },
});
