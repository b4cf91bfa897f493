import { WincError } from '../../driver/protocol/index.js';

/** Codes of Node for what a program written for `net` looks at. */
const codes: Readonly<Record<string, string>> = {
  WINC_PORT_LOST: 'ENETDOWN',
  WINC_MODULE_RESET: 'ENETRESET',
  WINC_MODULE_SILENT: 'ENETDOWN',
  WINC_CLOSED: 'ENETDOWN',
  WINC_CONNECT_TIMEOUT: 'ETIMEDOUT',
  WINC_TIMEOUT: 'ETIMEDOUT',
  WINC_ABORTED: 'ABORT_ERR',
};
const dnsCodes: Readonly<Record<string, string>> = {
  DNS_TIMEOUT: 'EAI_AGAIN',
  DNS_ERROR: 'EAI_AGAIN',
  DNS_NON_EXISTENT_DOMAIN: 'ENOTFOUND',
  DNS_RECORD_NOT_FOUND: 'ENOTFOUND',
};

/** An error as Node's `net` throws them: `code`, `syscall`, and ours as `cause`. */
export interface NetError extends Error {
  code: string;
  syscall: string;
  address?: string;
  port?: number;
  hostname?: string;
}

export function netError(
  cause: unknown,
  syscall: string,
  where: { address?: string; port?: number } = {},
): NetError {
  const { code = 'EIO', errno, statusName = '' } = cause as Partial<WincError>;
  const dns = dnsCodes[statusName];
  const own = dns ?? errno ?? codes[code] ?? (cause instanceof WincError ? 'EIO' : code);
  // Sending into a connection the peer has closed.
  const nodeCode = own === 'ENOTCONN' && syscall === 'write' ? 'EPIPE' : own;
  const call = dns === undefined ? syscall : 'getaddrinfo';
  const at = [where.address, where.port].filter((each) => each !== undefined).join(':');
  const error = new Error(`${call} ${nodeCode}${at === '' ? '' : ` ${at}`}`, { cause }) as NetError;
  error.code = nodeCode;
  error.syscall = call;
  if (dns === undefined) Object.assign(error, where);
  else error.hostname = where.address ?? '';
  return error;
}
