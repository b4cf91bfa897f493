/** Certificates and keys from the module's files: PEM or DER, as found. API reference, "Certificate and Private Key". */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { FileStore } from '../files.js';
import { problem, type TlsProblem } from './problem.js';

export type Files = Pick<FileStore, 'get'>;

export interface Identity {
  /** PEM, the leaf first. */
  readonly cert: string;
  readonly key: string;
}

export const isProblem = (value: object | undefined): value is TlsProblem =>
  value !== undefined && 'error' in value;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const isPem = (data: Uint8Array): boolean => Buffer.from(data).includes('-----BEGIN ');

/** @returns none if the file holds none that can be read */
export function parseCertificates(data: Uint8Array): X509Certificate[] {
  const sources = isPem(data) ? (Buffer.from(data).toString('latin1').match(PEM_CERTIFICATE) ?? []) : [data];
  try {
    return sources.map((source) => new X509Certificate(source));
  } catch {
    return [];
  }
}

/** @returns undefined if it is no key, or the password is not its own */
export function parseKey(data: Uint8Array, passphrase: string | undefined): KeyObject | undefined {
  const secret = passphrase === undefined ? {} : { passphrase };
  const key = Buffer.from(data);
  const forms = isPem(data)
    ? [{ format: 'pem' } as const]
    : (['pkcs8', 'sec1', 'pkcs1'] as const).map((type) => ({ format: 'der', type }) as const);
  for (const form of forms) {
    try {
      return createPrivateKey({ key, ...form, ...secret });
    } catch {}
  }
  return undefined;
}

/** Diffie-Hellman parameters as PEM. */
export function parseDhParams(data: Uint8Array): string {
  if (isPem(data)) return Buffer.from(data).toString('latin1');
  const base64 =
    Buffer.from(data)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN DH PARAMETERS-----\n${base64.join('\n')}\n-----END DH PARAMETERS-----\n`;
}

/** The trusted certificates of CA_CERT_NAME. */
export function loadAnchors(files: Files, name: string | undefined): X509Certificate[] | TlsProblem {
  const data = name === undefined ? undefined : files.get('cert', name);
  if (data === undefined) return problem('BAD_CERT_MANAGER_ERROR', 'TLS_CA_CERT_MISSING');
  const anchors = parseCertificates(data);
  return anchors.length > 0 ? anchors : problem('ASN_PARSE_E', 'TLS_CA_CERT_VALIDATION');
}

/** Certificate and private key; undefined if neither is configured. */
export function loadIdentity(
  files: Files,
  names: { readonly cert: string | undefined; readonly key: string | undefined },
  password: string | undefined,
): Identity | TlsProblem | undefined {
  if (names.cert === undefined && names.key === undefined) return undefined;
  const incomplete = (error: TlsProblem['error']) => problem(error, 'TLS_KEY_PAIR_INCOMPLETE');
  const certificate = names.cert === undefined ? undefined : files.get('cert', names.cert);
  const chain = certificate === undefined ? [] : parseCertificates(certificate);
  if (chain.length === 0) return incomplete(certificate === undefined ? 'FREAD_ERROR' : 'ASN_PARSE_E');
  const file = names.key === undefined ? undefined : files.get('key', names.key);
  if (file === undefined) return incomplete('NO_PRIVATE_KEY');
  const key = parseKey(file, password);
  if (key === undefined) return incomplete(password === undefined ? 'NO_PASSWORD' : 'ASN_PARSE_E');
  if (!chain[0].checkPrivateKey(key)) {
    return incomplete(key.asymmetricKeyType === 'ec' ? 'ECC_PRIV_KEY_E' : 'MAC_CMP_FAILED_E');
  }
  return {
    cert: chain.map((one) => one.toString()).join('\n'),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
