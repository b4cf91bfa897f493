/**
 * The language the catalogue is written in: value types, parameters, commands, events, configuration tables. A
 * declaration states the wire facts once (integer width, type sent, ignore value, range, enumeration); both codecs,
 * the argument checks and the TypeScript types are derived from it.
 *
 * Keys are the vendor's (`SOCK_ID`); values are addressed by the same name in camel case (`sockId`).
 */
import type { Fractional, Scalar, Typed, Value, WireTypeName } from './messages.js';

/** Named values of an enumeration, as the reference labels them. */
export type Labels = Readonly<Record<string, number>>;

declare const IN: unique symbol;
declare const OUT: unique symbol;
/** `In` is what a caller may pass, `Out` is what a decoder answers; both exist for the type checker only. */
interface Carries<In, Out> {
  readonly [IN]?: In;
  readonly [OUT]?: Out;
  /** The vendor's key, where ours differs: it is repeated within one form, or no identifier. */
  readonly key?: string;
}

/** An integer. `wire` and `width` (bytes) say how a host sends it; a reader takes every width from 1 to 4. */
export interface IntType<In = number> extends Carries<In, number> {
  readonly kind: 'int';
  readonly wire: 'INTEGER' | 'INTEGER_UNSIGNED';
  readonly width: 1 | 2 | 4;
  readonly min: number;
  readonly max: number;
  readonly labels?: Labels;
  /** The values of `labels`. */
  readonly named?: ReadonlySet<number>;
  /** Values between `min` and `max` are legal although no label names them. */
  readonly open?: boolean;
  /** The labels are bits to be combined. */
  readonly bitmask?: boolean;
  /** In an element: the values that speak for its form, where several look alike. */
  readonly likely?: readonly number[];
  /** The module prints it in hexadecimal, of at least so many digits. */
  readonly hex?: number;
}
export interface BoolType extends Carries<boolean | 0 | 1, number> {
  readonly kind: 'bool';
  /** What 0 and 1 mean. */
  readonly labels: readonly [no: string, yes: string];
}
/** `major.minor` pairs such as a version: INTEGER_FRAC. */
export interface FracType extends Carries<Fractional, Fractional | number> {
  readonly kind: 'frac';
}
/** STRING; `max` counts bytes. Bytes may be given, a string is answered (see `text.ts`). */
export interface StringType extends Carries<string | Uint8Array, string> {
  readonly kind: 'string';
  readonly max?: number;
}
/** BYTE_ARRAY; lengths count bytes. */
export interface BytesType<In = Uint8Array, Out = Uint8Array> extends Carries<In, Out> {
  readonly kind: 'bytes';
  readonly min?: number;
  readonly max?: number;
  /** Documented as STRING or BYTE_ARRAY: a caller may pass text, and a module may answer with a STRING. */
  readonly text?: boolean;
  /** On the AT wire it may follow as raw bytes after `#`, announced by `LENGTH`. */
  readonly raw?: boolean;
  /** An integer was seen in its place (a CRC-16). */
  readonly orInteger?: boolean;
}
/** STATUS: module << 8 | number. On the AT wire it expands as an error does, by verbosity. */
export interface StatusType extends Carries<number, number> {
  readonly kind: 'status';
  /** A plain INTEGER with these values may stand in its place. */
  readonly labels?: Labels;
}
/** UTC_TIME: seconds since 1970. */
export interface TimeType extends Carries<number, number> {
  readonly kind: 'time';
}
/** MACADDR. Elements that the manual calls STRING are read as MACADDR by the vendor's hosts. */
export interface MacType extends Carries<string, string> {
  readonly kind: 'mac';
}
/** One of several wire types, told apart by the value itself (see `wiretype.ts`). */
export interface VariantType<In = Value, Out = Scalar> extends Carries<In, Out> {
  readonly kind: 'variant';
  readonly types: readonly WireTypeName[];
  /** Of a STRING, in bytes. */
  readonly max?: number;
  /** How an address is written: with mask (`10.0.0.1/24`) or prefix length (`fe80::1/64`). */
  readonly suffix?: 'mask' | 'prefix';
  readonly labels?: Labels;
}
/** A value of a configuration parameter, typed by the id that precedes it; of a complex one, a list. */
export interface ConfigValueType extends Carries<Value, Scalar | readonly Scalar[]> {
  readonly kind: 'configValue';
}
/** The id of a configuration parameter, `n` or `n.index`. */
export interface ConfigIdType extends Carries<number | Fractional, number | Fractional> {
  readonly kind: 'configId';
}
/** As many of one type as the message holds. */
export interface ListType<Out = number> extends Carries<never, readonly Out[]> {
  readonly kind: 'list';
  readonly of: ValueType;
}
/** A configuration value of several elements, in order. */
export interface ComplexType extends Carries<never, readonly Scalar[]> {
  readonly kind: 'complex';
  /** As the reference calls the group. */
  readonly label: string;
  readonly elements: Readonly<Record<string, ValueType>>;
}

