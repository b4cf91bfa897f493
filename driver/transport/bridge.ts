/** `bridge:unix:/path` and `bridge:tcp:host:port`: an SPI bus behind a stream socket, as an emulated module offers it. */
import { connect, type Socket } from 'node:net';
import type { TimerHandle } from '../clock.js';
import { WincError } from '../protocol/errors.js';
import { BRIDGE_HEADER_BYTES, BridgeFrameReader, BridgeOpcode } from '../protocol/sdio/index.js';
import type { SpiTransport, TransportOpener, TransportOptions } from './transport.js';
import { parseHostPort, parseTransportUrl } from './url.js';

/** How long the other end may take to answer one frame, ms. */
const ANSWER_TIMEOUT = 10_000;
/** How long a connection may take, INTOUT included; longer means another client has the bus. */
const CONNECT_TIMEOUT = 5_000;

interface Pending {
  readonly opcode: number;
  readonly length: number;
  resolve(payload: Uint8Array): void;
  reject(error: Error): void;
}

export const openBridge: TransportOpener = async (url, options) => {
  const endpoint = parseBridgeUrl(url);
  const transport = new BridgeTransport(url, connect(endpoint), options);
  const aborted = () => void transport.close();
  options.signal?.addEventListener('abort', aborted, { once: true });
  await transport.ready.finally(() => options.signal?.removeEventListener('abort', aborted));
  return transport;
};

function parseBridgeUrl(url: string): { path: string } | { host: string; port: number } {
  const { address } = parseTransportUrl(url);
  if (address.startsWith('unix:') && address.length > 5) return { path: address.slice(5) };
  if (address.startsWith('tcp:')) return parseHostPort(url, address.slice(4));
  throw new WincError('WINC_URL', `${url}: expected bridge:unix:/path or bridge:tcp:host:port.`);
}

class BridgeTransport implements SpiTransport {
  readonly kind = 'spi';
  readonly url: string;
  interruptAsserted = false;
  /** Settles once the other end has told the level of INTOUT. */
  readonly ready: Promise<void>;

  readonly #socket: Socket;
  readonly #options: TransportOptions;
  readonly #reader: BridgeFrameReader;
  readonly #pending: Pending[] = [];
  #handler: Parameters<SpiTransport['start']>[0] | undefined;
  #watchdog: TimerHandle | undefined;
  #frame = Buffer.alloc(4096);
  #answer = new Uint8Array(4096);
  #over: Error | undefined;
  #closing = false;
  #settleReady!: { resolve(): void; reject(error: Error): void };

  constructor(url: string, socket: Socket, options: TransportOptions) {
    this.url = url;
    this.#socket = socket;
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.#reader = new BridgeFrameReader(
      (opcode, length) => this.#expects(opcode, length),
      (opcode, payload) => this.#frameReceived(opcode, payload),
    );
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      if (!this.#reader.push(bytes as Buffer))
        this.#end(new WincError('WINC_PORT_FAILED', `${url}: does not speak the SPI bridge protocol.`));
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => this.#end(connectionError(url, cause)));
    socket.on('close', () =>
      this.#end(new WincError('WINC_PORT_LOST', `${url}: the other end closed the connection.`)),
    );
    this.#watch(
      CONNECT_TIMEOUT,
      () => new WincError('WINC_PORT_LOCKED', `${url}: another program has the bus.`),
    );
  }

  start(handler: Parameters<SpiTransport['start']>[0]): void {
    this.#handler = handler;
    if (this.#over !== undefined) handler.closed(this.#closing ? undefined : this.#over);
  }

  transfer(mosi: Uint8Array): Promise<Uint8Array> {
    return this.#request(BridgeOpcode.XFER, mosi, mosi.length);
  }

  async setReset(asserted: boolean): Promise<void> {
    await this.#request(BridgeOpcode.MCLR, Uint8Array.of(asserted ? 0 : 1), 0);
  }

  async close(): Promise<void> {
    if (this.#over !== undefined) return;
    this.#closing = true;
    this.#end(new WincError('WINC_PORT_CLOSED', `${this.url}: closed.`));
  }

  #request(opcode: number, payload: Uint8Array, length: number): Promise<Uint8Array> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      const size = BRIDGE_HEADER_BYTES + payload.length;
      // The frame's buffer is free again once the answer to the last frame is here.
      if (this.#pending.length > 0 || size > this.#frame.length)
        this.#frame = Buffer.alloc(Math.max(size, 4096));
      this.#pending.push({ opcode, length, resolve, reject });
      const frame = this.#frame.subarray(0, size);
      frame[0] = opcode;
      frame.writeUInt32BE(payload.length, 1);
      frame.set(payload, BRIDGE_HEADER_BYTES);
      this.#socket.write(frame);
      if (this.#watchdog === undefined) this.#watchAnswer();
    });
  }

  #expects(opcode: number, length: number): boolean {
    if (opcode === BridgeOpcode.INTOUT) return length === 1;
    const [request] = this.#pending;
    return request !== undefined && request.opcode === opcode && request.length === length;
  }

  #frameReceived(opcode: number, payload: Uint8Array): void {
    if (opcode === BridgeOpcode.INTOUT) {
      const asserted = payload[0] === 0;
      const changed = asserted !== this.interruptAsserted;
      this.interruptAsserted = asserted;
      if (this.#pending.length === 0) this.#unwatch();
      this.#settleReady.resolve();
      if (changed) this.#handler?.interrupt(asserted);
      return;
    }
    const request = this.#pending.shift()!;
    this.#unwatch();
    if (this.#pending.length > 0) this.#watchAnswer();
    // Of several requests under way, the answers must not share the buffer.
    if (payload.length > this.#answer.length || this.#pending.length > 0) {
      this.#answer = new Uint8Array(Math.max(payload.length, 4096));
    }
    this.#answer.set(payload);
    request.resolve(this.#answer.subarray(0, payload.length));
  }

  #watchAnswer(): void {
    this.#watch(
      ANSWER_TIMEOUT,
      () => new WincError('WINC_TIMEOUT', `${this.url}: no answer within ${ANSWER_TIMEOUT} ms.`),
    );
  }

  #watch(delay: number, error: () => WincError): void {
    this.#watchdog = this.#options.clock.setTimer(() => this.#end(error()), delay);
  }

  #unwatch(): void {
    this.#watchdog?.cancel();
    this.#watchdog = undefined;
  }

  #end(error: Error): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#unwatch();
    this.#socket.destroy();
    this.#settleReady.reject(error);
    this.ready.catch(() => {});
    for (const request of this.#pending.splice(0)) request.reject(error);
    this.#handler?.closed(this.#closing ? undefined : error);
  }
}

function connectionError(url: string, cause: NodeJS.ErrnoException): WincError {
  switch (cause.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new WincError('WINC_PORT_MISSING', `${url}: nobody listens there.`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new WincError('WINC_PORT_PERMISSION', `${url}: connecting is not permitted.`, { cause });
    default:
      return new WincError('WINC_PORT_FAILED', `${url}: ${cause.message}.`, { cause });
  }
}
