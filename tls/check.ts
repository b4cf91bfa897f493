/** Whether a file is what it is said to be, found out before it is sent to the module. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { WincError } from '../driver/protocol/index.js';

export interface CertificateInfo {
  readonly subject: string;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  /** SHA-256 of the DER form, hexadecimal without colons: what can be pinned. */
  readonly fingerprint: string;
  readonly ca: boolean;
}

const PEM = '-----BEGIN ';
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const bad = (what: string, cause?: unknown): WincError =>
  // The cause of a key that cannot be read says nothing of the key.
  new WincError('WINC_CERTIFICATE', what, cause === undefined ? {} : { cause });

export const bytesOf = (data: Uint8Array | string): Buffer =>
  typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data);

function certificates(data: Buffer): X509Certificate[] {
  if (!data.includes(PEM)) return [new X509Certificate(data)];
  return (data.toString('latin1').match(PEM_CERTIFICATE) ?? []).map((one) => new X509Certificate(one));
}

/**
 * PEM, one or several, or DER, one.
 * @returns each certificate in the file's order
 * @throws WincError `WINC_CERTIFICATE`
 */
export function checkCertificate(data: Uint8Array | string): CertificateInfo[] {
  const bytes = bytesOf(data);
  let found: X509Certificate[];
  try {
    found = certificates(bytes);
  } catch (error) {
    throw bad('This is no certificate in PEM or DER form.', error);
  }
  if (found.length === 0) throw bad('There is no certificate in this PEM file.');
  return found.map((certificate) => ({
    subject: certificate.subject,
    issuer: certificate.issuer,
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256.replaceAll(':', ''),
    ca: certificate.ca,
  }));
}

/** OpenSSL asks for the password of a PEM file, and is told there is none. */
const isLocked = (error: unknown): boolean =>
  ['ERR_MISSING_PASSPHRASE', 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );

export interface KeyCheck {
  /** Of a locked key. Without it, a locked key is only seen to be one. */
  readonly password?: string | undefined;
  /** The key must be that of this certificate, the first of the file. */
  readonly certificate?: Uint8Array | string | undefined;
}

/**
 * PEM or DER (PKCS #8, SEC 1, PKCS #1).
 * @throws WincError `WINC_CERTIFICATE`: no private key, a wrong password, or the key of another certificate
 */
export function checkPrivateKey(data: Uint8Array | string, { password, certificate }: KeyCheck = {}): void {
  const key = bytesOf(data);
  const forms = key.includes(PEM)
    ? [{ format: 'pem' } as const]
    : (['pkcs8', 'sec1', 'pkcs1'] as const).map((type) => ({ format: 'der', type }) as const);
  const secret = password === undefined ? {} : { passphrase: password };
  for (const form of forms) {
    try {
      const parsed = createPrivateKey({ key, ...form, ...secret });
      if (certificate === undefined || certificates(bytesOf(certificate))[0]?.checkPrivateKey(parsed)) return;
    } catch (error) {
      if (password === undefined && isLocked(error)) return;
      continue;
    }
    throw bad('The private key is not that of the certificate.');
  }
  throw bad(
    password === undefined
      ? 'This is no private key in PEM or DER form.'
      : 'This is no private key in PEM or DER form, or the password is wrong.',
  );
}

/** PEM (`DH PARAMETERS`) or DER: a sequence of at least two integers. @throws WincError `WINC_CERTIFICATE` */
export function checkDhParams(data: Uint8Array | string): void {
  const bytes = bytesOf(data);
  const base64 = /-----BEGIN DH PARAMETERS-----([^-]+)-----END DH PARAMETERS-----/.exec(
    bytes.toString('latin1'),
  );
  const der = base64 === null ? bytes : Buffer.from(base64[1], 'base64');
  const SEQUENCE = 0x30;
  const INTEGER = 0x02;
  const lengthBytes = (der[1] ?? 0) & 0x80 ? der[1] & 0x7f : 0;
  if (der[0] !== SEQUENCE || der[2 + lengthBytes] !== INTEGER) {
    throw bad('These are no Diffie-Hellman parameters in PEM or DER form.');
  }
}
