import { createRequire } from 'node:module';
import { StackError } from '../errors.js';

/** The system calls a TAP device needs (Linux), through the optional package koffi. Negative answers carry `errno`. */
export interface TapSystem {
  open(path: string, flags: number): number;
  close(fd: number): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  socket(domain: number, type: number, protocol: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, into: Uint8Array, size: number): number;
  write(fd: number, from: Uint8Array, size: number): number;
  /** Waits on a thread of the pool; `fds` is an array of `struct pollfd` that stays the caller's. */
  poll(fds: Uint8Array, count: number, timeoutMs: number, done: (result: number) => void): void;
  errno(): number;
}

/** Linux's numbers for those told apart here. */
export const errno = { EINTR: 4, EAGAIN: 11, EBADFD: 77 } as const;

let system: TapSystem | undefined;

/** @throws StackError `ENETDOWN` where there is no Linux or no koffi */
export function tapSystem(): TapSystem {
  if (system !== undefined) return system;
  if (process.platform !== 'linux') throw new StackError('ENETDOWN', 'a TAP device needs Linux');
  let koffi: typeof import('koffi');
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch (cause) {
    const error = new StackError(
      'ENETDOWN',
      'a TAP device needs the optional package koffi: npm install koffi',
    );
    error.cause = cause;
    throw error;
  }
  const libc = koffi.load(null);
  const poll = libc.func('int poll(void *fds, unsigned long count, int timeout)');
  system = {
    open: libc.func('int open(const char *path, int flags)'),
    close: libc.func('int close(int fd)'),
    ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)'),
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    eventfd: libc.func('int eventfd(unsigned int initial, int flags)'),
    read: libc.func('long read(int fd, void *into, size_t size)'),
    write: libc.func('long write(int fd, const void *from, size_t size)'),
    poll: (fds, count, timeoutMs, done) =>
      poll.async(fds, count, timeoutMs, (_: unknown, result: number) => done(result)),
    errno: () => koffi.errno(),
  };
  return system;
}
