/** SOCKET: TCP and UDP sockets. */
import {
  address,
  bool,
  bytes,
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  data,
  defineModule,
  event,
  i32,
  int,
  optional,
  status,
  u8,
  u16,
  u32,
} from '../schema.js';

export const Protocol = { UDP: 1, TCP: 2 } as const;
export const IpVersion = { IPV4: 4, IPV6: 6 } as const;
export const OutputMode = { ASCII: 1, BINARY: 2, ASCII_EXT: 3 } as const;
export const IpTos = { NORM: 0, REL: 4, THRPUT: 8, LOW_DELAY: 16 } as const;

const socketId = int(1, 65535);
const port = int(1, 65535);
const socketRead = {
  SOCKET_READ_RESPONSE: { SOCK_ID: socketId, LENGTH: int(), DATA: bytes() },
  SOCKET_READ_RESPONSE_TCP_EXTENDED: {
    SOCK_ID: socketId,
    LENGTH: int(),
    PEND_DATA: int(),
    DATA: bytes(),
  },
  SOCKET_READ_RESPONSE_UDP_EXTENDED: {
    SOCK_ID: socketId,
    LENGTH: int(),
    PEND_DATA: int(),
    PEND_DATAGRAM: int(),
    RMT_ADDR: address(),
    RMT_PORT: port,
    DATA: bytes(),
  },
};

const sockcConfig = {
  SO_LINGER: cfg(1, bool('DISABLE', 'ENABLE')),
  SO_NODELAY: cfg(2, bool('DISABLE', 'ENABLE')),
  SO_KEEPALIVE: cfg(3, u32(0, 65535)),
  SO_RCVBUF: cfg(4, u32(1460, 32768)),
  SO_SNDBUF: cfg(5, u32(1460, 32768)),
  IP_TOS: cfg(32, u32(IpTos)),
  ASYNC_NEXT_SN: cfg(100, u32()),
  ASYNC_WIN_SZ: cfg(101, u32()),
  ASYNC_MAX_FRM_SZ: cfg(102, u32()),
};

export const SOCKET = defineModule(14, 'SOCKET', {
  commands: {
    SOCKO: command(0x0e00, {
      forms: { SOCKO: { PROTOCOL: u8(Protocol), PROTOCOL_VERSION: optional(u8(IpVersion), 0) } },
      responses: { SOCKET_OPEN_RESPONSE: { SOCK_ID: socketId } },
    }),
    SOCKBL: command(0x0e01, {
      forms: { SOCKBL: { SOCK_ID: u16(1), LCL_PORT: u16(1), PEND_SKTS: optional(u8(1, 10), 0) } },
    }),
    SOCKBR: command(0x0e02, {
      forms: { SOCKBR: { SOCK_ID: u16(1), RMT_ADDR: address(), RMT_PORT: u16(1) } },
    }),
    SOCKBM: command(0x0e03, {
      forms: { SOCKBM: { SOCK_ID: u16(1), MCAST_ADDR: address(), MCAST_PORT: u16(1) } },
    }),
    SOCKTLS: command(0x0e04, {
      forms: { SOCKTLS: { SOCK_ID: u16(1), TLS_CONF: u8(0, 4) } },
      responses: { TLS_SUCCEED: { SOCK_ID: socketId } },
    }),
    SOCKWR: command(0x0e05, {
      forms: {
        SOCKWR: {
          SOCK_ID: u16(1),
          LENGTH: u16(0, 1460),
          SEQ_NUM: optional(i32(0, 65535), -1),
          DATA: data({ max: 1460, raw: true }),
        },
      },
    }),
    SOCKWRTO: command(0x0e06, {
      forms: {
        SOCKWRTO: {
          SOCK_ID: u16(1),
          RMT_ADDR: address(),
          RMT_PORT: u16(1),
          LENGTH: u16(0, 1472),
          SEQ_NUM: optional(i32(0, 65535), -1),
          DATA: data({ max: 1472, raw: true }),
        },
      },
    }),
    SOCKRD: command(0x0e07, {
      forms: { SOCKRD: { SOCK_ID: u16(1), OUTPUT_MODE: u8(OutputMode), LENGTH: i32() } },
      responses: socketRead,
    }),
    SOCKRDBUF: command(0x0e08, {
      forms: { SOCKRDBUF: { SOCK_ID: u16(1), OUTPUT_MODE: u8(OutputMode), LENGTH: i32() } },
      responses: socketRead,
    }),
    SOCKCL: command(0x0e09, {
      forms: { SOCKCL: { SOCK_ID: u16(1) } },
      responses: { SOCKET_CLOSE_RESPONSE: { SOCK_ID: socketId } },
    }),
    SOCKLST: command(0x0e0a, {
      forms: { SOCKLST: { SOCK_ID: optional(u16(1), 0) } },
      responses: {
        SOCKET_LIST_RESPONSE: {
          SOCK_ID: socketId,
          PROTOCOL: int(Protocol),
          RMT_ADDR: address(),
          RMT_PORT: port,
          LCL_PORT: port,
        },
      },
      queries: 1,
    }),
    SOCKC: configCommand(0x0e0b, {
      forms: { SOCKC: { SOCK_ID: optional(u16(1), 0), ...CONFIG_PARAMS } },
      config: sockcConfig,
    }),
  },
  events: {
    SOCKIND: event(0x0e00, {
      TCP_CONNECTION_ESTABLISHED: {
        SOCK_ID: socketId,
        LCL_ADDR: address(),
        LCL_PORT: port,
        RMT_ADDR: address(),
        RMT_PORT: port,
      },
    }),
    SOCKRXT: event(0x0e01, {
      TCP_RECEIVE_POLLED: { SOCK_ID: socketId, PEND_DATA: int() },
      TCP_RECEIVE_ASYNC: { SOCK_ID: socketId, LENGTH: int(), DATA: bytes() },
      TCP_RECEIVE_ASYNC_RELIABLE: {
        SOCK_ID: socketId,
        LENGTH: int(),
        SEQ_NUM: int(0, 65535),
        DATA: bytes(),
      },
    }),
    SOCKRXU: event(0x0e02, {
      UDP_RECEIVE_POLLED: {
        SOCK_ID: socketId,
        RMT_ADDR: address(),
        RMT_PORT: port,
        PEND_DATA: int(),
        PEND_DATAGRAM: int(),
      },
      UDP_RECEIVE_POLLED_2X: { SOCK_ID: socketId, RMT_ADDR: address(), RMT_PORT: port, PEND_DATA: int() },
      UDP_RECEIVE_ASYNC: {
        SOCK_ID: socketId,
        RMT_ADDR: address(),
        RMT_PORT: port,
        LENGTH: int(),
        DATA: bytes(),
      },
      UDP_RECEIVE_ASYNC_RELIABLE: {
        SOCK_ID: socketId,
        RMT_ADDR: address(),
        RMT_PORT: port,
        LENGTH: int(),
        SEQ_NUM: int(0, 65535),
        DATA: bytes(),
      },
    }),
    SOCKCL: event(0x0e03, { SOCKET_CLOSE_RESPONSE: { SOCK_ID: socketId } }),
    SOCKTLS: event(0x0e04, { TLS_SUCCEED: { SOCK_ID: socketId } }),
    SOCKERR: event(0x0e05, { TCP_BIND_FAILED: { SOCK_ID: socketId, ERROR_CODE: status() } }),
  },
});
