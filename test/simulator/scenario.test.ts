import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createSimulator, VirtualClock } from '../../simulator/index.js';
import { parseScenario, readScenario } from '../../simulator/scenario/scenario.js';

const options = (scenario: unknown) => parseScenario(JSON.stringify(scenario)).options;

function refusal(scenario: unknown): string {
  try {
    options(scenario);
  } catch (error) {
    expect(error).to.have.property('code', 'WINC_SCENARIO');
    return (error as Error).message;
  }
  return expect.fail('it was taken');
}

describe('a scenario file', () => {
  it('may be empty, and may say anything in its comment', () => {
    expect(options({})).to.deep.equal({});
    expect(options({ comment: ['whatever'] })).to.deep.equal({});
  });

  it('becomes the options of a simulator', () => {
    expect(
      options({
        seed: 1,
        profile: 'wincs02',
        accessPoints: [{ ssid: { hex: '00ff22' }, passphrase: 'secret123', channel: 11, rssi: -60.5 }],
        router: { address: '192.168.7.1', firstLease: '192.168.7.10', lastLease: '192.168.7.20' },
        dns: [{ name: 'a.test', type: 'A', data: '192.0.2.1', ttl: 5 }],
        forwards: ['8080:80'],
        impair: 'loss=1%',
        modules: [{}, { profile: 'rnwf02', mac: '02:00:00:00:00:09' }],
      }),
    ).to.deep.equal({
      seed: 1,
      profile: 'wincs02',
      accessPoints: [{ ssid: Uint8Array.of(0, 255, 34), passphrase: 'secret123', channel: 11, rssi: -60.5 }],
      router: { address: '192.168.7.1', firstLease: '192.168.7.10', lastLease: '192.168.7.20' },
      dns: [{ name: 'a.test', type: 'A', data: '192.0.2.1', ttl: 5 }],
      forwards: [{ protocol: 'tcp', hostPort: 8080, modulePort: 80 }],
      impair: { loss: 0.01 },
      modules: [{}, { profile: 'rnwf02', mac: '02:00:00:00:00:09' }],
    });
  });

  const wrongs: [unknown, string][] = [
    [[], 'the file must be an object'],
    [{ sead: 1 }, 'sead must be left out; there are comment, profile,'],
    [{ seed: 1.5 }, 'seed must be a whole number from 0 to 4294967295'],
    [{ accessPoints: {} }, 'accessPoints must be a list'],
    [{ accessPoints: [{}] }, 'accessPoints[0].ssid must be there'],
    [{ accessPoints: [{ ssid: 5 }] }, 'accessPoints[0].ssid must be text, or bytes as'],
    [{ accessPoints: [{ ssid: { hex: '0' } }] }, 'accessPoints[0].ssid must be text, or bytes as'],
    [
      { accessPoints: [{ ssid: 'a' }, { ssid: 'b', channel: 15 }] },
      'accessPoints[1].channel must be a whole number',
    ],
    [{ accessPoints: [{ ssid: 'a', security: 'wep' }] }, 'accessPoints[0].security must be one of open,'],
    [{ dns: [{ name: 'a.test', type: 'A', data: 'x' }] }, 'dns[0]: DNS: no A record is made of "x"'],
    [{ forwards: ['8080'] }, 'forwards[0]: a forward is HOSTPORT:MODULEPORT'],
    [{ impair: 'loss=lots' }, 'impair: '],
    [{ hostNetwork: null }, 'hostNetwork must be one of none, loopback, full'],
    [{ events: [{ at: 1 }] }, 'events[0].do must be one of appear, disappear,'],
    [{ events: [{ do: 'appear', accessPoint: 'wincs02' }] }, 'events[0].at must be there'],
    [{ events: [{ at: -1, do: 'reset' }] }, 'events[0].at must be a number from 0'],
    [
      { events: [{ at: 1, do: 'reset', for: 1 }] },
      'events[0].for must be left out; there are at, do, module',
    ],
    [
      { events: [{ at: 1, do: 'appear', accessPoint: 'lab' }] },
      'events[0].accessPoint must be the name of one',
    ],
    [
      { events: [{ at: 1, do: 'appear', accessPoint: { bssid: '00:01:02:03:04:05' } }] },
      'events[0].accessPoint must be the name of one that there is, or the BSSID',
    ],
    [
      { events: [{ at: 1, do: 'appear', accessPoint: { bssid: 'lab' } }] },
      'events[0].accessPoint.bssid must be a MAC address',
    ],
    [{ events: [{ at: 1, do: 'reset', module: 1 }] }, 'events[0].module must be below 1'],
    [{ events: [{ at: 1, do: 'toString' }] }, 'events[0].do must be one of'],
  ];
  for (const [scenario, complaint] of wrongs)
    it(`is refused with the place: ${complaint}`, () => {
      expect(refusal(scenario)).to.contain(`scenario: ${complaint}`);
    });

  it('is refused when it is no JSON or cannot be read', () => {
    expect(() => parseScenario('{'))
      .to.throw()
      .with.property('code', 'WINC_SCENARIO');
    expect(() => readScenario('/nowhere/at/all.json'))
      .to.throw()
      .with.property('code', 'WINC_SCENARIO');
  });

  it('tells access points of one name apart by BSSID', async () => {
    const bssids = ['00:01:02:03:04:0A', '00:01:02:03:04:0B'];
    const { options, apply } = parseScenario(
      JSON.stringify({
        accessPoints: bssids.map((bssid) => ({ ssid: 'lab', bssid })),
        events: [{ at: 2, do: 'disappear', accessPoint: { bssid: bssids[1].toLowerCase() } }],
      }),
    );
    const clock = new VirtualClock();
    const simulator = await createSimulator({ ...options, clock });
    const radio = simulator.world.radio('02:00:00:00:00:09');
    const heard = () => radio.hear(6).map(({ bssid }) => bssid);
    const cancel = apply(simulator);
    clock.advance(1999);
    expect(heard()).to.have.members(bssids);
    clock.advance(1);
    expect(heard()).to.deep.equal([bssids[0]]);
    cancel();
    await simulator.close();
  });

  it('of the documentation is a valid one', () => {
    const [, example] = /```json\n(.*?)```/s.exec(readFileSync('docs/scenario.md', 'utf8'))!;
    expect(() => parseScenario(example)).not.to.throw();
  });
});
