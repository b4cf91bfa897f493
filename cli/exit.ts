/**
 * Exit codes, fixed so that scripts can rely on them. Where curl has a number for the same thing, it is curl's.
 */
export const Exit = {
  OK: 0,
  FAILED: 1,
  USAGE: 2,
  /** The port does not exist, is not permitted, or another program has it. */
  PORT: 3,
  /** Nothing that answers like a module. */
  SILENT: 4,
  JOIN: 5,
  DNS: 6,
  /** Refused, reset or unreachable. */
  CONNECT: 7,
  TIMEOUT: 28,
  TLS: 35,
  CERTIFICATE: 60,
  /** A defect of this program. */
  INTERNAL: 70,
  INTERRUPTED: 130,
} as const;
export type ExitCode = (typeof Exit)[keyof typeof Exit];

/** A failure whose exit code the command already knows. */
export class CliError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'CliError';
  }
}

const byCode: Readonly<Record<string, ExitCode>> = {
  WINC_URL: Exit.USAGE,
  WINC_ARGUMENT: Exit.USAGE,
  WINC_UNKNOWN_COMMAND: Exit.USAGE,
  WINC_TRACE_FORMAT: Exit.USAGE,
  WINC_PORT_MISSING: Exit.PORT,
  WINC_PORT_LOCKED: Exit.PORT,
  WINC_PORT_PERMISSION: Exit.PORT,
  WINC_PORT_CLOSED: Exit.PORT,
  WINC_PORT_FAILED: Exit.PORT,
  WINC_PORT_LOST: Exit.PORT,
  WINC_PORT: Exit.PORT,
  WINC_MODULE_SILENT: Exit.SILENT,
  WINC_BUS: Exit.SILENT,
  WINC_JOIN_FAILED: Exit.JOIN,
  WINC_DNS: Exit.DNS,
  WINC_TIMEOUT: Exit.TIMEOUT,
  WINC_JOIN_TIMEOUT: Exit.JOIN,
  WINC_TLS: Exit.TLS,
  WINC_TLS_CERTIFICATE: Exit.CERTIFICATE,
};

const byErrno: Readonly<Record<string, ExitCode>> = {
  ECONNREFUSED: Exit.CONNECT,
  ECONNRESET: Exit.CONNECT,
  ECONNABORTED: Exit.CONNECT,
  EHOSTUNREACH: Exit.CONNECT,
  ENETUNREACH: Exit.CONNECT,
  ENOTFOUND: Exit.DNS,
  ETIMEDOUT: Exit.TIMEOUT,
};

/** By the first word of the status's name in the catalogue. */
const byStatusFamily: Readonly<Record<string, ExitCode>> = { DNS: Exit.DNS, TLS: Exit.TLS };

/** The exit code that fits an error, by its stable `code` or errno. Anything unknown is a defect: 70. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  const { code, errno, status, statusName } = (error ?? {}) as Record<string, unknown>;
  for (const name of [errno, code]) {
    if (typeof name !== 'string') continue;
    const exit = byCode[name] ?? byErrno[name];
    if (exit !== undefined) return exit;
  }
  // The module understood and refused, said with its status.
  if (typeof statusName === 'string') {
    const family = statusName.split('_', 1)[0];
    return byStatusFamily[family] ?? Exit.FAILED;
  }
  if (typeof status === 'number') return Exit.FAILED;
  if (typeof code === 'string' && (code.startsWith('WINC_') || /^E[A-Z]+$/.test(code))) return Exit.FAILED;
  return Exit.INTERNAL;
}
