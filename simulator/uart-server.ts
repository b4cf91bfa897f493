/**
 * A module's UART on a TCP port, for hosts without pseudo-terminals. A serial port has one user: a second client is
 * turned away until the first is gone. While nobody is connected the module talks into the void, as on a real wire.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { WincError } from '../driver/protocol/errors.js';
import { UART_BACKLOG, type UartLine } from './uart-line.js';

export interface UartServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Bytes held for a client that does not read; what comes then is dropped. */
  readonly backlog?: number;
}

/** @throws WincError `WINC_PORT_LOCKED` (address in use), `WINC_PORT_PERMISSION`, `WINC_PORT_MISSING` (no such address) */
export async function openUartServer(options: UartServerOptions): Promise<UartServer> {
  const host = options.host ?? '127.0.0.1';
  const server = createServer({ noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(host, options.port, cause)));
    server.listen(options.port, host, resolve);
  });
  server.removeAllListeners('error');
  return new UartServer(server, options.backlog ?? UART_BACKLOG);
}

function listenError(host: string, port: number, cause: NodeJS.ErrnoException): WincError {
  const where = `TCP port ${port} of ${host}`;
  if (cause.code === 'EADDRINUSE') return new WincError('WINC_PORT_LOCKED', `${where} is in use`, { cause });
  if (cause.code === 'EACCES')
    return new WincError('WINC_PORT_PERMISSION', `${where} may not be opened`, { cause });
  return new WincError('WINC_PORT_MISSING', `${where} cannot be opened: ${cause.message}`, { cause });
}

/** Made by {@link openUartServer}. */
export class UartServer implements UartLine {
  receive: (bytes: Uint8Array) => void = () => {};
  dropped = 0;
  readonly host: string;
  readonly port: number;

  readonly #server: Server;
  readonly #backlog: number;
  #client: Socket | undefined;

  constructor(server: Server, backlog: number) {
    this.#server = server;
    this.#backlog = backlog;
    const address = server.address();
    if (address === null || typeof address === 'string')
      throw new TypeError('a listening TCP server is needed');
    this.host = address.address;
    this.port = address.port;
    server.on('connection', (socket) => this.#connected(socket));
    server.on('error', () => {});
  }

  get name(): string {
    return `tcp:${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`;
  }

  get waiting(): number {
    return this.#client?.writableLength ?? 0;
  }

  write(bytes: Uint8Array): void {
    const client = this.#client;
    if (client === undefined) return;
    const kept = Math.min(bytes.length, this.#backlog - client.writableLength);
    if (kept > 0) client.write(bytes.slice(0, kept));
    this.dropped += bytes.length - Math.max(kept, 0);
  }

  async close(): Promise<void> {
    this.#client?.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #connected(socket: Socket): void {
    if (this.#client !== undefined) {
      socket.destroy();
      return;
    }
    this.#client = socket;
    socket.on('data', (bytes) => this.receive(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#client = undefined;
    });
  }
}
