/** `/dev/gpiochipN`: lines by the version 2 interface. Structures as in `linux/gpio.h`. */
import { readdirSync } from 'node:fs';
import { WincError } from '../protocol/errors.js';
import { ioBoth, ioRead, type LinuxCalls, linuxError, O_RDWR } from './spi-linux.js';

const MAGIC = 0xb4;
const NAME_BYTES = 32;
const CHIP_INFO_BYTES = 68;
const LINE_INFO_BYTES = 256;
const REQUEST_BYTES = 592;
const VALUES_BYTES = 16;
const EVENT_BYTES = 48;
export const GPIO_GET_CHIPINFO = ioRead(MAGIC, 0x01, CHIP_INFO_BYTES);
export const GPIO_V2_GET_LINEINFO = ioBoth(MAGIC, 0x05, LINE_INFO_BYTES);
export const GPIO_V2_GET_LINE = ioBoth(MAGIC, 0x07, REQUEST_BYTES);
export const GPIO_V2_LINE_GET_VALUES = ioBoth(MAGIC, 0x0e, VALUES_BYTES);
export const GPIO_V2_LINE_SET_VALUES = ioBoth(MAGIC, 0x0f, VALUES_BYTES);

const Flag = { USED: 1n << 0n, INPUT: 1n << 2n, OUTPUT: 1n << 3n, EDGES: (1n << 4n) | (1n << 5n) } as const;
const OUTPUT_VALUES = 2;

/** Offsets in `struct gpio_v2_line_request`. */
const Request = { CONSUMER: 256, FLAGS: 288, NUM_ATTRS: 296, ATTRS: 320, NUM_LINES: 560, FD: 588 } as const;

/** How long a wait for an edge may last before it looks whether the line was closed, ms. */
const POLL_MS = 200;
const hint = ' Add yourself to the group gpio (sudo usermod -aG gpio $USER).';

/** A GPIO line in use. */
export interface GpioLine {
  /** The level: true is high. */
  read(): boolean;
  write(high: boolean): void;
  /** Calls back at every edge until the line is closed. */
  watch(changed: (high: boolean) => void): void;
  close(): void;
}

/** Where a line is. */
export interface GpioPlace {
  readonly chip: string;
  readonly offset: number;
}

function text(bytes: Uint8Array, from: number): string {
  const end = bytes.indexOf(0, from);
  const to = end < 0 || end > from + NAME_BYTES ? from + NAME_BYTES : end;
  return Buffer.from(bytes.subarray(from, to)).toString('utf8');
}

export class GpioChip {
  readonly path: string;
  readonly #calls: LinuxCalls;
  readonly #fd: number;

  /** @throws WincError `WINC_PORT_MISSING`, `WINC_PORT_PERMISSION` */
  constructor(path: string, calls: LinuxCalls) {
    this.path = path;
    this.#calls = calls;
    const fd = calls.open(path, O_RDWR);
    if (fd < 0) throw linuxError(path, fd, hint);
    this.#fd = fd;
  }

  /** The line of that name, if this chip has it. */
  find(name: string): number | undefined {
    const info = Buffer.alloc(CHIP_INFO_BYTES);
    const result = this.#calls.ioctl(this.#fd, GPIO_GET_CHIPINFO, info);
    if (result < 0) throw linuxError(this.path, result);
    const lines = info.readUInt32LE(2 * NAME_BYTES);
    for (let offset = 0; offset < lines; offset++) if (this.#info(offset).name === name) return offset;
    return undefined;
  }

  /** @throws WincError `WINC_PORT_LOCKED` naming who has the line */
  output(offset: number, high: boolean, consumer: string): GpioLine {
    return this.#request(offset, Flag.OUTPUT, consumer, high);
  }

  /** An input that reports both edges. */
  input(offset: number, consumer: string): GpioLine {
    return this.#request(offset, Flag.INPUT | Flag.EDGES, consumer);
  }

  close(): void {
    this.#calls.close(this.#fd);
  }

  #info(offset: number): { name: string; consumer: string; used: boolean } {
    const info = Buffer.alloc(LINE_INFO_BYTES);
    info.writeUInt32LE(offset, 2 * NAME_BYTES);
    const result = this.#calls.ioctl(this.#fd, GPIO_V2_GET_LINEINFO, info);
    if (result < 0) throw linuxError(`${this.path} line ${offset}`, result);
    const flags = info.readBigUInt64LE(2 * NAME_BYTES + 8);
    return { name: text(info, 0), consumer: text(info, NAME_BYTES), used: (flags & Flag.USED) !== 0n };
  }

