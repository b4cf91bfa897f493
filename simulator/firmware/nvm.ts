/**
 * The two firmware partitions. One holds the running image, the other, the alternate, is the host's to erase and write.
 * The firmware itself is not in them: of an image only the header means anything, and which of the two would run.
 */
export const SECTOR_SIZE = 4096;
export const SECTORS = 240;
export const NVM_SIZE = SECTOR_SIZE * SECTORS;

/** Not activated, and invalidated: the two sequence numbers that never run. */
export const LATENT = 0xffff_ffff;
const INVALID = 0;

/** Header fields, little endian. API reference: the example of OTA over NVM, DFU and DI. */
export const SEQUENCE_AT = 0;
export const ADDRESS_AT = 20;
const KIND_AT = 4;
const MAGIC_AT = 8;
const FORMAT_AT = 12;
const VERSION_AT = 16;
const HEADER_SIZE = 512;
const KIND = 0x00e0_0101;
const MAGIC = 0x4d43_4850;
const FORMAT = 3;

const LOW = 0x6000_0000;
const HIGH = 0x600f_0000;

export class Partition {
  /** In the address space of the processor. */
  readonly base: number;
  /** Those that are not blank. */
  readonly #sectors = new Map<number, Uint8Array>();
  /** Of an image that was activated or invalidated, whatever its header says. */
  #assigned: number | undefined;

  constructor(base: number) {
    this.base = base;
  }

  erase(first: number, count: number): void {
    for (let sector = first; sector < first + count; sector++) this.#sectors.delete(sector);
    if (first === 0) this.#assigned = undefined;
  }

  /** As flash does: bits become 0, never 1. Within one sector. */
  write(offset: number, data: Uint8Array): void {
    const number = Math.floor(offset / SECTOR_SIZE);
    let sector = this.#sectors.get(number);
    if (sector === undefined) {
      sector = new Uint8Array(SECTOR_SIZE).fill(0xff);
      this.#sectors.set(number, sector);
    }
    const at = offset % SECTOR_SIZE;
    for (let i = 0; i < data.length; i++) sector[at + i] &= data[i];
  }

  read(offset: number, length: number): Uint8Array {
    const data = new Uint8Array(length).fill(0xff);
    for (let at = 0; at < length; ) {
      const from = (offset + at) % SECTOR_SIZE;
      const take = Math.min(length - at, SECTOR_SIZE - from);
      const sector = this.#sectors.get(Math.floor((offset + at) / SECTOR_SIZE));
      if (sector !== undefined) data.set(sector.subarray(from, from + take), at);
      at += take;
    }
    return data;
  }

  /** Something larger than a header. Nobody but the vendor can tell more: images are signed. */
  get holdsImage(): boolean {
    for (const [number, sector] of this.#sectors) {
      const from = number === 0 ? HEADER_SIZE : 0;
      if (sector.subarray(from).some((byte) => byte !== 0xff)) return this.#sectors.has(0);
    }
    return false;
  }

  get sequence(): number {
    return this.#assigned ?? (this.#hasHeader ? this.#word(SEQUENCE_AT) : LATENT);
  }

  /** Security, major, minor, patch. */
  get version(): number {
    return this.#hasHeader ? this.#word(VERSION_AT) : LATENT;
  }

  /** Where the image believes it is. */
  get address(): number {
    return this.#word(ADDRESS_AT);
  }

  get bootable(): boolean {
    return this.holdsImage && this.sequence !== LATENT && this.sequence !== INVALID;
  }

  /** Makes it bootable where it stands. */
  activate(sequence: number): void {
    this.#assign(sequence);
    this.#setWord(ADDRESS_AT, this.base);
  }

  invalidate(): void {
    this.#assign(INVALID);
  }

  /** An image as it might have come from the vendor, activated. */
  program(sequence: number, version: number): void {
    const image = new Uint8Array(SECTOR_SIZE);
    const view = new DataView(image.buffer);
    view.setUint32(SEQUENCE_AT, sequence, true);
    view.setUint32(KIND_AT, KIND, true);
    view.setUint32(MAGIC_AT, MAGIC, true);
    view.setUint32(FORMAT_AT, FORMAT, true);
    view.setUint32(VERSION_AT, version, true);
    view.setUint32(ADDRESS_AT, this.base, true);
    this.erase(0, SECTORS);
    this.write(0, image);
  }

  #assign(sequence: number): void {
    this.#assigned = sequence;
    this.#setWord(SEQUENCE_AT, sequence);
  }

  get #hasHeader(): boolean {
    return this.#word(MAGIC_AT) === MAGIC;
  }

  #word(at: number): number {
    const sector = this.#sectors.get(0);
    return sector === undefined ? LATENT : new DataView(sector.buffer).getUint32(at, true);
  }

  #setWord(at: number, value: number): void {
    const sector = this.#sectors.get(0);
    if (sector !== undefined) new DataView(sector.buffer).setUint32(at, value, true);
  }
}

/** What becomes of an image, by DI's numbers. */
export const ImageState = { LATENT: 0, ACTIVATED: 1, CURRENT: 2, ROLLBACK: 3 } as const;

export class Nvm {
  readonly low = new Partition(LOW);
  readonly high = new Partition(HIGH);
  #current = this.high;
  /** What runs at the next boot is decided: the alternate partition is not the host's any more. */
  locked = false;

  /**
   * As a module was seen that had been updated once.
   * @param current version: security, major, minor, patch, a byte each
   * @param previous likewise
   */
  constructor(current: number, previous: number) {
    this.high.program(0xffff_ffb0, current);
    this.low.program(0xffff_ffc0, previous);
  }

  get current(): Partition {
    return this.#current;
  }

  get alternate(): Partition {
    return this.#current === this.low ? this.high : this.low;
  }

  /** Of an image activated now: lower than that of the current one, for the lower one is preferred. */
  get nextSequence(): number {
    return (this.#current.sequence || LATENT) - 0x10;
  }

  get alternateState(): number {
    if (!this.alternate.bootable) return ImageState.LATENT;
    const preferred = !this.#current.bootable || this.alternate.sequence < this.#current.sequence;
    return preferred ? ImageState.ACTIVATED : ImageState.ROLLBACK;
  }

  /** Chooses the image that runs from now on. */
  boot(): void {
    this.locked = false;
    if (this.alternateState === ImageState.ACTIVATED) this.#current = this.alternate;
  }
}
