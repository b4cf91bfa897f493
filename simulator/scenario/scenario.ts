/** A world as a file: what is there, and what happens when. docs/scenario.md describes every member. */
import { readFileSync } from 'node:fs';
import { WincError } from '../../driver/protocol/errors.js';
import { parseForward, parseImpair } from '../options.js';
import type { Simulator, SimulatorOptions } from '../simulator.js';
import { type AccessPointOptions, DEFAULT_ACCESS_POINT } from '../world/access-point.js';
import { checkedRecord, type DnsRecord } from '../world/dns-zone.js';
import {
  bytes,
  type Check,
  type Checked,
  flag,
  listOf,
  number,
  object,
  oneOf,
  parsed,
  sound,
  text,
  variant,
  whole,
  wrong,
} from './check.js';

const DAY = 86_400;
const anything: Check<unknown> = (value) => value;
const hostNetwork = oneOf('none', 'loopback', 'full');
const dnsBehaviour = oneOf('answer', 'silent', 'servfail', 'refused', 'nxdomain');
const ntpState = oneOf('synchronised', 'unsynchronised', 'kiss-of-death', 'silent');
const offsetMs = number(-1e15, 1e15, ' ms');
const rssi = number(-120, 0, ' dBm');
const profile = oneOf('wincs02', 'rnwf02');
const mac: Check<string> = (value, path) =>
  typeof value === 'string' && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value)
    ? value
    : wrong(path, 'a MAC address, AA:BB:CC:DD:EE:FF');

const accessPoint = object(
  { ssid: bytes },
  {
    passphrase: bytes,
    security: oneOf(
      'open',
      'wpa2-mixed-personal',
      'wpa2-personal',
      'wpa3-transition-personal',
      'wpa3-personal',
      'wpa2-mixed-enterprise',
      'wpa2-enterprise',
      'wpa3-transition-enterprise',
      'wpa3-enterprise',
      'unsupported',
    ),
    accounts: listOf(object({ identity: bytes }, { user: bytes, password: bytes })),
    bssid: mac,
    channel: whole(1, 14),
    rssi,
    hidden: flag,
    mfp: flag,
    maxStations: whole(1, 4096),
  },
);

const dnsRecordForm = object({ name: text, type: text, data: anything }, { ttl: whole(0, 2 ** 31 - 1) });
const dnsRecord: Check<DnsRecord> = (value, path) =>
  sound(() => checkedRecord(dnsRecordForm(value, path) as DnsRecord), path);

/** By its name, or, where several have the same, by its BSSID. */
type WhichAccessPoint = string | Uint8Array | { readonly bssid: string };
const whichAccessPoint: Check<WhichAccessPoint> = (value, path) =>
  value !== null && typeof value === 'object' && 'bssid' in value
    ? object({ bssid: mac }, {})(value, path)
    : bytes(value, path);

const seconds = number(0, 365 * DAY, ' s');

interface Happening {
  readonly at: number;
  /** What it is about; checked against what there is. */
  readonly accessPoint?: WhichAccessPoint | undefined;
  readonly module?: number | undefined;
  happen(simulator: Simulator): void;
}

/** An event's members besides `at` and `do`, and what it does. */
function happening<R extends Record<string, Check<unknown>>, O extends Record<string, Check<unknown>>>(
  required: R,
  optional: O,
  happen: (
    event: { [K in keyof R]: Checked<R[K]> } & { [K in keyof O]?: Checked<O[K]> },
    simulator: Simulator,
  ) => void,
): Check<Happening> {
  const check = object({ at: seconds, do: text, ...required }, optional);
  return (value, path) => {
    const event = check(value, path);
    const { at, accessPoint, module } = event as Partial<Happening> & { at: number };
    return { at, accessPoint, module, happen: (simulator) => happen(event as never, simulator) };
  };
}

const accessPointOf = ({ accessPoint }: { accessPoint: WhichAccessPoint }, { world }: Simulator) =>
  world.accessPoint(accessPoint);
const deviceOf = ({ module = 0 }: { module?: number }, { modules }: Simulator) => modules[module].device;
const place = { accessPoint: whichAccessPoint };
const which = { module: whole(0, 65_535) };

