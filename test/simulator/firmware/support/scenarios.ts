/** What each documented exchange presupposes, and what happens around the module while it runs. */
import type { Bench } from './bench.js';
import { type FakeAccessPoint, lab } from './fake-radio.js';
import type { FakeConnection, FakeUdpSocket } from './fake-stack.js';
import { record, serveNames, type Zone } from './name-server.js';
import type { Ids } from './unify.js';

export interface Run {
  readonly bench: Bench;
  readonly ids: Ids;
}

export interface Scenario {
  /** Before the first line. */
  readonly given?: (run: Run) => void;
  /** What makes the module say a line of its own accord: tried when that line is due and nothing was said. */
  readonly causes?: Readonly<Record<string, (run: Run) => void>>;
  /** Lines the exchange has wrong, by index: what it should say; `null`: not there; several where one is missing. */
  readonly corrected?: Readonly<Record<number, string | readonly string[] | null>>;
}

const ap = (name: string, rest: Partial<FakeAccessPoint>): FakeAccessPoint => ({
  ...lab,
  ssid: name,
  ...rest,
});

const joined = ({ bench }: Run): void => bench.join();

/** A connected TCP socket under a document's id. */
const connected =
  (...ids: number[]) =>
  (run: Run): void => {
    joined(run);
    for (const id of ids) run.ids.set(id, run.bench.connect().id);
  };
const opened =
  (kind: 1 | 2, ...ids: number[]) =>
  (run: Run): void => {
    joined(run);
    for (const id of ids) {
      run.ids.set(id, Number(/\+SOCKO:(\d+)/.exec(run.bench.command(`AT+SOCKO=${kind}`))?.[1]));
    }
  };

const lastConnection = ({ bench }: Run): FakeConnection =>
  bench.stack.connections[bench.stack.connections.length - 1];
const lastUdp = ({ bench }: Run): FakeUdpSocket => [...bench.stack.udp][bench.stack.udp.size - 1];
const peerSends =
  (data: string) =>
  (run: Run): void =>
    lastConnection(run).deliver(data);
const datagram =
  (data: string | Uint8Array, address: string, port: number) =>
  (run: Run): void =>
    lastUdp(run).deliver(data, { address, port });
const client =
  (port: number, address: string, from: number) =>
  ({ bench }: Run): void => {
    const connection = bench.stack.arrive(port, { address, port: from });
    if (connection !== undefined) bench.stack.connections.push(connection);
  };

const names =
  (zone: Zone) =>
  (run: Run): void => {
    joined(run);
    serveNames(run.bench.stack, zone);
  };
const exampleZone: Zone = {
  answers: {
    'A www.example.com': [record('A', 'www.example.com', '55.123.145.67')],
    'AAAA www.example.com': [record('AAAA', 'www.example.com', '1234:5678:abc:d000::ef12')],
    'NS example.com': [
      record('NS', 'example.com', 'ns1.example.com'),
      record('NS', 'example.com', 'ns2.example.com'),
    ],
  },
  additionals: {
    'NS example.com': [
      record('A', 'ns1.example.com', '192.168.0.1'),
      record('AAAA', 'ns1.example.com', '1234:5678:abcd::123'),
      record('A', 'ns2.example.com', '192.168.0.2'),
      record('AAAA', 'ns2.example.com', '1234:5678:abcd::124'),
    ],
  },
  silent: ['slow.example'],
};

const hundredBytes = Buffer.from('11223344556677889900AABBCCDDEEFF11223344'.padEnd(200, '0'), 'hex');

const factoryCertificates = [
  'VeriSign',
  'QuoVadis_Root',
  'ISRGRootX1',
  'GlobalSignRoot',
  'EnTrust',
  'DigiCertSHA2',
  'DigiCertGlobalRootG2',
  'DigiCert',
  'BaltimoreCyberTrustRoot',
  'AmazonRootCA1',
];

/** As long as the example's certificate, and as little printable. */
const exampleFile = Uint8Array.from({ length: 891 }, (_, at) => 128 + (at % 128));