export type ValueType =
  | IntType
  | BoolType
  | FracType
  | StringType
  | BytesType<Uint8Array | string, Uint8Array | number>
  | StatusType
  | TimeType
  | MacType
  | VariantType<unknown, Scalar>
  | ConfigValueType
  | ConfigIdType
  | ListType<Scalar>
  | ComplexType;
export type InputOf<T> = T extends { readonly [IN]?: infer In } ? In : never;
export type OutputOf<T> = T extends { readonly [OUT]?: infer Out } ? Out : never;

const INT_MIN = -0x8000_0000;
const UINT_MAX = 0xffff_ffff;

interface IntOptions {
  readonly min?: number;
  readonly max?: number;
  readonly bitmask?: true;
}
/** `u8()`, `u8(min, max)`, `u8(Labels)`, or `u8(Labels, { min, max })` when unnamed values are legal too. */
interface IntHelper {
  (min?: number, max?: number): IntType<number>;
  <const E extends Labels>(labels: E): IntType<E[keyof E]>;
  (labels: Labels, options: IntOptions): IntType<number>;
}

function integer(wire: IntType['wire'], width: IntType['width'], low: number, high: number): IntHelper {
  return (first?: number | Labels, second?: number | IntOptions): IntType<never> => {
    if (typeof first !== 'object') {
      return { kind: 'int', wire, width, min: first ?? low, max: typeof second === 'number' ? second : high };
    }
    const options = typeof second === 'object' ? second : {};
    const values = Object.values(first);
    const all = options.bitmask ? values.reduce((mask, bit) => mask | bit, 0) : Math.max(...values);
    return {
      kind: 'int',
      wire,
      width,
      min: options.min ?? (options.bitmask ? 0 : Math.min(...values)),
      max: options.max ?? all,
      labels: first,
      named: new Set(values),
      ...((options.min !== undefined || options.max !== undefined) && { open: true }),
      ...(options.bitmask && { bitmask: true }),
    };
  };
}

/** INTEGER_UNSIGNED of 1, 2, 4 bytes. */
export const u8: IntHelper = integer('INTEGER_UNSIGNED', 1, 0, 0xff);
export const u16: IntHelper = integer('INTEGER_UNSIGNED', 2, 0, 0xffff);
export const u32: IntHelper = integer('INTEGER_UNSIGNED', 4, 0, UINT_MAX);
/** INTEGER of 4 bytes. */
export const i32: IntHelper = integer('INTEGER', 4, INT_MIN, 0x7fff_ffff);
/** An integer a module sends, where the reference says no more than INTEGER. */
export const int: IntHelper = integer('INTEGER', 4, INT_MIN, UINT_MAX);

/** Printed as `0x…` with at least so many digits. */
export const hex = <T extends IntType>(digits: number, type: T): T => ({ ...type, hex: digits });

/** An element whose value tells the form from others that look alike. */
export const is = <T extends IntType>(type: T, ...values: number[]): T => ({ ...type, likely: values });

export const bool = (no: string, yes: string): BoolType => ({ kind: 'bool', labels: [no, yes] });
export const frac = (): FracType => ({ kind: 'frac' });
export const str = (max?: number): StringType => ({ kind: 'string', ...(max !== undefined && { max }) });
export const bytes = (max?: number): BytesType => ({ kind: 'bytes', ...(max !== undefined && { max }) });
/** STRING or BYTE_ARRAY. */
export const data = (
  limits: { min?: number; max?: number; raw?: true } = {},
): BytesType<Uint8Array | string> => ({ kind: 'bytes', text: true, ...limits });
/** A hash, or a CRC as an integer. */
export const digest = (): BytesType<Uint8Array, Uint8Array | number> => ({
  kind: 'bytes',
  text: true,
  orInteger: true,
});
export const status = (labels?: Labels): StatusType => ({ kind: 'status', ...(labels && { labels }) });
export const time = (): TimeType => ({ kind: 'time' });
export const mac = (): MacType => ({ kind: 'mac' });

