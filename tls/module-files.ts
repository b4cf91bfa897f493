/** Files on the module, carried by FS-TSFR: blocks of plain commands, over either wire. AT reference, FS and FSTSFR. */
import type { WincModule } from '../driver/index.js';
import { FileOperation, FileQuery, FileType, TransferProtocol } from '../driver/protocol/catalogue/fs.js';
import { limits } from '../driver/protocol/catalogue/limits.js';
import { WincError } from '../driver/protocol/index.js';

export type FileKind = 'user' | 'certificate' | 'key' | 'dh' | 'configuration';

const typeOf = {
  user: FileType.USER,
  certificate: FileType.CERT,
  key: FileType.PRIKEY,
  dh: FileType.DHPARAM,
  configuration: FileType.CFG,
} as const satisfies Record<FileKind, number>;
type FileTypeNumber = (typeof typeOf)[FileKind];
const kindOf: ReadonlyMap<number, FileKind> = new Map(
  Object.entries(typeOf).map(([kind, type]) => [type, kind as FileKind]),
);

export interface FileEntry {
  readonly kind: FileKind;
  readonly name: string;
}

export interface TransferOptions {
  /** Told after each block: bytes done of bytes in all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** As the vendor's tools send them. */
const BLOCK = 128;
/** FILELENGTH has 16 bits. */
const MAX_LENGTH = 65_535;
/** Block numbers have 8 bits and start with 1. */
const nextBlock = (block: number): number => (block + 1) & 0xff;

/** @throws WincError `WINC_ARGUMENT` */
export function checkFileName(name: string): void {
  // The vendor's tool lists no others; a name must survive a line of text and any file system it is copied to.
  if (!/^[\w.-]+$/.test(name) || name.length > limits.fileName) {
    throw new WincError(
      'WINC_ARGUMENT',
      'A file name has 1 to 32 letters, digits, dots, dashes and underscores.',
    );
  }
}

function fileType(kind: FileKind): FileTypeNumber {
  const type = typeOf[kind] as FileTypeNumber | undefined;
  if (type === undefined) throw new WincError('WINC_ARGUMENT', `There are no files of kind ${String(kind)}.`);
  return type;
}

export class ModuleFiles {
  readonly #module: WincModule;

  constructor(module: WincModule) {
    this.#module = module;
  }

  /** @throws WincError `WINC_STATUS`, or the module's own failure */
  async list(kind?: FileKind): Promise<FileEntry[]> {
    const op = FileQuery.LIST;
    const responses = await this.#module.call(
      'FS',
      kind === undefined ? { op } : { op, filetype: fileType(kind) },
    );
    return responses.flatMap((response) => {
      if (response.form !== 'LIST_OPERATION_RESPONSE') return [];
      const found = kindOf.get(response.elements.filetype);
      return found === undefined ? [] : [{ kind: found, name: response.elements.filename }];
    });
  }

  /** Bytes and files there is room for. */
  async room(): Promise<{ bytes: number; files: number }> {
    const [response] = await this.#module.call('FS', { op: FileQuery.INFO });
    if (response?.form !== 'INFORMATION_OPERATION_RESPONSE') {
      throw new WincError('WINC_PROTOCOL', 'The module did not tell how much room it has.');
    }
    return { bytes: response.elements.freeSpace, files: response.elements.freeHandles };
  }

  /**
   * One of that kind and name must not exist.
   * @throws WincError `WINC_ARGUMENT`, `WINC_STATUS` (`FILE_EXISTS`…), `WINC_ABORTED`
   */
  async put(kind: FileKind, name: string, data: Uint8Array, options: TransferOptions = {}): Promise<void> {
    checkFileName(name);
    if (data.length === 0 || data.length > MAX_LENGTH) {
      throw new WincError('WINC_ARGUMENT', `A file has 1 to ${MAX_LENGTH} bytes, this one ${data.length}.`);
    }
    const tsfrHandle = await this.#begin(
      await this.#module.call('FS', {
        op: FileOperation.LOAD,
        filetype: fileType(kind),
        tsfrprot: TransferProtocol.TSFR,
        filename: name,
        filelength: data.length,
      }),
    );
    await this.#transfer(tsfrHandle, options, async (signal) => {
      for (let at = 0, blockNum = 1; at < data.length; blockNum = nextBlock(blockNum)) {
        const block = data.subarray(at, at + BLOCK);
        await this.#module.call('FSTSFR', { tsfrHandle, blockNum, data: block }, { signal });
        at += block.length;
        options.onProgress?.(at, data.length);
      }
    });
  }

  /** @throws WincError `WINC_STATUS` (`FILE_NOT_FOUND`, `ACCESS_DENIED` for keys), `WINC_ABORTED` */
  async get(kind: FileKind, name: string, options: TransferOptions = {}): Promise<Uint8Array> {
    checkFileName(name);
    const tsfrHandle = await this.#begin(
      await this.#module.call('FS', {
        op: FileOperation.STORE,
        filetype: fileType(kind),
        tsfrprot: TransferProtocol.TSFR,
        filename: name,
      }),
    );
    const blocks: Uint8Array[] = [];
    await this.#transfer(tsfrHandle, options, async (signal) => {
      for (let done = 0, left = 1, blockNum = 1; left > 0; blockNum = nextBlock(blockNum)) {
        const [response] = await this.#module.call(
          'FSTSFR',
          { tsfrHandle, blockNum, dataLength: BLOCK },
          { signal },
        );
        if (response?.form !== 'FS_TSFR_STORE_RESPONSE' || response.elements.blockNum !== blockNum) {
          throw new WincError('WINC_PROTOCOL', `The module sent something else than block ${blockNum}.`);
        }
        const block = Buffer.from(response.elements.data as string | Uint8Array);
        if (block.length === 0 || done + block.length > MAX_LENGTH) {
          throw new WincError('WINC_PROTOCOL', 'The module sends a file that does not end.');
        }
        blocks.push(block);
        done += block.length;
        left = response.elements.bytesRemain;
        options.onProgress?.(done, done + left);
      }
    });
    return new Uint8Array(Buffer.concat(blocks));
  }

  /** @throws WincError `WINC_STATUS` (`FILE_NOT_FOUND`) */
  async remove(kind: FileKind, name: string): Promise<void> {
    checkFileName(name);
    await this.#module.call('FS', { op: FileQuery.DEL, filetype: fileType(kind), filename: name });
  }

  async #begin(responses: readonly { form: string; elements: object }[]): Promise<number> {
    const handle = (responses[0]?.elements as { tsfrHandle?: number } | undefined)?.tsfrHandle;
    if (handle === undefined) throw new WincError('WINC_PROTOCOL', 'The module gave the transfer no handle.');
    return handle;
  }

  /** A transfer that fails is given up at the module too, which has few. */
  async #transfer(
    tsfrHandle: number,
    { signal }: TransferOptions,
    blocks: (signal: AbortSignal | undefined) => Promise<void>,
  ): Promise<void> {
    try {
      await blocks(signal);
    } catch (error) {
      await this.#module.call('FSTSFR', { tsfrHandle, blockNum: 0 }).catch(() => {});
      throw error;
    }
  }
}