/** The seven lines of the example with data in them, from a line on, every so many lines. */
function blockLines(
  from: number,
  every: number,
  line: (number: number, data: string, left: number) => string,
): Record<number, string> {
  const lines: Record<number, string> = {};
  for (let block = 0; block < 7; block++) {
    const data = Buffer.from(exampleFile.subarray(block * 128, (block + 1) * 128))
      .toString('hex')
      .toUpperCase();
    const left = Math.max(0, exampleFile.length - (block + 1) * 128);
    lines[from + block * every] = line(block + 1, `[${data}]`, left);
  }
  return lines;
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  'scan | active scan with filter': {
    given: ({ bench }) => {
      bench.radio.accessPoints = [
        ap('SSID1', { bssid: '00:01:02:03:04:05', channel: 11, security: 'wpa2-mixed-enterprise' }),
        ap('SSID1', { bssid: '00:02:04:06:08:0A', channel: 6, security: 'wpa2-mixed-enterprise' }),
        ap('SSID2', { bssid: '00:03:06:09:0C:0F', channel: 1, security: 'wpa2-personal', mfp: true }),
        ap('SSID3', { bssid: '00:04:08:0C:10:14', channel: 6, security: 'wpa3-transition-personal' }),
      ];
    },
    // The set commands lack their OK; results come by channel, not in the example's order.
    corrected: {
      5: '+WSCNIND:-40,4,1,"00:03:06:09:0C:0F","SSID2"',
      6: '+WSCNIND:-38,6,6,"00:02:04:06:08:0A","SSID1"',
      7: '+WSCNIND:-35,5,6,"00:04:08:0C:10:14","SSID3"',
      8: '+WSCNIND:-38,6,11,"00:01:02:03:04:05","SSID1"',
      10: ['> AT+WSCNC=7,0x21', 'OK'],
      16: ['> AT+WSCNC=7,0x41', 'OK'],
      21: ['> AT+WSCNC=7,0x22', 'OK'],
    },
  },
  'scan | minimal': {
    given: ({ bench }) => {
      bench.radio.accessPoints = [ap('TestAP', { bssid: 'AA:BB:CC:DD:EE:FF' })];
    },
  },
  'scan | nothing found': {
    given: ({ bench }) => {
      bench.radio.accessPoints = [];
    },
  },
  'scan | bad mode': {},
  'scan | missing parameter': {},

  'join | WPA2 personal, DHCP': {},
  'join | as seen on hardware (link-local first)': {
    given: ({ bench }) => {
      configure(bench);
      bench.stack.linkLocal = 'fe80::df6a:dc30:93bf:60ae';
    },
    // SNTP is off.
    corrected: { 5: null },
  },
  'join | disconnect, reconnect, roam, link loss': {
    given: ({ bench }) => configure(bench),
    causes: {
      '+WSTAROAM:1': ({ bench }) => {
        bench.stack.dhcp = { ...bench.stack.dhcp, address: '10.1.0.5' };
        bench.radio.association.roamed();
      },
      '+WSTALD:1': ({ bench }) => {
        bench.radio.accessPoints = [];
        bench.radio.association.lost();
      },
    },
    // The example leaves out the link-down event of AT+WSTA=0, which host code for this module waits for, and the id.
    corrected: { 5: ['OK', '+WSTALD:1'], 18: '+WSTALD:1' },
  },
  'join | no such AP / wrong key / wrong security': {
    given: ({ bench }) => {
      configure(bench);
      bench.command('AT+WSTAC=3,"not the key"');
    },
  },
  'join | already connected': { given: joined },
  'join | config write while associated / same value': { given: joined },
  'join | link lost later': {
    given: joined,
    causes: {
      '+WSTALD:1': ({ bench }) => {
        bench.radio.accessPoints = [];
        bench.radio.association.lost();
      },
    },
  },

  'ip | query interface': {},

  'dns | A': { given: names(exampleZone) },
  'dns | NS with extras': { given: names(exampleZone) },
  'dns | ANY': { given: names(exampleZone) },
  'dns | NXDOMAIN': { given: names(exampleZone) },
  'dns | timeout': { given: names(exampleZone) },
  'dns | type not supported': { given: names(exampleZone) },

  'ping | ok': {
    given: (run) => {
      joined(run);
      run.bench.stack.ping = (_address, _options, done) => {
        run.bench.stack.later(() => done({ rttMs: 7, ttl: 64, bytes: 32 }));
        return () => {};
      };
    },
  },
  'ping | no reply': { given: joined },
  'ping | name not resolvable': { given: names(exampleZone) },
  'ping | no parameter': { given: joined },

  'tcp-client | connect, send binary, receive binary, peer closes': {
    given: (run) => {
      joined(run);
      run.bench.stack.onConnect = (connection) => connection.establish();
    },
    causes: { '+SOCKRXT:17600,5': peerSends('hello'), '+SOCKCL:17600': (run) => lastConnection(run).end() },
  },
  'tcp-client | ASCII write and read': {
    given: connected(17600, 6),
    causes: {
      '+SOCKRXT:6,15': peerSends('123456789012345'),
      '+SOCKRXT:6,7': peerSends('67'),
      '+SOCKRXT:6,20': peerSends('890abcdefghij'),
    },
  },
  'tcp-client | async receive': {
    given: connected(6),
    causes: {
      '+SOCKRXT:6,10,"1234567890"': peerSends('1234567890'),
      '+SOCKRXT:6,4,"abcd"': peerSends('abcd'),
    },
  },
  'tcp-client | async receive with window': {
    given: connected(6),
    causes: { '+SOCKRXT:6,8,0,"12345678"': peerSends('1234567890abcdefghijklmn') },
  },
  'tcp-client | unknown socket id': {},
  'tcp-client | refused / timed out': {
    given: (run) => {
      opened(2, 17600)(run);
      run.bench.stack.onConnect = (connection) => connection.fail('refused');
    },
  },
  'tcp-client | length and data differ': { given: connected(17600) },
  'tcp-client | write before connected': { given: opened(2, 17600) },

  'tls | client config': {},
  'tls | bad TLS index': { given: opened(2, 17603) },
  'tls | CA missing': {
    given: (run) => {
      opened(2, 17603)(run);
      run.bench.command('AT+TLSC=1,6,"example.com"');
      run.bench.command(`AT+SOCKTLS=${run.ids.get(17603)},1`);
      serveNames(run.bench.stack, { answers: { 'A example.com': [record('A', 'example.com', '5.6.7.8')] } });
      run.bench.stack.onConnect = (connection) => connection.establish();
    },
  },

  'tcp-server | listen, accept': {
    given: joined,
    causes: { '+SOCKIND:6,"1.2.3.4",5678,"11.22.33.44",12345': client(5678, '11.22.33.44', 12345) },
  },
  'tcp-server | with backlog, data, close of the child': {
    given: joined,
    causes: {
      '+SOCKIND:6,"192.168.1.42",6666,"192.168.1.50",51000': client(6666, '192.168.1.50', 51000),
      '+SOCKRXT:6,15': peerSends('hello from peer'),
      '+SOCKCL:6': (run) => lastConnection(run).end(),
    },
  },
  'tcp-server | port in use': {
    given: (run) => {
      opened(2, 4, 5)(run);
      run.bench.command(`AT+SOCKBL=${run.ids.get(4)},80`);
    },
  },
  'tcp-server | no free sockets': {
    given: ({ bench }) => {
      for (let i = 0; i < 10; i++) bench.command('AT+SOCKO=2');
    },
  },
  'tcp-server | bad backlog': { given: opened(2, 5) },

  'udp | bind, datagram read in parts': {
    given: joined,
    causes: {
      '+SOCKRXU:7,"1.2.3.4",1234,100,1': (run) => {
        datagram(hundredBytes, '1.2.3.4', 1234)(run);
        datagram(Buffer.from('1234567890ABCDEF0011', 'hex'), '1.2.3.4', 1234)(run);
      },
    },
    // An OK is missing, and SOCKRD answers under its own name.
    corrected: {
      7: ['+SOCKRDBUF:7,10,[11223344556677889900]', 'OK'],
      12: '+SOCKRD:7,10,[1234567890ABCDEF0011]',
    },
  },
  'udp | sendto': {
    given: joined,
    causes: { '+SOCKRXU:7,"192.168.1.50",5000,5,1': datagram('world', '192.168.1.50', 5000) },
  },
  'udp | no destination': { given: opened(1, 7) },
  'udp | SOCKWRTO on TCP': { given: opened(2, 5) },
  'udp | too long': { given: opened(1, 7) },

  'multicast | join and receive': {
    given: joined,
    causes: { '+SOCKRXU:8,"192.168.1.50",5353,60,1': datagram('x'.repeat(60), '192.168.1.50', 5353) },
  },
  'multicast | TCP socket': { given: opened(2, 5) },
  'multicast | group refused': { given: opened(1, 8) },
  'multicast | unknown socket': {},

  'sntp | query as text': {
    given: ({ bench }) => void bench.command('AT+TIME=3,"2025-10-24T18:03:43.00Z"'),
  },
  'sntp | time not set': {},
  'sntp | enable, time pushed': {
    given: (run) => {
      joined(run);
      timeServer(run, (packet) => packet);
    },
  },
  'sntp | server silent': { given: (run) => enableTime(run) },
  'sntp | bad answer': {
    given: (run) => {
      joined(run);
      timeServer(run, (packet) => packet.fill(0, 24, 32));
      enableTime(run);
    },
  },

  'fs | list + delete': {
    given: ({ bench }) => {
      for (const name of factoryCertificates) bench.flash.files.put('cert', name, new Uint8Array(1000));
    },
  },
  // The example's module holds the vendor's archive of ten certificates; ours is empty.
  'fs | info': { corrected: { 1: '+FS:4,57344,28' } },
  // The examples abbreviate the data, and leave the event out.
  'fs | load FS-TSFR': {
    corrected: {
      ...blockLines(3, 3, (number, data) => `> AT+FSTSFR=20489,${number},${data}`),
      23: ['OK', '+FSUP:1,1,"ExampleCert",891'],
    },
  },
  'fs | store FS-TSFR': {
    given: ({ bench }) => void bench.flash.files.put('cert', 'ExampleCert', exampleFile),
    corrected: blockLines(7, 3, (number, data, left) => `+FSTSFR:20489,${number},${left},${data}`),
  },
  'fs | file exists': {
    given: ({ bench }) => void bench.flash.files.put('cert', 'ISRGRootX1', exampleFile),
  },
  'fs | file not found': {},
  'fs | protocol': {},

  'nvm | erase, write, check': {},
  'ota | verify + activate': { given: ({ bench }) => writeImage(bench) },
  'ota | locked': {
    given: ({ bench }) => {
      writeImage(bench);
      bench.command('AT+OTAACT');
    },
  },

  'system | reset': {},
  'lexical | engine oracle': {},
};

