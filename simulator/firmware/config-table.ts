/** The values of one configuration command, kept as its table in the catalogue declares them. */
import { formatMac, isMac } from '../../driver/protocol/address.js';
import { type ConfigCommandName, commands, type configIds } from '../../driver/protocol/catalogue/index.js';
import type { StatusName } from '../../driver/protocol/catalogue/statuses.js';
import type { Fractional, Scalar, Value } from '../../driver/protocol/messages.js';
import type { ValueType } from '../../driver/protocol/schema.js';
import type { ConfigSpec } from '../../driver/protocol/spec.js';
import { decodeText, encodeText } from '../../driver/protocol/text.js';
import { Bad, checkValue } from '../../driver/protocol/values.js';
import { isFractional, isTyped } from '../../driver/protocol/wiretype.js';
import { bytesOf, hostOf } from './values.js';

export type ParamName<N extends ConfigCommandName> = keyof (typeof configIds)[N] & string;
/** A value; of a complex parameter, its elements in order. */
export type ConfigValue = Scalar | readonly Scalar[];

/** What the catalogue does not say about a table. */
export interface ConfigBehaviour<N extends ConfigCommandName> {
  /** Values at power-up where they are not 0, empty or the catalogue's default; a list for several values. */
  readonly defaults?: { readonly [P in ParamName<N>]?: Scalar | readonly Scalar[] };
  /** Legal besides the declared range. */
  readonly alsoLegal?: { readonly [P in ParamName<N>]?: readonly number[] };
  /** Values the module knows by itself; a list for several values; undefined: none now. */
  readonly live?: { readonly [P in ParamName<N>]?: () => Scalar | readonly ConfigValue[] | undefined };
  /** A status refuses a value that is of the right type and range. */
  refuse?(param: ParamName<N>, value: Scalar, id: number | Fractional): StatusName | undefined;
  /** A value was set or removed; after loading a preset, once without a name. */
  changed?(param: ParamName<N> | undefined, id: number | Fractional): void;
}

export interface ConfigEntry {
  readonly id: number | Fractional;
  readonly val: ConfigValue;
}

const PRESET_ID = 0;

function initialValue(type: ValueType): Scalar | undefined {
  switch (type.kind) {
    case 'int':
    case 'bool':
    case 'time':
    case 'status':
      return 0;
    default:
      return undefined;
  }
}

/** Addresses come as text, as raw bytes or as a number; they are kept as text. */
function addressText(value: Scalar): Scalar {
  const text = hostOf(value);
  return /^[\da-f.:/]+$/i.test(text) ? text.toLowerCase() : text;
}

function macText(value: Scalar): Scalar {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) return value;
  if (typeof value === 'string' && isMac(value)) return value.toUpperCase();
  const bytes = bytesOf(value);
  return bytes.length === 6 ? formatMac(bytes) : value;
}

/** The same value in the one form its declared type is kept in, whatever wire and wire type it came by. */
function normalise(type: ValueType, value: Value): Scalar {
  const plain = isTyped(value) ? value.value : value;
  switch (type.kind) {
    case 'int':
    case 'bool':
      return typeof plain === 'boolean' ? Number(plain) : plain;
    case 'string':
      return plain instanceof Uint8Array ? decodeText(plain) : plain;
    case 'bytes':
      return typeof plain === 'string' ? encodeText(plain) : plain;
    case 'mac':
      return macText(plain);
    case 'variant':
      return type.types.includes('IPV4ADDR') || type.types.includes('IPV6ADDR') ? addressText(plain) : plain;
    default:
      return plain;
  }
}

const isEmpty = (value: Scalar): boolean =>
  (typeof value === 'string' || value instanceof Uint8Array) && !value.length;
/** What removes a value: nothing at all, or an address of zeros. */
const clears = (type: ValueType, value: Scalar): boolean =>
  isEmpty(value) ||
  (type.kind === 'variant' && typeof value === 'string' && /^(0\.0\.0\.0|::)(\/0)?$/.test(value)) ||
  (type.kind === 'mac' && value === '00:00:00:00:00:00');

export class ConfigTable<N extends ConfigCommandName> {
  readonly command: N;
  readonly #params: ReadonlyMap<number, ConfigSpec>;
  readonly #behaviour: ConfigBehaviour<N>;
  readonly #byName = new Map<string, ConfigSpec>();
  /** By id; a list for a parameter of several values. */
  readonly #values = new Map<number, Scalar | Scalar[]>();
  #preset = 0;