/** INTEGER, STRING or BYTE_ARRAY. */
export const variant = (labels?: Labels): VariantType => ({
  kind: 'variant',
  types: ['INTEGER', 'STRING', 'BYTE_ARRAY'],
  ...(labels && { labels }),
});
/** An address in any of the five types that can carry one. */
export const address = (): VariantType<string | number | Uint8Array | Typed, string> => ({
  kind: 'variant',
  types: ['INTEGER', 'STRING', 'BYTE_ARRAY', 'IPV4ADDR', 'IPV6ADDR'],
});
export const ip = (): VariantType<string | Typed, string> => ({
  kind: 'variant',
  types: ['IPV4ADDR', 'IPV6ADDR'],
});
export const ipv4 = (suffix?: 'mask'): VariantType<string | Typed, string> => ({
  kind: 'variant',
  types: ['IPV4ADDR'],
  ...(suffix && { suffix }),
});
export const ipv6 = (suffix?: 'prefix'): VariantType<string | Typed, string> => ({
  kind: 'variant',
  types: ['IPV6ADDR'],
  ...(suffix && { suffix }),
});
/** A host name or an address. */
export const host = (max: number): VariantType<string | Typed, string> => ({
  kind: 'variant',
  types: ['STRING', 'IPV4ADDR', 'IPV6ADDR'],
  max,
});
/** An address of either kind in an element the manual calls STRING. */
export const addressText = (): VariantType<string | Typed, string> => ({
  kind: 'variant',
  types: ['STRING', 'IPV4ADDR', 'IPV6ADDR'],
});
/** A name or a number. */
export const nameOrNumber = (max: number): VariantType<string | number | Typed, string | number> => ({
  kind: 'variant',
  types: ['STRING', 'INTEGER_UNSIGNED'],
  max,
});
export const configId = (): ConfigIdType => ({ kind: 'configId' });
export const configValue = (): ConfigValueType => ({ kind: 'configValue' });
export const list = <T extends ValueType>(of: T): ListType<OutputOf<T>> => ({ kind: 'list', of });
export const complex = (label: string, elements: Readonly<Record<string, ValueType>>): ComplexType => ({
  kind: 'complex',
  label,
  elements,
});

/** Another key for the vendor's `key`. */
export const named = <T extends ValueType>(key: string, type: T): T => ({ ...type, key });

/** May be left out, together with everything optional after it. */
export interface Optional<T> {
  readonly optional: T;
  /** The argument that means "left out" to the vendor's host function; none for buffers and variants. */
  readonly ignore?: number;
}
/** Selects the form of a command: only these values. */
export interface Only<T, V extends number> {
  readonly only: readonly V[];
  readonly type: T;
}
/** Filled in when left out. */
export interface Preset<T> {
  readonly preset: number;
  readonly type: T;
}
export type Param = ValueType | Optional<ValueType> | Only<ValueType, number> | Preset<ValueType>;
export type Params = Readonly<Record<string, Param>>;

export const optional = <T extends ValueType>(type: T, ignore?: number): Optional<T> => ({
  optional: type,
  ...(ignore !== undefined && { ignore }),
});
export const only = <T extends ValueType, const V extends number>(type: T, ...values: V[]): Only<T, V> => ({
  only: values,
  type,
});
export const preset = <T extends ValueType>(type: T, value: number): Preset<T> => ({ preset: value, type });

/** Elements of a response or event, in the order they are sent. */
export type ElementMap = Readonly<Record<string, ValueType>>;
/** Forms by the reference's label; several when the count or type of the elements differs. */
export type FormMap = Readonly<Record<string, ElementMap>>;

/** What an AT line with certain parameters does. */
export type Verb = 'query' | 'set' | 'execute' | 'clear';

