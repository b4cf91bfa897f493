/**
 * TLS contexts: named files, names and choices, kept in one of the module's four configurations. AT reference, TLSC and
 * TLSCSC.
 */
import type { WincModule } from '../driver/index.js';
import { CipherSuite, type CipherSuiteName } from '../driver/protocol/catalogue/cipher-suites.js';
import { configIds } from '../driver/protocol/catalogue/index.js';
import { DigestAlgorithm } from '../driver/protocol/catalogue/tls.js';
import { WincError } from '../driver/protocol/index.js';
import { checkFileName } from './module-files.js';

export type PinAlgorithm = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

export interface Pin {
  readonly algorithm: PinAlgorithm;
  /** Of the DER form of the peer's own certificate; bytes, or hexadecimal with or without colons. */
  readonly digest: Uint8Array | string;
}

export interface TlsContextOptions {
  /** Default `client`. */
  readonly role?: 'client' | 'server';
  /** Files on the module, see `CertificateStore`. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly keyPassword?: string;
  /** Of a server, for the DHE cipher suites. */
  readonly dhParams?: string;
  /** Whether the peer must show a certificate of `ca`. Default: a client's yes, a server's no. */
  readonly verifyPeer?: boolean;
  /** The name the peer's certificate must have; `false`: not verified. Default: a client's `serverName`, a server's none. */
  readonly domain?: string | false;
  /** Server Name Indication: the name the client asks for. */
  readonly serverName?: string;
  /** By name or IANA number; default all the module has. */
  readonly cipherSuites?: readonly (CipherSuiteName | number)[];
  /** Resume sessions; clients only. Default no. */
  readonly sessionCaching?: boolean;
  /** Require the renegotiation info extension (RFC 5746) of servers. Default yes. */
  readonly requireRenegotiationInfo?: boolean;
  /** Certificates accepted, at most four. */
  readonly pins?: readonly Pin[];
  /** The module's TLS has no ALPN: refused. TLS on the host, `wincs02/net`, has it. */
  readonly alpn?: never;
}

/** Opaque; of this module, until the context is closed or the module restarts. */
export type TlsHandle = number & { readonly __tls?: never };
export const INVALID_TLS_HANDLE = -1 as TlsHandle;

const algorithms: Readonly<Record<PinAlgorithm, { readonly code: number; readonly length: number }>> = {
  sha1: { code: DigestAlgorithm.SHA1, length: 20 },
  sha224: { code: DigestAlgorithm.SHA2_224, length: 28 },
  sha256: { code: DigestAlgorithm.SHA2_256, length: 32 },
  sha384: { code: DigestAlgorithm.SHA2_384, length: 48 },
  sha512: { code: DigestAlgorithm.SHA2_512, length: 64 },
};

const CONFIGURATIONS = [1, 2, 3, 4] as const;
const SUITE_LISTS = [1, 2] as const;
const MAX_SUITES = 32;
const MAX_PINS = 4;
const MAX_NAME = 256;
const MAX_PASSWORD = 64;
const PRESET = 0;

const refuse = (message: string): never => {
  throw new WincError('WINC_ARGUMENT', message);
};

function digestOf({ algorithm, digest }: Pin): { digest: Uint8Array; algo: number } {
  const known = algorithms[algorithm] ?? refuse(`There is no digest algorithm ${String(algorithm)}.`);
  const hex = typeof digest === 'string' ? digest.replaceAll(':', '') : Buffer.from(digest).toString('hex');
  if (!/^([\da-f]{2})*$/i.test(hex) || hex.length !== 2 * known.length) {
    refuse(`A ${algorithm} digest has ${known.length} bytes.`);
  }
  return { digest: Buffer.from(hex, 'hex'), algo: known.code };
}

function suiteCode(suite: CipherSuiteName | number): number {
  const code = typeof suite === 'number' ? suite : CipherSuite[suite];
  if (!Object.values(CipherSuite).includes(code)) refuse(`The module has no cipher suite ${String(suite)}.`);
  return code;
}

