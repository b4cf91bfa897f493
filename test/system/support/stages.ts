/** What each written exchange presupposes of a real simulator and its world, and what happens around it while it runs. */

export interface Stage {
  /** Which of the situations that a flow stands for. */
  readonly as?: string;
  readonly world?: keyof typeof worlds;
  /** Leads to where the flow begins; in the notation of the flows, and heard as strictly. */
  readonly given?: readonly string[];
  /** What the peer does when that line is due: sends this, or closes. */
  readonly peer?: Readonly<Record<string, string | typeof CLOSES>>;
  /** What the peer has got in the end. */
  readonly received?: string;
}

export const CLOSES = Symbol('closes');

/** The flows' peer that listens, and the one that does not. */
export const PEER = '"192.168.0.195",6666';
export const NOBODY = '"192.168.0.1",9';

const lab = { ssid: 'MyAP', passphrase: 'MyAPPSK', bssid: '00:01:02:03:04:05', channel: 6 };
const accounts = [{ identity: 'somebody', user: 'somebody', password: 'something' }];

const names = [
  { name: 'www.example.com', type: 'A', data: '55.123.145.67' },
  { name: 'www.example.com', type: 'AAAA', data: '1234:5678:abc:d000::ef12' },
  { name: 'example.com', type: 'NS', data: 'ns1.example.com' },
  { name: 'example.com', type: 'NS', data: 'ns2.example.com' },
  { name: 'ns1.example.com', type: 'A', data: '192.168.0.1' },
  { name: 'ns1.example.com', type: 'AAAA', data: '1234:5678:abcd::123' },
  { name: 'ns2.example.com', type: 'A', data: '192.168.0.2' },
  { name: 'ns2.example.com', type: 'AAAA', data: '1234:5678:abcd::124' },
];

/** Scenario files (docs/scenario.md). */
export const worlds = {
  home: { accessPoints: [lab], dns: names },
  'silent name server': { accessPoints: [lab], dnsBehaviour: 'silent' },
  'four access points': {
    accessPoints: [
      {
        ssid: 'SSID1',
        bssid: '00:01:02:03:04:05',
        channel: 11,
        rssi: -38,
        security: 'wpa2-mixed-enterprise',
        accounts,
      },
      {
        ssid: 'SSID1',
        bssid: '00:02:04:06:08:0A',
        channel: 6,
        rssi: -38,
        security: 'wpa2-mixed-enterprise',
        accounts,
      },
      {
        ssid: 'SSID2',
        bssid: '00:03:06:09:0C:0F',
        channel: 1,
        rssi: -40,
        passphrase: 'something',
        security: 'wpa2-personal',
        mfp: true,
      },
      {
        ssid: 'SSID3',
        bssid: '00:04:08:0C:10:14',
        channel: 6,
        rssi: -35,
        passphrase: 'something',
        security: 'wpa3-transition-personal',
      },
    ],
  },
  'one access point': {
    accessPoints: [{ ssid: 'TestAP', passphrase: 'something', bssid: 'AA:BB:CC:DD:EE:FF', channel: 6 }],
  },
  'nobody on the air': { accessPoints: [] },
  /** The second access point is weaker: they all begin at the first, have to move, and then lose it. */
  'two access points, going away': {
    accessPoints: [lab, { ...lab, bssid: '00:01:02:03:04:06', channel: 11, rssi: -60 }],
    events: [
      { at: 10, do: 'disappear', accessPoint: { bssid: '00:01:02:03:04:05' } },
      { at: 13, do: 'disappear', accessPoint: { bssid: '00:01:02:03:04:06' } },
    ],
  },
  'an access point, going away': {
    accessPoints: [lab],
    events: [{ at: 10, do: 'disappear', accessPoint: 'MyAP' }],
  },
} as const;