  #request(offset: number, flags: bigint, consumer: string, high?: boolean): GpioLine {
    const request = Buffer.alloc(REQUEST_BYTES);
    request.writeUInt32LE(offset, 0);
    request.write(consumer.slice(0, NAME_BYTES - 1), Request.CONSUMER, 'utf8');
    request.writeBigUInt64LE(flags, Request.FLAGS);
    request.writeUInt32LE(1, Request.NUM_LINES);
    if (high !== undefined) {
      // One attribute: the level the output starts with, for the one line.
      request.writeUInt32LE(1, Request.NUM_ATTRS);
      request.writeUInt32LE(OUTPUT_VALUES, Request.ATTRS);
      request.writeBigUInt64LE(high ? 1n : 0n, Request.ATTRS + 8);
      request.writeBigUInt64LE(1n, Request.ATTRS + 16);
    }
    const result = this.#calls.ioctl(this.#fd, GPIO_V2_GET_LINE, request);
    if (result < 0) {
      const { consumer: other, used } = this.#info(offset);
      if (!used) throw linuxError(`${this.path} line ${offset}`, result, hint);
      throw new WincError(
        'WINC_PORT_LOCKED',
        `${this.path} line ${offset}: in use by ${other || 'the kernel'}.`,
      );
    }
    return new Line(request.readInt32LE(Request.FD), `${this.path} line ${offset}`, this.#calls);
  }
}

class Line implements GpioLine {
  readonly #fd: number;
  readonly #name: string;
  readonly #calls: LinuxCalls;
  readonly #values = Buffer.allocUnsafeSlow(VALUES_BYTES);
  #closed = false;

  constructor(fd: number, name: string, calls: LinuxCalls) {
    this.#fd = fd;
    this.#name = name;
    this.#calls = calls;
  }

  read(): boolean {
    this.#access(GPIO_V2_LINE_GET_VALUES, 0n);
    return (this.#values.readBigUInt64LE(0) & 1n) !== 0n;
  }

  write(high: boolean): void {
    this.#access(GPIO_V2_LINE_SET_VALUES, high ? 1n : 0n);
  }

  watch(changed: (high: boolean) => void): void {
    void this.#watch(changed);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#calls.close(this.#fd);
  }

  async #watch(changed: (high: boolean) => void): Promise<void> {
    const event = Buffer.alloc(16 * EVENT_BYTES);
    while (!this.#closed) {
      const readable = await this.#calls.readable(this.#fd, POLL_MS);
      if (this.#closed || !readable) continue;
      // How many edges there were does not matter, only where they led.
      if (this.#calls.read(this.#fd, event) < EVENT_BYTES) return;
      changed(this.read());
    }
  }

  /** `struct gpio_v2_line_values`: bits, and a mask of the lines meant. */
  #access(request: number, bits: bigint): void {
    this.#values.writeBigUInt64LE(bits, 0);
    this.#values.writeBigUInt64LE(1n, 8);
    const result = this.#calls.ioctl(this.#fd, request, this.#values);
    if (result < 0) throw linuxError(this.#name, result);
  }
}

/**
 * `GPIO17` (a line's name, on any chip), `17` (a line of the first chip) or `gpiochip4:17`.
 * @throws WincError `WINC_PORT_MISSING` if no chip has it
 */
export function findLine(line: string, calls: LinuxCalls, chips: readonly string[] = gpioChips()): GpioPlace {
  const numbered = /^(?:(?:\/dev\/)?(gpiochip\d+):)?(\d+)$/.exec(line);
  if (numbered !== null) {
    return { chip: `/dev/${numbered[1] ?? 'gpiochip0'}`, offset: Number(numbered[2]) };
  }
  for (const path of chips) {
    const chip = new GpioChip(path, calls);
    try {
      const offset = chip.find(line);
      if (offset !== undefined) return { chip: path, offset };
    } finally {
      chip.close();
    }
  }
  throw new WincError(
    'WINC_PORT_MISSING',
    `no GPIO chip has a line called ${line} (looked at ${chips.join(', ') || 'none'}).`,
  );
}

function gpioChips(): string[] {
  return readdirSync('/dev')
    .filter((name) => /^gpiochip\d+$/.test(name))
    .sort((a, b) => Number(a.slice(8)) - Number(b.slice(8)))
    .map((name) => `/dev/${name}`);
}
