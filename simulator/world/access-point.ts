/** An access point: what it tells the air, and whom it lets in. */
import { pbkdf2Sync } from 'node:crypto';
import { WincError } from '../../driver/protocol/errors.js';
import type { BeaconSecurity, Credentials, JoinFailure } from '../firmware/radio.js';
import type { TimerHandle } from '../tcpip/contract.js';

export interface EnterpriseAccount {
  readonly identity: string | Uint8Array;
  readonly user?: string | Uint8Array;
  readonly password?: string | Uint8Array;
}

export interface AccessPointOptions {
  /** 1..32 bytes; text is taken as UTF-8. */
  readonly ssid: string | Uint8Array;
  /**
   * 1..128 bytes; 64 hexadecimal digits are the key itself (IEEE 802.11 annex J.4). Lengths that real WPA2 would not
   * take (below 8, above 63) are taken, as the module takes them.
   */
  readonly passphrase?: string | Uint8Array;
  /** Default: `open` without a passphrase, `wpa2-personal` with one, `wpa2-enterprise` with accounts. */
  readonly security?: BeaconSecurity;
  readonly accounts?: readonly EnterpriseAccount[];
  /** `AA:BB:CC:DD:EE:FF`; by default one of its own. */
  readonly bssid?: string;
  /** 1..14, default 6. */
  readonly channel?: number;
  /** dBm at every station, default -45. */
  readonly rssi?: number;
  /** Its beacons carry no name; it answers to a probe for its own. */
  readonly hidden?: boolean;
  /** With WPA2: offers protected management frames (802.11w). */
  readonly mfp?: boolean;
  /** Default 64. */
  readonly maxStations?: number;
}

/** The access point of a world that was told of none. */
export const DEFAULT_ACCESS_POINT: AccessPointOptions = { ssid: 'wincs02' };

/** A station as its access point sees it. */
export interface Station {
  readonly mac: string;
  /** The access point no longer hears or wants it. */
  drop(): void;
  /** The access point is out of reach, or back. */
  reach(reachable: boolean): void;
}

/** Below this nobody hears it, dBm. */
export const HEARING_LIMIT = -100;

const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === 'string' ? new TextEncoder().encode(value) : value.slice();

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

const invalid = (why: string) => new WincError('WINC_ARGUMENT', `access point: ${why}`);

export class AccessPoint {
  readonly ssid: Uint8Array;
  readonly security: BeaconSecurity;
  readonly bssid: string;
  readonly channel: number;
  readonly hidden: boolean;
  readonly mfp: boolean;
  readonly maxStations: number;
  /** Turned off, it ignores who asks to join, as an overloaded one does; beacons go on. */
  admitting = true;

  readonly stations = new Map<string, Station>();
  readonly #passphrase: Uint8Array | undefined;
  readonly #accounts: readonly EnterpriseAccount[];
  #key: string | undefined;
  #rssi: number;
  #sending = true;
  #return: TimerHandle | undefined;
  readonly #setTimer: (callback: () => void, delayMs: number) => TimerHandle;

  /** @throws WincError `WINC_ARGUMENT` saying what is wrong */
  constructor(
    options: AccessPointOptions,
    defaultBssid: string,
    setTimer: (callback: () => void, delayMs: number) => TimerHandle,
  ) {
    this.ssid = bytesOf(options.ssid);
    if (this.ssid.length < 1 || this.ssid.length > 32) throw invalid('an SSID has 1 to 32 bytes');
    this.#passphrase = options.passphrase === undefined ? undefined : bytesOf(options.passphrase);
    this.#accounts = options.accounts ?? [];
    this.security =
      options.security ??
      (this.#passphrase !== undefined
        ? 'wpa2-personal'
        : this.#accounts.length > 0
          ? 'wpa2-enterprise'
          : 'open');
    this.#checkSecrets();
    this.bssid = (options.bssid ?? defaultBssid).toUpperCase();
    if (!/^[0-9A-F]{2}(:[0-9A-F]{2}){5}$/.test(this.bssid)) throw invalid('a BSSID is AA:BB:CC:DD:EE:FF');
    this.channel = options.channel ?? 6;
    if (!Number.isInteger(this.channel) || this.channel < 1 || this.channel > 14)
      throw invalid('channels are 1 to 14');
    this.#rssi = options.rssi ?? -45;
    this.hidden = options.hidden ?? false;
    this.mfp = options.mfp ?? false;
    this.maxStations = options.maxStations ?? 64;
    this.#setTimer = setTimer;
  }

