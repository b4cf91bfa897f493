import type { TcpConnection, TcpFailure, TcpHandler, TcpRequest, TcpState } from '../../contract.js';
import { parseAddress } from '../../core/address.js';
import {
  CONNECT_NO_FAST_OPEN,
  DisconnectedReason,
  type EndpointInitializeArgs,
  type Instance,
  type LinkedBuffer,
  OtError,
  SEND_MORE_TO_COME,
  type SockAddr,
} from './types.js';

const anywhere: SockAddr = { address: '::', port: 0 };

const reasons: Readonly<Record<TcpFailure, DisconnectedReason>> = {
  none: DisconnectedReason.NORMAL,
  refused: DisconnectedReason.REFUSED,
  reset: DisconnectedReason.RESET,
  timeout: DisconnectedReason.TIMED_OUT,
  unreachable: DisconnectedReason.TIMED_OUT,
  aborted: DisconnectedReason.RESET,
};

/** The peer's end of stream has arrived, read or not. */
const peerDone: ReadonlySet<TcpState> = new Set(['CLOSE-WAIT', 'CLOSING', 'LAST-ACK', 'TIME-WAIT', 'CLOSED']);

interface Sent {
  readonly buffer: LinkedBuffer;
  /** Total of bytes sent when this buffer ends. */
  end: number;
}

/** One end of a connection, used again for the next one. Data is never copied on the way to the stack. */
export class TcpEndpoint {
  #instance: Instance | undefined;
  #args: EndpointInitializeArgs | undefined;
  #connection: TcpConnection | undefined;
  #bound: Partial<SockAddr> = {};
  #local: SockAddr = anywhere;
  #peer: SockAddr = anywhere;
  /** Not yet acknowledged, oldest first. */
  #sending: Sent[] = [];
  #sent = 0;
  #acknowledged = 0;
  #endOfStreamSent = false;
  #readyWanted = false;
  #readyScheduled = false;
  #timeWait = false;
  /** The received bytes in one piece, after `receiveContiguify`. */
  #contiguous: Uint8Array | undefined;

