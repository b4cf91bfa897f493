/** `wincs02 decode --wire spi`: a captured bus as annotated lines, and its messages as a capture file. */
import { BusMonitor, type BusRecord } from '../driver/link/sdio/monitor.js';
import { type JsonObject, messageToJson, requestToJson } from '../driver/protocol/json.js';
import {
  DataResponse,
  type ExtendedAccess,
  Fn0,
  Fn1,
  IntId,
  MailboxType,
  parseDirect,
  parseExtended,
  parseMailboxWord,
  SdioCommand,
} from '../driver/protocol/sdio/index.js';
import {
  decodeRequest,
  MessageKind,
  TlvHostDecoder,
  TlvList,
  wireElements,
} from '../driver/protocol/tlv/index.js';
import { formatSpiTraceEntry, type SpiTraceEntry } from '../driver/transport/spi-trace.js';
import { PcapngWriter } from '../simulator/tcpip/link/index.js';
import { printable } from './output.js';
import { readSpiLog } from './spi-log.js';

/** A message as it crossed the bus. */
export interface SpiMessage {
  readonly from: 'host' | 'module';
  readonly bytes: Uint8Array;
  /** Seconds since the beginning of the log, if it has times. */
  readonly time: number | undefined;
}

/** LINKTYPE_USER0: what an agreement of both ends says it is. */
const LINKTYPE_USER0 = 147;
/** Of a value shown in a line. */
const MAX_SHOWN = 48;

const list = new TlvList();
const decoder = new TlvHostDecoder();
const hex = (value: number, digits = 2) => value.toString(16).padStart(digits, '0');

/**
 * The lines of a log, each with what it means behind a `#`; what comes out can be read in again.
 * @throws WincError `WINC_TRACE_FORMAT`
 */
export function* annotateSpiLog(text: string): Generator<string> {
  const records: BusRecord[] = [];
  const monitor = new BusMonitor((record) => records.push(record));
  for (const entry of readSpiLog(text)) {
    const notes = notesOf(entry, monitor, records);
    yield formatSpiTraceEntry(entry) + (notes.length > 0 ? `  # ${printable(notes.join('; '))}` : '');
  }
}

/** The messages of a log. */
export function* messagesOfSpiLog(text: string): Generator<SpiMessage> {
  const records: BusRecord[] = [];
  const monitor = new BusMonitor((record) => records.push(record));
  for (const entry of readSpiLog(text)) {
    feed(monitor, entry);
    for (const record of records.splice(0)) {
      if (record.kind === 'message') yield { from: record.from, bytes: record.bytes, time: entry.time };
    }
  }
}

/**
 * The messages of a log as a pcapng file, a packet each, with its meaning as the comment.
 * @param began when the log began, milliseconds since 1970
 */
export function spiLogToPcapng(text: string, began: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  const writer = new PcapngWriter({ sink: (chunk) => chunks.push(chunk.slice()), now: () => began });
  const bus = writer.interface('spi', LINKTYPE_USER0);
  for (const { from, bytes, time } of messagesOfSpiLog(text)) {
    writer.packet(bus, bytes, bytes.length, {
      direction: from === 'module' ? 'in' : 'out',
      comment: describeMessage(bytes),
      ...(time !== undefined && { time: began + time * 1000 }),
    });
  }
  writer.flush();
  return new Uint8Array(Buffer.concat(chunks));
}

function feed(monitor: BusMonitor, entry: SpiTraceEntry): void {
  if (entry.kind === 'window') monitor.window(entry.mosi, entry.miso);
  else if (entry.kind === 'reset' && entry.asserted) monitor.reset();
}

function notesOf(entry: SpiTraceEntry, monitor: BusMonitor, records: BusRecord[]): string[] {
  if (entry.kind === 'reset') {
    feed(monitor, entry);
    return [entry.asserted ? 'reset asserted' : 'reset released'];
  }
  if (entry.kind === 'interrupt') return [entry.asserted ? 'asserted' : 'idle'];
  feed(monitor, entry);
  return records.splice(0).map(describeRecord);
}

function describeRecord(record: BusRecord): string {
  switch (record.kind) {
    case 'command':
      return describeCommand(record);
    case 'block':
      return describeBlock(record);
    case 'word':
      return describeWord(record.from, record.word);
    case 'lengths':
      return `message lengths of the ${record.from} (words) [${record.words.join(', ')}]`;
    case 'message':
      return describeMessage(record.bytes);
    case 'anomaly':
      return `! ${record.text}`;
  }
}

const plainNames: Readonly<Record<number, string>> = {
  [SdioCommand.GO_IDLE]: 'go idle',
  [SdioCommand.IO_SEND_OP_COND]: 'operating conditions',
  [SdioCommand.CRC_ON_OFF]: 'CRC option',
};

