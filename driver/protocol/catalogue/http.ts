/** HTTP: HTTP client. */
import {
  bytes,
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  defineModule,
  event,
  frac,
  host,
  i32,
  int,
  list,
  optional,
  PRESET,
  RO,
  status,
  str,
  u8,
  u32,
} from '../schema.js';
import { FileType } from './fs.js';

export const CheckMode = { NONE: 0, SHA: 10, SHA256: 11, SHA224: 12, SHA512: 13, SHA384: 14 } as const;
export const HashType = { SHA: 10, SHA256: 11, SHA224: 12, SHA512: 13, SHA384: 14 } as const;

const httpcConfig = {
  PRESET,
  HOST: cfg(2, host(255)),
  PORT: cfg(3, u32()),
  PATH: cfg(4, str(1024)),
  FILE: cfg(5, str(1024)),
  TIMEOUT: cfg(6, u32(1, 255)),
  TLS_CONF: cfg(7, i32(0, 4)),
  REQ_HEADERS: cfg(8, str(1024)),
  SOCKET_ID: cfg(10, u32()),
  FILENAME: cfg(20, str(32)),
  FILETYPE: cfg(21, u32(FileType)),
  CHECK_MODE: cfg(22, u32(CheckMode)),
  CONTENT_LENGTH: cfg(40, u32(), RO),
  ASYNC_NEXT_OFFSET: cfg(100, u32()),
  ASYNC_WIN_SZ: cfg(101, u32()),
  ASYNC_MAX_FRM_SZ: cfg(102, u32()),
};

export const HTTP = defineModule(34, 'HTTP', {
  commands: {
    HTTPC: configCommand(0x2200, {
      forms: { HTTPC: { CONF: optional(u8(1, 1), 0), ...CONFIG_PARAMS } },
      responses: { LIST_RESPONSE: { CONF: list(int(1, 1)) } },
      config: httpcConfig,
    }),
    HTTPGET: command(0x2201, { forms: { HTTPGET: { CONF: u8(1, 1), PATH: optional(str()) } } }),
    HTTPRD: command(0x2202, {
      forms: { HTTPRD: { CONF: u8(1, 1), LENGTH: i32() } },
      responses: {
        HTTP_BODY_DATA_READ: { CONF: int(1, 1), DATA_LEN: int(), DATA_OFFSET: int(), DATA: bytes() },
      },
    }),
    HTTPCL: command(0x2203, { forms: { HTTPCL: { CONF: u8(1, 1) } } }),
  },
  events: {
    HTTPRSPCODE: event(0x2200, {
      HTTP_RESPONSE_CODE: { CONF: int(1, 1), RSP_PROTOCOL: frac(), RSP_CODE: int(100, 599) },
    }),
    HTTPRSPFIELD: event(0x2201, {
      HTTP_RESPONSE_FIELD: { CONF: int(1, 1), RSP_FIELD_NAME: str(), RSP_FIELD_VALUE: str() },
    }),
    HTTPBODYRX: event(0x2202, {
      HTTP_BODY_DATA_NOTIFY: { CONF: int(1, 1), PEND_DATA: int() },
      HTTP_BODY_DATA_RECEIVED: { CONF: int(1, 1), DATA_LEN: int(), DATA_OFFSET: int(), DATA: bytes() },
    }),
    HTTPBODYEND: event(0x2203, {
      HTTP_BODY_DATA_END: { CONF: int(1, 1), DATA_LEN: int() },
      HTTP_BODY_DATA_END_WITH_HASH: {
        CONF: int(1, 1),
        DATA_LEN: int(),
        HASH_TYPE: int(HashType),
        HASH: bytes(),
      },
    }),
    HTTPCL: event(0x2204, { HTTP_CLOSE: { CONF: int(1, 1) } }),
    HTTPERR: event(0x2205, { HTTP_ERROR: { CONF: int(1, 1), ERROR_CODE: status() } }),
  },
});
