import type { StackErrorLike } from './contract.js';

/** The POSIX names the engine uses. */
export type StackErrorCode =
  | 'EACCES'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EHOSTUNREACH'
  | 'EINVAL'
  | 'EMSGSIZE'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'ENOBUFS'
  | 'ENOTCONN'
  | 'EPIPE'
  | 'ETIMEDOUT';

/** A call the engine refuses. `code` is stable; the message is for people. */
export class StackError extends Error implements StackErrorLike {
  readonly code: StackErrorCode;

  constructor(code: StackErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.name = 'StackError';
    this.code = code;
  }
}