/** Text that stands in one parameter. */
function checkText(what: string, text: string | undefined, max: number): void {
  if (text === undefined) return;
  const { length } = Buffer.from(text);
  if (length === 0 || length > max || /[\0-\x1f\x7f]/.test(text)) {
    refuse(`The ${what} has 1 to ${max} bytes, without control characters.`);
  }
}

/** What is sent, checked before any of it is. */
interface Plan {
  /** Parameters of TLSC in the order they are set. */
  readonly settings: readonly (readonly [id: number, val: string | number])[];
  readonly pins: readonly { digest: Uint8Array; algo: number }[];
  readonly suites: readonly number[];
}

/** @throws WincError `WINC_ARGUMENT`, `WINC_NOT_SUPPORTED` */
function plan(options: TlsContextOptions): Plan {
  const { role = 'client', ca, certificate, key, keyPassword, serverName, dhParams, pins = [] } = options;
  if ((options as { alpn?: unknown }).alpn !== undefined) {
    throw new WincError('WINC_NOT_SUPPORTED', 'TLS of the module has no ALPN; TLS of the host has it.');
  }
  const client = role === 'client';
  const verifyPeer = options.verifyPeer ?? client;
  const domain = options.domain ?? (client && verifyPeer ? serverName : undefined) ?? false;
  for (const name of [ca, certificate, key, dhParams]) if (name !== undefined) checkFileName(name);
  checkText('server name', serverName, MAX_NAME);
  checkText('domain', domain === false ? undefined : domain, MAX_NAME);
  checkText('password of the key', keyPassword, MAX_PASSWORD);
  if (verifyPeer && ca === undefined)
    refuse('Verifying the peer takes the name of a CA file, or verifyPeer: false.');
  if (client && verifyPeer && domain === false && options.domain !== false) {
    refuse('Verifying a server takes its name: serverName or domain, or domain: false.');
  }
  if ((certificate === undefined) !== (key === undefined)) refuse('A certificate and its key go together.');
  if (!client && certificate === undefined) refuse('A server has a certificate and a key.');
  if (pins.length > MAX_PINS) refuse(`At most ${MAX_PINS} certificates can be pinned.`);
  const suites = [...new Set((options.cipherSuites ?? []).map(suiteCode))];
  if (suites.length > MAX_SUITES || options.cipherSuites?.length === 0) {
    refuse(`A list of cipher suites has 1 to ${MAX_SUITES}.`);
  }
  const ids = configIds.TLSC;
  const given: [number, string | number | undefined][] = [
    [ids.CA_CERT_NAME, ca],
    [ids.CERT_NAME, certificate],
    [ids.PRI_KEY_NAME, key],
    [ids.PRI_KEY_PASSWORD, keyPassword],
    [ids.SERVER_NAME, serverName],
    [ids.DOMAIN_NAME, domain === false ? undefined : domain],
    [ids.DH_PARAM_NAME, dhParams],
    [ids.PEER_AUTH, Number(verifyPeer)],
    [ids.PEER_DOMAIN_VERIFY, Number(domain !== false)],
    [ids.SERVER_RENEG_INFO, Number(options.requireRenegotiationInfo ?? true)],
    [ids.SESSION_CACHING, Number(options.sessionCaching ?? false)],
  ];
  const settings = given.filter((pair): pair is [number, string | number] => pair[1] !== undefined);
  return { settings, pins: pins.map(digestOf), suites };
}

interface Context {
  readonly handle: TlsHandle;
  readonly index: number;
  /** 0: all suites. */
  suiteList: number;
}

/** The contexts of a module: at most four at once, with at most two different choices of cipher suites. */
export class TlsContexts {
  readonly #module: WincModule;
  readonly #contexts = new Map<number, Context>();
  /** By list: the suites in it, as text. */
  readonly #suites = new Map<number, string>();
  #opened = 0;