/** Header and content enough to be an image. */
function writeImage({ flash }: Bench): void {
  flash.nvm.alternate.erase(0, 240);
  flash.nvm.alternate.write(0, new Uint8Array(1024).fill(0x55));
}

const NTP_SECONDS = 3_909_622_842;

/** Answers names and the time. */
function timeServer({ bench }: Run, change: (packet: Buffer) => Buffer): void {
  serveNames(bench.stack, { answers: { 'A pool.ntp.org': [record('A', 'pool.ntp.org', '192.0.2.123')] } });
  const nameServer = bench.stack.onDatagram;
  bench.stack.onDatagram = (socket, data, to) => {
    if (to.port !== 123) {
      nameServer(socket, data, to);
      return;
    }
    const answer = Buffer.alloc(48);
    answer[0] = 0x24;
    answer[1] = 2;
    Buffer.from(data).copy(answer, 24, 40, 48);
    answer.writeUInt32BE(NTP_SECONDS, 40);
    bench.stack.later(() => socket.deliver(change(answer), to));
  };
}

function enableTime(run: Run): void {
  if (!run.bench.stack.linkUp) joined(run);
  for (const line of ['AT+SNTPC=3,"192.0.2.123"', 'AT+SNTPC=2,1', 'AT+SNTPC=1,1']) run.bench.command(line);
}

function configure(bench: Bench): void {
  for (const line of ['AT+WSTAC=1,"MyAP"', 'AT+WSTAC=2,3', 'AT+WSTAC=3,"MyAPPSK"']) bench.command(line);
}
