/**
 * Where bytes come from: a serial port, a TCP socket, the SPI bridge, a simulator in memory. The layers above
 * see only these interfaces and open them through a factory chosen by the URL's scheme.
 */
import type { Clock } from '../clock.js';

/** Told of everything that happens on a {@link ByteTransport}. */
export interface ByteTransportHandler {
  /** The bytes are valid only during the call. */
  data(bytes: Uint8Array): void;
  /** Once, when the stream is over: `error` says why, unless `close()` asked for it. */
  closed(error?: Error): void;
}

/**
 * A module's UART as a byte stream. It is never paused: a paused serial port does not notice that its device is
 * gone, so whoever consumes bounds its own buffers.
 */
export interface ByteTransport {
  readonly kind: 'bytes';
  /** As given to `open`, without credentials. */
  readonly url: string;
  start(handler: ByteTransportHandler): void;
  /** Resolves when the bytes have left this process (drained to the device). The bytes are the caller's again then. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Only a real UART has one; elsewhere it resolves and does nothing. */
  setBaudRate(baud: number): Promise<void>;
  /**
   * From now on `secret` must not be readable in anything a device in the path records, in either direction. The
   * session calls it with every form in which a passphrase or key is about to cross the wire.
   */
  hide?(secret: Uint8Array): void;
}

/** An SPI bus with one module on it, its reset line (MCLR) and its interrupt line (INTOUT). */
export interface SpiTransport {
  readonly kind: 'spi';
  readonly url: string;
  /**
   * One full-duplex transfer with chip select asserted throughout. The answer has the length of `mosi` and is valid
   * until the next call.
   */
  transfer(mosi: Uint8Array): Promise<Uint8Array>;
  /** Several windows in one go, where the bus can: one system call on Linux. Answers as of `transfer`. */
  transferAll?(windows: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  /** Drives MCLR: `true` asserts reset (low). */
  setReset(asserted: boolean): Promise<void>;
  /** The level of INTOUT now: `true` = asserted (low). */
  readonly interruptAsserted: boolean;
  /** `interrupt` is told of every change of INTOUT, `closed` once at the end. */
  start(handler: { interrupt(asserted: boolean): void; closed(error?: Error): void }): void;
  close(): Promise<void>;
  /** As {@link ByteTransport.hide}. */
  hide?(secret: Uint8Array): void;
}

export type Transport = ByteTransport | SpiTransport;

/** A device in the path (trace, impairment): takes a transport's place and passes on what it lets through. */
export type TransportDevice = (inner: Transport, clock: Clock) => Transport;

export interface TransportOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Opens one scheme's URLs.
 * @throws WincError `WINC_URL` (malformed), `WINC_PORT_MISSING`, `WINC_PORT_LOCKED`, `WINC_PORT_PERMISSION`
 */
export type TransportOpener = (url: string, options: TransportOptions) => Promise<Transport>;
