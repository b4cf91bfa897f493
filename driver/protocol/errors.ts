/**
 * The one error class of the package. `code` is stable and documented: match on it, not on the message.
 *
 * @property code    `WINC_…`
 * @property status  the module's status number (module << 8 | number), when the module refused
 * @property statusName  its name in the catalogue, such as `SOCKET_NOT_CONNECTED`
 * @property errno   the POSIX name, where it is a socket's error, such as `ECONNREFUSED`
 */
export class WincError extends Error {
  readonly code: string;
  readonly status?: number;
  readonly statusName?: string;
  readonly errno?: string;

  constructor(
    code: `WINC_${string}`,
    message: string,
    detail: { status?: number; statusName?: string; errno?: string; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'WincError';
    this.code = code;
    if (detail.status !== undefined) this.status = detail.status;
    if (detail.statusName !== undefined) this.statusName = detail.statusName;
    if (detail.errno !== undefined) this.errno = detail.errno;
  }
}