  constructor(command: N, behaviour: ConfigBehaviour<N> = {}) {
    this.command = command;
    this.#params = commands[command].config as ReadonlyMap<number, ConfigSpec>;
    this.#behaviour = behaviour;
    for (const param of this.#params.values()) this.#byName.set(param.name, param);
    this.#load();
  }

  number(name: ParamName<N>): number {
    const value = this.#current(name);
    return typeof value === 'number' ? value : 0;
  }

  text(name: ParamName<N>): string | undefined {
    const value = this.#current(name);
    return typeof value === 'string' ? value : undefined;
  }

  /** What was set, where {@link ConfigBehaviour.live} would answer otherwise. */
  stored(name: ParamName<N>): Scalar | undefined {
    const value = this.#values.get(this.#named(name).id);
    return Array.isArray(value) ? undefined : value;
  }

  list(name: ParamName<N>): readonly Scalar[] {
    const value = this.#values.get(this.#named(name).id);
    return Array.isArray(value) ? value : [];
  }

  /** Without the checks of a host's write, and without `changed`. */
  assign(name: ParamName<N>, value: Scalar | Scalar[]): void {
    this.#values.set(this.#named(name).id, value);
  }

  /** What a host could set to have the table as it is; not what the module knows by itself. */
  state(): { readonly id: number | Fractional; readonly value: Scalar }[] {
    const items: { id: number | Fractional; value: Scalar }[] = [];
    for (const param of this.#params.values()) {
      const { id, name, readOnly, index } = param;
      const value = this.#values.get(id);
      if (readOnly || id === PRESET_ID || this.#behaviour.live?.[name as ParamName<N>]) continue;
      if (!Array.isArray(value)) {
        if (value !== undefined) items.push({ id, value });
        continue;
      }
      const first = index?.[0] ?? 0;
      for (const [at, one] of value.entries()) items.push({ id: { int: id, frac: first + at }, value: one });
    }
    return items;
  }

  /** Loads preset 0, if the table has presets. */
  reset(): StatusName | undefined {
    return this.#params.has(PRESET_ID) ? this.set(PRESET_ID, 0) : undefined;
  }

  /** A query of all parameters: what is unset, or hidden while zero, is not listed; nor is the preset. */
  entries(): ConfigEntry[] {
    return [...this.#params.values()]
      .filter((param) => param.id !== PRESET_ID)
      .flatMap((param) => this.#entriesOf(param))
      .filter(({ id, val }) => {
        const param = this.#params.get(isFractional(id) ? id.int : id);
        return !(param?.hiddenWhenZero && val === 0);
      });
  }

  /** A query of one parameter, or of one of its values. Unset: nothing. */
  query(id: number | Fractional): ConfigEntry[] | StatusName {
    if (id === PRESET_ID && this.#params.has(PRESET_ID)) return [{ id, val: this.#preset }];
    const param = this.#params.get(isFractional(id) ? id.int : id);
    if (param === undefined || !this.#hasIndex(param, id)) return 'STORE_ACCESS_FAILED';
    const entries = this.#entriesOf(param);
    return isFractional(id)
      ? entries.filter((entry) => isFractional(entry.id) && entry.id.frac === id.frac)
      : entries;
  }

  set(id: number | Fractional, value: Value): StatusName | undefined {
    const param = this.#params.get(isFractional(id) ? id.int : id);
    if (param === undefined || param.readOnly || !this.#hasIndex(param, id)) return 'STORE_ACCESS_FAILED';
    const name = param.name as ParamName<N>;
    const normal = normalise(param.type, value);
    const clearing = clears(param.type, normal);
    if (!clearing && !this.#legal(param, normal)) return 'INVALID_PARAMETER';
    const refusal = this.#behaviour.refuse?.(name, normal, id);
    if (refusal !== undefined) return refusal;
    if (param.id === PRESET_ID) {
      this.#preset = normal as number;
      this.#load();
      this.#behaviour.changed?.(undefined, id);
      return undefined;
    }
    const stored =
      param.index === undefined
        ? this.#setOne(param, normal, clearing)
        : this.#setListed(param, id, normal, clearing);
    if (stored) this.#behaviour.changed?.(name, id);
    return stored ? undefined : 'STORE_ACCESS_FAILED';
  }

  #named(name: ParamName<N>): ConfigSpec {
    return this.#byName.get(name) as ConfigSpec;
  }

  #current(name: ParamName<N>): Scalar | undefined {
    const live = this.#behaviour.live?.[name]?.();
    if (live !== undefined && !Array.isArray(live)) return live as Scalar;
    const value = this.#values.get(this.#named(name).id);
    return Array.isArray(value) ? value[0] : value;
  }

  #load(): void {
    this.#values.clear();
    for (const param of this.#params.values()) {
      const declared = this.#behaviour.defaults?.[param.name as ParamName<N>] ?? param.default;
      if (param.index !== undefined) this.#values.set(param.id, Array.isArray(declared) ? [...declared] : []);
      else {
        const value = declared ?? initialValue(param.type);
        if (value !== undefined) this.#values.set(param.id, value as Scalar);
      }
    }
  }

  #legal(param: ConfigSpec, value: Scalar): boolean {
    if (this.#behaviour.alsoLegal?.[param.name as ParamName<N>]?.includes(value as number)) return true;
    return !(checkValue(param.type, value) instanceof Bad);
  }

  #hasIndex(param: ConfigSpec, id: number | Fractional): boolean {
    if (!isFractional(id)) return true;
    return param.index !== undefined && id.frac >= param.index[0] && id.frac <= param.index[1];
  }

  #setOne(param: ConfigSpec, value: Scalar, clearing: boolean): boolean {
    if (clearing) this.#values.delete(param.id);
    else this.#values.set(param.id, value);
    return true;
  }

  /** By plain id a value is appended, an empty one removes all; by `id.index` one value is replaced or removed. */
  #setListed(param: ConfigSpec, id: number | Fractional, value: Scalar, clearing: boolean): boolean {
    const [first, last] = param.index as readonly [number, number];
    const values = this.#values.get(param.id) as Scalar[];
    if (isFractional(id)) {
      const at = Math.min(id.frac - first, values.length);
      if (clearing) values.splice(at, 1);
      else values[at] = value;
      return true;
    }
    if (clearing) values.length = 0;
    else if (values.length > last - first) return false;
    else values.push(value);
    return true;
  }

  #entriesOf(param: ConfigSpec): ConfigEntry[] {
    const live = this.#behaviour.live?.[param.name as ParamName<N>];
    const value = live ? live() : this.#values.get(param.id);
    if (value === undefined) return [];
    if (param.index === undefined) return [{ id: param.id, val: value as ConfigValue }];
    const first = param.index[0];
    return (value as readonly ConfigValue[]).map((val, at) => ({
      id: { int: param.id, frac: first + at },
      val,
    }));
  }
}
