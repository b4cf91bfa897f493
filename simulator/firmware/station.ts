/** The station: finds the configured network among what is heard, joins it, and notices when it is gone. */

import type { StatusName } from '../../driver/protocol/catalogue/statuses.js';
import { SecType } from '../../driver/protocol/catalogue/wsta.js';
import { encodeText } from '../../driver/protocol/text.js';
import type { Clock, TimerHandle } from '../tcpip/contract.js';
import { ConfigTable } from './config-table.js';
import type { Network } from './network.js';
import type { Timings } from './profile.js';
import type { Association, Beacon, BeaconSecurity, Credentials, Radio } from './radio.js';
import type { Regulatory } from './regulatory.js';

/** What each security type of a station joins: an access point that offers at least one method of it. */
const accepted: Readonly<Record<number, readonly BeaconSecurity[]>> = {
  [SecType.OPEN]: ['open'],
  [SecType.WPA2_PERS_MIXED]: ['wpa2-mixed-personal', 'wpa2-personal', 'wpa3-transition-personal'],
  [SecType.WPA2_PERS]: ['wpa2-mixed-personal', 'wpa2-personal', 'wpa3-transition-personal'],
  [SecType.WPA3_PERS_TRANS]: [
    'wpa2-mixed-personal',
    'wpa2-personal',
    'wpa3-transition-personal',
    'wpa3-personal',
  ],
  [SecType.WPA3_PERS]: ['wpa3-transition-personal', 'wpa3-personal'],
  [SecType.WPA2_ENT_MIXED]: ['wpa2-mixed-enterprise', 'wpa2-enterprise', 'wpa3-transition-enterprise'],
  [SecType.WPA2_ENT]: ['wpa2-mixed-enterprise', 'wpa2-enterprise', 'wpa3-transition-enterprise'],
  [SecType.WPA3_ENT_TRANS]: [
    'wpa2-mixed-enterprise',
    'wpa2-enterprise',
    'wpa3-transition-enterprise',
    'wpa3-enterprise',
  ],
  [SecType.WPA3_ENT]: ['wpa3-transition-enterprise', 'wpa3-enterprise'],
};

const FIRST_ENTERPRISE = SecType.WPA2_ENT_MIXED;
const CHANNELS = 14;

export interface StationObserver {
  linkUp?(): void;
  linkDown?(assocId: number): void;
  /** The network was not found, or did not let the station in. */
  failed?(): void;
  roamed?(): void;
}

export interface StationOptions {
  readonly clock: Clock;
  readonly radio: Radio;
  readonly network: Network;
  readonly regulatory: Regulatory;
  readonly timings: Timings;
}

