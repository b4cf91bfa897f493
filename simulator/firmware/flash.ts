/** What survives a reset. */
import { FileStore } from './files.js';
import { Nvm } from './nvm.js';
import { build } from './profile.js';

export interface Flash {
  /** AT+IPR. API reference, change log of 3.2.0: kept over resets. */
  baud: number;
  readonly files: FileStore;
  readonly nvm: Nvm;
}

const { version, patch, security } = build;
const VERSION = ((security << 24) | (version.int << 16) | (version.frac << 8) | patch) >>> 0;
/** 3.1.0 */
const PREVIOUS_VERSION = 0x0103_0100;

export const DEFAULT_BAUD = 230_400;
/** As it leaves the factory, but without the vendor's choice of root certificates. */
export const erasedFlash = (files = new FileStore()): Flash => ({
  baud: DEFAULT_BAUD,
  files,
  nvm: new Nvm(VERSION, PREVIOUS_VERSION),
});
