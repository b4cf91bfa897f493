/**
 * The emulated module's SPI bus on a stream socket, for hosts written in any language. There is one bus, so one client
 * at a time drives it; further ones wait in line.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { WincError } from '../../driver/protocol/errors.js';
import {
  BRIDGE_MAX_PAYLOAD,
  BridgeFrameReader,
  BridgeOpcode,
  bridgeFrame,
} from '../../driver/protocol/sdio/index.js';

/** A module as its SPI bus sees it. */
export interface SpiDevice {
  /** One chip-select window. The answer has the length of `mosi` and is valid until the next call. */
  transfer(mosi: Uint8Array): Uint8Array;
  /** MCLR: true is low. */
  setReset(asserted: boolean): void;
  /** INTOUT: true is low. */
  readonly interruptAsserted: boolean;
  /** Told of every change of INTOUT; one listener at a time. */
  onInterrupt: ((asserted: boolean) => void) | undefined;
}

export interface SpiBridge {
  /** `unix:/path` or `tcp:127.0.0.1:4321`, with the port really bound. */
  readonly address: string;
  /** Clients whose frames made no sense and who were disconnected for it. */
  readonly refused: number;
  close(): Promise<void>;
}

/** Clients that wait while another one is connected. */
const MAX_WAITING = 16;

const nothing = new Uint8Array(0);
const low = bridgeFrame(BridgeOpcode.INTOUT, Uint8Array.of(0));
const high = bridgeFrame(BridgeOpcode.INTOUT, Uint8Array.of(1));

/**
 * @param address `unix:PATH` or `tcp:[HOST:]PORT`; without a host only this machine can connect
 * @throws WincError `WINC_URL` for another address, `WINC_PORT_LOCKED` when it is in use, `WINC_PORT_FAILED` otherwise
 */
export async function serveSpiBridge(address: string, device: SpiDevice): Promise<SpiBridge> {
  const bridge = new BridgeServer(device);
  await bridge.listen(address);
  return bridge;
}

type Endpoint = { readonly path: string } | { readonly host: string; readonly port: number };

function parseAddress(address: string): Endpoint {
  if (address.startsWith('unix:') && address.length > 5) return { path: address.slice(5) };
  const match = /^tcp:(?:(.+):)?(\d{1,5})$/.exec(address);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) {
    throw new WincError('WINC_URL', `an SPI bridge listens on unix:PATH or tcp:[HOST:]PORT, not ${address}`);
  }
  return { host: match[1]?.replace(/^\[(.*)\]$/, '$1') ?? '127.0.0.1', port };
}

class BridgeServer implements SpiBridge {
  address = '';
  refused = 0;
  readonly #device: SpiDevice;
  readonly #server: Server;
  #client: Socket | undefined;
  #waiting: Socket[] = [];
  #resetAsserted = false;

  constructor(device: SpiDevice) {
    this.#device = device;
    this.#server = createServer((socket) => this.#connected(socket));
  }

  async listen(address: string): Promise<void> {
    const endpoint = parseAddress(address);
    if ('path' in endpoint) await removeStaleSocket(endpoint.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const code = cause.code === 'EADDRINUSE' ? 'WINC_PORT_LOCKED' : 'WINC_PORT_FAILED';
        reject(new WincError(code, `cannot listen on ${address}: ${cause.message}`, { cause }));
      });
      this.#server.listen(endpoint, () => {
        this.#server.removeAllListeners('error');
        resolve();
      });
    });
    const bound = this.#server.address();
    if (typeof bound === 'string') this.address = `unix:${bound}`;
    else {
      const host = bound!.family === 'IPv6' ? `[${bound!.address}]` : bound!.address;
      this.address = `tcp:${host}:${bound!.port}`;
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting = [];
    this.#client?.destroy();
    await closed;
  }

  #connected(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    if (this.#client === undefined) {
      this.#serve(socket);
      return;
    }
    if (this.#waiting.length === MAX_WAITING) {
      socket.destroy();
      return;
    }
    socket.pause();
    this.#waiting.push(socket);
    socket.once('close', () => {
      this.#waiting = this.#waiting.filter((other) => other !== socket);
    });
  }

  #serve(client: Socket): void {
    this.#client = client;
    const reader = new BridgeFrameReader(accepts, (opcode, payload) => {
      if (opcode === BridgeOpcode.XFER) {
        client.write(bridgeFrame(opcode, this.#device.transfer(payload)));
      } else {
        this.#setReset(payload[0] === 0);
        client.write(bridgeFrame(opcode, nothing));
      }
    });
    client.on('data', (bytes) => {
      if (!reader.push(bytes as Buffer)) {
        this.refused++;
        client.destroy();
      } else if (client.writableNeedDrain) {
        // A client that asks and never listens must not fill our memory with answers.
        client.pause();
        client.once('drain', () => client.resume());
      }
    });
    client.once('close', () => this.#disconnected());
    this.#device.onInterrupt = (asserted) => client.write(asserted ? low : high);
    client.write(this.#device.interruptAsserted ? low : high);
    client.resume();
  }

  #disconnected(): void {
    this.#client = undefined;
    this.#device.onInterrupt = undefined;
    // Nobody drives the line any more, and it has a pull-up.
    if (this.#resetAsserted) this.#setReset(false);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#serve(next);
  }

  #setReset(asserted: boolean): void {
    if (asserted === this.#resetAsserted) return;
    this.#resetAsserted = asserted;
    this.#device.setReset(asserted);
  }
}

function accepts(opcode: number, length: number): boolean {
  if (opcode === BridgeOpcode.XFER) return length <= BRIDGE_MAX_PAYLOAD;
  return opcode === BridgeOpcode.MCLR && length === 1;
}

/** A socket file that nobody listens on is what a killed simulator leaves behind. */
async function removeStaleSocket(path: string): Promise<void> {
  const refused = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  // A plain file is refused just the same, and is none of ours.
  if (refused && lstatSync(path).isSocket()) unlinkSync(path);
}
