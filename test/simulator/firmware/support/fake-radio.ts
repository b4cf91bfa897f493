import type {
  Association,
  Beacon,
  Credentials,
  JoinHandler,
  JoinRequest,
  Radio,
} from '../../../../simulator/firmware/radio.js';
import type { Clock, Link } from '../../../../simulator/tcpip/contract.js';

export interface FakeAccessPoint {
  ssid: string;
  bssid: string;
  channel: number;
  rssi: number;
  security: Beacon['security'];
  mfp?: boolean;
  hidden?: boolean;
  passphrase?: string;
}

export const lab: FakeAccessPoint = {
  ssid: 'MyAP',
  bssid: '00:01:02:03:04:05',
  channel: 6,
  rssi: -42,
  security: 'wpa2-personal',
  passphrase: 'MyAPPSK',
};

const link = (): Link => ({ mtu: 1500, transmit: () => true, receive: () => {} });

export class FakeAssociation implements Association {
  lost: () => void = () => {};
  roamed: () => void = () => {};
  left = false;
  readonly link = link();

  constructor(
    public bssid: string,
    public channel: number,
    public rssi: number,
  ) {}

  leave(): void {
    this.left = true;
  }
}

/** The air as a list of access points. */
export class FakeRadio implements Radio {
  accessPoints: FakeAccessPoint[] = [lab];
  readonly associations: FakeAssociation[] = [];
  readonly heard: { channel: number; active: boolean }[] = [];
  readonly requests: JoinRequest[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get association(): FakeAssociation {
    return this.associations[this.associations.length - 1];
  }

  hear(channel: number, probes?: readonly Uint8Array[]): readonly Beacon[] {
    this.heard.push({ channel, active: probes !== undefined });
    return this.accessPoints
      .filter((ap) => ap.channel === channel)
      .map(({ ssid, bssid, rssi, security, mfp, hidden }) => {
        const name = Buffer.from(ssid);
        const shown = !hidden || probes?.some((probe) => Buffer.compare(probe, name) === 0);
        return {
          ssid: shown ? name : new Uint8Array(0),
          bssid,
          channel,
          rssi,
          security,
          ...(mfp !== undefined && { mfp }),
        };
      });
  }

  join(request: JoinRequest, handler: JoinHandler): { cancel(): void } {
    this.requests.push(request);
    const timer = this.#clock.setTimer(() => {
      const ap = this.accessPoints.find(({ bssid }) => bssid === request.bssid);
      if (ap === undefined) handler.failed('no-answer');
      else if (!opens(ap, request.credentials)) handler.failed('wrong-credentials');
      else {
        const association = new FakeAssociation(ap.bssid, ap.channel, ap.rssi);
        this.associations.push(association);
        handler.joined(association);
      }
    }, 1);
    return timer;
  }
}

function opens(ap: FakeAccessPoint, credentials: Credentials): boolean {
  if (ap.passphrase === undefined) return credentials.kind !== 'personal';
  return credentials.kind === 'personal' && Buffer.from(credentials.passphrase).toString() === ap.passphrase;
}
