/** What `wincs02 doctor` says of each item of its checklist. */
import type { Clock } from '../driver/clock.js';

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** Nothing answers at all. */
  readonly silent?: boolean;
  readonly values?: Readonly<Record<string, number | string>>;
}

export const pause = (clock: Clock, ms: number) =>
  new Promise<void>((resolve) => clock.setTimer(() => resolve(), ms));

/** Releases of the firmware whose protocol this package was held against, and those it is known to differ from. */
const CURRENT = /^3\.[0-2]\./;
const OLDER = /^[12]\./;

export function versionFinding(version: string): Finding {
  const values = { version };
  if (CURRENT.test(version)) return { check: 'firmware', state: 'ok', detail: version, values };
  const detail = OLDER.test(version)
    ? `${version}: older than 3.0; some events and parameters differ, an update is advised`
    : `${version}: not known here; most things will work, but nobody has tried`;
  return { check: 'firmware', state: 'warn', detail, values };
}
