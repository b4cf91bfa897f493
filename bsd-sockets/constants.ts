/** The numbers of the vendor's `winc_socket.h`, version 3.2.0. */

export const AF_UNSPEC = 0;
export const AF_INET = 4;
export const AF_INET6 = 6;
export const PF_UNSPEC: typeof AF_UNSPEC = AF_UNSPEC;
export const PF_INET: typeof AF_INET = AF_INET;
export const PF_INET6: typeof AF_INET6 = AF_INET6;

export const SOCK_DGRAM = 1;
export const SOCK_STREAM = 2;

export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_TLS = 253;
/** The header has no level of its own for IPv6: `IPV6_ADD_MEMBERSHIP` is set at `IPPROTO_IP`. Linux' number, accepted too. */
export const IPPROTO_IPV6 = 41;

export const SOL_SOCKET = 65535;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_ASYNC_MODE = 100;
export const TCP_NODELAY = 1;
export const TLS_CONF_IDX = 1;
export const IP_TOS = 1;
export const IP_ADD_MEMBERSHIP = 35;
export const IPV6_ADD_MEMBERSHIP = 20;
export const IPV6_JOIN_GROUP: typeof IPV6_ADD_MEMBERSHIP = IPV6_ADD_MEMBERSHIP;
export const IPTOS_TOS_MASK = 0x1e;
export const IPTOS_LOWDELAY = 0x10;
export const IPTOS_THROUGHPUT = 0x08;
export const IPTOS_RELIABILITY = 0x04;

export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;
/** Connections one listening socket may have at once. */
export const SOMAXCONN = 10;

export const MSG_PEEK = 0x0002;
export const MSG_TRUNC = 0x0020;

export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLNVAL = 0x020;

/** How received data gets from the module to the host. */
export const AsyncMode = {
  /** `SOCKRD` fetches what the module announces. */
  OFF: 0,
  /** The module sends data as it comes. */
  SIMPLE: 1,
  /** The module sends data within a window that the host moves on. */
  ACKED: 2,
} as const;
export type AsyncMode = (typeof AsyncMode)[keyof typeof AsyncMode];

export const SocketEvent = {
  OPEN: 0,
  LISTEN: 1,
  CONNECT_REQ: 2,
  CONNECT: 3,
  SEND: 4,
  RECV: 5,
  CLOSE: 6,
  TLS_CONNECT: 7,
  DISCONNECT: 8,
  DNS_RESOLV: 9,
  ERROR: 10,
} as const;
export type SocketEvent = (typeof SocketEvent)[keyof typeof SocketEvent];

export const SocketStatus = { OK: 0, ERROR: 1 } as const;
export type SocketStatus = (typeof SocketStatus)[keyof typeof SocketStatus];

/** Largest payload of one command, bytes; an IPv6 header is 20 longer. */
export const MAX_TCP_PAYLOAD = { [AF_INET]: 1460, [AF_INET6]: 1440 } as const;
export const MAX_UDP_PAYLOAD = { [AF_INET]: 1472, [AF_INET6]: 1452 } as const;
