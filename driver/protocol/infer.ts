/** TypeScript types of arguments, responses and events, inferred from the declarations. */
import type { InputOf, Only, Optional, OutputOf, Preset } from './schema.js';

/** `SOCK_ID` → `sockId`. */
export type Camel<K extends string> = K extends `${infer A}_${infer B}`
  ? `${Lowercase<A>}${Capitalize<Camel<B>>}`
  : Lowercase<K>;

type ParamInput<P> =
  P extends Optional<infer T>
    ? InputOf<T>
    : P extends Preset<infer T>
      ? InputOf<T>
      : P extends Only<infer _, infer V>
        ? V
        : InputOf<P>;

type OmittableKeys<F> = {
  [K in keyof F]: F[K] extends Optional<infer _> | Preset<infer _> ? K : never;
}[keyof F];

/** What a caller passes for one form of a command. */
export type FormArgs<F> = {
  readonly [K in Exclude<keyof F, OmittableKeys<F>> & string as Camel<K>]: ParamInput<F[K]>;
} & {
  readonly [K in OmittableKeys<F> & string as Camel<K>]?: ParamInput<F[K]> | undefined;
};

/** What a decoder answers for one form of a response or event. */
export type FormElements<M> = {
  readonly [K in keyof M & string as Camel<K>]: OutputOf<M[K]>;
};
