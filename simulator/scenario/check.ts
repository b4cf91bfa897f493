/** Checks values read from JSON against what is wanted, and says where in the file they differ. */
import { WincError } from '../../driver/protocol/errors.js';

/** Turns a value at `path` (`accessPoints[0].channel`) into what it means. @throws WincError `WINC_SCENARIO` */
export type Check<T> = (value: unknown, path: string) => T;

export type Checked<C> = C extends Check<infer T> ? T : never;

export function wrong(path: string, wanted: string): never {
  throw new WincError('WINC_SCENARIO', `scenario: ${path === '' ? 'the file' : path} must be ${wanted}`);
}

export const text: Check<string> = (value, path) => (typeof value === 'string' ? value : wrong(path, 'text'));

export const flag: Check<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : wrong(path, 'true or false');

export const number =
  (min: number, max: number, unit = ''): Check<number> =>
  (value, path) =>
    typeof value === 'number' && value >= min && value <= max
      ? value
      : wrong(path, `a number from ${min} to ${max}${unit}`);

export const whole =
  (min: number, max: number): Check<number> =>
  (value, path) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : wrong(path, `a whole number from ${min} to ${max}`);

export const oneOf =
  <const T extends string>(...choices: readonly T[]): Check<T> =>
  (value, path) =>
    choices.find((choice) => choice === value) ?? wrong(path, `one of ${choices.join(', ')}`);

/** What `make` gives; its complaint, if it refuses, with the place in front. */
export function sound<T>(make: () => T, path: string): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof WincError) || cause.code === 'WINC_SCENARIO') throw cause;
    throw new WincError('WINC_SCENARIO', `scenario: ${path}: ${cause.message}`, { cause });
  }
}

/** Text that `parse` understands. */
export const parsed =
  <T>(parse: (text: string) => T): Check<T> =>
  (value, path) =>
    sound(() => parse(text(value, path)), path);

/** Text taken as UTF-8, or any bytes as `{ "hex": "00ff" }`. */
export const bytes: Check<string | Uint8Array> = (value, path) => {
  if (typeof value === 'string') return value;
  const hex = value !== null && typeof value === 'object' && 'hex' in value ? value.hex : undefined;
  if (typeof hex !== 'string' || !/^([0-9a-f]{2})*$/i.test(hex))
    wrong(path, 'text, or bytes as {"hex": "00ff"}');
  return Uint8Array.from(Buffer.from(hex, 'hex'));
};

export const listOf =
  <T>(check: Check<T>, limit = 10_000): Check<readonly T[]> =>
  (value, path) =>
    Array.isArray(value) && value.length <= limit
      ? value.map((item, index) => check(item, `${path}[${index}]`))
      : wrong(path, `a list of at most ${limit}`);

/** An object with these members and no others; those of `optional` may be missing. */
export const object =
  <R extends Record<string, Check<unknown>>, O extends Record<string, Check<unknown>>>(
    required: R,
    optional: O,
  ): Check<{ [K in keyof R]: Checked<R[K]> } & { [K in keyof O]?: Checked<O[K]> }> =>
  (value, path) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return wrong(path, 'an object');
    const at = (key: string) => (path === '' ? key : `${path}.${key}`);
    const members = value as Record<string, unknown>;
    for (const key of Object.keys(required)) if (!(key in members)) wrong(at(key), 'there');
    const result: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(members)) {
      const check = Object.hasOwn(required, key)
        ? required[key]
        : Object.hasOwn(optional, key)
          ? optional[key]
          : undefined;
      if (check === undefined)
        wrong(
          at(key),
          `left out; there are ${[...Object.keys(required), ...Object.keys(optional)].join(', ')}`,
        );
      else result[key] = check(member, at(key));
    }
    return result as never;
  };

/** An object whose member `name` says which of `variants` it is. */
export const variant =
  <V extends Record<string, Check<unknown>>>(name: string, variants: V): Check<Checked<V[keyof V]>> =>
  (value, path) => {
    const kind =
      value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined;
    const at = path === '' ? name : `${path}.${name}`;
    if (typeof kind !== 'string' || !Object.hasOwn(variants, kind))
      return wrong(at, `one of ${Object.keys(variants).join(', ')}`);
    return variants[kind](value, path) as Checked<V[keyof V]>;
  };
