import { getSystemErrorName } from 'node:util';
import type { Link } from '../contract.js';
import { StackError, type StackErrorCode } from '../errors.js';
import { turnBudget } from './dispatch.js';
import { maximumFrame } from './frame.js';
import { FrameQueue } from './frame-queue.js';
import { errno, type TapSystem, tapSystem } from './tap-system.js';

export interface TapOptions {
  /** Frames waiting while the kernel takes none; 1024. */
  readonly queue?: number;
  /** The device is gone or failed; nothing more comes or goes. Not called by `close`. */
  readonly onClosed?: (error: StackError) => void;
}

const tunSetInterface = 0x400454ca;
const socketGetMtu = 0x8921;
const socketSetQueueLength = 0x8943;
/** Frames the kernel keeps for us. While we send thousands in one go their acknowledgements pile up there. */
const kernelQueue = 8192;
const interfaceNameSize = 16;
const interfaceRequestSize = 40;
const flags = { tap: 0x0002, noPacketInfo: 0x1000 };
const openFlags = { readWrite: 2, nonBlocking: 0o4000, closeOnExec: 0o2000000 };
const readable = 1;
const writable = 4;
const largestFrame = maximumFrame(65_535);
/** After a frame the device is looked at in every turn of the event loop for so long, before a thread waits for it, ms. */
const lingerMs = 0.2;

function interfaceRequest(name: string): Buffer {
  const request = Buffer.alloc(interfaceRequestSize);
  request.write(name, 'latin1');
  return request;
}

/**
 * The host's end of a virtual cable into the Linux kernel: what the stack transmits, the kernel's interface `name`
 * receives. Needs CAP_NET_ADMIN, or a device made for the user (`ip tuntap add NAME mode tap user …`).
 */
export class TapLink implements Link {
  readonly name: string;
  readonly mtu: number;
  receive: (frame: Uint8Array, length: number) => void = () => {};
  /** Frames the kernel or the full queue refused. */
  dropped = 0;
  readonly #system: TapSystem;
  readonly #fd: number;
  readonly #wake: number;
  readonly #onClosed: ((error: StackError) => void) | undefined;
  readonly #buffer = new Uint8Array(largestFrame);
  readonly #poll = Buffer.alloc(16);
  readonly #outbound: FrameQueue;
  #polling = false;
  #closed = false;
  #lastFrameAt = 0;

