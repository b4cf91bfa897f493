/** Error numbers as on Linux, so that a log reads the same everywhere. Only those this layer sets. */
export const Errno = {
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  EWOULDBLOCK: 11,
  ENOMEM: 12,
  EFAULT: 14,
  EINVAL: 22,
  ENFILE: 23,
  ENOSPC: 28,
  EPROTO: 71,
  EBADMSG: 74,
  ENOTSOCK: 88,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  ENETDOWN: 100,
  ENETRESET: 102,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EINPROGRESS: 115,
} as const;
export type ErrnoName = keyof typeof Errno;

const names = new Map<number, ErrnoName>();
for (const [name, number] of Object.entries(Errno)) {
  if (!names.has(number)) names.set(number, name as ErrnoName);
}

/** `EAGAIN` for 11; undefined for a number this layer never sets. */
export const errnoName = (errno: number): ErrnoName | undefined => names.get(errno);

/** Thrown inside the layer, caught at its edge, where it becomes `-1` and `errno`. */
export class SocketError extends Error {
  readonly errno: ErrnoName;

  constructor(errno: ErrnoName) {
    super(errno);
    this.name = 'SocketError';
    this.errno = errno;
  }
}
