/** DI: device and firmware image information. */
import {
  cfg,
  complex,
  configCommand,
  configId,
  defineModule,
  hex,
  i32,
  int,
  optional,
  RO,
  u32,
} from '../schema.js';

export const ImageState = { LATENT: 0, ACTIVATED: 1, CURRENT: 2, ROLLBACK: 3 } as const;

const diConfig = {
  DEVICE_ID: cfg(1, hex(8, u32()), RO),
  NUM_IMAGES: cfg(14, i32(), RO),
  IMAGE_INFO: cfg(
    15,
    complex('IMAGE_INFORMATION', {
      SEQ_NUM: hex(8, int()),
      VERSION: hex(8, int()),
      SRC_ADDR: hex(8, int()),
      IMG_STATE: int(ImageState),
    }),
    { readOnly: true, index: [0, 1] },
  ),
};

export const DI = defineModule(26, 'DI', {
  commands: {
    DI: configCommand(0x1a00, { forms: { DI: { ID: optional(configId(), -1) } }, config: diConfig }),
  },
});
