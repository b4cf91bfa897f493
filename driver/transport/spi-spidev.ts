/** `/dev/spidevB.C`: transfers by ioctl. Structures as in `linux/spi/spidev.h`. */
import { readFileSync } from 'node:fs';
import { WincError } from '../protocol/errors.js';
import { ioWrite, type LinuxCalls, linuxError, O_RDWR } from './spi-linux.js';

/** The data lines and chip select of one SPI device. */
export interface SpiBus {
  /** One window per element, in one go where possible. The answers are valid until the next call. */
  transfer(windows: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  close(): void;
}

export interface SpiBusOptions {
  /** Hz */
  readonly clock: number;
  /** 0 to 3 */
  readonly mode: number;
  /** Bits per word. */
  readonly bits: number;
}

const MAGIC = 0x6b;
export const SPI_IOC_WR_MODE = ioWrite(MAGIC, 1, 1);
export const SPI_IOC_WR_BITS_PER_WORD = ioWrite(MAGIC, 3, 1);
export const SPI_IOC_WR_MAX_SPEED_HZ = ioWrite(MAGIC, 4, 4);
/** Bytes of `struct spi_ioc_transfer`. */
export const TRANSFER_BYTES = 32;
export const spiIocMessage = (transfers: number) => ioWrite(MAGIC, 0, transfers * TRANSFER_BYTES);

/** What one message may hold when the kernel does not say. */
const DEFAULT_BUFSIZ = 4096;
/** Windows in one message; the size field of the request has 14 bits. */
const MAX_TRANSFERS = 64;
/** Messages longer than this run on another thread, so that the event loop goes on meanwhile. */
const LONG_MESSAGE = 256;

export class SpidevBus implements SpiBus {
  readonly #calls: LinuxCalls;
  readonly #path: string;
  readonly #fd: number;
  readonly #options: SpiBusOptions;
  readonly #bufsiz: number;
  /** Outside of the moving heap, since structures point to them. */
  readonly #out: Buffer;
  readonly #in: Buffer;
  readonly #transfers = Buffer.allocUnsafeSlow(MAX_TRANSFERS * TRANSFER_BYTES);
  readonly #outAddress: bigint;
  readonly #inAddress: bigint;

  /** @throws WincError `WINC_PORT_MISSING`, `WINC_PORT_PERMISSION`, `WINC_PORT_LOCKED`, `WINC_PORT_FAILED` */
  constructor(path: string, options: SpiBusOptions, calls: LinuxCalls, bufsiz = kernelBufsiz()) {
    this.#calls = calls;
    this.#path = path;
    this.#options = options;
    this.#bufsiz = bufsiz;
    this.#out = Buffer.allocUnsafeSlow(bufsiz);
    this.#in = Buffer.allocUnsafeSlow(bufsiz);
    this.#outAddress = calls.addressOf(this.#out);
    this.#inAddress = calls.addressOf(this.#in);
    const fd = calls.open(path, O_RDWR);
    if (fd < 0) throw linuxError(path, fd, ' Add yourself to the group spi (sudo usermod -aG spi $USER).');
    this.#fd = fd;
    try {
      this.#set(SPI_IOC_WR_MODE, Uint8Array.of(options.mode), `mode ${options.mode}`);
      this.#set(SPI_IOC_WR_BITS_PER_WORD, Uint8Array.of(options.bits), `${options.bits} bits per word`);
      const speed = Buffer.alloc(4);
      speed.writeUInt32LE(options.clock);
      this.#set(SPI_IOC_WR_MAX_SPEED_HZ, speed, `${options.clock} Hz`);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async transfer(windows: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const total = windows.reduce((sum, { length }) => sum + length, 0);
    if (total > this.#bufsiz || windows.length > MAX_TRANSFERS) {
      throw new WincError(
        'WINC_PORT_FAILED',
        `${this.#path}: ${total} bytes do not fit spidev's bufsiz of ${this.#bufsiz}.`,
      );
    }
    let at = 0;
    for (const [index, window] of windows.entries()) {
      this.#out.set(window, at);
      this.#describe(index, at, window.length, index + 1 < windows.length);
      at += window.length;
    }
    const request = spiIocMessage(windows.length);
    const argument = this.#transfers.subarray(0, windows.length * TRANSFER_BYTES);
    const result =
      total > LONG_MESSAGE
        ? await this.#calls.ioctlAsync(this.#fd, request, argument)
        : this.#calls.ioctl(this.#fd, request, argument);
    if (result < 0) throw linuxError(`${this.#path}: transfer of ${total} bytes`, result);
    let from = 0;
    return windows.map(({ length }) => {
      from += length;
      return this.#in.subarray(from - length, from);
    });
  }

  close(): void {
    this.#calls.close(this.#fd);
  }

  #set(request: number, value: Uint8Array, what: string): void {
    const result = this.#calls.ioctl(this.#fd, request, value);
    if (result < 0) throw linuxError(`${this.#path}: ${what}`, result);
  }

  /** `struct spi_ioc_transfer`. `deselect` raises chip select before the next one. */
  #describe(index: number, from: number, length: number, deselect: boolean): void {
    const transfers = this.#transfers;
    const at = index * TRANSFER_BYTES;
    transfers.fill(0, at, at + TRANSFER_BYTES);
    transfers.writeBigUInt64LE(this.#outAddress + BigInt(from), at);
    transfers.writeBigUInt64LE(this.#inAddress + BigInt(from), at + 8);
    transfers.writeUInt32LE(length, at + 16);
    transfers.writeUInt32LE(this.#options.clock, at + 20);
    transfers[at + 26] = this.#options.bits;
    transfers[at + 27] = deselect ? 1 : 0;
  }
}

function kernelBufsiz(): number {
  try {
    return Number(readFileSync('/sys/module/spidev/parameters/bufsiz', 'utf8')) || DEFAULT_BUFSIZ;
  } catch {
    return DEFAULT_BUFSIZ;
  }
}