  /**
   * Attaches to the device, or makes one that lives as long as this.
   * @throws StackError `ENETDOWN` without Linux or koffi, `EINVAL` for an impossible name, `EACCES`, `EADDRINUSE`
   */
  constructor(name: string, options: TapOptions = {}) {
    if (!/^[!-.0-~]{1,15}$/.test(name)) {
      throw new StackError(
        'EINVAL',
        `"${name}" is no interface name: 1 to 15 printable characters without / or blank`,
      );
    }
    const system = tapSystem();
    this.name = name;
    this.#system = system;
    this.#outbound = new FrameQueue(options.queue ?? 1024);
    this.#onClosed = options.onClosed;
    const { readWrite, nonBlocking, closeOnExec } = openFlags;
    this.#fd = system.open('/dev/net/tun', readWrite | nonBlocking | closeOnExec);
    if (this.#fd < 0) throw this.#error('open /dev/net/tun');
    const request = interfaceRequest(name);
    request.writeUInt16LE(flags.tap | flags.noPacketInfo, interfaceNameSize);
    if (system.ioctl(this.#fd, tunSetInterface, request) < 0) {
      const error = this.#error(`attach to ${name}`);
      system.close(this.#fd);
      throw error;
    }
    this.mtu = this.#configure();
    this.#wake = system.eventfd(0, nonBlocking | closeOnExec);
    if (this.#wake < 0) {
      const error = this.#error('eventfd');
      system.close(this.#fd);
      throw error;
    }
    setImmediate(this.#turn);
  }

  transmit(frame: Uint8Array, length: number): boolean {
    if (this.#closed || length > maximumFrame(this.mtu)) {
      this.dropped++;
      return false;
    }
    if (this.#outbound.count === 0) {
      if (this.#system.write(this.#fd, frame, length) === length) return true;
      if (this.#system.errno() !== errno.EAGAIN) {
        // EIO: the interface is down, as it is until somebody sets it up.
        this.dropped++;
        return false;
      }
    }
    if (this.#outbound.push(frame, length) === undefined) {
      this.dropped++;
      return false;
    }
    this.#interrupt();
    return true;
  }

  /** As much as the kernel keeps: the thread that waits for the device may be held up longer than this one. */
  poll(): void {
    this.#drain(kernelQueue);
  }

  /** Detaches; a device that was made by this object disappears. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outbound.clear();
    this.#interrupt();
  }

  /** At any time either this is scheduled or running, or a thread waits: it alone ends the device. */
  readonly #turn = (): void => {
    if (!this.#closed) this.#flush();
    const taken = this.#drain(turnBudget);
    if (this.#closed) {
      this.#system.close(this.#fd);
      this.#system.close(this.#wake);
      return;
    }
    const now = performance.now();
    if (taken > 0) this.#lastFrameAt = now;
    if (now - this.#lastFrameAt < lingerMs) setImmediate(this.#turn);
    else this.#wait();
  };

  /** Reads up to `budget` frames; answers how many there were. */
  #drain(budget: number): number {
    let left = budget;
    while (!this.#closed && left > 0) {
      const length = this.#system.read(this.#fd, this.#buffer, largestFrame);
      if (length > 0) {
        left--;
        this.receive(this.#buffer, length);
        continue;
      }
      const code = this.#system.errno();
      if (code === errno.EAGAIN) break;
      if (code !== errno.EINTR) this.#fail(`read from ${this.name}`);
    }
    return budget - left;
  }

  /** What the kernel had no room for. */
  #flush(): void {
    while (this.#outbound.count > 0) {
      const { front, frontLength } = this.#outbound;
      if (this.#system.write(this.#fd, front, frontLength) < 0) {
        if (this.#system.errno() === errno.EAGAIN) return;
        this.dropped++;
      }
      this.#outbound.shift();
    }
  }

  #wait(): void {
    this.#polling = true;
    this.#poll.fill(0);
    this.#poll.writeInt32LE(this.#fd, 0);
    this.#poll.writeInt16LE(this.#outbound.count > 0 ? readable | writable : readable, 4);
    this.#poll.writeInt32LE(this.#wake, 8);
    this.#poll.writeInt16LE(readable, 12);
    this.#system.poll(this.#poll, 2, -1, () => {
      this.#polling = false;
      this.#system.read(this.#wake, this.#buffer, 8);
      this.#turn();
    });
  }

  /** Ends a wait that is under way. */
  #interrupt(): void {
    if (this.#polling) this.#system.write(this.#wake, eventfdOne, 8);
  }

  #fail(what: string): void {
    const error = this.#error(what);
    this.#closed = true;
    this.#onClosed?.(error);
  }

  #error(what: string): StackError {
    const number = this.#system.errno();
    const name = number === errno.EBADFD ? 'the device is gone' : getSystemErrorName(-number);
    const codes: Readonly<Record<string, StackErrorCode>> = {
      EACCES: 'EACCES',
      EPERM: 'EACCES',
      EBUSY: 'EADDRINUSE',
      EINVAL: 'EINVAL',
    };
    return new StackError(codes[name] ?? 'ENETDOWN', `${what}: ${name}`);
  }

  /** The MTU as it is set; the kernel's queue as we want it, if we may. */
  #configure(): number {
    const socket = this.#system.socket(2, 2, 0);
    if (socket < 0) return 1500;
    const request = interfaceRequest(this.name);
    const failed = this.#system.ioctl(socket, socketGetMtu, request) < 0;
    const mtu = failed ? 1500 : request.readInt32LE(interfaceNameSize);
    request.writeInt32LE(kernelQueue, interfaceNameSize);
    this.#system.ioctl(socket, socketSetQueueLength, request);
    this.#system.close(socket);
    return mtu;
  }
}

const eventfdOne = new Uint8Array(new BigUint64Array([1n]).buffer);
