/** The six C library calls a pseudo-terminal needs, by the optional package koffi. */
import { WincError } from '../../driver/protocol/errors.js';

export interface PtyLibrary {
  posixOpenpt(flags: number): number;
  grantpt(master: number): number;
  unlockpt(master: number): number;
  ptsname(master: number): string | null;
  /** Raw mode (cfmakeraw): no echo, no line editing, no translation of any byte. 0 or -1. */
  makeRaw(terminal: number): number;
}

/** More than any platform's `struct termios` (60 bytes on Linux, 72 on macOS). */
const TERMIOS_BYTES = 256;
const TCSANOW = 0;

/** @throws WincError `WINC_PTY_UNAVAILABLE` when koffi is not installed or has no C library to call */
export async function loadPtyLibrary(): Promise<PtyLibrary> {
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load(null);
    const tcgetattr = libc.func('int tcgetattr(int fd, void *termios)');
    const cfmakeraw = libc.func('void cfmakeraw(void *termios)');
    const tcsetattr = libc.func('int tcsetattr(int fd, int when, void *termios)');
    return {
      posixOpenpt: libc.func('int posix_openpt(int flags)'),
      grantpt: libc.func('int grantpt(int fd)'),
      unlockpt: libc.func('int unlockpt(int fd)'),
      ptsname: libc.func('const char *ptsname(int fd)'),
      makeRaw(terminal) {
        const termios = new Uint8Array(TERMIOS_BYTES);
        if (tcgetattr(terminal, termios) !== 0) return -1;
        cfmakeraw(termios);
        return tcsetattr(terminal, TCSANOW, termios);
      },
    };
  } catch (cause) {
    throw new WincError(
      'WINC_PTY_UNAVAILABLE',
      'a pseudo-terminal needs the optional package koffi (npm install koffi); a TCP port works without it',
      { cause },
    );
  }
}
