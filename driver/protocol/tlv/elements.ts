/** The elements of responses and events ⇄ TLVs, by the declared forms. */
import { WincError } from '../errors.js';
import { type Elements, type Scalar, WireType, type WireTypeName } from '../messages.js';
import type { ValueType } from '../schema.js';
import type { CommandSpec, ConfigSpec, MessageForm } from '../spec.js';
import { configParam, plainWireType, wireTypeFor } from '../wiretype.js';
import { MAX_ELEMENTS, type TlvList, type TlvWriter } from './tlv.js';
import { moduleWidths, plainValue, tlvValue, writeTyped } from './values.js';

type Config = CommandSpec['config'];

export interface Matched {
  readonly form: MessageForm;
  readonly elements: Elements;
  /** The lower, the better the form fits: elements left out weigh most, then extra ones, then unlikely ones. */
  readonly misfit: number;
  /** TLVs the form has no element for. */
  readonly extra: number;
}

/** The form that fits best; undefined if the TLVs can be none. */
export function matchForm(forms: readonly MessageForm[], list: TlvList, config: Config): Matched | undefined {
  let best: Matched | undefined;
  for (const form of forms) {
    const matched = match(form, list, config);
    if (matched === undefined) continue;
    if (matched.misfit === 0) return matched;
    if (best === undefined || matched.misfit < best.misfit) best = matched;
  }
  return best;
}

/** How much speaks against a form that is possible all the same. */
const Misfit = {
  MISSING: 1000,
  EXTRA: 10,
  /** Several values where the parameter has one. */
  SEVERAL: 5,
  /** STRING for BYTE_ARRAY or the other way round. */
  TEXT: 3,
  /** A record type that belongs to another form. */
  UNLIKELY: 2,
  /** A list takes everything, and what is more specific goes first. */
  LIST: 1,
} as const;

function textMisfit(type: ValueType, wire: WireTypeName | undefined): number {
  if (type.kind === 'string') return wire === 'BYTE_ARRAY' ? Misfit.TEXT : 0;
  return type.kind === 'bytes' && !type.text && wire === 'STRING' ? Misfit.TEXT : 0;
}

function match(form: MessageForm, list: TlvList, config: Config): Matched | undefined {
  const elements: Record<string, Scalar | readonly Scalar[]> = {};
  let param: ConfigSpec | undefined;
  let at = 0;
  let misfit = 0;
  for (const [position, { name, type }] of form.elements.entries()) {
    if (at === list.count) {
      misfit += (form.elements.length - position) * Misfit.MISSING;
      return { form, elements, misfit, extra: 0 };
    }
    if (type.kind === 'list' || type.kind === 'configValue') {
      const values = rest(type.kind === 'list' ? type.of : param?.type, list, at);
      if (values === undefined) return undefined;
      elements[name] = type.kind === 'list' || values.length > 1 ? values : values[0];
      at += values.length;
      if (type.kind === 'list') misfit += Misfit.LIST;
      else if (values.length > 1 && param?.type.kind !== 'complex') misfit += Misfit.SEVERAL;
      continue;
    }
    misfit += textMisfit(type, list.type(at));
    const value = tlvValue(type, list, at++);
    if (value === undefined) return undefined;
    if (type.kind === 'configId') param = configParam({ config }, value);
    if (type.kind === 'int' && type.likely && !type.likely.includes(value as number))
      misfit += Misfit.UNLIKELY;
    elements[name] = value;
  }
  const extra = list.count - at;
  return { form, elements, misfit: misfit + extra * Misfit.EXTRA, extra };
}

/** All that is left: of one type, or the parts of a complex one. What is of another type is still an answer. */
function rest(type: ValueType | undefined, list: TlvList, from: number): Scalar[] | undefined {
  const parts = type?.kind === 'complex' ? Object.values(type.elements) : undefined;
  const values: Scalar[] = [];
  for (let at = from; at < list.count; at++) {
    const declared = parts === undefined ? type : parts[at - from];
    const value = (declared && tlvValue(declared, list, at)) ?? plainValue(list, at);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/**
 * Writes the elements a form has; those left undefined are left out.
 * @throws WincError `WINC_ARGUMENT` for a value its element cannot carry, or more than 12 of them
 */
export function writeElements(
  writer: TlvWriter,
  form: MessageForm,
  elements: Elements,
  config: Config,
): void {
  let param: ConfigSpec | undefined;
  for (const { name, type } of form.elements) {
    const value = elements[name];
    if (value === undefined) continue;
    if (type.kind === 'configId') param = configParam({ config }, value as Scalar);
    const declared = type.kind === 'configValue' ? param?.type : type.kind === 'list' ? type.of : type;
    if (!Array.isArray(value)) writeElement(writer, declared, value as Scalar);
    else {
      const parts = declared?.kind === 'complex' ? Object.values(declared.elements) : undefined;
      for (const [at, item] of (value as readonly Scalar[]).entries()) {
        writeElement(writer, parts === undefined ? declared : parts[at], item);
      }
    }
  }
  if (writer.count > MAX_ELEMENTS) {
    throw new WincError(
      'WINC_ARGUMENT',
      `${writer.count} elements, and no more than ${MAX_ELEMENTS} are understood`,
    );
  }
}

function writeElement(writer: TlvWriter, type: ValueType | undefined, value: Scalar): void {
  if (typeof value === 'number' && (type === undefined || type.kind === 'int' || type.kind === 'configId')) {
    writer.integer(isSigned(type, value) ? WireType.INTEGER : WireType.INTEGER_UNSIGNED, value, 4);
    return;
  }
  const wire: WireTypeName = (type && wireTypeFor(type, value)) ?? plainWireType(value);
  writeTyped(writer, { type: wire, value }, moduleWidths);
}

/** The references say INTEGER of nearly everything; what does not fit goes out in the other sign. */
function isSigned(type: ValueType | undefined, value: number): boolean {
  if (value < 0) return true;
  return value <= 0x7fff_ffff && !(type?.kind === 'int' && type.wire === 'INTEGER_UNSIGNED');
}
