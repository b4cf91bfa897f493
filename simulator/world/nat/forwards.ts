/** Ways in: ports of the host's loopback that lead to ports of a module. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { WincError } from '../../../driver/protocol/errors.js';
import type { Clock, Endpoint, Stack, TimerHandle, UdpSocket } from '../../tcpip/contract.js';
import { stripScope } from '../policy.js';
import { TcpSplice } from './tcp-splice.js';

export interface ForwardOptions {
  readonly protocol: 'tcp' | 'udp';
  /** 0: any free one, told by {@link Forward.hostPort}. */
  readonly hostPort: number;
  readonly modulePort: number;
  /** The loopback address to listen on, default 127.0.0.1. */
  readonly hostAddress?: string;
}

export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  readonly hostPort: number;
  readonly modulePort: number;
  close(): void;
}

export interface ForwardTarget {
  readonly stack: Stack;
  readonly clock: Clock;
  /** Where the module is now. */
  readonly address: () => string;
}

const TCP_LIMIT = 256;
const UDP_LIMIT = 256;
const UDP_IDLE_MS = 120_000;

/** @throws WincError `WINC_PORT_LOCKED`, `WINC_PORT_PERMISSION`, `WINC_PORT_MISSING` when the host's port cannot be had */
export function openForward(options: ForwardOptions, target: ForwardTarget): Promise<Forward> {
  return options.protocol === 'tcp' ? TcpForward.open(options, target) : UdpForward.open(options, target);
}

function listenError(options: ForwardOptions, cause: NodeJS.ErrnoException): WincError {
  const where = `${options.protocol.toUpperCase()} port ${options.hostPort}`;
  const code =
    cause.code === 'EADDRINUSE'
      ? 'WINC_PORT_LOCKED'
      : cause.code === 'EACCES'
        ? 'WINC_PORT_PERMISSION'
        : 'WINC_PORT_MISSING';
  return new WincError(code, `cannot forward ${where}: ${cause.message}`, { cause });
}

class TcpForward implements Forward {
  readonly protocol = 'tcp';
  readonly hostPort: number;
  readonly modulePort: number;
  readonly #server: Server;
  readonly #target: ForwardTarget;
  readonly #open = new Set<TcpSplice>();

  static async open(options: ForwardOptions, target: ForwardTarget): Promise<Forward> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(options.hostPort, options.hostAddress ?? '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      throw listenError(options, error as NodeJS.ErrnoException);
    }
    return new TcpForward(server, options.modulePort, target);
  }

  private constructor(server: Server, modulePort: number, target: ForwardTarget) {
    this.#server = server;
    this.modulePort = modulePort;
    this.#target = target;
    const address = server.address();
    this.hostPort = typeof address === 'object' && address !== null ? address.port : 0;
    server.on('connection', (socket) => this.#connected(socket));
    server.on('error', () => {});
  }

  close(): void {
    this.#server.close();
    for (const splice of [...this.#open]) splice.abort();
  }

  #connected(socket: Socket): void {
    if (this.#open.size >= TCP_LIMIT) {
      socket.resetAndDestroy();
      return;
    }
    const splice: TcpSplice = new TcpSplice(socket, this.#target.clock, () => this.#open.delete(splice));
    try {
      const remote = { address: this.#target.address(), port: this.modulePort };
      splice.attach(this.#target.stack.tcpConnect(remote, splice.handler));
      this.#open.add(splice);
    } catch {
      socket.resetAndDestroy();
    }
  }
}

interface UdpPeer {
  readonly socket: UdpSocket;
  lastUsed: number;
}

class UdpForward implements Forward {
  readonly protocol = 'udp';
  readonly hostPort: number;
  readonly modulePort: number;
  readonly #socket: DatagramSocket;
  readonly #target: ForwardTarget;
  /** A socket of the router for each client of the host, least recently used first. */
  readonly #peers = new Map<string, UdpPeer>();
  #timer: TimerHandle | undefined;

  static async open(options: ForwardOptions, target: ForwardTarget): Promise<Forward> {
    const host = options.hostAddress ?? '127.0.0.1';
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.bind(options.hostPort, host);
    try {
      await once(socket, 'listening');
    } catch (error) {
      throw listenError(options, error as NodeJS.ErrnoException);
    }
    return new UdpForward(socket, options.modulePort, target);
  }

  private constructor(socket: DatagramSocket, modulePort: number, target: ForwardTarget) {
    this.#socket = socket;
    this.modulePort = modulePort;
    this.#target = target;
    this.hostPort = socket.address().port;
    socket.on('error', () => {});
    socket.on('message', (data, from) => this.#received(data, from));
  }

  close(): void {
    this.#timer?.cancel();
    this.#socket.close();
    for (const peer of this.#peers.values()) peer.socket.close();
    this.#peers.clear();
  }

  #received(data: Uint8Array, from: Endpoint): void {
    const key = `${from.address} ${from.port}`;
    const { clock, address } = this.#target;
    const peer = this.#peers.get(key) ?? this.#newPeer(from);
    if (peer === undefined) return;
    peer.lastUsed = clock.now();
    this.#peers.delete(key);
    this.#peers.set(key, peer);
    this.#timer ??= clock.setTimer(this.#sweep, UDP_IDLE_MS);
    try {
      peer.socket.send(data, { address: address(), port: this.modulePort });
    } catch {
      // unreachable now: a datagram lost
    }
  }

  #newPeer(client: Endpoint): UdpPeer | undefined {
    if (this.#peers.size >= UDP_LIMIT) this.#forgetOldest();
    try {
      const socket = this.#target.stack.udpBind(
        {},
        {
          message: (data, from) => {
            if (from.port === this.modulePort && stripScope(from.address) === this.#target.address())
              this.#socket.send(data.slice(), client.port, client.address, () => {});
          },
        },
      );
      return { socket, lastUsed: 0 };
    } catch {
      return undefined;
    }
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const { clock } = this.#target;
    for (const peer of this.#peers.values()) {
      const left = peer.lastUsed + UDP_IDLE_MS - clock.now();
      if (left > 0) {
        this.#timer = clock.setTimer(this.#sweep, left);
        return;
      }
      this.#forgetOldest();
    }
  };

  #forgetOldest(): void {
    for (const [key, peer] of this.#peers) {
      this.#peers.delete(key);
      peer.socket.close();
      return;
    }
  }
}
