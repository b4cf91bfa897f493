/** Statuses, responses and events ⇄ bytes. */
import { commandById, commandByName, eventById, eventByName } from '../catalogue/index.js';
import { WincError } from '../errors.js';
import type { Event, ModuleMessage, Noise, Response, Scalar, WireTypeName } from '../messages.js';
import { matchForm, writeElements } from './elements.js';
import { MessageKind, RESPONSE_HEADER, STATUS_BYTES, TlvList, TlvWriter } from './tlv.js';
import { plainValue } from './values.js';

/** Bytes of a message quoted in a report about it. */
const MAX_QUOTE = 256;

export function encodeStatus(id: number, seq: number, code: number, writer = new TlvWriter()): Uint8Array {
  return writer.begin().u8(MessageKind.STATUS).u16(id).u16(seq).u16(code).bytes;
}

/**
 * @throws TypeError if the catalogue has no such command or form; WincError `WINC_ARGUMENT` if a value cannot be sent
 */
export function encodeResponse(
  { command, form, elements }: Omit<Response, 'kind' | 'seq'>,
  seq: number,
  writer = new TlvWriter(),
): Uint8Array {
  const spec = commandByName(command);
  const found = spec?.response.get(form);
  if (spec === undefined || found === undefined) throw new TypeError(`no response ${command} ${form}`);
  header(writer, MessageKind.RESPONSE, spec.id, seq);
  writeElements(writer, found, elements, spec.config);
  return finish(writer);
}

/** As {@link encodeResponse}. */
export function encodeEvent(
  { name, form, elements }: Omit<Event, 'kind'>,
  writer = new TlvWriter(),
): Uint8Array {
  const spec = eventByName(name);
  const found = spec?.form.get(form);
  if (spec === undefined || found === undefined) throw new TypeError(`no event ${name} ${form}`);
  header(writer, MessageKind.EVENT, spec.id, 0);
  writeElements(writer, found, elements, commandByName(name)?.config);
  return finish(writer);
}

function header(writer: TlvWriter, kind: number, id: number, seq: number): void {
  writer.begin().u8(kind).u16(id).u16(seq).u16(id).u16(0).u8(0);
}

/** The length counts the number of elements, too. */
function finish(writer: TlvWriter): Uint8Array {
  writer.setU16(7, writer.length - RESPONSE_HEADER + 1);
  writer.setU8(9, writer.count);
  return writer.bytes;
}

/** Reads what a module sends. Never throws; what is no message comes out as {@link Noise}. */
export class TlvHostDecoder {
  readonly #list = new TlvList();

  /** @param bytes one message, with or without its padding. Values are copied. */
  decode(bytes: Uint8Array): ModuleMessage {
    const kind = bytes[0];
    if (kind === MessageKind.STATUS) return this.#status(bytes);
    if (kind === MessageKind.RESPONSE || kind === MessageKind.EVENT) return this.#elements(kind, bytes);
    return noise('UNKNOWN_MESSAGE', bytes);
  }

  #status(bytes: Uint8Array): ModuleMessage {
    if (bytes.length < STATUS_BYTES) return noise('SHORT_MESSAGE', bytes);
    const command = commandById((bytes[1] << 8) | bytes[2])?.name;
    return {
      kind: 'status',
      ...(command !== undefined && { command }),
      code: (bytes[5] << 8) | bytes[6],
      seq: (bytes[3] << 8) | bytes[4],
    };
  }

  #elements(kind: number, bytes: Uint8Array): ModuleMessage {
    if (bytes.length < RESPONSE_HEADER) return noise('SHORT_MESSAGE', bytes);
    const list = this.#list;
    // The length field is not to be relied on: nobody knows what a module puts there.
    if (!list.parse(bytes, RESPONSE_HEADER, bytes.length, bytes[9], false))
      return noise('BAD_ELEMENTS', bytes);
    const id = (bytes[5] << 8) | bytes[6];
    if (kind === MessageKind.EVENT) {
      const spec = eventById(id);
      if (spec === undefined) return noise('UNKNOWN_EVENT', bytes);
      const matched = matchForm(spec.forms, list, commandByName(spec.name)?.config);
      if (matched === undefined) return noise('BAD_ELEMENTS', bytes);
      return { kind: 'event', name: spec.name, form: matched.form.form, elements: matched.elements };
    }
    const spec = commandById(id) ?? commandById((bytes[1] << 8) | bytes[2]);
    if (spec === undefined) return noise('UNKNOWN_COMMAND', bytes);
    const matched = matchForm(spec.responses, list, spec.config);
    if (matched === undefined) return noise('BAD_ELEMENTS', bytes);
    return {
      kind: 'response',
      command: spec.name,
      form: matched.form.form,
      elements: matched.elements,
      seq: (bytes[3] << 8) | bytes[4],
    };
  }
}

const noise = (reason: string, bytes: Uint8Array): Noise => ({
  kind: 'noise',
  reason,
  bytes: new Uint8Array(bytes.subarray(0, MAX_QUOTE)),
});

/** @throws WincError `WINC_ARGUMENT` for text that is no bytes in hex */
export function bytesFromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new WincError('WINC_ARGUMENT', 'not bytes in hexadecimal');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/** An element as it was on the wire. */
export interface WireElement {
  readonly type: WireTypeName;
  readonly value: Scalar;
  /** Bytes of an integer. */
  readonly length?: number;
}

/** The elements of a response or event one by one, whatever form they make up; those of unknown type are left out. */
export function wireElements(bytes: Uint8Array): WireElement[] {
  const list = new TlvList();
  if (bytes.length < RESPONSE_HEADER || bytes[0] < MessageKind.RESPONSE) return [];
  list.parse(bytes, RESPONSE_HEADER, bytes.length, bytes[9], false);
  const elements: WireElement[] = [];
  for (let at = 0; at < list.count; at++) {
    const type = list.type(at);
    const value = plainValue(list, at);
    if (type === undefined || value === undefined) continue;
    const isNumber = typeof value === 'number';
    elements.push({ type, value, ...(isNumber && { length: list.length(at) }) });
  }
  return elements;
}
