/** The recorded runs of the vendor's driver and of ours, taken apart for replay. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BusMonitor, type BusRecord } from '../../../../driver/link/sdio/monitor.js';
import { MailboxType, parseMailboxWord } from '../../../../driver/protocol/sdio/index.js';
import { parseSpiTrace, type SpiTraceEntry } from '../../../../driver/transport/spi-trace.js';

const fixtures = resolve(import.meta.dirname, '../../../../firmware-fixtures');
const folders = [join(fixtures, 'protocol/spi-transcripts'), join(fixtures, 'spi-transcripts')];

/** Something one side did, with the entry before which it must have been decided. */
export interface Turn {
  readonly before: number;
  readonly messages: readonly Uint8Array[];
}

export interface Transcript {
  readonly name: string;
  readonly entries: readonly SpiTraceEntry[];
  /** Bursts of the host; `before` is the first window of the announcement. */
  readonly host: readonly Turn[];
  /** The run starts after the host announced this burst, which the module has already asked for. */
  readonly announcedBefore: readonly Uint8Array[];
  /** Events of the module; `before` is the window in which INTOUT fell. */
  readonly module: readonly Turn[];
  readonly records: readonly { readonly entry: number; readonly record: BusRecord }[];
}

export function transcriptNames(): string[] {
  return folders
    .flatMap((folder) => readdirSync(folder))
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.slice(0, -4))
    .sort();
}

export function transcriptText(name: string): string {
  const file = folders.map((folder) => join(folder, `${name}.txt`)).find(existsSync)!;
  return readFileSync(file, 'utf8');
}

export function readTranscript(name: string): Transcript {
  const entries = parseSpiTrace(transcriptText(name));
  const records: { entry: number; record: BusRecord }[] = [];
  let at = 0;
  const monitor = new BusMonitor((record) => records.push({ entry: at, record }));
  for (; at < entries.length; at++) {
    const entry = entries[at];
    if (entry.kind === 'window') monitor.window(entry.mosi, entry.miso);
    else if (entry.kind === 'reset') monitor.reset();
  }
  const words = records.flatMap(({ record }) => (record.kind === 'word' ? [record] : []));
  const announcedBefore =
    words[0]?.from === 'module' && parseMailboxWord(words[0].word).type === MailboxType.TX_REQUEST
      ? messagesAfter(records, 0, 'host', parseMailboxWord(words[0].word).count)
      : [];
  const host = hostTurns(records, announcedBefore.length);
  return { name, entries, records, announcedBefore, host, module: moduleTurns(entries, records) };
}

function messagesAfter(
  records: Transcript['records'],
  from: number,
  side: string,
  count: number,
): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = from; at < records.length && messages.length < count; at++) {
    const { record } = records[at];
    if (record.kind === 'message' && record.from === side) messages.push(record.bytes);
  }
  return messages;
}

function hostTurns(records: Transcript['records'], before: number): Turn[] {
  const turns: Turn[] = [];
  let sent = before;
  const all = messagesAfter(records, 0, 'host', Number.POSITIVE_INFINITY);
  let announcement: number | undefined;
  let list: readonly number[] = [];
  for (const { entry, record } of records) {
    // A list is written with the clock switched to manual first; a lone message with the word only.
    if (record.kind === 'command') {
      const starts = record.index === 52 && record.argument === 0x8300_0002;
      const word = record.index === 53 && record.argument === 0x9400_4804;
      if ((starts || word) && announcement === undefined) announcement = entry;
    }
    if (record.kind === 'lengths' && record.from === 'host') list = record.words;
    if (record.kind === 'word' && record.from === 'host') {
      const { count, length } = parseMailboxWord(record.word);
      const messages = all.slice(sent, sent + count);
      // The run may end before the messages themselves; their lengths are announced all the same.
      for (let at = messages.length; at < count; at++)
        messages.push(new Uint8Array(4 * (list[at] ?? length)));
      turns.push({ before: announcement ?? entry, messages });
      sent += count;
      announcement = undefined;
    }
  }
  return turns;
}

function moduleTurns(entries: Transcript['entries'], records: Transcript['records']): Turn[] {
  const turns: Turn[] = [];
  records.forEach(({ entry, record }, at) => {
    if (record.kind !== 'word' || record.from !== 'module') return;
    const { type, count } = parseMailboxWord(record.word);
    if (type !== MailboxType.RX_REQUEST) return;
    turns.push({ before: fallBefore(entries, entry), messages: messagesAfter(records, at, 'module', count) });
  });
  // The run may end between the fall of INTOUT and the host's looking; what it was about is not recorded.
  const last = fallBefore(entries, entries.length - 1);
  const understood = records.some(({ entry, record }) => record.kind === 'word' && entry > last);
  if (last > 0 && !understood) turns.push({ before: last, messages: [Uint8Array.of(1, 0, 0, 0)] });
  return turns;
}

function fallBefore(entries: Transcript['entries'], from: number): number {
  let at = from;
  for (; at > 0; at--) {
    const entry = entries[at];
    if (entry.kind === 'interrupt' && entry.asserted) break;
  }
  return at;
}