  initialize(instance: Instance, args: EndpointInitializeArgs): OtError {
    if (this.#instance !== undefined || args.receiveBuffer.length < 256) return OtError.FAILED;
    this.#instance = instance;
    this.#args = args;
    return OtError.NONE;
  }

  getInstance(): Instance | undefined {
    return this.#instance;
  }

  getContext(): unknown {
    return this.#args?.context;
  }

  /** Of the present connection, or of the latest, or as bound. */
  getLocalAddress(): SockAddr {
    return this.#connection?.local ?? this.#local;
  }

  getPeerAddress(): SockAddr {
    return this.#peer;
  }

  /** Port 0: any. The address must be one of the stack's, or the unspecified one. */
  bind(sockName: SockAddr): OtError {
    const address = parseAddress(sockName.address);
    if (this.#instance === undefined || this.#connection !== undefined || address === undefined)
      return OtError.FAILED;
    const any = sockName.address === '::' || sockName.address === '0.0.0.0';
    if (!any && !this.#instance.addresses.some((own) => own.address === address.toString()))
      return OtError.FAILED;
    this.#bound = {
      ...(any ? {} : { address: sockName.address }),
      ...(sockName.port === 0 ? {} : { port: sockName.port }),
    };
    this.#local = sockName;
    return OtError.NONE;
  }

  /** With Fast Open, the default, nothing is sent before the first data (or end of stream) is. */
  connect(sockName: SockAddr, flags: number): OtError {
    const { receiveBuffer } = this.#args ?? {};
    if (this.#instance === undefined || receiveBuffer === undefined || this.#connection !== undefined) {
      return OtError.FAILED;
    }
    try {
      this.#begin(
        this.#instance.tcpConnect(sockName, this.#handler(), {
          local: this.#bound,
          fastOpen: (flags & CONNECT_NO_FAST_OPEN) === 0,
          receiveMemory: receiveBuffer,
        }),
      );
      return OtError.NONE;
    } catch {
      return OtError.FAILED;
    }
  }

  /** @internal For the listener. `false`: this endpoint cannot take a connection now. */
  accept(request: TcpRequest, instance: Instance, accepted: () => void): boolean {
    const { receiveBuffer } = this.#args ?? {};
    if (this.#instance !== instance || receiveBuffer === undefined || this.#connection !== undefined)
      return false;
    this.#begin(request.accept(this.#handler(accepted), { receiveMemory: receiveBuffer }));
    return true;
  }

  /** `buffer` belongs to the stack until `sendDone` gives it back. It is one, not a chain. */
  sendByReference(buffer: LinkedBuffer, flags: number): OtError {
    const connection = this.#connection;
    if (connection === undefined || buffer.next !== undefined || this.#endOfStreamSent) return OtError.FAILED;
    if (!(buffer.length > 0 && buffer.length <= buffer.data.length)) return OtError.FAILED;
    this.#sending.push({ buffer, end: this.#sent + buffer.length });
    if (this.#send(connection, buffer.data.subarray(0, buffer.length), flags)) return OtError.NONE;
    this.#sending.pop();
    return OtError.FAILED;
  }

  /** The last buffer, if it is still being sent, grows by `bytes` that its memory already has behind its end. */
  sendByExtension(bytes: number, flags: number): OtError {
    const connection = this.#connection;
    const last = this.#sending.at(-1);
    if (connection === undefined || last === undefined || this.#endOfStreamSent) return OtError.FAILED;
    const { buffer } = last;
    if (!Number.isInteger(bytes) || bytes < 1 || buffer.length + bytes > buffer.data.length)
      return OtError.FAILED;
    const more = buffer.data.subarray(buffer.length, buffer.length + bytes);
    buffer.length += bytes;
    last.end += bytes;
    if (this.#send(connection, more, flags)) return OtError.NONE;
    buffer.length -= bytes;
    last.end -= bytes;
    return OtError.FAILED;
  }

  /** What was received, where it lies; valid until the next `receiveAvailable`, contiguify or commit. */
  receiveByReference(): { readonly error: OtError; readonly buffer?: LinkedBuffer | undefined } {
    if (this.#connection === undefined) return { error: OtError.FAILED };
    const pieces = this.#contiguous === undefined ? this.#connection.receiveViews() : [this.#contiguous];
    let chain: LinkedBuffer | undefined;
    for (const data of [...pieces].reverse()) chain = { next: chain, data, length: data.length };
    return { error: OtError.NONE, buffer: chain };
  }

  /** Afterwards `receiveByReference` gives one buffer. */
  receiveContiguify(): OtError {
    const connection = this.#connection;
    if (connection === undefined) return OtError.FAILED;
    if (connection.receiveViews().length > 1) {
      this.#contiguous = new Uint8Array(connection.readable);
      connection.peek(this.#contiguous);
    }
    return OtError.NONE;
  }

  /** The first `bytes` received are done with. `flags`: none yet. */
  commitReceive(bytes: number, _flags: number): OtError {
    const connection = this.#connection;
    if (connection === undefined || !(bytes >= 0 && bytes <= connection.readable)) return OtError.FAILED;
    this.#contiguous = undefined;
    connection.consume(bytes);
    return OtError.NONE;
  }

  sendEndOfStream(): OtError {
    if (this.#connection === undefined || this.#endOfStreamSent) return OtError.FAILED;
    this.#endOfStreamSent = true;
    this.#connection.shutdown();
    return OtError.NONE;
  }

  /** RST; the endpoint is free for another connection at once, and all buffers are the application's again. No callback. */
  abort(): OtError {
    if (this.#instance === undefined) return OtError.FAILED;
    const connection = this.#connection;
    this.#finish();
    if (connection !== undefined) {
      connection.handler = {};
      connection.abort();
    }
    return OtError.NONE;
  }

  deinitialize(): OtError {
    if (this.abort() !== OtError.NONE) return OtError.FAILED;
    this.#instance = undefined;
    this.#args = undefined;
    this.#bound = {};
    return OtError.NONE;
  }

  #begin(connection: TcpConnection): void {
    this.#connection = connection;
    this.#peer = connection.remote;
    this.#sent = 0;
    this.#acknowledged = 0;
    this.#endOfStreamSent = false;
    this.#readyWanted = false;
    this.#timeWait = false;
    this.#contiguous = undefined;
  }

  #finish(): void {
    if (this.#connection !== undefined) this.#local = this.#connection.local;
    this.#connection = undefined;
    this.#sending = [];
    this.#contiguous = undefined;
  }

  #send(connection: TcpConnection, data: Uint8Array, flags: number): boolean {
    if (!connection.writeReference(data, (flags & SEND_MORE_TO_COME) !== 0)) return false;
    this.#sent += data.length;
    this.#readyWanted = true;
    this.#tellReady();
    return true;
  }

  /** `sendReady` follows each send, never from inside it, once nothing waits for the peer. */
  #tellReady(): void {
    if (!this.#readyWanted || this.#readyScheduled || this.#args?.sendReady === undefined) return;
    this.#readyScheduled = true;
    queueMicrotask(() => {
      this.#readyScheduled = false;
      if (!this.#readyWanted || !this.#ready()) return;
      this.#readyWanted = false;
      this.#args?.sendReady?.(this);
    });
  }

  #ready(): boolean {
    const info = this.#connection?.info();
    if (info === undefined || (info.state !== 'ESTABLISHED' && info.state !== 'CLOSE-WAIT')) return false;
    return info.sendQueue <= info.inFlight && info.inFlight < Math.min(info.cwnd, info.sendWindow);
  }

  #handler(accepted?: () => void): TcpHandler {
    return {
      connected: () => {
        accepted?.();
        this.#args?.established?.(this);
        this.#tellReady();
      },
      readable: () => {
        this.#contiguous = undefined;
        this.#tellAvailable();
      },
      acknowledged: (total) => {
        const bytes = total - this.#acknowledged;
        this.#acknowledged = total;
        const args = this.#args;
        if (bytes > 0) args?.bytesAcked?.(this, bytes);
        while (this.#sending.length > 0 && this.#sending[0].end <= total) {
          const [{ buffer }] = this.#sending.splice(0, 1);
          args?.sendDone?.(this, buffer);
        }
        this.#tellReady();
      },
      timeWait: () => {
        this.#timeWait = true;
        this.#sending = [];
        this.#args?.disconnected?.(this, DisconnectedReason.TIME_WAIT);
      },
      closed: (failure) => {
        if (!this.#timeWait) this.#disconnect(reasons[failure]);
      },
      released: () => {
        if (this.#timeWait) this.#disconnect(DisconnectedReason.NORMAL);
      },
    };
  }

  #disconnect(reason: DisconnectedReason): void {
    this.#finish();
    this.#args?.disconnected?.(this, reason);
  }

  #tellAvailable(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { readable } = connection;
    const remaining = Math.max(0, connection.info().receiveBuffer - readable);
    this.#args?.receiveAvailable?.(this, readable, peerDone.has(connection.state), remaining);
  }
}
