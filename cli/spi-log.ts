/** Captured SPI traffic in the formats tools export: our own trace, sigrok annotations, Saleae CSV. */
import { WincError } from '../driver/protocol/errors.js';
import { parseSpiTraceLine, type SpiTraceEntry } from '../driver/transport/spi-trace.js';

export type SpiLogFormat = 'trace' | 'sigrok' | 'saleae-packets' | 'saleae-table';

const bad = (line: number, why: string) => new WincError('WINC_TRACE_FORMAT', `line ${line + 1}: ${why}`);

/** sigrok-cli or PulseView: `1200-1840 spi-1: mosi-transfer: FF 40 …`, one line for each direction. */
const sigrokLine = /(mosi|miso)[- ]transfer[^:]*:\s*"?((?:[0-9a-f]{2}\s*)+)"?\s*$/i;

/** @throws WincError `WINC_TRACE_FORMAT` if the text is none of them */
export function detectSpiLog(text: string): SpiLogFormat {
  const lines = text.split(/\r?\n/, 200).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const [first = ''] = lines;
  const head = first.toLowerCase().replace(/"/g, '');
  if (head.includes('packet id') && head.includes('mosi')) return 'saleae-packets';
  if (head.includes('start_time') && head.includes('mosi')) return 'saleae-table';
  if (/(?:^|\s)(?:H>M|M>H) /.test(first)) return 'trace';
  if (lines.some((line) => sigrokLine.test(line))) return 'sigrok';
  if (lines.length === 0) return 'trace';
  throw bad(0, 'neither an SPI trace, nor sigrok annotations of transfers, nor a CSV export of Saleae Logic');
}

/**
 * The windows of a log, in order.
 * @throws WincError `WINC_TRACE_FORMAT` naming the line
 */
export function* readSpiLog(text: string, format = detectSpiLog(text)): Generator<SpiTraceEntry> {
  const lines = text.split(/\r?\n/);
  if (format === 'trace') {
    for (const [at, line] of lines.entries()) {
      try {
        const entry = parseSpiTraceLine(line);
        if (entry !== undefined) yield entry;
      } catch (cause) {
        throw bad(at, (cause as Error).message);
      }
    }
  } else if (format === 'sigrok') yield* readSigrok(lines);
  else yield* readSaleae(lines, format);
}

/** A window is complete when both directions of it have been seen. */
function* readSigrok(lines: readonly string[]): Generator<SpiTraceEntry> {
  let mosi: Uint8Array | undefined;
  let miso: Uint8Array | undefined;
  for (const [at, line] of lines.entries()) {
    const found = sigrokLine.exec(line);
    if (found === null) continue;
    const bytes = Uint8Array.from(Buffer.from(found[2].replace(/\s/g, ''), 'hex'));
    const isMosi = found[1].toLowerCase() === 'mosi';
    if ((isMosi ? mosi : miso) !== undefined)
      throw bad(at, `two windows of ${found[1]} and none of the other direction`);
    if (isMosi) mosi = bytes;
    else miso = bytes;
    if (mosi === undefined || miso === undefined) continue;
    if (mosi.length !== miso.length)
      throw bad(at, `${mosi.length} bytes out and ${miso.length} in, in one window`);
    // sigrok counts samples: without their rate an order, and no time.
    yield { kind: 'window', mosi, miso };
    mosi = undefined;
    miso = undefined;
  }
}

/** One row per byte; rows of one packet, or between `enable` and `disable`, are one window. */
function* readSaleae(lines: readonly string[], format: SpiLogFormat): Generator<SpiTraceEntry> {
  const fields = (line: string) => line.split(',').map((field) => field.trim().replace(/^"|"$/g, ''));
  const head = fields(lines[0]).map((name) => name.toLowerCase());
  const column = (name: string) => head.findIndex((each) => each.startsWith(name));
  const mosiAt = column('mosi');
  const misoAt = column('miso');
  const timeAt = format === 'saleae-packets' ? column('time') : column('start_time');
  const groupAt = format === 'saleae-packets' ? column('packet id') : column('type');
  if (misoAt < 0) throw bad(0, 'there is no column for MISO');
  let mosi: number[] = [];
  let miso: number[] = [];
  let time = 0;
  let group = '';
  const window = (): SpiTraceEntry => ({
    kind: 'window',
    mosi: Uint8Array.from(mosi),
    miso: Uint8Array.from(miso),
    time,
  });
  for (let at = 1; at < lines.length; at++) {
    if (lines[at].trim() === '') continue;
    const row = fields(lines[at]);
    const starts = format === 'saleae-packets' ? row[groupAt] !== group : row[groupAt] !== 'result';
    if (starts) {
      if (mosi.length > 0) yield window();
      mosi = [];
      miso = [];
      group = row[groupAt];
    }
    if (format === 'saleae-table' && row[groupAt] !== 'result') continue;
    if (mosi.length === 0) time = Math.max(0, Number(row[timeAt]) || 0);
    mosi.push(byteOf(row[mosiAt], at));
    miso.push(byteOf(row[misoAt], at));
  }
  if (mosi.length > 0) yield window();
}

/** `0xFF`, `FF` or `255`, as the export was set. */
function byteOf(text: string | undefined, line: number): number {
  const value = /^0x[0-9a-f]{1,2}$/i.test(text ?? '')
    ? Number(text)
    : /^[0-9a-f]{2}$/i.test(text ?? '')
      ? Number.parseInt(text as string, 16)
      : /^\d{1,3}$/.test(text ?? '')
        ? Number(text)
        : Number.NaN;
  if (!(value >= 0 && value <= 255)) throw bad(line, `"${text}" is no byte`);
  return value;
}
