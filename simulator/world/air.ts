/** What the antennas of all modules share: who can be heard where, and who is let in by whom. */
import { WincError } from '../../driver/protocol/errors.js';
import type { Association, Beacon, JoinFailure, JoinHandler, JoinRequest, Radio } from '../firmware/radio.js';
import type { Clock, Link } from '../tcpip/contract.js';
import { AccessPoint, type AccessPointOptions, type Station } from './access-point.js';
import type { StationLink } from './station-link.js';

export interface AirOptions {
  readonly clock: Clock;
  /** A new way into the network behind the access points, for a station that was let in. */
  readonly attach: (mac: string) => { readonly link: Link; readonly way: StationLink };
  /** Authentication, association and key exchange, ms. */
  readonly joinMs: number;
  /** How long a station waits for an access point that does not answer, ms. */
  readonly noAnswerMs: number;
  /** How long a station misses beacons before it takes its access point for gone, ms. */
  readonly beaconLossMs: number;
}

/** Access points the air holds at most. */
const ACCESS_POINT_LIMIT = 4096;

export class Air {
  readonly #options: AirOptions;
  readonly #accessPoints: AccessPoint[] = [];
  readonly #associations = new Set<StationAssociation>();
  #made = 0;

  constructor(options: AirOptions) {
    this.#options = options;
  }

  get accessPoints(): readonly AccessPoint[] {
    return this.#accessPoints;
  }

  /** @throws WincError `WINC_ARGUMENT` */
  add(options: AccessPointOptions): AccessPoint {
    if (this.#accessPoints.length >= ACCESS_POINT_LIMIT)
      throw new WincError('WINC_ARGUMENT', `at most ${ACCESS_POINT_LIMIT} access points`);
    const number = ++this.#made;
    const hex = (value: number) => (value & 255).toString(16).padStart(2, '0');
    const accessPoint = new AccessPoint(
      options,
      `02:41:50:00:${hex(number >> 8)}:${hex(number)}`,
      (callback, ms) => this.#options.clock.setTimer(callback, ms),
    );
    if (this.#accessPoints.some((other) => other.bssid === accessPoint.bssid))
      throw new WincError('WINC_ARGUMENT', `access point: BSSID ${accessPoint.bssid} is there already`);
    this.#accessPoints.push(accessPoint);
    return accessPoint;
  }

  remove(accessPoint: AccessPoint): void {
    const index = this.#accessPoints.indexOf(accessPoint);
    if (index < 0) return;
    this.#accessPoints.splice(index, 1);
    accessPoint.close();
  }

  /** One module's antenna. */
  radio(mac: string): Radio {
    return {
      hear: (channel, probes) => this.#hear(channel, probes),
      join: (request, handler) => this.#join(mac.toUpperCase(), request, handler),
    };
  }

  /** Every station loses its network, and every timer ends. */
  close(): void {
    for (const association of [...this.#associations]) association.leave();
    for (const accessPoint of [...this.#accessPoints]) this.remove(accessPoint);
  }

  #hear(channel: number, probes: readonly Uint8Array[] = []): Beacon[] {
    return this.#accessPoints
      .filter((accessPoint) => accessPoint.visible && accessPoint.channel === channel)
      .map((accessPoint) => ({
        ssid:
          accessPoint.hidden && !probes.some((probe) => accessPoint.isNamed(probe))
            ? new Uint8Array(0)
            : accessPoint.ssid.slice(),
        bssid: accessPoint.bssid,
        channel,
        rssi: accessPoint.rssi,
        security: accessPoint.security,
        mfp: accessPoint.mfp,
      }));
  }

  #join(mac: string, request: JoinRequest, handler: JoinHandler): { cancel(): void } {
    const { clock, joinMs, noAnswerMs } = this.#options;
    const judge = (): AccessPoint | JoinFailure => {
      const accessPoint = this.#accessPoints.find(
        (candidate) => candidate.bssid === request.bssid.toUpperCase(),
      );
      if (accessPoint === undefined) return 'no-answer';
      return accessPoint.refusal(mac, request.ssid, request.credentials) ?? accessPoint;
    };
    const decide = () => {
      const verdict = judge();
      if (verdict instanceof AccessPoint) handler.joined(this.#associate(mac, verdict, request));
      else handler.failed(verdict);
    };
    return clock.setTimer(decide, judge() === 'no-answer' ? noAnswerMs : joinMs);
  }

  #associate(mac: string, accessPoint: AccessPoint, request: JoinRequest): Association {
    // A station that restarted has forgotten its association; so do we.
    for (const former of [...this.#associations]) if (former.mac === mac) former.leave();
    const { link, way } = this.#options.attach(mac);
    const association: StationAssociation = new StationAssociation({
      mac,
      link,
      way,
      accessPoint,
      clock: this.#options.clock,
      beaconLossMs: this.#options.beaconLossMs,
      elsewhere: (without) =>
        this.#accessPoints.find(
          (other) => other !== without && other.refusal(mac, request.ssid, request.credentials) === undefined,
        ),
      ended: () => this.#associations.delete(association),
    });
    this.#associations.add(association);
    return association;
  }
}

interface StationAssociationOptions {
  readonly mac: string;
  readonly link: Link;
  readonly way: StationLink;
  readonly accessPoint: AccessPoint;
  readonly clock: Clock;
  readonly beaconLossMs: number;
  /** Another access point of the same network that would take the station. */
  readonly elsewhere: (without: AccessPoint) => AccessPoint | undefined;
  readonly ended: () => void;
}

class StationAssociation implements Association, Station {
  readonly mac: string;
  readonly link: Link;
  lost: () => void = () => {};
  roamed: () => void = () => {};
  readonly #options: StationAssociationOptions;
  #accessPoint: AccessPoint;
  #beaconLoss: { cancel(): void } | undefined;
  #over = false;

  constructor(options: StationAssociationOptions) {
    this.#options = options;
    this.mac = options.mac;
    this.link = options.link;
    this.#accessPoint = options.accessPoint;
    this.#accessPoint.stations.set(this.mac, this);
  }

  get bssid(): string {
    return this.#accessPoint.bssid;
  }

  get channel(): number {
    return this.#accessPoint.channel;
  }

  get rssi(): number {
    return this.#accessPoint.rssi;
  }

  leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#beaconLoss?.cancel();
    this.#accessPoint.stations.delete(this.mac);
    this.#options.way.close();
    this.#options.ended();
  }

  drop(): void {
    if (this.#over) return;
    this.leave();
    this.lost();
  }

  reach(reachable: boolean): void {
    this.#options.way.reachable = reachable;
    this.#beaconLoss?.cancel();
    this.#beaconLoss = reachable
      ? undefined
      : this.#options.clock.setTimer(() => this.#missed(), this.#options.beaconLossMs);
  }

  /** No beacon for too long: on to another access point of the network, or out. */
  #missed(): void {
    const next = this.#options.elsewhere(this.#accessPoint);
    if (next === undefined) {
      this.drop();
      return;
    }
    this.#accessPoint.stations.delete(this.mac);
    this.#accessPoint = next;
    next.stations.set(this.mac, this);
    this.reach(true);
    this.roamed();
  }
}
