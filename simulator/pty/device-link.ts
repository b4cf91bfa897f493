/** A stable name for a device whose own name changes at every start: a symbolic link, replaced in one step. */
import { lstatSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { WincError } from '../../driver/protocol/errors.js';

export class DeviceLink {
  readonly path: string;
  readonly #target: string;
  /** For a process that ends without closing anything. */
  readonly #atExit = () => this.remove();

  /** @throws WincError `WINC_PTY_LINK` */
  constructor(path: string, target: string) {
    this.path = resolve(path);
    this.#target = target;
    const existing = lstatSync(this.path, { throwIfNoEntry: false });
    if (existing !== undefined && !existing.isSymbolicLink()) {
      throw new WincError('WINC_PTY_LINK', `${this.path} exists and is no symbolic link; it is left alone`);
    }
    const temporary = `${this.path}.${process.pid}`;
    try {
      symlinkSync(target, temporary);
      renameSync(temporary, this.path);
    } catch (cause) {
      throw new WincError('WINC_PTY_LINK', `cannot make the link ${this.path}: ${(cause as Error).message}`, {
        cause,
      });
    }
    process.on('exit', this.#atExit);
  }

  /** Only if it is still ours: another simulator may have taken the name since. */
  remove(): void {
    process.off('exit', this.#atExit);
    try {
      if (readlinkSync(this.path) === this.#target) unlinkSync(this.path);
    } catch {
      // gone already
    }
  }
}
