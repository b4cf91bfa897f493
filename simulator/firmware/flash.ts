/** What survives a reset. */
export interface Flash {
  /** AT+IPR. API reference, change log of 3.2.0: kept over resets. */
  baud: number;
}

export const DEFAULT_BAUD = 230_400;
export const erasedFlash = (): Flash => ({ baud: DEFAULT_BAUD });
