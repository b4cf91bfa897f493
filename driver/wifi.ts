import type { WincModule } from './module.js';
import { operate } from './operation.js';
import { configIds, type EventOf } from './protocol/catalogue/index.js';
import { statusError } from './protocol/catalogue/statuses.js';
import { SecType } from './protocol/catalogue/wsta.js';
import { WincError } from './protocol/errors.js';
import { textLength } from './protocol/text.js';

export const securities = {
  open: SecType.OPEN,
  'wpa2-mixed': SecType.WPA2_PERS_MIXED,
  wpa2: SecType.WPA2_PERS,
  'wpa3-transition': SecType.WPA3_PERS_TRANS,
  wpa3: SecType.WPA3_PERS,
} as const;
export type Security = keyof typeof securities;

export interface ScanOptions {
  /** Listen only, do not probe. */
  readonly passive?: boolean;
  /** Only this one, 1..13. */
  readonly channel?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ScanResult {
  /** Bytes that are no UTF-8 as lone surrogates U+DC80..U+DCFF. */
  readonly ssid: string;
  readonly bssid: string;
  readonly channel: number;
  /** dBm */
  readonly rssi: number;
  /** The security type to join with, as the module recommends; -1: not supported. */
  readonly securityType: number;
}

export interface JoinOptions {
  readonly ssid: string;
  /** Absent: an open network. */
  readonly passphrase?: string;
  /** Default: `wpa2` with a passphrase, else `open`. */
  readonly security?: Security;
  readonly channel?: number;
  readonly bssid?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Association {
  readonly assocId: number;
  readonly bssid: string;
  readonly channel: number;
  /** In the order they were assigned; the last is the one that completed the join. */
  readonly addresses: readonly string[];
}

const { WSCNC, WSTAC } = configIds;
/** How long a link that is told to go down may take to report it, ms. */
const LEAVE_TIMEOUT_MS = 5000;

const refuse = (message: string) => new WincError('WINC_ARGUMENT', message);

/** What no access point could accept is refused here, before the module is told anything. */
function checkJoin({ ssid, passphrase, security, channel }: JoinOptions): void {
  const length = textLength(ssid);
  if (length === undefined || length < 1 || length > 32) throw refuse('The SSID must be 1 to 32 bytes long.');
  if (channel !== undefined && !(Number.isInteger(channel) && channel >= 0 && channel <= 13)) {
    throw refuse('The channel must be 1 to 13, or 0 for any.');
  }
  if (security !== undefined && !Object.hasOwn(securities, security)) {
    throw refuse(`Unknown security "${security}" (known: ${Object.keys(securities).join(', ')}).`);
  }
  if (passphrase === undefined) {
    if (security !== undefined && security !== 'open') throw refuse(`${security} needs a passphrase.`);
    return;
  }
  if (security === 'open') throw refuse('An open network has no passphrase.');
  const bytes = textLength(passphrase) ?? 0;
  const least = security === 'wpa3' ? 1 : 8;
  const most = security === 'wpa3' ? 128 : /^[0-9A-Fa-f]{64}$/.test(passphrase) ? 64 : 63;
  if (bytes < least || bytes > most) throw refuse(`The passphrase must be ${least} to ${most} bytes long.`);
}

/** fe80::/10 and 169.254/16: an address, but not one from the network. */
const isLinkLocal = (address: string): boolean => /^(fe[89ab][0-9a-f]:|169\.254\.)/i.test(address);

/** The module as a Wi-Fi station. */
export class Wifi {
  readonly #module: WincModule;

  constructor(module: WincModule) {
    this.#module = module;
  }

  /** Access points in reach. @throws WincError `WINC_STATUS`, `WINC_TIMEOUT`, `WINC_ABORTED` */
  async scan(options: ScanOptions = {}): Promise<ScanResult[]> {
    const module = this.#module;
    const { passive = false, channel, timeoutMs = 20_000, signal } = options;
    if (channel !== undefined) await module.call('WSCNC', { id: WSCNC.CHANNEL, val: channel }, { signal });
    const found: ScanResult[] = [];
    return operate<ScanResult[]>(module, {
      what: 'The scan',
      start: () => module.call('WSCN', { actPasv: passive ? 0 : 1 }, { signal }),
      events: {
        WSCNIND: ({ elements: { rssi, secType, channel: heardOn, bssid, ssid } }) => {
          found.push({ ssid, bssid, channel: heardOn, rssi, securityType: secType });
          return undefined;
        },
        WSCNDONE: () => found,
      },
      timeoutMs,
      signal,
    });
  }

