/** What survives a reset. */
import { FileStore } from './files.js';

export interface Flash {
  /** AT+IPR. API reference, change log of 3.2.0: kept over resets. */
  baud: number;
  readonly files: FileStore;
}

export const DEFAULT_BAUD = 230_400;
/** As it leaves the factory, but without the vendor's choice of root certificates. */
export const erasedFlash = (files = new FileStore()): Flash => ({ baud: DEFAULT_BAUD, files });
