/**
 * TLS of the module, seen from the host.
 *
 *   CertificateStore   certificates and keys on the module, checked before they are sent
 *   TlsContexts        handles of its TLS configurations, for the sockets' TLS_CONF_IDX
 *   TlsFailure         why a session did not come about
 */
export { CertificateStore, type PutOptions, type StoredKind } from './certificate-store.js';
export {
  type CertificateInfo,
  checkCertificate,
  checkDhParams,
  checkPrivateKey,
  type KeyCheck,
} from './check.js';
export {
  INVALID_TLS_HANDLE,
  type Pin,
  type PinAlgorithm,
  type TlsContextOptions,
  TlsContexts,
  type TlsHandle,
  tlsContextsOf,
} from './contexts.js';
export { logTlsErrors, TlsFailure, TlsWatch } from './failures.js';
export { type FileEntry, type FileKind, ModuleFiles, type TransferOptions } from './module-files.js';
