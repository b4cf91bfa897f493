/**
 * Node's `net`, `tls` and `dgram` through a module. A module has to be named: `netOf(module).connect(80, 'example.com')`.
 *
 *   Socket, Server, DatagramSocket   API and events of Node's
 *   tls.connect                      TLS on this host (`node:tls`), over a Socket
 *   Agent, HttpsAgent, connector     for `node:http`, `node:https` and undici
 */
import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, isIPv4, isIPv6, type Socket as NodeSocket } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { WincModule } from '../../driver/index.js';
import { DatagramSocket } from './dgram.js';
import { Server, type ServerOptions } from './server.js';
import {
  type ConnectArguments,
  normalizeConnect,
  Socket,
  type SocketOptions,
  type TcpConnectOptions,
} from './socket.js';

export { DatagramSocket, type RemoteInfo } from './dgram.js';
export type { NetError } from './errors.js';
export { type ListenOptions, Server, type ServerOptions } from './server.js';
export { type AddressInfo, Socket, type SocketOptions, type TcpConnectOptions } from './socket.js';

export type TlsConnectOptions = ConnectionOptions & Partial<TcpConnectOptions>;
/** What undici calls with where to connect to. */
export interface ConnectorOptions {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
  readonly servername?: string;
}
type Connected = (error: Error | null, socket: NodeSocket | null) => void;

/** `net`, bound to a module. */
export class ModuleNet {
  readonly module: WincModule;
  readonly isIP = isIP;
  readonly isIPv4 = isIPv4;
  readonly isIPv6 = isIPv6;
  readonly tls = { connect: (...args: [TlsConnectOptions, (() => void)?]) => this.#tlsConnect(...args) };
  readonly dgram = {
    createSocket: (
      type: 'udp4' | 'udp6' | { type: 'udp4' | 'udp6' },
      onMessage?: (...args: unknown[]) => void,
    ): DatagramSocket => {
      const socket = new DatagramSocket(this.module, typeof type === 'string' ? type : type.type);
      if (onMessage !== undefined) socket.on('message', onMessage);
      return socket;
    },
  };

  constructor(module: WincModule) {
    this.module = module;
  }

  /** A socket that is not connected yet: `new net.Socket()`. */
  createSocket(options?: SocketOptions): Socket {
    return new Socket(this.module, options);
  }

  connect(...args: ConnectArguments): Socket {
    const [options, connected] = normalizeConnect(args);
    return new Socket(this.module, options).connect(options, connected);
  }

  createConnection(...args: ConnectArguments): Socket {
    return this.connect(...args);
  }

  createServer(
    options?: ServerOptions | ((socket: Socket) => void),
    onConnection?: (socket: Socket) => void,
  ): Server {
    return typeof options === 'function'
      ? new Server(this.module, {}, options)
      : new Server(this.module, options, onConnection);
  }

  /** For `http.get(url, { agent })`. */
  agent(options: AgentOptions = {}): HttpAgent {
    const agent = new HttpAgent(options);
    const connect = (target: unknown) => asNode(this.connect(target as TcpConnectOptions));
    return Object.assign(agent, { createConnection: connect });
  }

  /** For `https.get(url, { agent })`: TLS on this host. */
  httpsAgent(options: AgentOptions = {}): HttpsAgent {
    const agent = new HttpsAgent(options);
    const connect = (target: unknown) => this.#tlsConnect(target as TlsConnectOptions);
    return Object.assign(agent, { createConnection: connect });
  }

  /** For undici: `new Agent({ connect: net.connector() })`. */
  connector(tls: ConnectionOptions = {}): (options: ConnectorOptions, done: Connected) => void {
    return ({ hostname, port, protocol, servername }, done) => {
      const secure = protocol === 'https:';
      const target = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secure ? 443 : 80)) };
      const socket = secure
        ? this.#tlsConnect({
            ALPNProtocols: ['http/1.1'],
            ...tls,
            ...target,
            servername: servername ?? hostname,
          })
        : asNode(this.connect(target));
      const settle = (error: Error | null) => {
        socket.removeListener('error', settle);
        done(error, error === null ? socket : null);
      };
      socket.once('error', settle);
      socket.once(secure ? 'secureConnect' : 'connect', () => settle(null));
    };
  }

  #tlsConnect(options: TlsConnectOptions, secured?: () => void): TLSSocket {
    const { host = 'localhost', port = 443 } = options;
    const socket = options.socket ?? asNode(this.connect({ ...options, host, port } as TcpConnectOptions));
    const name = options.servername ?? (host !== null && isIP(host) === 0 ? host : '');
    const { lookup: _, ...rest } = options;
    return tlsConnect(
      { ...rest, host: host ?? 'localhost', socket, servername: name } as ConnectionOptions,
      secured,
    );
  }
}

/** The rest of the world asks for Node's class by type only; what it calls is all there. */
const asNode = (socket: Socket): NodeSocket => socket as unknown as NodeSocket;

const known = new WeakMap<WincModule, ModuleNet>();

export function netOf(module: WincModule): ModuleNet {
  const net = known.get(module) ?? new ModuleNet(module);
  known.set(module, net);
  return net;
}
