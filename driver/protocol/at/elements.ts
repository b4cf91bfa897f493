/** Tokens ⇄ the elements of a response or event, by the declared forms. */
import { formatIpv4, formatIpv6, formatMac, isIpv6, parseIpv6, parseMac } from '../address.js';
import { statusByCode, statusByText } from '../catalogue/statuses.js';
import type { Elements, Scalar } from '../messages.js';
import type { ComplexType, ValueType, VariantType } from '../schema.js';
import type { CommandSpec, ConfigSpec, MessageForm } from '../spec.js';
import { decodeText, encodeText } from '../text.js';
import { configParam, isFractional } from '../wiretype.js';
import type { AtFormat } from './format.js';
import { formatBytes, formatCode, formatFraction, formatInteger } from './formatter.js';
import type { Token } from './lexer.js';

type Config = CommandSpec['config'];

/** Addresses read alike on both wires: RFC 5952, whatever the module prints. */
function canonicalAddress(text: string): string {
  const bytes = text.includes(':') ? parseIpv6(text) : undefined;
  return bytes ? formatIpv6(bytes) : text;
}

function canonicalMac(text: string): string {
  const bytes = parseMac(text);
  return bytes ? formatMac(bytes) : text;
}

/** An address printed as its bytes; text in hex is printable once decoded. */
function addressBytes(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return undefined;
  return bytes.length === 4 ? formatIpv4(bytes) : bytes.length === 16 ? formatIpv6(bytes) : undefined;
}