const configured = (passphrase = lab.passphrase, security = 3, ssid: string = lab.ssid): string[] => [
  `> AT+WSTAC=1,"${ssid}"`,
  'OK',
  `> AT+WSTAC=2,${security}`,
  'OK',
  `> AT+WSTAC=3,"${passphrase}"`,
  'OK',
];

const joined: readonly string[] = [
  ...configured(),
  '> AT+WSTA=1',
  'OK',
  '+WSTALU:1,"00:01:02:03:04:05",6',
  '+WSTAAIP:1,"10.0.2.15"',
];

const opened = (id: number): string[] => ['> AT+SOCKO=2', `+SOCKO:${id}`, 'OK'];

const connected = (...ids: number[]): string[] => [
  ...joined,
  ...ids.flatMap((id) => [
    ...opened(id),
    `> AT+SOCKBR=${id},${PEER}`,
    'OK',
    `+SOCKIND:${id},"10.0.2.15",65333,${PEER}`,
  ]),
];

export const stages: readonly (readonly [key: string, stage: Stage])[] = [
  ['system | reset', {}],

  ['scan | active scan with filter', { world: 'four access points' }],
  ['scan | minimal', { world: 'one access point' }],
  ['scan | nothing found', { world: 'nobody on the air' }],
  ['scan | bad mode', {}],
  ['scan | missing parameter', {}],

  ['join | WPA2 personal, DHCP', {}],
  ['join | as seen on hardware (link-local first)', { given: configured() }],
  [
    'join | disconnect, reconnect, roam, link loss',
    { world: 'two access points, going away', given: configured() },
  ],
  [
    'join | no such AP / wrong key / wrong security',
    { as: 'no such AP', given: configured('MyAPPSK', 3, 'AnotherAP') },
  ],
  ['join | no such AP / wrong key / wrong security', { as: 'wrong key', given: configured('not the key') }],
  [
    'join | no such AP / wrong key / wrong security',
    { as: 'wrong security', given: configured('MyAPPSK', 5) },
  ],
  ['join | already connected', { given: joined }],
  ['join | config write while associated / same value', { given: joined }],
  ['join | link lost later', { world: 'an access point, going away', given: joined }],

  ['ip | query interface', {}],

  ['dns | A', { given: joined }],
  ['dns | NS with extras', { given: joined }],
  ['dns | ANY', { given: joined }],
  ['dns | NXDOMAIN', { given: joined }],
  ['dns | timeout', { world: 'silent name server', given: joined }],
  ['dns | type not supported', { given: joined }],

  ['ping | ok', { given: joined }],
  ['ping | no reply', { given: joined }],
  ['ping | name not resolvable', { given: joined }],
  ['ping | no parameter', { given: joined }],

  [
    'tcp-client | connect, send binary, receive binary, peer closes',
    {
      given: joined,
      peer: { '+SOCKRXT:17600,5': 'hello', '+SOCKCL:17600': CLOSES },
      received: 'hello',
    },
  ],
  [
    'tcp-client | ASCII write and read',
    {
      given: connected(17600, 6),
      peer: {
        '+SOCKRXT:6,15': '123456789012345',
        '+SOCKRXT:6,7': '67',
        '+SOCKRXT:6,20': '890abcdefghij',
      },
      received: 'hello',
    },
  ],
  [
    'tcp-client | async receive',
    {
      given: connected(6),
      peer: { '+SOCKRXT:6,10,"1234567890"': '1234567890', '+SOCKRXT:6,4,"abcd"': 'abcd' },
    },
  ],
  [
    'tcp-client | async receive with window',
    { given: connected(6), peer: { '+SOCKRXT:6,8,0,"12345678"': '1234567890abcdefghijklmn' } },
  ],
  ['tcp-client | unknown socket id', {}],
  ['tcp-client | refused / timed out', { given: [...joined, ...opened(17600)] }],
  ['tcp-client | length and data differ', { given: connected(17600) }],
  ['tcp-client | write before connected', { given: [...joined, ...opened(17600)] }],
];
