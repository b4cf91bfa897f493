/** Why a TLS session did not come about, in the module's terms. */

import type { StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import { TlsError, type TlsErrorName } from '../../../driver/protocol/catalogue/tls-errors.js';

export interface TlsProblem {
  /** What +TLSERR tells; without it there is only the failed socket. */
  readonly status?: Extract<StatusName, `TLS_${string}`>;
  /** What the TLS library of the real module reports; told by the system log only. API reference, "TLS Error Codes". */
  readonly error: TlsErrorName;
  /** The peer's fatal alert. */
  readonly alert?: string;
}

export const problem = (error: TlsErrorName, status?: TlsProblem['status']): TlsProblem =>
  status === undefined ? { error } : { error, status };

/** The line of the system log. Its wording on a real module is not known; the code is documented to be in it. */
export const describe = ({ error, alert }: TlsProblem): string =>
  `TLS error ${TlsError[error]} ${error}${alert === undefined ? '' : `, alert ${alert}`}`;

const known: Readonly<Record<string, TlsErrorName>> = {
  ECONNRESET: 'SOCKET_PEER_CLOSED_E',
  ETIMEDOUT: 'SOCKET_ERROR_E',
  EHOSTUNREACH: 'SOCKET_ERROR_E',
  ERR_SSL_WRONG_VERSION_NUMBER: 'UNKNOWN_RECORD_TYPE',
  ERR_SSL_HTTP_REQUEST: 'UNKNOWN_RECORD_TYPE',
  ERR_SSL_UNKNOWN_PROTOCOL: 'UNKNOWN_RECORD_TYPE',
  ERR_SSL_UNEXPECTED_MESSAGE: 'OUT_OF_ORDER_E',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'VERSION_ERROR',
  ERR_SSL_NO_SHARED_CIPHER: 'MATCH_SUITE_ERROR',
  ERR_SSL_WRONG_CIPHER_RETURNED: 'MATCH_SUITE_ERROR',
  ERR_SSL_UNKNOWN_CIPHER_RETURNED: 'MATCH_SUITE_ERROR',
  ERR_SSL_NO_CIPHERS_AVAILABLE: 'SUITES_ERROR',
  ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED: 'SECURE_RENEGOTIATION_E',
  ERR_SSL_DH_KEY_TOO_SMALL: 'DH_KEY_SIZE_E',
  ERR_SSL_EE_KEY_TOO_SMALL: 'RSA_KEY_SIZE_E',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'NO_PEER_CERT',
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 'VERIFY_MAC_ERROR',
  ERR_SSL_BAD_SIGNATURE: 'VERIFY_SIGN_ERROR',
  ERR_SSL_DIGEST_CHECK_FAILED: 'VERIFY_FINISHED_ERROR',
};

/** From an error of `node:tls` or of the connection below. */
export function problemOf(failure: Error): TlsProblem {
  const code = (failure as NodeJS.ErrnoException).code ?? '';
  // ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE (OpenSSL 3.5: SSL/TLS_ALERT): the peer's alert, which the real library reports
  // as one error for all.
  const alert = /^ERR_SSL_(?:SSLV3|SSL\/TLS|TLSV1|TLSV13)_ALERT_(\w+)$/.exec(code)?.[1];
  if (alert !== undefined) return { error: 'FATAL_ERROR', alert: alert.toLowerCase() };
  return { error: known[code] ?? 'PARSE_ERROR' };
}
