/**
 * The file system in flash, as the vendor's image tool lays it out: 15 sectors of 4096 bytes, the first for a table of
 * 28 entries; a file takes whole sectors. So a certificate of 891 bytes costs 4096 bytes of free space.
 */
import { FileType as Numbers } from '../../driver/protocol/catalogue/fs.js';
import { limits } from '../../driver/protocol/catalogue/limits.js';
import type { StatusName } from '../../driver/protocol/catalogue/statuses.js';
import { WincError } from '../../driver/protocol/errors.js';
import { encodeText } from '../../driver/protocol/text.js';

const SECTOR = 4096;
const DATA_SECTORS = 14;
const ENTRIES = 28;

export const fileTypes = {
  user: Numbers.USER,
  cert: Numbers.CERT,
  key: Numbers.PRIKEY,
  dh: Numbers.DHPARAM,
  cfg: Numbers.CFG,
} as const;
export type FileType = keyof typeof fileTypes;

const typesByNumber = new Map<number, FileType>(
  Object.entries(fileTypes).map(([type, number]) => [number, type as FileType]),
);
export const fileTypeOf = (number: number): FileType | undefined => typesByNumber.get(number);

export interface StoredFile {
  readonly type: FileType;
  /** 1 to 32 bytes of UTF-8, without NUL. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** Where the files are kept besides, so that they outlive the process. */
export interface FileBacking {
  /** What an earlier life left. */
  load(): Iterable<StoredFile>;
  /** An error thrown here fails the operation. */
  write(file: StoredFile): void;
  remove(file: StoredFile): void;
}

/** Room for a file that is on its way. */
export interface Reservation {
  /** The file is whole, and exists from now on. */
  commit(data: Uint8Array): StatusName | undefined;
  /** Gives the room back. */
  release(): void;
}

const keyOf = (type: FileType, name: string): string => `${type}/${name}`;
const sectorsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / SECTOR));

const isName = (name: string): boolean => {
  const { length } = encodeText(name);
  return length > 0 && length <= limits.fileName && !name.includes('\0');
};

export class FileStore {
  readonly #files = new Map<string, StoredFile>();
  /** Sectors held for files that are on their way. */
  readonly #reserved = new Map<string, { readonly sectors: number }>();
  readonly #backing: FileBacking | undefined;

  /** @throws WincError `WINC_ARGUMENT` when the backing has a file that does not fit or has no legal name */
  constructor(backing?: FileBacking) {
    for (const { type, name, data } of backing?.load() ?? []) {
      const refusal = this.put(type, name, data);
      if (refusal !== undefined) {
        throw new WincError('WINC_ARGUMENT', `the module cannot hold ${type} file ${name}: ${refusal}`);
      }
    }
    this.#backing = backing;
  }

  get(type: FileType, name: string): Uint8Array | undefined {
    return this.#files.get(keyOf(type, name))?.data;
  }

  /** By name. */
  list(type?: FileType): StoredFile[] {
    return [...this.#files.values()]
      .filter((file) => type === undefined || file.type === type)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Bytes, in whole sectors. */
  get freeSpace(): number {
    return this.#freeSectors * SECTOR;
  }

  get freeHandles(): number {
    return ENTRIES - this.#files.size - this.#reserved.size;
  }

  /** @param length bytes, at most */
  reserve(type: FileType, name: string, length: number): Reservation | StatusName {
    const key = keyOf(type, name);
    if (!isName(name)) return 'INVALID_PARAMETER';
    if (this.#files.has(key) || this.#reserved.has(key)) return 'FILE_EXISTS';
    if (this.freeHandles === 0 || sectorsOf(length) > this.#freeSectors) return 'FILE_CREATE_FAILED';
    const room = { sectors: sectorsOf(length) };
    this.#reserved.set(key, room);
    const release = (): boolean => this.#reserved.get(key) === room && this.#reserved.delete(key);
    return {
      commit: (data) => {
        if (!release() || data.length > length) return 'FILE_WRITE_FAILED';
        return this.#write({ type, name, data: Uint8Array.from(data) });
      },
      release: () => void release(),
    };
  }

  /** A whole file at once; one of that name and type must not exist. */
  put(type: FileType, name: string, data: Uint8Array): StatusName | undefined {
    const room = this.reserve(type, name, data.length);
    return typeof room === 'string' ? room : room.commit(data);
  }

  delete(type: FileType, name: string): StatusName | undefined {
    const file = this.#files.get(keyOf(type, name));
    if (file === undefined) return 'FILE_NOT_FOUND';
    try {
      this.#backing?.remove(file);
    } catch {
      return 'FILE_SYSTEM_ERROR';
    }
    this.#files.delete(keyOf(type, name));
    return undefined;
  }

  /** The module was reset: files on their way never arrive. */
  abandonReservations(): void {
    this.#reserved.clear();
  }

  get #freeSectors(): number {
    let used = 0;
    for (const { data } of this.#files.values()) used += sectorsOf(data.length);
    for (const { sectors } of this.#reserved.values()) used += sectors;
    return DATA_SECTORS - used;
  }

  #write(file: StoredFile): StatusName | undefined {
    try {
      this.#backing?.write(file);
    } catch {
      return 'FILE_WRITE_FAILED';
    }
    this.#files.set(keyOf(file.type, file.name), file);
    return undefined;
  }
}
