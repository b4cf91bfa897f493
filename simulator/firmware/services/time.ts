/** TIME: the module's clock, set by the host or by SNTP; the answer is an event. API reference, module TIME. */
import { TimeFormat } from '../../../driver/protocol/catalogue/time.js';
import type { Board } from '../board.js';
import type { Service } from '../service.js';
import { textOf } from '../values.js';
import { NTP_EPOCH } from '../wall-clock.js';

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;

function shown(unixMs: number, format: number): number | string {
  const seconds = Math.floor(unixMs / 1000);
  if (format === TimeFormat.UTC_UNIX) return seconds;
  if (format === TimeFormat.UTC_NTP) return (seconds + NTP_EPOCH) % 0x1_0000_0000;
  // Hundredths, as the reference's examples have them.
  return new Date(unixMs).toISOString().replace(/\dZ$/, 'Z');
}

export function time(board: Board): Service {
  /** What a query without a format, and every report of SNTP, is answered in: the format last asked for. */
  let current: number = TimeFormat.UTC_NTP;

  function set(unixMs: number): void {
    board.time.set(unixMs);
  }
  function report(): void {
    const now = board.time.now();
    if (now === undefined) return;
    board.emit({ name: 'TIME', form: 'TIME_REPORT', elements: { time: shown(now, current) } });
  }
  board.time.onSynchronised = report;

  return {
    commands: {
      TIME({ args }) {
        if ('utcSec' in args && args.utcSec !== undefined) {
          const seconds = args.format === TimeFormat.UTC_NTP ? args.utcSec - NTP_EPOCH : args.utcSec;
          // Since 2036 NTP counts from zero again. RFC 4330, section 3.
          set((seconds < 0 ? seconds + 0x1_0000_0000 : seconds) * 1000);
          return undefined;
        }
        if ('dateTime' in args && args.dateTime !== undefined) {
          const text = textOf(args.dateTime);
          const unixMs = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
          if (Number.isNaN(unixMs)) return 'INVALID_PARAMETER';
          set(unixMs);
          return undefined;
        }
        if (board.time.now() === undefined) return 'TIME_ERROR';
        current = args.format ?? current;
        report();
        return undefined;
      },
    },
  };
}