const event = variant('do', {
  appear: happening(place, {}, (event, sim) => accessPointOf(event, sim).appear()),
  disappear: happening(place, { for: seconds }, (event, sim) =>
    accessPointOf(event, sim).disappear(event.for === undefined ? undefined : event.for * 1000),
  ),
  deauthenticate: happening(place, { station: mac }, (event, sim) =>
    accessPointOf(event, sim).deauthenticate(event.station),
  ),
  rssi: happening({ ...place, rssi }, {}, (event, sim) => {
    accessPointOf(event, sim).rssi = event.rssi;
  }),
  admit: happening({ ...place, admit: flag }, {}, (event, sim) => {
    accessPointOf(event, sim).admitting = event.admit;
  }),
  impair: happening({}, { impair: parsed(parseImpair) }, (event, { world }) => world.impair(event.impair)),
  dns: happening({ behaviour: dnsBehaviour }, {}, (event, { world }) => {
    world.router.dns.behaviour = event.behaviour;
  }),
  'dns-record': happening({ record: dnsRecord }, {}, (event, { world }) =>
    world.router.zone.add(event.record),
  ),
  ntp: happening({}, { offsetMs, state: ntpState }, ({ offsetMs, state }, { world: { router } }) => {
    if (offsetMs !== undefined) router.ntp.offsetMs = offsetMs;
    if (state !== undefined) router.ntp.state = state;
  }),
  'host-network': happening({ reach: hostNetwork }, {}, (event, { world }) => {
    world.router.hostNetwork = event.reach;
  }),
  reset: happening({}, which, (event, sim) => deviceOf(event, sim).reset()),
  'power-down': happening({}, which, (event, sim) => deviceOf(event, sim).powerDown()),
  'power-up': happening({}, which, (event, sim) => deviceOf(event, sim).powerUp()),
});

const file = object(
  {},
  {
    comment: anything,
    profile,
    seed: whole(0, 2 ** 32 - 1),
    bootMs: whole(0, 600_000),
    realistic: flag,
    paced: flag,
    hostNetwork,
    modules: listOf(object({}, { profile, mac, bootMs: whole(0, 600_000), paced: flag }), 65_536),
    accessPoints: listOf(accessPoint, 4096),
    router: object(
      {},
      {
        address: text,
        prefix: whole(8, 30),
        firstLease: text,
        lastLease: text,
        leaseSeconds: whole(10, 2 ** 31 - 1),
        ipv6Prefix: text,
      },
    ),
    dns: listOf(dnsRecord),
    dnsBehaviour,
    ntp: object({}, { offsetMs, state: ntpState }),
    forwards: listOf(parsed(parseForward), 1000),
    impair: parsed(parseImpair),
    events: listOf(event),
  },
);

export interface Scenario {
  /** For `createSimulator`. */
  readonly options: SimulatorOptions;
  /** Sets what options cannot, and the clock for every event; call it once, right after. Answers a cancel. */
  apply(simulator: Simulator): () => void;
}

/** @throws WincError `WINC_SCENARIO` naming the place in the file and what belongs there */
export function parseScenario(json: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new WincError('WINC_SCENARIO', `scenario: ${(cause as Error).message}`, { cause });
  }
  const { comment: _, dnsBehaviour: behaviour, ntp, events = [], ...options } = file(value, '');
  const accessPoints = options.accessPoints ?? [DEFAULT_ACCESS_POINT];
  const modules = options.modules?.length ?? 1;
  for (const [index, { accessPoint: which, module = 0 }] of events.entries()) {
    if (which !== undefined && !accessPoints.some((one) => isMeant(one, which)))
      wrong(`events[${index}].accessPoint`, 'the name of one that there is, or the BSSID given to one');
    if (module >= modules) wrong(`events[${index}].module`, `below ${modules}, the number of modules`);
  }
  return {
    options,
    apply(simulator) {
      const { router, clock } = simulator.world;
      if (behaviour !== undefined) router.dns.behaviour = behaviour;
      Object.assign(router.ntp, ntp);
      const timers = events.map((one) => clock.setTimer(() => one.happen(simulator), one.at * 1000));
      return () => {
        for (const timer of timers) timer.cancel();
      };
    },
  };
}

/** @throws WincError `WINC_SCENARIO`, also for a file that cannot be read */
export function readScenario(path: string): Scenario {
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WincError('WINC_SCENARIO', `scenario: ${(cause as Error).message}`, { cause });
  }
  return parseScenario(json);
}

function isMeant({ ssid, bssid }: AccessPointOptions, which: WhichAccessPoint): boolean {
  if (typeof which === 'object' && 'bssid' in which)
    return bssid?.toUpperCase() === which.bssid.toUpperCase();
  return Buffer.from(ssid as string).equals(Buffer.from(which as string));
}
