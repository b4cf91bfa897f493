/**
 * The seam between the firmware and the air. The firmware does the station's part (which channels, which access
 * point, how long); the air answers what is heard on a channel and whether an access point lets the station in.
 */
import type { Link } from '../tcpip/contract.js';

/**
 * What an access point offers in its beacons. `mixed`: WPA and WPA2; `transition`: WPA2 and WPA3; `unsupported`:
 * WEP, WPA only, or anything else the module does not speak.
 */
export type BeaconSecurity =
  | 'open'
  | 'wpa2-mixed-personal'
  | 'wpa2-personal'
  | 'wpa3-transition-personal'
  | 'wpa3-personal'
  | 'wpa2-mixed-enterprise'
  | 'wpa2-enterprise'
  | 'wpa3-transition-enterprise'
  | 'wpa3-enterprise'
  | 'unsupported';

/** An access point as heard at one moment. */
export interface Beacon {
  /** 0..32 bytes; empty when the network is hidden and was not probed for by name. */
  readonly ssid: Uint8Array;
  /** `AA:BB:CC:DD:EE:FF` */
  readonly bssid: string;
  /** 1..14 */
  readonly channel: number;
  /** dBm, negative. */
  readonly rssi: number;
  readonly security: BeaconSecurity;
  /** Offers protected management frames (802.11w) although WPA2 does not ask for them. */
  readonly mfp?: boolean;
}

export type Credentials =
  | { readonly kind: 'open' }
  | { readonly kind: 'personal'; readonly passphrase: Uint8Array }
  | {
      readonly kind: 'enterprise';
      readonly identity: Uint8Array;
      readonly user?: Uint8Array;
      readonly password?: Uint8Array;
    };

export interface JoinRequest {
  readonly bssid: string;
  readonly ssid: Uint8Array;
  readonly credentials: Credentials;
}

/** Why an access point did not take the station: silent or gone, or its credentials are wrong. */
export type JoinFailure = 'no-answer' | 'rejected' | 'wrong-credentials';

/** A station's place in a network. */
export interface Association {
  readonly bssid: string;
  readonly channel: number;
  /** As of now, dBm. */
  readonly rssi: number;
  /** The station's end of the network's Ethernet segment. */
  readonly link: Link;
  /** Set by the firmware: the access point vanished or threw the station out. Called at most once, not after `leave`. */
  lost: () => void;
  /** Set by the firmware: the same network goes on through another access point; `bssid` and `channel` have changed. */
  roamed: () => void;
  /** The station leaves; `link` is dead from now. */
  leave(): void;
}

export interface JoinHandler {
  joined(association: Association): void;
  failed(reason: JoinFailure): void;
}

/** One module's antenna. The air hands one to each module, for its MAC address. */
export interface Radio {
  /**
   * What is heard on a channel (1..14) now. Takes no time: the firmware waits out its own dwell times.
   * `probes`: the names an active scan asks for; a hidden network answers to its own. Absent: a passive scan.
   */
  hear(channel: number, probes?: readonly Uint8Array[]): readonly Beacon[];
  /**
   * Authenticates and associates with an access point that was heard. Exactly one of the handler's calls follows, never from
   * inside `join`; none after `cancel`.
   */
  join(request: JoinRequest, handler: JoinHandler): { cancel(): void };
}
