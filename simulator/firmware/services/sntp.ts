/** SNTP: asks a time server while the module is on a network. API reference, module SNTP; RFC 4330. */
import { isIpv4, isIpv6 } from '../../../driver/protocol/address.js';
import { StatusCode, type StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { TimerHandle, UdpSocket } from '../../tcpip/contract.js';
import { StackError } from '../../tcpip/errors.js';
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import { ConfigTable } from '../config-table.js';
import type { Service } from '../service.js';
import { NTP_EPOCH } from '../wall-clock.js';

const PORT = 123;
const PACKET = 48;
const VERSION_4_CLIENT = 0x23;
const MODE_SERVER = 4;
/** A server that never had the time, or tells to go away: RFC 4330, section 8. */
const KISS_OF_DEATH = 0;
const UNSYNCHRONISED = 16;
/** Where the transmit and originate timestamps are. */
const ORIGINATE = 24;
const TRANSMIT = 40;

/** Milliseconds: to wait for an answer, until the next try after a failure, and after a success. */
const TIMEOUT = 5_000;
const RETRY = 15_000;
const POLL = 600_000;

/** Milliseconds since 1970 of an NTP timestamp; counts from zero again in 2036. */
function unixMs(view: DataView, at: number): number {
  const seconds = view.getUint32(at) - NTP_EPOCH;
  const fraction = view.getUint32(at + 4) / 0x1_0000_0000;
  return ((seconds < 0 ? seconds + 0x1_0000_0000 : seconds) + fraction) * 1000;
}

export function sntp(board: Board): Service {
  const { clock, random, network, resolver } = board;
  const table: ConfigTable<'SNTPC'> = new ConfigTable('SNTPC', { changed: () => restart() });
  let timer: TimerHandle | undefined;
  let socket: UdpSocket | undefined;
  /** Since the network came up; then another address changes nothing. */
  let synchronised = false;
  /** Counts tries, so that the answer to an abandoned one finds nobody. */
  let attempt = 0;

  function stop(): void {
    attempt++;
    timer?.cancel();
    socket?.close();
    socket = undefined;
  }

  function restart(): void {
    stop();
    const addressed = network.stack.addresses.some(({ origin }) => origin !== 'link-local');
    if (table.number('NTP_ENABLED') && network.up && addressed) ask();
  }

  /** The next try, later. */
  function again(delayMs: number): void {
    stop();
    timer = clock.setTimer(restart, delayMs);
  }

  function fail(status: StatusName): void {
    again(RETRY);
    board.emit({ name: 'SNTPERR', form: 'SNTP_ERROR', elements: { errorCode: StatusCode[status] } });
  }

  function ask(): void {
    const host = table.number('NTP_STATIC') ? table.text('NTP_SVR') : network.timeServer;
    if (!host) return;
    const current = attempt;
    resolver.lookup(host, undefined, (result) => {
      if (attempt !== current) return;
      if (isIpv4(result) || isIpv6(result)) exchange(result);
      else fail('SNTP_SERVER_TMO');
    });
  }

  function exchange(address: string): void {
    const request = new Uint8Array(PACKET);
    request[0] = VERSION_4_CLIENT;
    // Only a nonce: the module does not know the time yet.
    for (let at = TRANSMIT; at < PACKET; at++) request[at] = Math.floor(random() * 256);
    try {
      socket = network.stack.udpBind(
        {},
        {
          message(data, from) {
            if (from.address === address && from.port === PORT) received(data, request);
          },
        },
      );
      socket.send(request, { address, port: PORT });
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      fail('SNTP_SERVER_TMO');
      return;
    }
    timer = clock.setTimer(() => fail('SNTP_SERVER_TMO'), TIMEOUT);
  }

  function received(data: Uint8Array, request: Uint8Array): void {
    const answers =
      data.length >= PACKET &&
      (data[0] & 7) === MODE_SERVER &&
      data[1] !== KISS_OF_DEATH &&
      data[1] < UNSYNCHRONISED &&
      data.subarray(ORIGINATE, ORIGINATE + 8).every((byte, at) => byte === request[TRANSMIT + at]);
    if (!answers) {
      fail('SNTP_PROTOCOL_ERROR');
      return;
    }
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    const now = unixMs(view, TRANSMIT);
    again(POLL);
    synchronised = true;
    board.time.synchronise(now);
  }

  network.observers.push({
    addressAdded() {
      if (!synchronised) restart();
    },
    down() {
      synchronised = false;
      stop();
    },
  });
  return { config: { SNTPC: single(table) } };
}
