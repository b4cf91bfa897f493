/**
 * A pseudo-terminal whose slave side is a serial port to any program. The master is read by the event loop and
 * written without blocking. One descriptor of the slave stays open here, so that the terminal keeps its raw mode, and
 * the master sees no error, while no program has it open.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { WincError } from '../../driver/protocol/errors.js';
import { UART_BACKLOG, type UartLine } from '../uart-line.js';
import { DeviceLink } from './device-link.js';
import { loadPtyLibrary, type PtyLibrary } from './libc.js';

export interface PtyOptions {
  /** A symbolic link to the slave, made now and removed at close. */
  readonly link?: string;
  /** Bytes held for a host that does not read, above the kernel's own few KiB; what comes then is dropped. */
  readonly backlog?: number;
}

/** The kernel tells nobody when a full master has room again without a blocking write, so ask now and then. */
const RETRY_MS = 2;

/**
 * @throws WincError `WINC_PTY_UNAVAILABLE` (koffi missing, or the system gives no terminal), `WINC_PTY_LINK` (the link's
 * path is taken by something that is not a symbolic link, or cannot be written)
 */
export async function openPty(options: PtyOptions = {}): Promise<Pty> {
  const library = await loadPtyLibrary();
  const master = library.posixOpenpt(constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  if (master < 0) throw unavailable('posix_openpt');
  let slave = -1;
  try {
    const path = unlock(library, master);
    slave = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    if (library.makeRaw(slave) !== 0) throw unavailable('tcsetattr');
    const link = options.link === undefined ? undefined : new DeviceLink(options.link, path);
    return new Pty(master, slave, path, link, options.backlog ?? UART_BACKLOG);
  } catch (error) {
    if (slave >= 0) closeSync(slave);
    closeSync(master);
    throw error;
  }
}

function unlock(library: PtyLibrary, master: number): string {
  if (library.grantpt(master) !== 0) throw unavailable('grantpt');
  if (library.unlockpt(master) !== 0) throw unavailable('unlockpt');
  const path = library.ptsname(master);
  if (path === null) throw unavailable('ptsname');
  return path;
}

const unavailable = (call: string) =>
  new WincError('WINC_PTY_UNAVAILABLE', `the system gives no pseudo-terminal (${call} failed)`);

/** Made by {@link openPty}. */
export class Pty implements UartLine {
  receive: (bytes: Uint8Array) => void = () => {};
  dropped = 0;

  readonly #master: number;
  readonly #slave: number;
  readonly #link: DeviceLink | undefined;
  readonly #stream: ReadStream;
  readonly #backlog: number;
  /** What the kernel did not take yet: bytes `#from` to `#to`; made when first needed. */
  #held: Uint8Array | undefined;
  #from = 0;
  #to = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    master: number,
    slave: number,
    /** The slave's device, such as `/dev/pts/3`. */
    readonly path: string,
    link: DeviceLink | undefined,
    backlog: number,
  ) {
    this.#master = master;
    this.#slave = slave;
    this.#link = link;
    this.#backlog = backlog;
    this.#stream = new ReadStream(master);
    this.#stream.on('data', (bytes: Buffer) => this.receive(bytes));
    // With the slave held open the master has no error of its own; should it have one, the line is dead, not the process.
    this.#stream.on('error', () => void this.close());
  }

  /** The link if there is one, else the device. */
  get name(): string {
    return this.#link?.path ?? this.path;
  }

  get waiting(): number {
    return this.#to - this.#from;
  }

  write(bytes: Uint8Array): void {
    if (this.#closed) return;
    const sent = this.#from === this.#to ? this.#tryWrite(bytes) : 0;
    if (sent < bytes.length) this.#keep(bytes.subarray(sent));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#held = undefined;
    this.#from = this.#to = 0;
    this.#link?.remove();
    closeSync(this.#slave);
    await new Promise<void>((resolve) => this.#stream.once('close', resolve).destroy());
  }

  #keep(bytes: Uint8Array): void {
    this.#held ??= new Uint8Array(this.#backlog);
    if (this.#to + bytes.length > this.#backlog) {
      this.#held.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    const kept = Math.min(bytes.length, this.#backlog - this.#to);
    this.#held.set(bytes.subarray(0, kept), this.#to);
    this.#to += kept;
    this.dropped += bytes.length - kept;
    this.#retry ??= setTimeout(this.#flush, RETRY_MS);
  }

  readonly #flush = (): void => {
    this.#retry = undefined;
    if (this.#held === undefined) return;
    this.#from += this.#tryWrite(this.#held.subarray(this.#from, this.#to));
    if (this.#from < this.#to) this.#retry = setTimeout(this.#flush, RETRY_MS);
    else this.#from = this.#to = 0;
  };

  /** Answers how many bytes the kernel took. */
  #tryWrite(bytes: Uint8Array): number {
    let sent = 0;
    try {
      while (sent < bytes.length) sent += writeSync(this.#master, bytes, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        void this.close();
        return bytes.length;
      }
    }
    return sent;
  }
}
