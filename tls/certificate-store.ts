/** Certificates, keys and Diffie-Hellman parameters on the module, by name. */

import type { WincError, WincModule } from '../driver/index.js';
import {
  bytesOf,
  type CertificateInfo,
  checkCertificate,
  checkDhParams,
  checkPrivateKey,
  type KeyCheck,
} from './check.js';
import { type FileEntry, type FileKind, ModuleFiles, type TransferOptions } from './module-files.js';

export type StoredKind = Extract<FileKind, 'certificate' | 'key' | 'dh'>;

export interface PutOptions extends TransferOptions {
  /** Takes the place of a file of that name; without it such a file is an error. */
  readonly replace?: boolean;
}

const kinds: readonly FileKind[] = ['certificate', 'key', 'dh'];

export class CertificateStore {
  readonly #files: ModuleFiles;

  constructor(module: WincModule) {
    this.#files = new ModuleFiles(module);
  }

  /**
   * @param data  PEM, one or several, or DER
   * @returns what the file holds
   * @throws WincError `WINC_CERTIFICATE`, before anything is sent; `WINC_STATUS` (`FILE_EXISTS`…), `WINC_ABORTED`
   */
  async putCertificate(
    name: string,
    data: Uint8Array | string,
    options: PutOptions = {},
  ): Promise<CertificateInfo[]> {
    const held = checkCertificate(data);
    await this.#put('certificate', name, data, options);
    return held;
  }

  /** As {@link putCertificate}. The key itself appears in no log, trace or error, and cannot be read back. */
  async putKey(name: string, data: Uint8Array | string, options: PutOptions & KeyCheck = {}): Promise<void> {
    checkPrivateKey(data, options);
    await this.#put('key', name, data, options);
  }

  /** As {@link putCertificate}: what a server needs for the DHE cipher suites. */
  async putDhParams(name: string, data: Uint8Array | string, options: PutOptions = {}): Promise<void> {
    checkDhParams(data);
    await this.#put('dh', name, data, options);
  }

  /** @throws WincError `WINC_STATUS` (`FILE_NOT_FOUND`; `ACCESS_DENIED`: keys stay where they are), `WINC_ABORTED` */
  get(kind: StoredKind, name: string, options?: TransferOptions): Promise<Uint8Array> {
    return this.#files.get(kind, name, options);
  }

  async list(kind?: StoredKind): Promise<FileEntry[]> {
    const found = await this.#files.list(kind);
    return found.filter((file) => kinds.includes(file.kind));
  }

  /** @throws WincError `WINC_STATUS` (`FILE_NOT_FOUND`) */
  remove(kind: StoredKind, name: string): Promise<void> {
    return this.#files.remove(kind, name);
  }

  /** Bytes and files there is room for. */
  room(): Promise<{ bytes: number; files: number }> {
    return this.#files.room();
  }

  async #put(kind: StoredKind, name: string, data: Uint8Array | string, options: PutOptions): Promise<void> {
    if (options.replace) {
      await this.#files.remove(kind, name).catch((error: WincError) => {
        if (error.statusName !== 'FILE_NOT_FOUND') throw error;
      });
    }
    await this.#files.put(kind, name, bytesOf(data), options);
  }
}
