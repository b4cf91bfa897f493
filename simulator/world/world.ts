/**
 * Everything outside the modules: the air with its access points, the network behind them, and the router to the host.
 *
 *     module ─ radio ─┐
 *     module ─ radio ─┤ air: access points ── switch ── router: DHCP, DNS, NTP, NAT ── the host's sockets
 *     module ─ radio ─┘
 */
import { WincError } from '../../driver/protocol/errors.js';
import type { Radio } from '../firmware/radio.js';
import { systemClock, VirtualClock } from '../tcpip/clock.js';
import type { Clock, Link, Random } from '../tcpip/contract.js';
import { CapturedLink, CaptureFile } from '../tcpip/link/capture.js';
import { onClock, onMicrotask } from '../tcpip/link/dispatch.js';
import type { Impairment } from '../tcpip/link/impair-spec.js';
import { VirtualSwitch } from '../tcpip/link/switch.js';
import { random32, seededRandom } from '../tcpip/random.js';
import { type AccessPoint, type AccessPointOptions, DEFAULT_ACCESS_POINT } from './access-point.js';
import { Air } from './air.js';
import { checkedRecord, type DnsRecord } from './dns-zone.js';
import type { HostNetwork } from './policy.js';
import { Router, type RouterAddressing } from './router.js';
import { StationLink } from './station-link.js';

export interface WorldOptions {
  /** By default the machine's. */
  readonly clock?: Clock;
  /** Everything that is left to chance; the same seed gives the same world. */
  readonly seed?: number;
  /** Milliseconds since 1970. By default the machine's, on a virtual clock 2026-01-01 plus what has passed there. */
  readonly utcNow?: () => number;
  /** By default one: SSID `wincs02`, open. */
  readonly accessPoints?: readonly AccessPointOptions[];
  /** Default `loopback`. */
  readonly hostNetwork?: HostNetwork;
  readonly dns?: readonly DnsRecord[];
  /** Addresses of the network; see {@link RouterAddressing}. */
  readonly router?: RouterAddressing;
  /** On every station's link, in both directions. */
  readonly impair?: Impairment;
  /** A pcapng file of what every station sends and hears. */
  readonly pcap?: string;
  /** Associations take as long as real ones. */
  readonly realistic?: boolean;
}

const FAST = { joinMs: 10, noAnswerMs: 200, beaconLossMs: 1000 };
const REALISTIC = { joinMs: 150, noAnswerMs: 600, beaconLossMs: 3000 };
const VIRTUAL_EPOCH = Date.UTC(2026, 0, 1);

/** The machine's time, with the fine steps of its monotonic clock. */
const wallClock = (): number => performance.timeOrigin + performance.now();

export class World {
  readonly clock: Clock;
  readonly random: Random;
  readonly utcNow: () => number;
  readonly air: Air;
  readonly router: Router;
  readonly #network: VirtualSwitch;
  readonly #capture: CaptureFile | undefined;
  readonly #ways = new Map<string, StationLink>();
  #impairment: Impairment | undefined;

  /** @throws WincError `WINC_ARGUMENT`; the file system's error if the capture cannot be written */
  constructor(options: WorldOptions = {}) {
    this.clock = options.clock ?? systemClock;
    const virtual = this.clock instanceof VirtualClock;
    this.random = seededRandom(options.seed ?? Math.floor(Math.random() * 2 ** 32));
    this.utcNow = options.utcNow ?? (virtual ? () => VIRTUAL_EPOCH + this.clock.now() : wallClock);
    this.#impairment = options.impair;
    this.#network = new VirtualSwitch({
      clock: this.clock,
      dispatch: virtual ? onClock(this.clock) : onMicrotask(),
    });
    this.air = new Air({
      clock: this.clock,
      ...(options.realistic === true ? REALISTIC : FAST),
      attach: (mac) => this.#attach(mac),
    });
    for (const accessPoint of options.accessPoints ?? [DEFAULT_ACCESS_POINT]) this.air.add(accessPoint);
    const records = (options.dns ?? []).map(checkedRecord);
    this.#capture =
      options.pcap === undefined ? undefined : new CaptureFile(options.pcap, { now: this.utcNow });
    this.router = new Router({
      ...options.router,
      link: this.#network.port(),
      clock: this.clock,
      random: this.derivedRandom(),
      utcNow: this.utcNow,
      hostNetwork: options.hostNetwork ?? 'loopback',
    });
    for (const record of records) this.router.zone.add(record);
  }

  /** A source of its own for somebody, drawn from the world's. */
  derivedRandom(): Random {
    return seededRandom(random32(this.random));
  }

  radio(mac: string): Radio {
    return this.air.radio(mac);
  }

  /** The one with that BSSID, or the first of that name. @throws WincError `WINC_ARGUMENT` if there is none */
  accessPoint(which: string | Uint8Array | { readonly bssid: string }): AccessPoint {
    const found = this.air.accessPoints.find((accessPoint) =>
      typeof which === 'object' && 'bssid' in which
        ? accessPoint.bssid === which.bssid.toUpperCase()
        : accessPoint.isNamed(which),
    );
    if (found === undefined) throw new WincError('WINC_ARGUMENT', 'no such access point');
    return found;
  }

  /** From now, on every station's link; `undefined`: clean links. */
  impair(impairment: Impairment | undefined): void {
    this.#impairment = impairment;
    for (const way of this.#ways.values()) way.impair(impairment);
  }

  /** The file has everything up to now. */
  flushCapture(): void {
    this.#capture?.flush();
  }

  close(): void {
    this.air.close();
    this.router.close();
    this.#capture?.close();
  }

  #attach(mac: string): { link: Link; way: StationLink } {
    const way = new StationLink(this.#network.port(), this.clock, this.derivedRandom(), this.#impairment);
    this.#ways.set(mac, way);
    const link = this.#capture === undefined ? way : new CapturedLink(way, this.#capture.writer, mac);
    return { link, way };
  }
}