function describeCommand({
  index,
  argument,
  answer,
  silent,
}: BusRecord & { readonly kind: 'command' }): string {
  const said =
    silent === undefined
      ? ` -> R1=${hex(answer[0])}`
      : silent === 0
        ? ' -> MISO low: booting'
        : ' -> no answer';
  if (index === SdioCommand.IO_RW_DIRECT) {
    const { write, fn, address, value } = parseDirect(argument);
    const shown = write ? value : answer[1];
    const bits = fn === 1 && address === Fn1.INT_ID && shown !== undefined ? ` [${intIdBits(shown)}]` : '';
    const data = write ? ` = ${hex(value)}` : '';
    const read = write || shown === undefined ? '' : ` data=${hex(shown)}`;
    return `CMD52 ${write ? 'W' : 'R'} ${place(fn, address)}${data}${said}${read}${bits}`;
  }
  if (index === SdioCommand.IO_RW_EXTENDED) return `CMD53 ${describeAccess(parseExtended(argument))}${said}`;
  const name = plainNames[index];
  const conditions = answer.length === 5 ? ` OCR=${Buffer.from(answer.subarray(1)).toString('hex')}` : '';
  return `CMD${index}${name === undefined ? '' : ` ${name}`} ${hex(argument, 8)}${said}${conditions}`;
}

function describeAccess({ write, fn, address, blocks, increment, count }: ExtendedAccess): string {
  const amount = blocks ? `${count} blocks` : `${count} bytes`;
  return `${write ? 'W' : 'R'} ${place(fn, address)} ${amount} ${increment ? 'incrementing' : 'fixed'}`;
}

function describeBlock(block: BusRecord & { readonly kind: 'block' }): string {
  const { access, bytes, crc, crcCorrect, response, filler } = block;
  if (!access.write) {
    return `${bytes.length} bytes read, ${filler} before the token, CRC ${hex(crc, 4)}${crcCorrect ? '' : ' (wrong)'}`;
  }
  const accepted = ((response ?? 0) & DataResponse.MASK) === DataResponse.ACCEPTED;
  const checked = crcCorrect ? '' : crc === 0 ? ', no CRC' : ', CRC wrong';
  return `${bytes.length} bytes written${checked}, ${accepted ? 'accepted' : `response ${hex(response ?? 0)}`}`;
}

function describeWord(from: string, word: number): string {
  const { type, count, length } = parseMailboxWord(word);
  const name =
    type === MailboxType.TX_REQUEST ? 'TX_REQ' : type === MailboxType.RX_REQUEST ? 'RX_REQ' : `type ${type}`;
  return `${from} word ${hex(word, 8)}: ${name}, ${count} ${count === 1 ? 'message' : 'messages'}, length ${length}`;
}

const names0: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Fn0).map(([name, address]) => [address, name]),
);
const names1: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Fn1).map(([name, address]) => [address, name]),
);

function place(fn: number, address: number): string {
  const name = (fn === 0 ? names0 : fn === 1 ? names1 : {})[address];
  return `fn${fn}:${hex(address, 5)}${name === undefined ? '' : ` ${name}`}`;
}

function intIdBits(value: number): string {
  return Object.entries(IntId)
    .filter(([, bit]) => (value & bit) !== 0)
    .map(([name]) => name)
    .join(' ');
}

/** One message in a line: what it is, its sequence number and its values, long ones cut short. */
export function describeMessage(bytes: Uint8Array): string {
  if (bytes[0] === MessageKind.REQUEST) return describeRequest(bytes);
  const message = decoder.decode(bytes);
  if (message.kind === 'noise') return `! ${message.reason}`;
  const json = messageToJson(message, wireElements(bytes));
  if (message.kind === 'status') return `STATUS ${json.name} seq=${json.seq} status=${json.status}`;
  const elements = (json.elements as JsonObject[]).map(
    ({ name, value, hex }) => `${name}=${shown(value ?? hex)}`,
  );
  const kind = message.kind === 'response' ? `RSP ${json.name} seq=${json.seq}` : `EVENT ${json.name}`;
  return `${kind} {${elements.join(', ')}}`;
}

function describeRequest(bytes: Uint8Array): string {
  const decoded = decodeRequest(bytes, list, { typed: true });
  if (decoded === undefined) return '! no request';
  if (!('request' in decoded)) {
    const name = decoded.command ?? hex(decoded.id, 4);
    return `REQ ${name} seq=${decoded.seq} ! to be refused with ${hex(decoded.status, 4)}`;
  }
  const { command, args, seq } = requestToJson(decoded.request);
  const values = Object.entries(args).map(([name, value]) => `${name}=${shown(value)}`);
  return `REQ ${command} seq=${seq} {${values.join(', ')}}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
