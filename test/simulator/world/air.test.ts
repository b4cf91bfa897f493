import { pbkdf2Sync } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Association, Credentials, JoinFailure } from '../../../simulator/firmware/radio.js';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import { VirtualSwitch } from '../../../simulator/tcpip/link/switch.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import type { AccessPoint, AccessPointOptions } from '../../../simulator/world/access-point.js';
import { Air } from '../../../simulator/world/air.js';
import { StationLink } from '../../../simulator/world/station-link.js';

const mac = '02:00:00:00:00:01';
const otherMac = '02:00:00:00:00:02';
const bytes = (text: string) => new TextEncoder().encode(text);
const open: Credentials = { kind: 'open' };
const personal = (passphrase: string | Uint8Array): Credentials => ({
  kind: 'personal',
  passphrase: typeof passphrase === 'string' ? bytes(passphrase) : passphrase,
});

describe('the air', () => {
  let clock: VirtualClock;
  let air: Air;

  beforeEach(() => {
    clock = new VirtualClock();
    const network = new VirtualSwitch({ clock });
    air = new Air({
      clock,
      joinMs: 10,
      noAnswerMs: 100,
      beaconLossMs: 1000,
      attach: () => {
        const way = new StationLink(network.port(), clock, seededRandom(1));
        return { link: way, way };
      },
    });
  });

  afterEach(() => {
    air.close();
    expect(clock.pending).to.equal(0);
  });

  const join = (accessPoint: AccessPoint, credentials: Credentials, ssid = accessPoint.ssid, from = mac) => {
    let result: Association | JoinFailure | undefined;
    air.radio(from).join(
      { bssid: accessPoint.bssid, ssid, credentials },
      {
        joined: (association) => {
          expect(result).to.equal(undefined);
          result = association;
        },
        failed: (reason) => {
          expect(result).to.equal(undefined);
          result = reason;
        },
      },
    );
    expect(result, 'never from inside join').to.equal(undefined);
    clock.advance(200);
    return result;
  };

  const joined = (accessPoint: AccessPoint, credentials: Credentials, from = mac): Association => {
    const result = join(accessPoint, credentials, accessPoint.ssid, from);
    expect(result).to.be.an('object');
    return result as Association;
  };

  it('hears on a channel what sends there', () => {
    air.add({ ssid: 'one', channel: 1, rssi: -70 });
    air.add({ ssid: 'two', channel: 1, passphrase: 'secret123' });
    air.add({ ssid: 'three', channel: 11 });
    const heard = air.radio(mac).hear(1);
    expect(
      heard.map(({ ssid, rssi, security }) => [new TextDecoder().decode(ssid), rssi, security]),
    ).to.deep.equal([
      ['one', -70, 'open'],
      ['two', -45, 'wpa2-personal'],
    ]);
    expect(new Set(air.accessPoints.map(({ bssid }) => bssid)).size).to.equal(3);
  });

  it('gives a hidden name only to who asks for it', () => {
    air.add({ ssid: 'ghost', hidden: true, channel: 3 });
    const radio = air.radio(mac);
    expect(radio.hear(3)[0].ssid).to.have.length(0);
    expect(radio.hear(3, [bytes('other')])[0].ssid).to.have.length(0);
    expect(radio.hear(3, [bytes('other'), bytes('ghost')])[0].ssid).to.deep.equal(bytes('ghost'));
  });

  it('does not hear what is silent or too weak', () => {
    const accessPoint = air.add({ ssid: 'lab' });
    accessPoint.disappear();
    expect(air.radio(mac).hear(6)).to.deep.equal([]);
    accessPoint.appear();
    expect(air.radio(mac).hear(6)).to.have.length(1);
    accessPoint.rssi = -110;
    expect(air.radio(mac).hear(6)).to.deep.equal([]);
  });

  it('lets in exactly the passphrase, byte for byte, whatever bytes name and passphrase are made of', () => {
    const secret = fc.uint8Array({ minLength: 1, maxLength: 63 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 32 }), secret, secret, (ssid, right, tried) => {
        const accessPoint = air.add({ ssid, passphrase: right });
        expect(join(accessPoint, personal(right))).to.be.an('object');
        const equal = Buffer.compare(right, tried) === 0;
        if (!equal) expect(join(accessPoint, personal(tried))).to.equal('wrong-credentials');
        expect(join(accessPoint, personal(right), Uint8Array.of(...ssid.subarray(1), ssid[0] ^ 1))).to.equal(
          'no-answer',
        );
        air.remove(accessPoint);
      }),
      { numRuns: 50 },
    );
    for (const awkward of ['"quoted"\\', 'cr\rlf\ncrlf\r\n', 'nul\0nul\0', 'ünïcødé ☃ 漢字']) {
      const accessPoint = air.add({ ssid: awkward.slice(0, 10), passphrase: awkward });
      expect(join(accessPoint, personal(awkward))).to.be.an('object');
      expect(join(accessPoint, personal(awkward.slice(0, -1)))).to.equal('wrong-credentials');
    }
  });

  it('takes the 256-bit key in hexadecimal for the passphrase it is made of, and the other way round', () => {
    const key = pbkdf2Sync('secret123', 'lab', 4096, 32, 'sha1').toString('hex');
    const byPassphrase = air.add({ ssid: 'lab', passphrase: 'secret123' });
    expect(join(byPassphrase, personal(key.toUpperCase()))).to.be.an('object');
    expect(join(byPassphrase, personal(key.replace(/^./, 'g')))).to.equal('wrong-credentials');
    const byKey = air.add({ ssid: 'lab', passphrase: key });
    expect(join(byKey, personal('secret123'))).to.be.an('object');
    expect(join(byKey, personal('secret124'))).to.equal('wrong-credentials');
  });

  it('checks enterprise accounts', () => {
    const accessPoint = air.add({
      ssid: 'corp',
      accounts: [{ identity: 'anonymous', user: 'ada', password: 'lovelace' }],
    });
    expect(accessPoint.security).to.equal('wpa2-enterprise');
    const as = (user: string, password: string): Credentials => ({
      kind: 'enterprise',
      identity: bytes('anonymous'),
      user: bytes(user),
      password: bytes(password),
    });
    expect(join(accessPoint, as('ada', 'lovelace'))).to.be.an('object');
    expect(join(accessPoint, as('ada', 'byron'))).to.equal('wrong-credentials');
  });

  it('rejects the wrong kind of security, and who comes when it is full', () => {
    const closed = air.add({ ssid: 'lab', passphrase: 'secret123' });
    expect(join(closed, open)).to.equal('rejected');
    const small = air.add({ ssid: 'small', maxStations: 1 });
    expect(join(small, personal('secret123'))).to.equal('rejected');
    expect(join(small, open)).to.be.an('object');
    expect(join(small, open, small.ssid, otherMac)).to.equal('rejected');
  });

  it('does not answer for an access point that is gone, or goes meanwhile', () => {
    const accessPoint = air.add({ ssid: 'lab' });
    accessPoint.disappear();
    expect(join(accessPoint, open)).to.equal('no-answer');
    accessPoint.appear();
    clock.setTimer(() => accessPoint.disappear(), 5);
    expect(join(accessPoint, open)).to.equal('no-answer');
  });

  it('joins nobody who changed his mind', () => {
    const accessPoint = air.add({ ssid: 'lab' });
    const fail = () => expect.fail();
    const request = { bssid: accessPoint.bssid, ssid: accessPoint.ssid, credentials: open };
    air.radio(mac).join(request, { joined: fail, failed: fail }).cancel();
    clock.advance(1000);
    expect(accessPoint.stations.size).to.equal(0);
  });

  describe('between two stations', () => {
    const frame = Uint8Array.from([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 1, 2, 3]);

    it('carries frames while the access point is there, and loses the stations after the beacons they miss', () => {
      const accessPoint = air.add({ ssid: 'lab' });
      const a = joined(accessPoint, open);
      const b = joined(accessPoint, open, otherMac);
      let heard = 0;
      let lost = 0;
      b.link.receive = () => heard++;
      b.lost = () => lost++;
      const send = () => {
        a.link.transmit(frame, frame.length);
        clock.advance(1);
        return heard;
      };
      expect(send()).to.equal(1);
      accessPoint.disappear(500);
      expect(send()).to.equal(1);
      clock.advance(500);
      expect(accessPoint.visible).to.equal(true);
      expect(send()).to.equal(2);
      accessPoint.disappear();
      clock.advance(1100);
      expect(lost).to.equal(1);
      expect(accessPoint.stations.size).to.equal(0);
      accessPoint.appear();
      expect(send()).to.equal(2);
    });

    it('throws one out, and it hears nothing more', () => {
      const accessPoint = air.add({ ssid: 'lab' });
      const a = joined(accessPoint, open);
      const b = joined(accessPoint, open, otherMac);
      let lost = '';
      let heard = 0;
      a.lost = () => {
        lost += 'a';
      };
      b.lost = () => {
        lost += 'b';
      };
      b.link.receive = () => heard++;
      accessPoint.deauthenticate(otherMac);
      expect(lost).to.equal('b');
      a.link.transmit(frame, frame.length);
      clock.advance(1);
      expect(heard).to.equal(0);
    });
  });

  it('carries a station over to another access point of its network', () => {
    const first = air.add({ ssid: 'lab', passphrase: 'secret123', channel: 1 });
    const second = air.add({ ssid: 'lab', passphrase: 'secret123', channel: 11, rssi: -60 });
    air.add({ ssid: 'lab', passphrase: 'another secret' });
    const association = joined(first, personal('secret123'));
    let roamed = 0;
    association.roamed = () => roamed++;
    association.lost = () => expect.fail();
    first.disappear();
    clock.advance(1000);
    expect(roamed).to.equal(1);
    expect(association).to.include({ bssid: second.bssid, channel: 11, rssi: -60 });
    expect([first.stations.size, second.stations.size]).to.deep.equal([0, 1]);
    association.leave();
    expect(second.stations.size).to.equal(0);
  });

  it('forgets the former association of a station that comes again', () => {
    const accessPoint = air.add({ ssid: 'lab' });
    const former = joined(accessPoint, open);
    former.lost = () => expect.fail();
    joined(accessPoint, open);
    expect(accessPoint.stations.size).to.equal(1);
    former.leave();
    expect(accessPoint.stations.size).to.equal(1);
  });

  describe('an access point that cannot be', () => {
    const cases: [string, AccessPointOptions][] = [
      ['no name', { ssid: '' }],
      ['33 bytes of name', { ssid: `${'é'.repeat(16)}x` }],
      ['an empty passphrase', { ssid: 'lab', passphrase: '' }],
      ['a passphrase of 129 bytes', { ssid: 'lab', passphrase: 'x'.repeat(129) }],
      ['security without a passphrase', { ssid: 'lab', security: 'wpa3-personal' }],
      ['a passphrase for nothing', { ssid: 'lab', security: 'open', passphrase: 'secret123' }],
      ['enterprise without accounts', { ssid: 'lab', security: 'wpa2-enterprise' }],
      ['channel 15', { ssid: 'lab', channel: 15 }],
      ['a BSSID that is none', { ssid: 'lab', bssid: 'no' }],
    ];
    for (const [name, options] of cases)
      it(`is refused: ${name}`, () => {
        expect(() => air.add(options))
          .to.throw()
          .with.property('code', 'WINC_ARGUMENT');
      });
  });
});
