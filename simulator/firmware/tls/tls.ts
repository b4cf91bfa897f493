/**
 * The module's TLS: four configurations, two lists of cipher suites, and secured connections for every service that
 * wants one. TLS 1.2 only, as the module.
 */
import { constants, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { StatusCode } from '../../../driver/protocol/catalogue/statuses.js';
import { TLS } from '../../../driver/protocol/catalogue/tls.js';
import type { Clock } from '../../tcpip/contract.js';
import type { ConfigTable } from '../config-table.js';
import type { FileStore } from '../files.js';
import type { ModuleConnection } from '../module-stack.js';
import type { Raised } from '../service.js';
import type { Syslog } from '../syslog.js';
import type { WallClock } from '../wall-clock.js';
import { availableSuites, isDhe, opensslName } from './cipher-names.js';
import { cipherSuiteList, TlsConfiguration } from './configuration.js';
import { isProblem, loadAnchors, loadIdentity, parseDhParams } from './credentials.js';
import { describe, problem, problemOf, type TlsProblem } from './problem.js';
import { type Peer, SecureChannel } from './secure-channel.js';
import { verifyPeer } from './verify.js';

const CONFIGURATIONS = [1, 2, 3, 4] as const;
const SUITE_LISTS = [1, 2] as const;

export interface TlsOptions {
  readonly clock: Clock;
  readonly time: WallClock;
  readonly files: FileStore;
  readonly syslog: Syslog;
  readonly handshakeMs: number;
  emit(event: Raised): void;
}

export interface SecureOptions {
  readonly role: 'client' | 'server';
  /** Bytes. */
  readonly receiveBuffer: () => number;
  readonly sendBuffer: () => number;
  secured(): void;
  /** Once, instead of `secured`; +TLSERR was raised if it names a status. */
  failed(): void;
  readable(): void;
  /** The connection is over, in order or not; what came before can still be read. */
  closed(): void;
}

/** What OpenSSL says about dates by the host's clock, or about a path the module's own check has looked at. */
const judgedElsewhere =
  /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|(DEPTH_ZERO_)?SELF_SIGNED_CERT.*|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF).*|CERT_SIGNATURE_FAILURE|CERT_CHAIN_TOO_LONG)$/;

