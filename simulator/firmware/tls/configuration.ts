/** One of the module's TLS configurations: AT+TLSC=<n>. API reference, module TLS. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import { DigestAlgorithm } from '../../../driver/protocol/catalogue/tls.js';
import { ConfigTable } from '../config-table.js';
import { availableSuites, isAvailable } from './cipher-names.js';

/** Sessions kept for resumption, of one configuration. */
const MAX_SESSIONS = 8;

const hashes: Readonly<Record<number, { readonly name: string; readonly length: number }>> = {
  [DigestAlgorithm.SHA1]: { name: 'sha1', length: 20 },
  [DigestAlgorithm.SHA2_224]: { name: 'sha224', length: 28 },
  [DigestAlgorithm.SHA2_256]: { name: 'sha256', length: 32 },
  [DigestAlgorithm.SHA2_384]: { name: 'sha384', length: 48 },
  [DigestAlgorithm.SHA2_512]: { name: 'sha512', length: 64 },
};
const MAX_DIGESTS = 4;

interface Digest {
  readonly digest: Uint8Array;
  readonly algorithm: number;
}

export class TlsConfiguration {
  readonly index: number;
  readonly table: ConfigTable<'TLSC'>;
  #digests: Digest[] = [];
  readonly #sessions = new Map<string, Buffer>();

  constructor(index: number) {
    this.index = index;
    this.table = new ConfigTable('TLSC', {
      // The documented examples switch verification off where it is not wanted.
      defaults: { PEER_AUTH: 1, PEER_DOMAIN_VERIFY: 1, SERVER_RENEG_INFO: 1, SIGN_TYPES: 1 },
      live: { PEER_CERT_DIGESTS: () => this.#digests.map(({ digest, algorithm }) => [digest, algorithm]) },
      refuse: (param) => (param === 'PEER_CERT_DIGESTS' ? 'INVALID_PARAMETER' : undefined),
      changed: (param) => {
        if (param === undefined) this.#digests = [];
        this.changed();
      },
    });
  }

  /** What was negotiated before does not hold any more. */
  changed(): void {
    this.#sessions.clear();
  }

  /** Adds a digest; without an algorithm removes it, an empty one removes all. */
  setDigest(digest: Uint8Array, algorithm: number | undefined): StatusName | undefined {
    const others = this.#digests.filter((known) => Buffer.compare(known.digest, digest) !== 0);
    if (algorithm === undefined || digest.length === 0) {
      this.#digests = digest.length === 0 ? [] : others;
    } else {
      if (digest.length !== hashes[algorithm]?.length) return 'INVALID_PARAMETER';
      if (others.length >= MAX_DIGESTS) return 'STORE_ACCESS_FAILED';
      this.#digests = [...others, { digest, algorithm }];
    }
    this.changed();
    return undefined;
  }

  /** The certificate is one of those pinned, or none is. */
  pins(certificate: X509Certificate): boolean {
    if (this.#digests.length === 0) return true;
    return this.#digests.some(({ digest, algorithm }) =>
      createHash(hashes[algorithm].name).update(certificate.raw).digest().equals(digest),
    );
  }

  get caches(): boolean {
    return this.table.number('SESSION_CACHING') === 1;
  }

  session(server: string): Buffer | undefined {
    return this.caches ? this.#sessions.get(server) : undefined;
  }

  keepSession(server: string, session: Buffer | undefined): void {
    if (!this.caches || session === undefined) return;
    this.#sessions.delete(server);
    this.#sessions.set(server, session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS) this.#sessions.delete(oldest);
  }
}

/** AT+TLSCSC=<n>. While no suite is chosen, all are offered. */
export const cipherSuiteList = (changed: () => void): ConfigTable<'TLSCSC'> =>
  new ConfigTable('TLSCSC', {
    live: { CIPHER_SUITES_AVAIL: () => availableSuites },
    refuse: (param, value) =>
      param === 'CIPHER_SUITES' && typeof value === 'number' && !isAvailable(value)
        ? 'INVALID_PARAMETER'
        : undefined,
    changed,
  });
