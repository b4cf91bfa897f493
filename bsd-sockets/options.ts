/** `setsockopt`: which options there are, what they take, and what they become on the module. */
import { configIds } from '../driver/protocol/index.js';
import { isMulticast } from './address.js';
import {
  AF_INET,
  AF_INET6,
  type AsyncMode,
  IP_ADD_MEMBERSHIP,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_TLS,
  IPTOS_TOS_MASK,
  IPV6_ADD_MEMBERSHIP,
  SO_ASYNC_MODE,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_NODELAY,
  TLS_CONF_IDX,
} from './constants.js';
import { SocketError } from './errno.js';

/** `struct ip_mreqn` or `struct ipv6_mreq`. */
export interface Membership {
  readonly multiaddr: string;
  readonly address?: string;
  readonly ifindex?: number;
}
export type OptionValue = number | boolean | Membership;

/** What an option asks for. */
export type Setting =
  | { readonly kind: 'config'; readonly id: number; readonly value: number }
  | { readonly kind: 'asyncMode'; readonly mode: AsyncMode }
  | { readonly kind: 'tls'; readonly index: number }
  | { readonly kind: 'group'; readonly address: string };

export interface OptionTarget {
  readonly kind: 'stream' | 'datagram';
  readonly family: number;
  readonly tls: boolean;
}

const { SOCKC } = configIds;
const invalid = () => new SocketError('EINVAL');

function integer(value: OptionValue, least: number, most: number): number {
  const number = typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < least || number > most)
    throw invalid();
  return number;
}

const config = (id: number, value: number): Setting => ({ kind: 'config', id, value });
const flag = (value: OptionValue): number => (integer(value, -0x8000_0000, 0x7fff_ffff) === 0 ? 0 : 1);

function group(value: OptionValue, { kind, family }: OptionTarget, wanted: number): Setting {
  if (typeof value !== 'object' || kind !== 'datagram' || family !== wanted) throw invalid();
  if (!isMulticast(value.multiaddr) || value.multiaddr.includes(':') !== (wanted === AF_INET6))
    throw invalid();
  return { kind: 'group', address: value.multiaddr };
}

type Handler = (value: OptionValue, target: OptionTarget) => Setting;
const forStreams =
  (handler: Handler): Handler =>
  (value, target) => {
    if (target.kind !== 'stream') throw new SocketError('ENOPROTOOPT');
    return handler(value, target);
  };

/** level → option → what it takes. The ranges are those of the module's `SOCKC`. */
const options: Readonly<Record<number, Readonly<Record<number, Handler>>>> = {
  [SOL_SOCKET]: {
    [SO_ASYNC_MODE]: (value) => ({ kind: 'asyncMode', mode: integer(value, 0, 2) as AsyncMode }),
    [SO_KEEPALIVE]: forStreams((value) => config(SOCKC.SO_KEEPALIVE, integer(value, 0, 0xffff))),
    [SO_LINGER]: forStreams((value) => config(SOCKC.SO_LINGER, flag(value))),
    [SO_RCVBUF]: forStreams((value) => config(SOCKC.SO_RCVBUF, integer(value, 1460, 32768))),
    [SO_SNDBUF]: forStreams((value) => config(SOCKC.SO_SNDBUF, integer(value, 1460, 32768))),
  },
  [IPPROTO_TCP]: {
    [TCP_NODELAY]: forStreams((value) => config(SOCKC.SO_NODELAY, flag(value))),
  },
  [IPPROTO_IP]: {
    [IP_TOS]: (value) => {
      // Bits outside the mask are to be cleared; of those inside, one at most.
      const tos = integer(value, 0, 0xff) & IPTOS_TOS_MASK & ~0x02;
      if (![0, 4, 8, 16].includes(tos)) throw invalid();
      return config(SOCKC.IP_TOS, tos);
    },
    [IP_ADD_MEMBERSHIP]: (value, target) => group(value, target, AF_INET),
    [IPV6_ADD_MEMBERSHIP]: (value, target) => group(value, target, AF_INET6),
  },
  [IPPROTO_IPV6]: {
    [IPV6_ADD_MEMBERSHIP]: (value, target) => group(value, target, AF_INET6),
  },
  [IPPROTO_TLS]: {
    [TLS_CONF_IDX]: (value, { tls }) => {
      if (!tls) throw new SocketError('ENOPROTOOPT');
      return { kind: 'tls', index: integer(value, 1, 4) };
    },
  },
};

/** @throws SocketError `ENOPROTOOPT` (unknown here), `EINVAL` (value) */
export function settingFor(level: number, name: number, value: OptionValue, target: OptionTarget): Setting {
  const handler = options[level]?.[name];
  if (handler === undefined) throw new SocketError('ENOPROTOOPT');
  return handler(value, target);
}
