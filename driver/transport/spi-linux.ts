/** The few C library calls by which Linux gives access to SPI buses and GPIO lines. */
import { constants } from 'node:os';
import { WincError } from '../protocol/errors.js';

/** A table of calls, so that tests can stand in for the kernel. All but `open` answer -errno for a failure. */
export interface LinuxCalls {
  open(path: string, flags: number): number;
  close(fd: number): void;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  /** As `ioctl`, on another thread. `argument` and what it points to must stay alive. */
  ioctlAsync(fd: number, request: number, argument: Uint8Array): Promise<number>;
  read(fd: number, into: Uint8Array): number;
  /** Whether the descriptor became readable within `timeoutMs`. */
  readable(fd: number, timeoutMs: number): Promise<boolean>;
  /** Where the bytes are, for a structure that points to them. */
  addressOf(bytes: Uint8Array): bigint;
}

export const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const POLLIN = 1;

/** `_IOC` of `asm-generic/ioctl.h`. */
const ioc = (direction: number, type: number, number: number, size: number) =>
  ((direction << 30) | (size << 16) | (type << 8) | number) >>> 0;
export const ioWrite = (type: number, number: number, size: number) => ioc(1, type, number, size);
export const ioRead = (type: number, number: number, size: number) => ioc(2, type, number, size);
export const ioBoth = (type: number, number: number, size: number) => ioc(3, type, number, size);

/** @throws WincError `WINC_PORT_FAILED` when koffi is not installed, or this is no Linux */
export async function loadLinuxCalls(): Promise<LinuxCalls> {
  if (process.platform !== 'linux') throw new WincError('WINC_PORT_FAILED', 'spi: works on Linux only.');
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load(null);
    const open = libc.func('int open(const char *path, int flags)');
    const close = libc.func('int close(int fd)');
    const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)');
    const read = libc.func('long read(int fd, void *buffer, size_t count)');
    const poll = libc.func('int poll(void *fds, unsigned long count, int timeout)');
    const checked = (result: number) => (result < 0 ? -koffi.errno() : result);
    return {
      open: (path, flags) => checked(open(path, flags | O_CLOEXEC)),
      close: (fd) => void close(fd),
      ioctl: (fd, request, argument) => checked(ioctl(fd, request, argument)),
      ioctlAsync: (fd, request, argument) =>
        new Promise((resolve, reject) =>
          ioctl.async(fd, request, argument, (error: Error | null, result: number) => {
            // errno belongs to the thread that made the call.
            if (error) reject(error);
            else resolve(result < 0 ? -constants.errno.EIO : result);
          }),
        ),
      read: (fd, into) => checked(Number(read(fd, into, into.length))),
      readable(fd, timeoutMs) {
        const entry = Buffer.alloc(8);
        entry.writeInt32LE(fd, 0);
        entry.writeInt16LE(POLLIN, 4);
        return new Promise((resolve) =>
          poll.async(entry, 1, timeoutMs, (_error: Error | null, count: number) => resolve(count > 0)),
        );
      },
      addressOf: (bytes) => koffi.address(bytes),
    };
  } catch (cause) {
    throw new WincError('WINC_PORT_FAILED', 'spi: needs the optional package koffi (npm install koffi).', {
      cause,
    });
  }
}

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, value]) => [value, name]),
);

/** The error for a call that answered -errno. `hint` says what to do about missing permission. */
export function linuxError(what: string, result: number, hint = ''): WincError {
  const name = errnoNames.get(-result) ?? `errno ${-result}`;
  switch (name) {
    case 'ENOENT':
    case 'ENXIO':
    case 'ENODEV':
      return new WincError('WINC_PORT_MISSING', `${what}: there is no such device (${name}).`);
    case 'EACCES':
    case 'EPERM':
      return new WincError('WINC_PORT_PERMISSION', `${what}: not permitted (${name}).${hint}`);
    case 'EBUSY':
      return new WincError('WINC_PORT_LOCKED', `${what}: in use by another program (${name}).`);
    default:
      return new WincError('WINC_PORT_FAILED', `${what}: ${name}.`);
  }
}