  /** The SSID as text, for messages and look-ups. */
  get name(): string {
    return new TextDecoder().decode(this.ssid);
  }

  /** As heard by every station, dBm. Too weak, it is gone for them. */
  get rssi(): number {
    return this.#rssi;
  }

  set rssi(dBm: number) {
    const before = this.visible;
    this.#rssi = dBm;
    this.#tellStations(before);
  }

  /** Its beacons can be heard. */
  get visible(): boolean {
    return this.#sending && this.#rssi > HEARING_LIMIT;
  }

  isNamed(ssid: string | Uint8Array): boolean {
    return same(this.ssid, bytesOf(ssid));
  }

  /** Goes silent; with `forMs` it comes back by itself. Its stations notice after the beacons they miss. */
  disappear(forMs?: number): void {
    this.#return?.cancel();
    this.#return = forMs === undefined ? undefined : this.#setTimer(() => this.appear(), forMs);
    this.#send(false);
  }

  appear(): void {
    this.#return?.cancel();
    this.#return = undefined;
    this.#send(true);
  }

  /** Throws out one station, or all. */
  deauthenticate(mac?: string): void {
    for (const station of [...this.stations.values()]) {
      if (mac === undefined || station.mac === mac.toUpperCase()) station.drop();
    }
  }

  /** Why a station with these credentials is not let in, or `undefined`: welcome. */
  refusal(mac: string, ssid: Uint8Array, credentials: Credentials): JoinFailure | undefined {
    if (!this.visible || !this.admitting || !same(this.ssid, ssid)) return 'no-answer';
    if (this.stations.size >= this.maxStations && !this.stations.has(mac)) return 'rejected';
    if (this.security === 'open') return credentials.kind === 'open' ? undefined : 'rejected';
    if (this.security.endsWith('-personal')) {
      if (credentials.kind !== 'personal') return 'rejected';
      return this.#knowsPassphrase(credentials.passphrase) ? undefined : 'wrong-credentials';
    }
    if (this.security.endsWith('-enterprise')) {
      if (credentials.kind !== 'enterprise') return 'rejected';
      return this.#accounts.some((account) => matches(account, credentials))
        ? undefined
        : 'wrong-credentials';
    }
    return 'rejected';
  }

  close(): void {
    this.#return?.cancel();
    this.deauthenticate();
  }

  #send(sending: boolean): void {
    const before = this.visible;
    this.#sending = sending;
    this.#tellStations(before);
  }

  #tellStations(before: boolean): void {
    if (this.visible === before) return;
    for (const station of this.stations.values()) station.reach(this.visible);
  }

  #checkSecrets(): void {
    const personal = this.security.endsWith('-personal');
    const enterprise = this.security.endsWith('-enterprise');
    if (personal !== (this.#passphrase !== undefined))
      throw invalid(
        personal ? `${this.security} needs a passphrase` : `${this.security} takes no passphrase`,
      );
    if (enterprise !== this.#accounts.length > 0)
      throw invalid(enterprise ? `${this.security} needs accounts` : `${this.security} takes no accounts`);
    const length = this.#passphrase?.length ?? 1;
    if (length < 1 || length > 128) throw invalid('a passphrase has 1 to 128 bytes');
  }

  /** The passphrase itself, or the 256-bit key made of it, whichever form either side holds. */
  #knowsPassphrase(offered: Uint8Array): boolean {
    if (this.#passphrase === undefined) return false;
    if (same(this.#passphrase, offered)) return true;
    if (!isHexKey(offered) && !isHexKey(this.#passphrase)) return false;
    this.#key ??= this.#keyOf(this.#passphrase);
    return this.#keyOf(offered) === this.#key;
  }

  #keyOf(secret: Uint8Array): string {
    if (isHexKey(secret)) return Buffer.from(secret).toString('latin1').toLowerCase();
    return pbkdf2Sync(secret, this.ssid, 4096, 32, 'sha1').toString('hex');
  }
}

const isHexKey = (secret: Uint8Array | undefined): boolean =>
  secret?.length === 64 && /^[0-9a-fA-F]{64}$/.test(Buffer.from(secret).toString('latin1'));

function matches(account: EnterpriseAccount, offered: Credentials & { kind: 'enterprise' }): boolean {
  const equal = (known: string | Uint8Array | undefined, given: Uint8Array | undefined) =>
    known === undefined || (given !== undefined && same(bytesOf(known), given));
  return (
    equal(account.identity, offered.identity) &&
    equal(account.user, offered.user) &&
    equal(account.password, offered.password)
  );
}