function variantScalar(type: VariantType<unknown, Scalar>, token: Token): Scalar | undefined {
  const isAddress = type.types.includes('IPV4ADDR') || type.types.includes('IPV6ADDR');
  if (token.kind === 'frac') return undefined;
  if (token.kind === 'int') {
    if (!type.types.some((name) => name.startsWith('INTEGER'))) return undefined;
    const { value } = token;
    if (!isAddress || value < 0) return value;
    return formatIpv4(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
  }
  const asBytes = isAddress && token.kind === 'hex' ? addressBytes(token.bytes) : undefined;
  const text = asBytes ?? decodeText(token.bytes);
  return isAddress ? canonicalAddress(text) : text;
}

/** The value of one token where this type is expected; undefined if it can be none. */
export function tokenValue(type: ValueType, token: Token): Scalar | undefined {
  switch (type.kind) {
    case 'int':
    case 'bool':
    case 'time':
      return token.kind === 'int' ? token.value : undefined;
    case 'frac':
    case 'configId':
      if (token.kind === 'frac') return { int: token.int, frac: token.frac };
      return token.kind === 'int' ? token.value : undefined;
    case 'status':
      if (token.kind === 'frac') return (token.int << 8) | token.frac;
      if (token.kind === 'int') return token.value;
      return statusByText(decodeText(token.bytes))?.code ?? -1;
    case 'string':
      return 'bytes' in token ? decodeText(token.bytes) : undefined;
    case 'mac':
      return 'bytes' in token ? canonicalMac(decodeText(token.bytes)) : undefined;
    case 'bytes':
      if ('bytes' in token) return new Uint8Array(token.bytes);
      return type.orInteger && token.kind === 'int' ? token.value : undefined;
    case 'list':
      return tokenValue(type.of, token);
    case 'variant':
      return variantScalar(type, token);
    default:
      return plainValue(token);
  }
}

/** A token by itself: STRING and BYTE_ARRAY look alike and read as text. */
export function plainValue(token: Token): Scalar {
  if (token.kind === 'int') return token.value;
  return token.kind === 'frac' ? { int: token.int, frac: token.frac } : decodeText(token.bytes);
}

export interface Matched {
  readonly form: MessageForm;
  readonly elements: Elements;
  /** Tokens the form has no element for. */
  readonly extra: number;
  /** Elements the line has no token for. */
  readonly missing: number;
  /** A value speaks for another form (a record type, see `is` in the schema), or the request does. */
  readonly unlikely: boolean;
}

/** Walks the tokens of one line along one form. */
class Matcher {
  private at = 0;
  private unlikely = false;
  private param: ConfigSpec | undefined;
  private readonly tokens: readonly Token[];
  private readonly config: Config;

  constructor(tokens: readonly Token[], config: Config) {
    this.tokens = tokens;
    this.config = config;
  }

  match(form: MessageForm): Matched | undefined {
    const { tokens } = this;
    const elements: Record<string, Scalar | readonly Scalar[]> = {};
    const count = form.elements.length;
    for (let i = 0; i < count; i++) {
      if (this.at >= tokens.length)
        return { form, elements, extra: 0, missing: count - i, unlikely: this.unlikely };
      const { name, type } = form.elements[i];
      const value = this.take(type, count - i - 1);
      if (value === undefined) return undefined;
      if (type.kind === 'configId') this.param = configParam({ config: this.config }, value as Scalar);
      if (type.kind === 'int' && type.likely && !type.likely.includes(value as number)) this.unlikely = true;
      elements[name] = value;
    }
    return { form, elements, extra: tokens.length - this.at, missing: 0, unlikely: this.unlikely };
  }

  /** @param after elements of the form still to come */
  private take(type: ValueType, after: number): Scalar | readonly Scalar[] | undefined {
    const { tokens } = this;
    if (type.kind === 'list') return this.all(type.of);
    if (type.kind === 'configValue') return this.configValue();
    const value = tokenValue(type, tokens[this.at++]);
    // An error expands to code and text, depending on ATV (quirk status-element).
    const follows = tokens[this.at];
    if (type.kind === 'status' && follows && 'bytes' in follows && tokens.length - this.at > after) this.at++;
    return value;
  }

  private all(type: ValueType): readonly Scalar[] | undefined {
    const values: Scalar[] = [];
    for (; this.at < this.tokens.length; this.at++) {
      const value = tokenValue(type, this.tokens[this.at]);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  private configValue(): Scalar | readonly Scalar[] | undefined {
    const type = this.param?.type;
    if (type?.kind === 'complex') return this.complex(type);
    const start = this.at;
    if (!type && this.tokens.length - start > 1) {
      this.at = this.tokens.length;
      this.unlikely = true;
      return this.tokens.slice(start).map(plainValue);
    }
    // What is of another type than declared is still an answer: `+CMD:5,2` announces two values.
    const value = type && this.take(type, 0);
    if (value !== undefined) return value;
    this.at = start + 1;
    return plainValue(this.tokens[start]);
  }

  private complex(type: ComplexType): Scalar | readonly Scalar[] {
    const values: Scalar[] = [];
    for (const element of Object.values(type.elements)) {
      const token = this.tokens[this.at];
      if (!token) break;
      this.at++;
      values.push(tokenValue(element, token) ?? plainValue(token));
    }
    return values.length === 1 ? values[0] : values;
  }
}

/** The lower, the better a form fits: elements left out weigh most, then extra tokens, then unlikely values. */
const misfit = ({ missing, extra, unlikely }: Matched): number =>
  missing * 1000 + extra * 10 + Number(unlikely);

const isList = (form: MessageForm): boolean => form.elements[0]?.type.kind === 'list';

/**
 * The form that fits best; undefined if the tokens can be none.
 *
 * @param lists whether the request had no parameters: `+NETIFC:0,1` then lists interfaces, else it is an id and a value
 */
export function matchForm(
  forms: readonly MessageForm[],
  tokens: readonly Token[],
  config: Config,
  lists = false,
): Matched | undefined {
  const choice = forms.some(isList);
  let best: Matched | undefined;
  for (const form of forms) {
    let matched = new Matcher(tokens, config).match(form);
    if (!matched) continue;
    if (choice && isList(form) !== lists) matched = { ...matched, unlikely: true };
    if (misfit(matched) === 0) return matched;
    if (!best || misfit(matched) < misfit(best)) best = matched;
  }
  return best;
}

/** An error as an element of an event: by verbosity code, text or both. */
function formatStatusElement(code: number, format: AtFormat): string {
  const text = code > 0 && format.verbosity > 3 ? statusByCode(code)?.text : undefined;
  const number = code < 0 ? String(code) : formatCode(code);
  if (text === undefined) return number;
  const quoted = formatBytes(encodeText(text), true, format);
  return format.verbosity === 4 ? quoted : `${number},${quoted}`;
}

function formatText(text: string, format: AtFormat): string {
  return formatBytes(encodeText(text), true, format);
}

/** A module prints IPv6 in upper case. */
const printed = (text: string): string => {
  const address = text.split('/', 1)[0];
  return isIpv6(address) ? text.toUpperCase() : text;
};

function formatScalar(value: Scalar, type: ValueType | undefined, format: AtFormat): string {
  switch (typeof value) {
    case 'number':
      if (type?.kind === 'status') return formatStatusElement(value, format);
      return formatInteger(value, format, hexDigits(type));
    case 'boolean':
      return value ? '1' : '0';
    case 'string':
      return formatText(type?.kind === 'variant' ? printed(value) : value, format);
    default:
      return isFractional(value)
        ? formatFraction(value)
        : formatBytes(value, type?.kind === 'string', format);
  }
}

function hexDigits(type: ValueType | undefined): number | undefined {
  if (type?.kind === 'int') return type.hex;
  return type?.kind === 'bytes' && type.orInteger ? 4 : undefined;
}

/** The elements of a message as a module prints them; an element left undefined is left out. */
export function formatElements(
  form: MessageForm,
  elements: Elements,
  config: Config,
  format: AtFormat,
): string[] {
  const texts: string[] = [];
  let param: ConfigSpec | undefined;
  for (const { name, type } of form.elements) {
    const value = elements[name];
    if (value === undefined) continue;
    if (type.kind === 'configId') param = configParam({ config }, value as Scalar);
    const declared = type.kind === 'configValue' ? param?.type : type.kind === 'list' ? type.of : type;
    if (!Array.isArray(value)) {
      texts.push(formatScalar(value as Scalar, declared, format));
      continue;
    }
    const parts = declared?.kind === 'complex' ? Object.values(declared.elements) : undefined;
    value.forEach((item: Scalar, i) => {
      texts.push(formatScalar(item, parts ? parts[i] : declared, format));
    });
  }
  return texts;
}