  /**
   * Joins a network and waits for an address from it; a link-local one does not count. Leaves another one first.
   * @throws WincError `WINC_ARGUMENT` before anything is sent; `WINC_JOIN_FAILED`, `WINC_JOIN_TIMEOUT`, `WINC_ABORTED`,
   *   after which the module has given up trying
   */
  async join(options: JoinOptions): Promise<Association> {
    checkJoin(options);
    const module = this.#module;
    const { signal, timeoutMs = 30_000 } = options;
    await this.leave();
    await this.#configure(options);
    let link: EventOf<'WSTALU'>['elements'] | undefined;
    const addresses: string[] = [];
    try {
      return await operate<Association>(module, {
        what: `Joining "${options.ssid}"`,
        start: () => module.call('WSTA', { state: 1 }, { signal }),
        events: {
          WSTALU: ({ elements }) => {
            link = elements;
            return undefined;
          },
          WSTAAIP: ({ elements: { ipAddress, assocId } }) => {
            const address = String(ipAddress);
            addresses.push(address);
            if (isLinkLocal(address)) return undefined;
            return { assocId, bssid: link?.bssid ?? '', channel: link?.channel ?? 0, addresses };
          },
          WSTAERR: ({ elements }) => {
            throw joinFailed(options.ssid, statusError('WSTA', elements.errorCode));
          },
          WSTALD: () => {
            throw joinFailed(options.ssid, undefined, 'the link went down again');
          },
        },
        timeoutMs,
        timeoutCode: 'WINC_JOIN_TIMEOUT',
        signal,
      });
    } catch (error) {
      const failure = error as WincError;
      if (failure.code === 'WINC_STATUS') throw joinFailed(options.ssid, failure);
      // The module would go on trying.
      if (['WINC_JOIN_TIMEOUT', 'WINC_ABORTED', 'WINC_JOIN_FAILED'].includes(failure.code)) {
        await module.call('WSTA', { state: 0 }).catch(() => {});
      }
      throw error;
    }
  }

  /** Leaves the network, if there is one. */
  async leave(): Promise<void> {
    const module = this.#module;
    if (!(await this.connected())) {
      // It may be trying to connect: stop that. Nothing is reported then, and a refusal means there was nothing.
      await module.call('WSTA', { state: 0 }).catch((error: WincError) => {
        if (error.code !== 'WINC_STATUS') throw error;
      });
      return;
    }
    await operate<true>(module, {
      what: 'Leaving the network',
      start: () => module.call('WSTA', { state: 0 }),
      events: { WSTALD: () => true },
      timeoutMs: LEAVE_TIMEOUT_MS,
    }).catch(async (error: WincError) => {
      // The link may have gone down just before, its event already told.
      if (error.code !== 'WINC_TIMEOUT' && error.code !== 'WINC_STATUS') throw error;
      if (await this.connected()) throw error;
    });
  }

  /** Whether the station is associated. */
  async connected(): Promise<boolean> {
    const [state] = await this.#module.call('WSTA', {});
    return state?.elements.state === 1;
  }

  async #configure(options: JoinOptions): Promise<void> {
    const { ssid, passphrase, channel = 0, bssid, signal } = options;
    const security = options.security ?? (passphrase === undefined ? 'open' : 'wpa2');
    const settings: [number, string | number][] = [
      [WSTAC.SSID, ssid],
      [WSTAC.SEC_TYPE, securities[security]],
      [WSTAC.CHANNEL, channel],
    ];
    if (passphrase !== undefined) settings.push([WSTAC.CREDENTIALS, passphrase]);
    if (bssid !== undefined) settings.push([WSTAC.BSSID, bssid]);
    for (const [id, val] of settings) await this.#module.call('WSTAC', { id, val }, { signal });
  }
}

function joinFailed(ssid: string, cause: WincError | undefined, why?: string): WincError {
  const { status, statusName } = cause ?? {};
  return new WincError('WINC_JOIN_FAILED', `Joining "${ssid}" failed: ${why ?? cause?.message}.`, {
    cause,
    ...(status !== undefined && { status }),
    ...(statusName !== undefined && { statusName }),
  });
}
