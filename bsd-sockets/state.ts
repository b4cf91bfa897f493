/**
 * The life of a socket as tables: where it goes from each state, and what each function answers in it. No I/O, no time.
 */
import type { ErrnoName } from './errno.js';

export type State =
  /** The module has not answered `socket()` yet. */
  | 'opening'
  /** Idle; a datagram socket is ready to send and receive. */
  | 'open'
  /** A datagram socket waits for its local port. */
  | 'binding'
  | 'starting'
  | 'listening'
  | 'connecting'
  /** The connection stands, TLS does not yet. */
  | 'securing'
  | 'connected'
  /** The peer closed; what it sent before is still to be read. */
  | 'ended'
  | 'failed'
  /** Writing what is left, then closing. The descriptor is no longer the caller's. */
  | 'closing'
  | 'closed';

export type Input =
  | 'opened'
  | 'bind'
  | 'listen'
  | 'connect'
  /** A datagram socket's `bind` or `connect` is done. */
  | 'ready'
  | 'listens'
  | 'established'
  | 'securing'
  | 'secured'
  | 'peerClosed'
  | 'fail'
  | 'shutdown'
  | 'closed';

const transitions: Readonly<Record<State, Readonly<Partial<Record<Input, State>>>>> = {
  opening: { opened: 'open', fail: 'failed' },
  open: { bind: 'binding', listen: 'starting', connect: 'connecting', fail: 'failed', shutdown: 'closing' },
  binding: { ready: 'open', fail: 'failed', shutdown: 'closing' },
  starting: { listens: 'listening', fail: 'failed', shutdown: 'closing' },
  listening: { fail: 'failed', shutdown: 'closing' },
  connecting: {
    ready: 'open',
    established: 'connected',
    securing: 'securing',
    peerClosed: 'failed',
    fail: 'failed',
    shutdown: 'closing',
  },
  securing: { secured: 'connected', peerClosed: 'failed', fail: 'failed', shutdown: 'closing' },
  connected: { peerClosed: 'ended', fail: 'failed', shutdown: 'closing' },
  ended: { fail: 'failed', shutdown: 'closing' },
  failed: { shutdown: 'closing' },
  closing: { closed: 'closed' },
  closed: {},
};

/** The next state; undefined if the input means nothing here. */
export const transition = (state: State, input: Input): State | undefined => transitions[state][input];

export type Call = 'bind' | 'listen' | 'accept' | 'connect' | 'send' | 'recv' | 'shutdown' | 'name';
/** `go`: do it. `done`: it is done, answer 0. `error`: answer why the socket failed. Else that `errno`. */
export type Verdict = 'go' | 'done' | 'error' | ErrnoName;
/** What a live descriptor can be in. */
type Live = Exclude<State, 'closing' | 'closed'>;
type Rules = Readonly<Record<Call, Readonly<Record<Live, Verdict>>>>;

const every = (verdict: Verdict): Record<Live, Verdict> => ({
  opening: verdict,
  open: verdict,
  binding: verdict,
  starting: verdict,
  listening: verdict,
  connecting: verdict,
  securing: verdict,
  connected: verdict,
  ended: verdict,
  failed: verdict,
});

/** `socket(…, SOCK_STREAM, …)`. Sources: API reference, "Berkeley Sockets APIs", its remarks and examples. */
const stream: Rules = {
  bind: { ...every('EINVAL'), opening: 'go', open: 'go', failed: 'error' },
  listen: {
    ...every('EOPNOTSUPP'),
    opening: 'EAGAIN',
    open: 'go',
    starting: 'EAGAIN',
    listening: 'done',
    failed: 'error',
  },
  accept: { ...every('EINVAL'), opening: 'ENOTSOCK', listening: 'go' },
  connect: {
    ...every('EOPNOTSUPP'),
    opening: 'EAGAIN',
    open: 'go',
    connecting: 'EINPROGRESS',
    securing: 'EINPROGRESS',
    connected: 'EISCONN',
    ended: 'EISCONN',
    failed: 'error',
  },
  send: { ...every('ENOTCONN'), opening: 'ENOTSOCK', connected: 'go' },
  recv: {
    ...every('ENOTCONN'),
    opening: 'ENOTSOCK',
    connecting: 'EWOULDBLOCK',
    securing: 'EWOULDBLOCK',
    connected: 'go',
    ended: 'go',
    failed: 'go',
  },
  shutdown: { ...every('go'), opening: 'ENOTSOCK' },
  name: { ...every('go'), opening: 'ENOTSOCK' },
};

/** `socket(…, SOCK_DGRAM, …)`: only opening, open, binding, connecting and failed occur. */
const datagram: Rules = {
  bind: { ...every('EAGAIN'), open: 'go', failed: 'error' },
  listen: every('EOPNOTSUPP'),
  accept: every('EOPNOTSUPP'),
  connect: { ...every('EAGAIN'), open: 'go', connecting: 'EINPROGRESS', failed: 'error' },
  send: { ...every('EWOULDBLOCK'), opening: 'ENOTSOCK', open: 'go', failed: 'error' },
  recv: { ...every('EWOULDBLOCK'), opening: 'ENOTSOCK', open: 'go', failed: 'go' },
  shutdown: { ...every('go'), opening: 'ENOTSOCK' },
  name: { ...every('go'), opening: 'ENOTSOCK' },
};

export function verdict(kind: 'stream' | 'datagram', call: Call, state: State): Verdict {
  if (state === 'closing' || state === 'closed') return 'EBADF';
  return (kind === 'stream' ? stream : datagram)[call][state];
}

/** What a descriptor that names no socket is answered, as each function's remarks list it. */
export const badDescriptor = (call: Call): ErrnoName =>
  call === 'connect' || call === 'name' ? 'ENOTSOCK' : 'EBADF';
