/** Connections from the simulated network to the host's: each is opened there first, and accepted only if that worked. */
import { connect, type Socket } from 'node:net';
import type { Clock, TcpRequest } from '../../tcpip/contract.js';
import { type Destination, endpointKey } from '../policy.js';
import { TcpSplice } from './tcp-splice.js';

export interface TcpNatOptions {
  readonly clock: Clock;
  readonly destination: (address: string) => Destination;
  /** Connections at once, opening ones included; default 2048. What comes then is refused. */
  readonly limit?: number;
}

type Refusal = Parameters<TcpRequest['refuse']>[0];

/** What the network hears of a connection that the host could not open; `silence` where nobody answered the host. */
const REFUSALS: Readonly<Record<string, Refusal | 'silence'>> = {
  ECONNREFUSED: 'reset',
  ECONNRESET: 'reset',
  EHOSTUNREACH: 'host-unreachable',
  EHOSTDOWN: 'host-unreachable',
  ETIMEDOUT: 'silence',
};

export class TcpNat {
  readonly #options: TcpNatOptions;
  /** By both ends' addresses: a repeated SYN finds the connection that is being opened for it. */
  readonly #open = new Map<string, { abort(): void }>();

  constructor(options: TcpNatOptions) {
    this.#options = options;
  }

  /** Connections open or opening. */
  get connections(): number {
    return this.#open.size;
  }

  /** The engine's `tcpForwarder`. */
  readonly forward = (request: TcpRequest): void => {
    const key = `${endpointKey(request.remote)}>${endpointKey(request.local)}`;
    if (this.#open.has(key)) return;
    const destination = this.#options.destination(request.local.address);
    if (destination === 'refused' || this.#open.size >= (this.#options.limit ?? 2048))
      request.refuse('reset');
    else if (destination === 'unreachable') request.refuse('net-unreachable');
    else {
      const socket = connect({
        host: destination.address,
        port: request.local.port,
        family: destination.family,
        allowHalfOpen: true,
      });
      this.#open.set(key, { abort: () => socket.destroy() });
      this.#await(request, socket, key);
    }
  };

  close(): void {
    for (const entry of [...this.#open.values()]) entry.abort();
  }

  #await(request: TcpRequest, socket: Socket, key: string): void {
    const forget = () => void this.#open.delete(key);
    const failed = (error: NodeJS.ErrnoException) => {
      const refusal = REFUSALS[error.code ?? ''] ?? 'net-unreachable';
      if (refusal === 'silence') request.ignore();
      else request.refuse(refusal);
    };
    socket.once('error', failed);
    socket.once('close', forget);
    socket.once('connect', () => {
      socket.off('error', failed);
      socket.off('close', forget);
      const splice = new TcpSplice(socket, this.#options.clock, forget);
      this.#open.set(key, splice);
      splice.attach(request.accept(splice.handler));
    });
  }
}