/** A certificate for that host name or address. A name with a NUL is nobody's. */
const isFor = (certificate: X509Certificate, name: string): boolean => {
  if (name.includes('\0')) return false;
  return (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined;
};

export class Tls {
  readonly configurations: ReadonlyMap<number, TlsConfiguration>;
  readonly suites: ReadonlyMap<number, ConfigTable<'TLSCSC'>>;
  readonly #options: TlsOptions;

  constructor(options: TlsOptions) {
    this.#options = options;
    this.configurations = new Map(CONFIGURATIONS.map((index) => [index, new TlsConfiguration(index)]));
    const changed = () => {
      for (const configuration of this.configurations.values()) configuration.changed();
    };
    this.suites = new Map(SUITE_LISTS.map((index) => [index, cipherSuiteList(changed)]));
  }

  /**
   * Begins the handshake. What is wrong with the configuration is known at once: then it answers nothing, after telling
   * `failed`.
   * @param index  1 to 4
   */
  secure(connection: ModuleConnection, index: number, options: SecureOptions): SecureChannel | undefined {
    const configuration = this.configurations.get(index) as TlsConfiguration;
    const fail = (found: TlsProblem): void => {
      this.#report(index, found);
      options.failed();
    };
    const prepared = this.#prepare(configuration, options.role);
    if (isProblem(prepared)) {
      fail(prepared);
      return undefined;
    }
    const { common, anchors } = prepared;
    const { table } = configuration;
    const server = `${connection.remote.address} ${connection.remote.port}`;
    const judge = (peer: Peer): TlsProblem | undefined => {
      const found = this.#judge(configuration, anchors, peer);
      if (found === undefined && options.role === 'client') configuration.keepSession(server, peer.session());
      return found;
    };
    const { clock, handshakeMs } = this.#options;
    const shared = { ...options, connection, clock, handshakeMs, judge, failed: fail };
    try {
      if (options.role === 'server') {
        const dh = this.#dhParams(configuration);
        const serverOptions = {
          ...common,
          ...(dh !== undefined && { dhparam: dh }),
          requestCert: anchors !== undefined,
        };
        return new SecureChannel({ ...shared, role: { kind: 'server', options: serverOptions } });
      }
      const servername = table.text('SERVER_NAME');
      const session = configuration.session(server);
      const clientOptions: ConnectionOptions = {
        ...common,
        // The identity is checked with everything else, once the handshake is done.
        checkServerIdentity: () => undefined,
        ...(table.number('SERVER_RENEG_INFO') === 0 && {
          secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
        }),
        // Names only: RFC 6066, section 3.
        ...(servername !== undefined && !isIP(servername) && { servername }),
        ...(session !== undefined && { session }),
      };
      return new SecureChannel({ ...shared, role: { kind: 'client', options: clientOptions } });
    } catch (error) {
      fail(problemOf(error as Error));
      return undefined;
    }
  }

  #prepare(configuration: TlsConfiguration, role: SecureOptions['role']) {
    const { table } = configuration;
    const { files } = this.#options;
    const anchors = table.number('PEER_AUTH') ? loadAnchors(files, table.text('CA_CERT_NAME')) : undefined;
    if (isProblem(anchors)) return anchors;
    const names = { cert: table.text('CERT_NAME'), key: table.text('PRI_KEY_NAME') };
    const identity = loadIdentity(files, names, table.text('PRI_KEY_PASSWORD'));
    if (isProblem(identity)) return identity;
    if (role === 'server' && identity === undefined)
      return problem('NO_PRIVATE_KEY', 'TLS_KEY_PAIR_INCOMPLETE');
    if (table.number('PEER_DOMAIN_VERIFY') && table.text('DOMAIN_NAME') === undefined) {
      return problem('BAD_FUNC_ARG', 'TLS_PEER_DOMAIN_MISSING');
    }
    const common = {
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: this.#suitesOf(configuration).map(opensslName).join(':'),
      rejectUnauthorized: false,
      ...(anchors !== undefined && { ca: anchors.map((anchor) => anchor.toString()) }),
      ...identity,
    } as const;
    return { common, anchors };
  }

  #suitesOf({ table }: TlsConfiguration): readonly number[] {
    const chosen = this.suites.get(table.number('CIPHER_SUITES_IDX'))?.list('CIPHER_SUITES') ?? [];
    return chosen.length > 0 ? (chosen as readonly number[]) : availableSuites;
  }

  #dhParams(configuration: TlsConfiguration): string | undefined {
    const name = configuration.table.text('DH_PARAM_NAME');
    const data = name === undefined ? undefined : this.#options.files.get('dh', name);
    return data === undefined || !this.#suitesOf(configuration).some(isDhe) ? undefined : parseDhParams(data);
  }

  #judge(
    configuration: TlsConfiguration,
    anchors: readonly X509Certificate[] | undefined,
    { certificates, authorizationError, resumed }: Peer,
  ): TlsProblem | undefined {
    if (resumed) return undefined;
    const { table } = configuration;
    const [leaf, ...others] = certificates;
    const mistrusted = 'TLS_CA_CERT_VALIDATION';
    if (leaf === undefined) return anchors === undefined ? undefined : problem('NO_PEER_CERT', mistrusted);
    if (anchors !== undefined) {
      const found = verifyPeer({ leaf, others, anchors, now: this.#options.time.now() });
      if (found !== undefined) return found;
      if (authorizationError !== undefined && !judgedElsewhere.test(authorizationError)) {
        return problem(
          authorizationError === 'INVALID_PURPOSE' ? 'EXTKEYUSE_AUTH_E' : 'VERIFY_CERT_ERROR',
          mistrusted,
        );
      }
    }
    const domain = table.text('DOMAIN_NAME');
    // A client that was not asked for a certificate has no name to check.
    if (table.number('PEER_DOMAIN_VERIFY') && domain !== undefined) {
      if (!isFor(leaf, domain)) return problem('DOMAIN_NAME_MISMATCH', 'TLS_PEER_DOMAIN_MISSING');
    }
    return configuration.pins(leaf) ? undefined : problem('VERIFY_CERT_ERROR', mistrusted);
  }

  #report(conf: number, found: TlsProblem): void {
    const { emit, syslog } = this.#options;
    syslog.error(TLS.id, describe(found));
    if (found.status === undefined) return;
    emit({ name: 'TLSERR', form: 'TLS_ERROR', elements: { conf, errorCode: StatusCode[found.status] } });
  }
}
