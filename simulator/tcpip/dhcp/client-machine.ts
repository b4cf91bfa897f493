/** The DHCP client as a table, RFC 2131 figure 5: (state, event) → state and what to do. No time and no I/O here. */

export type ClientState =
  | 'STOPPED'
  | 'INIT'
  | 'SELECTING'
  | 'REQUESTING'
  | 'CHECKING'
  | 'BOUND'
  | 'RENEWING'
  | 'REBINDING'
  | 'REBOOTING';

export type ClientEvent =
  | 'start'
  /** As `start`, with the address of an earlier lease. */
  | 'restart'
  | 'offer'
  | 'ack'
  | 'nak'
  /** No answer to the last message in its time. */
  | 'timeout'
  /** No answer to any of the tries a state is given. */
  | 'give-up'
  | 'address-free'
  | 'address-taken'
  | 'renewal-due'
  | 'rebinding-due'
  | 'expired'
  | 'release'
  | 'stop';

export type ClientEffect =
  /** Begin a transaction: new id, clock of `secs`, first retransmission time. */
  | 'begin'
  | 'send-discover'
  /** Ask for the offered address. */
  | 'send-request'
  /** Ask for the address of an earlier lease. */
  | 'send-reboot'
  /** Ask the server that gave the lease. */
  | 'send-renew'
  /** Ask any server. */
  | 'send-rebind'
  | 'send-decline'
  | 'send-release'
  | 'keep-offer'
  | 'keep-lease'
  /** The address is not to be asked for again. */
  | 'forget-address'
  /** See whether somebody has the address already (RFC 2131 2.2, RFC 5227). */
  | 'probe'
  | 'configure'
  | 'unconfigure'
  /** Timers T1, T2 and the lease's end. */
  | 'arm-lease'
  | 'cancel-timers'
  /** Starts over after 10 s (RFC 2131 3.1.5). */
  | 'pause';

export interface Transition {
  readonly to: ClientState;
  readonly effects: readonly ClientEffect[];
}

const fromScratch: Transition = { to: 'SELECTING', effects: ['cancel-timers', 'begin', 'send-discover'] };
const denied: Transition = { to: 'SELECTING', effects: ['forget-address', ...fromScratch.effects] };
const lost: Transition = { to: 'SELECTING', effects: ['unconfigure', ...fromScratch.effects] };
const withdrawn: Transition = { to: 'SELECTING', effects: ['unconfigure', ...denied.effects] };
const stopped: Transition = { to: 'STOPPED', effects: ['cancel-timers'] };
const stoppedWithLease: Transition = { to: 'STOPPED', effects: ['unconfigure', 'cancel-timers'] };
const released: Transition = { to: 'STOPPED', effects: ['send-release', 'unconfigure', 'cancel-timers'] };
const extended: Transition = {
  to: 'BOUND',
  effects: ['keep-lease', 'cancel-timers', 'configure', 'arm-lease'],
};
const granted: Transition = { to: 'CHECKING', effects: ['keep-lease', 'cancel-timers', 'probe'] };

const table: Readonly<Record<ClientState, Partial<Readonly<Record<ClientEvent, Transition>>>>> = {
  STOPPED: {
    start: fromScratch,
    restart: { to: 'REBOOTING', effects: ['begin', 'send-reboot'] },
  },
  INIT: { start: fromScratch, stop: stopped, release: stopped },
  SELECTING: {
    offer: { to: 'REQUESTING', effects: ['keep-offer', 'cancel-timers', 'send-request'] },
    // A server with rapid commit answers at once (RFC 4039).
    ack: granted,
    timeout: { to: 'SELECTING', effects: ['send-discover'] },
    stop: stopped,
    release: stopped,
  },
  REQUESTING: {
    ack: granted,
    nak: denied,
    timeout: { to: 'REQUESTING', effects: ['send-request'] },
    'give-up': fromScratch,
    stop: stopped,
    release: stopped,
  },
  REBOOTING: {
    ack: granted,
    nak: denied,
    timeout: { to: 'REBOOTING', effects: ['send-reboot'] },
    'give-up': fromScratch,
    stop: stopped,
    release: stopped,
  },
  CHECKING: {
    'address-free': { to: 'BOUND', effects: ['configure', 'arm-lease'] },
    'address-taken': { to: 'INIT', effects: ['send-decline', 'forget-address', 'cancel-timers', 'pause'] },
    stop: stopped,
    release: { to: 'STOPPED', effects: ['send-release', 'cancel-timers'] },
  },
  BOUND: {
    'renewal-due': { to: 'RENEWING', effects: ['begin', 'send-renew'] },
    expired: lost,
    stop: stoppedWithLease,
    release: released,
  },
  RENEWING: {
    ack: extended,
    nak: withdrawn,
    timeout: { to: 'RENEWING', effects: ['send-renew'] },
    'rebinding-due': { to: 'REBINDING', effects: ['send-rebind'] },
    expired: lost,
    stop: stoppedWithLease,
    release: released,
  },
  REBINDING: {
    ack: extended,
    nak: withdrawn,
    timeout: { to: 'REBINDING', effects: ['send-rebind'] },
    expired: lost,
    stop: stoppedWithLease,
    release: released,
  },
};

/** `undefined`: the event means nothing in this state. */
export const clientTransition = (state: ClientState, event: ClientEvent): Transition | undefined =>
  table[state][event];
