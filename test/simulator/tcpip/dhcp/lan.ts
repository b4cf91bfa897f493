import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import type { Endpoint, UdpHandler, UdpSocket } from '../../../../simulator/tcpip/contract.js';

interface Bound {
  readonly host: LanHost;
  readonly port: number;
  readonly handler: UdpHandler;
}

/** UDP hosts on one network without the engine below: for tests of what runs over a `UdpSocket`. */
export class Lan {
  readonly clock = new VirtualClock();
  readonly sockets: Bound[] = [];
  /** Messages on the wire, oldest first. */
  readonly sent: { readonly from: Endpoint; readonly to: Endpoint; readonly data: Uint8Array }[] = [];
  /** Answers `true` to lose a message. */
  lose: (data: Uint8Array) => boolean = () => false;

  host(mac: string, address?: string): LanHost {
    return new LanHost(this, mac, address);
  }
}

export class LanHost {
  readonly mac: string;
  address: string | undefined;
  readonly #lan: Lan;

  constructor(lan: Lan, mac: string, address: string | undefined) {
    this.#lan = lan;
    this.mac = mac;
    this.address = address;
  }

  udpBind(local: Partial<Endpoint>, handler: UdpHandler): UdpSocket {
    const lan = this.#lan;
    const bound: Bound = { host: this, port: local.port ?? 0, handler };
    lan.sockets.push(bound);
    return {
      local: { address: local.address ?? '0.0.0.0', port: bound.port },
      send: (data, to) => {
        const from = { address: this.address ?? '0.0.0.0', port: bound.port };
        const copy = data.slice();
        lan.sent.push({ from, to, data: copy });
        if (lan.lose(copy)) return;
        lan.clock.setTimer(() => {
          const everyone = to.address === '255.255.255.255' || to.address.startsWith('ff02:');
          for (const { host, port, handler: target } of lan.sockets) {
            if (port !== to.port || host === this) continue;
            if (everyone || host.address === to.address) target.message(copy, from, to);
          }
        }, 1);
      },
      close: () => {
        lan.sockets.splice(lan.sockets.indexOf(bound), 1);
      },
      join: () => {},
      leave: () => {},
      setTrafficClass: () => {},
    };
  }
}