  constructor(module: WincModule) {
    this.#module = module;
    const forget = () => {
      this.#contexts.clear();
      this.#suites.clear();
    };
    module.on('reset', forget);
    module.on('close', forget);
  }

  /**
   * @returns a handle for {@link tlsCtxHandleToCfgIdx}
   * @throws WincError `WINC_ARGUMENT` or `WINC_NOT_SUPPORTED` before anything is sent, `WINC_TLS_CONTEXTS` (none free),
   *   `WINC_STATUS`, or the module's own failure
   */
  async open(options: TlsContextOptions): Promise<TlsHandle> {
    const planned = plan(options);
    const index = CONFIGURATIONS.find((free) => !this.#contexts.has(free));
    if (index === undefined) {
      throw new WincError('WINC_TLS_CONTEXTS', 'The module has four TLS configurations, all in use.');
    }
    // Counted up so that the handle of a closed context is not that of the next.
    const handle = ((++this.#opened << 3) | index) as TlsHandle;
    const context: Context = { handle, index, suiteList: 0 };
    this.#contexts.set(index, context);
    try {
      await this.#apply(context, planned);
    } catch (error) {
      if (this.#contexts.get(index) === context) this.#forget(context);
      throw error;
    }
    return handle;
  }

  /** Of a closed context, or one the module forgot in a reset: -1. */
  tlsCtxHandleToCfgIdx(handle: TlsHandle): number {
    return this.#find(handle)?.index ?? -1;
  }

  /** Its configuration is free again, and forgotten by the module. Connections that use it go on. */
  async close(handle: TlsHandle): Promise<void> {
    const context = this.#find(handle);
    if (context === undefined) return;
    await this.#module.call('TLSC', { conf: context.index, id: PRESET, val: 0 });
    if (this.#contexts.get(context.index) === context) this.#forget(context);
  }

  #find(handle: TlsHandle): Context | undefined {
    const context = this.#contexts.get(handle & 7);
    return context?.handle === handle ? context : undefined;
  }

  #forget(context: Context): void {
    this.#contexts.delete(context.index);
    const { suiteList } = context;
    if (![...this.#contexts.values()].some((other) => other.suiteList === suiteList)) {
      this.#suites.delete(suiteList);
    }
  }

  async #apply(context: Context, { settings, pins, suites }: Plan): Promise<void> {
    const { index: conf } = context;
    const module = this.#module;
    await module.call('TLSC', { conf, id: PRESET, val: 0 });
    for (const [id, val] of settings) await module.call('TLSC', { conf, id, val });
    for (const pin of pins) await module.call('TLSC', { conf, id: configIds.TLSC.PEER_CERT_DIGESTS, ...pin });
    if (suites.length === 0) return;
    context.suiteList = await this.#suiteList(suites);
    await module.call('TLSC', { conf, id: configIds.TLSC.CIPHER_SUITES_IDX, val: context.suiteList });
  }

  async #suiteList(suites: readonly number[]): Promise<number> {
    const text = suites.join();
    for (const [list, present] of this.#suites) if (present === text) return list;
    const cslIdx = SUITE_LISTS.find((free) => !this.#suites.has(free));
    if (cslIdx === undefined) {
      throw new WincError('WINC_TLS_CONTEXTS', 'The module has two lists of cipher suites, both in use.');
    }
    this.#suites.set(cslIdx, text);
    try {
      await this.#module.call('TLSCSC', { cslIdx, id: PRESET, val: 0 });
      for (const val of suites) {
        await this.#module.call('TLSCSC', { cslIdx, id: configIds.TLSCSC.CIPHER_SUITES, val });
      }
    } catch (error) {
      this.#suites.delete(cslIdx);
      throw error;
    }
    return cslIdx;
  }
}

const known = new WeakMap<WincModule, TlsContexts>();

/** The contexts of a module: one table, whoever asks. */
export function tlsContextsOf(module: WincModule): TlsContexts {
  const contexts = known.get(module) ?? new TlsContexts(module);
  known.set(module, contexts);
  return contexts;
}