/** `roaming`: the access point is lost, another one of the network is being joined. */
type State = 'idle' | 'connecting' | 'connected' | 'roaming';

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export class Station {
  readonly observers: StationObserver[] = [];
  /** AT+WSTAC; locked while the station is connecting or connected. */
  readonly config: ConfigTable<'WSTAC'>;
  readonly #options: StationOptions;
  #state: State = 'idle';
  #assocId = 0;
  #association: Association | undefined;
  /** Cancels what is under way while connecting. */
  #abandon: () => void = () => {};

  constructor(options: StationOptions) {
    this.#options = options;
    this.config = new ConfigTable('WSTAC', {
      refuse: () => (this.#state === 'idle' ? undefined : 'STORE_UPDATE_BLOCKED'),
    });
  }

  get connected(): boolean {
    return this.#association !== undefined;
  }
  get busy(): boolean {
    return this.#state === 'connecting' || this.#state === 'roaming';
  }
  get association(): Association | undefined {
    return this.#association;
  }
  /** Of the present or last association; each one gets a new id. */
  get assocId(): number {
    return this.#assocId;
  }

  /** Starts joining; the outcome comes to the observers. */
  connect(): StatusName | undefined {
    if (this.#state !== 'idle') return 'STA_CONN_REFUSED';
    const ssid = this.config.text('SSID');
    const credentials = this.#credentials();
    if (!ssid || credentials === undefined) return 'INVALID_PARAMETER';
    this.#state = 'connecting';
    this.#join(encodeText(ssid), credentials, {
      joined: (association) => {
        this.#assocId = (this.#assocId % 0xffff) + 1;
        this.#enter(association);
        for (const observer of this.observers) observer.linkUp?.();
        this.#options.network.attach(association.link);
      },
      failed: () => {
        this.#state = 'idle';
        for (const observer of this.observers) observer.failed?.();
      },
    });
    return undefined;
  }

  /** Leaves the network, or gives up joining it. Nothing happens if there is none. */
  leave(): void {
    this.#abandon();
    this.#abandon = () => {};
    const association = this.#association;
    this.#association = undefined;
    const wasUp = association !== undefined || this.#state === 'roaming';
    this.#state = 'idle';
    association?.leave();
    if (wasUp) this.#linkDown();
  }

  #credentials(): Credentials | undefined {
    const type = this.config.number('SEC_TYPE');
    if (type === SecType.OPEN) return { kind: 'open' };
    if (type >= FIRST_ENTERPRISE) {
      const identity = this.config.text('ENT_IDENT_PLAIN');
      if (!identity) return undefined;
      const user = this.config.text('ENT_MSCHV2_UN');
      const password = this.config.text('ENT_MSCHV2_PW');
      return {
        kind: 'enterprise',
        identity: encodeText(identity),
        ...(user !== undefined && { user: encodeText(user) }),
        ...(password !== undefined && { password: encodeText(password) }),
      };
    }
    const passphrase = this.config.text('CREDENTIALS');
    return passphrase ? { kind: 'personal', passphrase: encodeText(passphrase) } : undefined;
  }

  /** The strongest access point that fits the configuration. */
  #find(ssid: Uint8Array): Beacon | undefined {
    const channel = this.config.number('CHANNEL');
    const bssid = this.config.text('BSSID');
    const securities = accepted[this.config.number('SEC_TYPE')] ?? [];
    let best: Beacon | undefined;
    const mask = this.#options.regulatory.mask;
    for (let at = channel || 1; at <= (channel || CHANNELS); at++) {
      if (!(mask & (1 << (at - 1)))) continue;
      for (const beacon of this.#options.radio.hear(at, [ssid])) {
        const fits =
          sameBytes(beacon.ssid, ssid) &&
          (bssid === undefined || beacon.bssid.toUpperCase() === bssid) &&
          securities.includes(beacon.security);
        if (fits && (best === undefined || beacon.rssi > best.rssi)) best = beacon;
      }
    }
    return best;
  }

  #join(
    ssid: Uint8Array,
    credentials: Credentials,
    outcome: { joined(association: Association): void; failed(): void },
  ): void {
    const { clock, radio, timings } = this.#options;
    const start = clock.now();
    let timer: TimerHandle;
    let attempt: { cancel(): void } | undefined;
    const giveUp = (): void => {
      timer = clock.setTimer(
        () => {
          this.#abandon = () => {};
          outcome.failed();
        },
        start + timings.associationFailure - clock.now(),
      );
    };
    this.#abandon = () => {
      timer.cancel();
      attempt?.cancel();
    };
    const beacon = this.#find(ssid);
    if (beacon === undefined) {
      giveUp();
      return;
    }
    timer = clock.setTimer(() => {
      attempt = radio.join(
        { bssid: beacon.bssid, ssid, credentials },
        {
          joined: (association) => {
            this.#abandon = () => {};
            outcome.joined(association);
          },
          failed: giveUp,
        },
      );
    }, timings.associate);
  }

  #enter(association: Association): void {
    this.#state = 'connected';
    this.#association = association;
    association.lost = () => this.#lost(association);
    association.roamed = () => {
      if (this.#association === association) this.#roamed(association);
    };
  }

  #lost(association: Association): void {
    if (this.#association !== association) return;
    this.#association = undefined;
    const ssid = encodeText(this.config.text('SSID') ?? '');
    const credentials = this.#credentials();
    if (!this.config.number('ROAMING') || credentials === undefined || this.#find(ssid) === undefined) {
      this.#state = 'idle';
      this.#linkDown();
      return;
    }
    this.#state = 'roaming';
    this.#join(ssid, credentials, {
      joined: (next) => {
        this.#enter(next);
        this.#roamed(next);
      },
      failed: () => {
        this.#state = 'idle';
        this.#linkDown();
      },
    });
  }

  #roamed(association: Association): void {
    for (const observer of this.observers) observer.roamed?.();
    this.#options.network.moved(association.link, this.config.number('ROAMING') === LAYER_3);
  }

  #linkDown(): void {
    this.#options.network.detach();
    for (const observer of this.observers) observer.linkDown?.(this.#assocId);
  }
}

/** WSTAC ROAMING: the address is asked for again, too. */
const LAYER_3 = 2;
