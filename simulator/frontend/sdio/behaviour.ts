/** What a host cannot predict about a module, and must live with: how long things take. Plus what it must survive. */

/** Each function is asked anew every time, so that a test can draw from a seed. */
export interface SlaveTiming {
  /** Filler bytes between the second answer byte of a CMD53 read and its token: 1 to 99. */
  readFiller(): number;
  /** Filler bytes between two blocks of a read, 0 to 95, of which the first `zeros` are 00 instead of ff. */
  blockGap(): { readonly bytes: number; readonly zeros: number };
  /** Bytes of 00 after the response to a written block: 0 to 100. */
  busy(): number;
  /** Reads of INT_ID that do not show DATA_RDY yet. */
  dataReadyPolls(): number;
  /** Answers to CMD5 that still say "not ready". */
  powerUpPolls(): number;
}

/** Always the same, and short. */
export const steadyTiming: SlaveTiming = {
  readFiller: () => 2,
  blockGap: () => ({ bytes: 2, zeros: 0 }),
  busy: () => 2,
  dataReadyPolls: () => 0,
  powerUpPolls: () => 2,
};

/**
 * Anything a host must tolerate, mostly short and now and then at its limit.
 * @param random returns a number in [0, 1)
 */
export function randomTiming(random: () => number): SlaveTiming {
  const within = (low: number, high: number) => {
    const limit = random() < 0.9 ? Math.min(high, low + 8) : high;
    return low + Math.floor(random() * (limit - low + 1));
  };
  return {
    readFiller: () => within(1, 99),
    blockGap: () => {
      const bytes = within(0, 95);
      // After zeros an ff has to come, or the host takes the end of the zeros for the token.
      return { bytes, zeros: bytes > 1 && random() < 0.3 ? Math.floor(random() * bytes) : 0 };
    },
    busy: () => within(0, 100),
    dataReadyPolls: () => within(0, 20),
    powerUpPolls: () => within(0, 5),
  };
}

/**
 * One misbehaviour, for testing hosts.
 * - `late-token`: the next read's token comes after 150 filler bytes
 * - `long-busy`: the next write is followed by 150 busy bytes
 * - `no-data-ready`: DATA_RDY is left out once
 * - `interrupt-glitch`: INTOUT falls and rises again without a cause
 * - `interrupt-stuck`: the next clear of the interrupt does not raise INTOUT
 * - `read-crc`, `read-corrupt`: the next read block has a wrong CRC16, or a wrong byte under a right one
 * - `write-crc`: the next written block is refused as damaged
 * - `response-error`: the next CMD52 or CMD53 is answered with R1 = 08
 * - `no-event`: the next host word is ignored
 * - `hang-low`, `hang-high`: MISO stays at that level until MCLR
 */
export type Misbehaviour =
  | 'late-token'
  | 'long-busy'
  | 'no-data-ready'
  | 'interrupt-glitch'
  | 'interrupt-stuck'
  | 'read-crc'
  | 'read-corrupt'
  | 'write-crc'
  | 'response-error'
  | 'no-event'
  | 'hang-low'
  | 'hang-high';

/** Bytes of filler or busy when a misbehaviour asks for more than any host waits. */
export const EXCESSIVE = 150;

/** Misbehaviours waiting for their moment; each happens once. */
export class Mischief {
  readonly #pending = new Map<Misbehaviour, number>();

  arm(what: Misbehaviour, times: number): void {
    this.#pending.set(what, times);
  }

  /** Whether `what` is to happen now. */
  take(what: Misbehaviour): boolean {
    if (this.#pending.size === 0) return false;
    const left = this.#pending.get(what);
    if (left === undefined) return false;
    if (left <= 1) this.#pending.delete(what);
    else this.#pending.set(what, left - 1);
    return true;
  }

  clear(): void {
    this.#pending.clear();
  }
}
