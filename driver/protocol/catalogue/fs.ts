/** FS: files in the module and their transfer. */
import {
  command,
  data,
  defineModule,
  event,
  i32,
  int,
  only,
  optional,
  preset,
  str,
  u8,
  u16,
} from '../schema.js';

export const FileQuery = { LIST: 2, DEL: 3, INFO: 4 } as const;
export const FileType = { USER: 0, CERT: 1, PRIKEY: 2, DHPARAM: 3, CFG: 20 } as const;
export const FileOperation = { LOAD: 1, LIST: 2, DEL: 3, INFO: 4, STORE: 5 } as const;
export const TransferProtocol = { XMDM_CS: 1, XMDM_CRC: 2, XMDM_1K: 3, YMDM: 4, TSFR: 5 } as const;

export const FS = defineModule(7, 'FS', {
  commands: {
    FS: command(0x0700, {
      forms: {
        FSOP: { OP: u8(FileQuery), FILETYPE: optional(i32(FileType), -1), FILENAME: optional(str(32)) },
        FSLOAD: {
          OP: only(u8(FileOperation), 1),
          FILETYPE: u8(FileType),
          TSFRPROT: preset(u8(TransferProtocol, { min: 0, max: 255 }), 5),
          FILENAME: optional(str(32)),
          FILELENGTH: optional(u16(1), 0),
        },
        FSSTORE: {
          OP: only(u8(FileOperation), 5),
          FILETYPE: u8(FileType),
          TSFRPROT: preset(u8(TransferProtocol, { min: 0, max: 255 }), 5),
          FILENAME: str(32),
        },
      },
      responses: {
        LIST_OPERATION_RESPONSE: { OP: int(FileOperation), FILETYPE: int(FileType), FILENAME: str() },
        INFORMATION_OPERATION_RESPONSE: {
          OP: int(FileOperation),
          FREE_SPACE: int(1, 65535),
          FREE_HANDLES: int(1, 65535),
        },
        FS_TSFR_RESPONSE: { OP: int(FileOperation), TSFR_HANDLE: int(1, 65535) },
      },
    }),
    FSTSFR: command(0x0701, {
      forms: {
        FSTSFR: {
          TSFR_HANDLE: optional(u16(1), 0),
          BLOCK_NUM: optional(i32(0, 255), -1),
          DATA: optional(data()),
          CRC: optional(i32(0, 65535), -1),
        },
        FSRECV: { TSFR_HANDLE: u16(1), BLOCK_NUM: u8(), DATA_LENGTH: optional(u16(1), 0) },
      },
      responses: {
        FS_TSFR_LOAD_RESPONSE: {
          TSFR_HANDLE: int(1, 65535),
          BLOCK_NUM: int(1, 65535),
          BYTES_REMAIN: int(1, 65535),
        },
        FS_TSFR_STORE_RESPONSE: {
          TSFR_HANDLE: int(1, 65535),
          BLOCK_NUM: int(1, 65535),
          BYTES_REMAIN: int(1, 65535),
          DATA: data(),
        },
      },
      queries: 1,
    }),
  },
  events: {
    FSUP: event(0x0700, {
      FILESYSTEM_LOAD: {
        OP: int(FileOperation),
        FILETYPE: int(FileType),
        FILENAME: str(),
        FILELENGTH: int(1, 65535),
      },
    }),
  },
});
