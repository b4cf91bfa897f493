/** Cipher suites as the library that does the cryptography names them. */
import { CipherSuite, cipherSuiteName } from '../../../driver/protocol/catalogue/cipher-suites.js';

/** What AT+TLSCSC lists as available, in the order of the reference. */
export const availableSuites: readonly number[] = Object.values(CipherSuite);

export const isAvailable = (code: number): boolean => cipherSuiteName(code) !== undefined;
export const isDhe = (code: number): boolean => cipherSuiteName(code)?.startsWith('TLS_DHE_') === true;

/** `TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA` is `ECDHE-RSA-AES128-SHA` to OpenSSL; its `TLS_RSA_WITH_…` have no prefix. */
export const opensslName = (code: number): string =>
  (cipherSuiteName(code) ?? '')
    .replace(/^TLS_(RSA_WITH_)?/, '')
    .replace('_WITH_', '_')
    .replace(/AES_(\d+)/, 'AES$1')
    .replace('_CBC', '')
    .replaceAll('_', '-');
