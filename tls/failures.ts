/** What the module tells of a TLS session that did not come about, besides that its socket failed. */
import type { WincModule } from '../driver/index.js';
import { TLS } from '../driver/protocol/catalogue/tls.js';
import { type TlsErrorName, tlsErrorName } from '../driver/protocol/catalogue/tls-errors.js';
import { describeStatus, StatusCode, statusByCode, WincError } from '../driver/protocol/index.js';

/**
 * `WINC_TLS_CERTIFICATE`: a certificate, a key or a name is the reason, `statusName` says which (`TLS_…`).
 * `WINC_TLS_HANDSHAKE`: anything else.
 */
export class TlsFailure extends WincError {
  /** The module's TLS library's own error, if its system log is on (see {@link logTlsErrors}). */
  readonly tlsError?: TlsErrorName;

  constructor(
    what: string,
    found: { status?: number; tlsError?: TlsErrorName; detail?: string },
    cause?: unknown,
  ) {
    const { status = StatusCode.SOCKET_TLS_FAILED, tlsError, detail } = found;
    const certificate = status !== StatusCode.SOCKET_TLS_FAILED;
    const reason = detail ?? tlsError;
    const text = `${what}: ${describeStatus(status)}${reason === undefined ? '' : `, ${reason}`}.`;
    const statusName = statusByCode(status)?.name;
    super(certificate ? 'WINC_TLS_CERTIFICATE' : 'WINC_TLS_HANDSHAKE', text, {
      status,
      errno: 'EPROTO',
      cause,
      ...(statusName !== undefined && { statusName }),
    });
    this.name = 'TlsFailure';
    if (tlsError !== undefined) this.tlsError = tlsError;
  }
}

/** Lets the module log, so that failures name the TLS library's error. Until the module's next reset. */
export async function logTlsErrors(module: WincModule, on = true): Promise<void> {
  await module.call('SYSLOGC', { id: 1, val: on ? 1 : 0 });
}

/** The event may come before or after that of the socket. */
const GRACE_MS = 50;

/** Listens while a session with a TLS configuration begins. */
export class TlsWatch {
  readonly #module: WincModule;
  readonly #undo: (() => void)[];
  #status: number | undefined;
  #tlsError: TlsErrorName | undefined;
  #detail: string | undefined;
  #told: (() => void) | undefined;

  /** @param index  1 to 4 */
  constructor(module: WincModule, index: number) {
    this.#module = module;
    this.#undo = [
      module.on('TLSERR', ({ elements }) => {
        if (elements.conf !== index) return;
        this.#status = elements.errorCode;
        this.#told?.();
      }),
      module.on('SYSLOG', ({ elements }) => {
        const code = /-\d{3}\b/.exec(elements.message)?.[0];
        const name = code === undefined ? undefined : tlsErrorName(Number(code));
        if (name === undefined || Number(elements.moduleId) !== TLS.id) return;
        this.#tlsError = name;
        this.#detail = elements.message;
      }),
    ];
  }

  end(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** The failure of the socket, explained; any other error as it is. */
  async explain(what: string, error: unknown): Promise<unknown> {
    try {
      if (!(error instanceof WincError) || error.status !== StatusCode.SOCKET_TLS_FAILED) return error;
      if (this.#status === undefined && this.#tlsError === undefined) await this.#grace();
      return new TlsFailure(
        what,
        {
          ...(this.#status !== undefined && { status: this.#status }),
          ...(this.#tlsError !== undefined && { tlsError: this.#tlsError }),
          ...(this.#detail !== undefined && { detail: this.#detail }),
        },
        error,
      );
    } finally {
      this.end();
    }
  }

  #grace(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#module.clock.setTimer(resolve, GRACE_MS);
      this.#told = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