/** One parameter of a configuration table. */
export interface ConfigParam<T extends ValueType = ValueType> {
  readonly id: number;
  readonly type: T;
  readonly readOnly?: true;
  /** First and last index of a parameter with several values (`id.index`). */
  readonly index?: readonly [first: number, last: number];
  readonly default?: number;
  /** Not listed by a query while it is zero. */
  readonly hiddenWhenZero?: true;
}
type ConfigOptions = Omit<ConfigParam, 'id' | 'type'>;
export const RO = { readOnly: true } as const;
export const cfg = <T extends ValueType>(
  id: number,
  type: T,
  options: ConfigOptions = {},
): ConfigParam<T> => ({
  id,
  type,
  ...options,
});
export type ConfigTable = Readonly<Record<string, ConfigParam>>;
/** Parameter 0 of most tables: choosing a preset. */
export const PRESET = cfg(0, i32({ DEFAULT: 0 }));

export interface CommandDecl<
  F extends Readonly<Record<string, Params>> = Readonly<Record<string, Params>>,
  R extends FormMap = FormMap,
  C extends ConfigTable | undefined = ConfigTable | undefined,
> {
  readonly id: number;
  /** By the vendor's host function, without its `WINC_Cmd`; parameters in wire order. */
  readonly forms: F;
  readonly responses: R;
  readonly config: C;
  /** An AT line with at most so many parameters asks; -1: none does. */
  readonly queries: number;
  /** What the other AT lines do. */
  readonly verb: 'set' | 'execute';
  /** Forms no vendor host function has: only the AT wire documents them. */
  readonly atOnly: boolean;
}
interface CommandOptions<F, R> {
  readonly forms: F;
  readonly responses?: R;
  readonly queries?: number;
  readonly verb?: 'set' | 'execute';
  readonly atOnly?: true;
}
export function command<
  const F extends Readonly<Record<string, Params>>,
  R extends FormMap = Record<never, never>,
>(id: number, options: CommandOptions<F, R>): CommandDecl<F, R, undefined> {
  return {
    id,
    forms: options.forms,
    responses: options.responses ?? ({} as R),
    config: undefined,
    queries: options.queries ?? -1,
    verb: options.verb ?? 'execute',
    atOnly: options.atOnly ?? false,
  };
}

/** The response of every configuration command: one parameter's id and value. */
export const READ_RESPONSE = { ID: configId(), VAL: configValue() } as const;
/** The parameters of every configuration command, after those that select the instance. */
export const CONFIG_PARAMS = {
  ID: optional(configId(), -1),
  VAL: optional(configValue()),
} as const;

/** A command that reads and writes a configuration table. */
export function configCommand<
  const F extends Readonly<Record<string, Params>>,
  const C extends ConfigTable,
  R extends FormMap = Record<never, never>,
>(
  id: number,
  options: { readonly forms: F; readonly config: C; readonly responses?: R },
): CommandDecl<F, R & { READ_RESPONSE: typeof READ_RESPONSE }, C> {
  const first = Object.keys(Object.values(options.forms)[0]);
  return {
    id,
    forms: options.forms,
    responses: { ...(options.responses ?? ({} as R)), READ_RESPONSE },
    config: options.config,
    queries: first.indexOf('ID') + 1,
    verb: 'set',
    atOnly: false,
  };
}

export interface EventDecl<V extends FormMap = FormMap> {
  readonly id: number;
  readonly forms: V;
}
export const event = <V extends FormMap>(id: number, forms: V): EventDecl<V> => ({ id, forms });

export interface ModuleDecl<
  C extends Readonly<Record<string, CommandDecl>> = Readonly<Record<string, CommandDecl>>,
  E extends Readonly<Record<string, EventDecl>> = Readonly<Record<string, EventDecl>>,
> {
  readonly id: number;
  readonly name: string;
  readonly commands: C;
  readonly events: E;
}
export function defineModule<
  C extends Readonly<Record<string, CommandDecl>> = Record<never, never>,
  E extends Readonly<Record<string, EventDecl>> = Record<never, never>,
>(id: number, name: string, parts: { readonly commands?: C; readonly events?: E } = {}): ModuleDecl<C, E> {
  return { id, name, commands: parts.commands ?? ({} as C), events: parts.events ?? ({} as E) };
}
