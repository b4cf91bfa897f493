/**
 * The catalogue as the codecs use it: the same declarations with names resolved, lists instead of maps and nothing
 * left to look up per message.
 */
import type { CommandDecl, ConfigParam, EventDecl, Param, Params, ValueType, Verb } from './schema.js';

export interface ElementSpec {
  /** The vendor's key, `SOCK_ID`. */
  readonly key: string;
  /** Ours, `sockId`. */
  readonly name: string;
  readonly type: ValueType;
}
export interface ParamSpec extends ElementSpec {
  readonly optional: boolean;
  /** What the vendor's host function takes as "left out". */
  readonly ignore?: number;
  /** The only values of this form. */
  readonly only?: readonly number[];
  /** Filled in when left out. */
  readonly preset?: number;
}
/** One way to write a command: a host function of the vendor. */
export interface FormSpec {
  /** Without `WINC_Cmd`: `SOCKO`, `FSLOAD`. */
  readonly name: string;
  /** In wire order. */
  readonly params: readonly ParamSpec[];
  readonly byName: ReadonlyMap<string, ParamSpec>;
  /** Every list of parameters it can be written with on the AT wire. */
  readonly lists: readonly (readonly ParamSpec[])[];
  /** Where a parameter of one fixed value tells this form from the others; -1 if none does. */
  readonly selector: number;
}
/** One way to write a command as an AT line. */
export interface AtLine {
  readonly form: FormSpec;
  readonly params: readonly ParamSpec[];
}
/** A documented AT line. */
export interface AtSyntax {
  readonly form: string;
  readonly params: readonly string[];
  readonly verb: Verb;
  readonly condition?: {
    readonly param: string;
    readonly op: 'in' | 'notIn';
    readonly values: readonly number[];
  };
}
export interface MessageForm {
  readonly form: string;
  readonly elements: readonly ElementSpec[];
}
export interface ConfigSpec extends ConfigParam {
  readonly name: string;
}
export interface CommandSpec<N extends string = string> {
  readonly id: number;
  readonly name: N;
  readonly forms: readonly FormSpec[];
  readonly responses: readonly MessageForm[];
  readonly response: ReadonlyMap<string, MessageForm>;
  readonly config: ReadonlyMap<number, ConfigSpec> | undefined;
  readonly syntaxes: readonly AtSyntax[];
  /** All lists of parameters of all forms, each with its form. */
  readonly lines: readonly AtLine[];
  /** With at most so many arguments the command only asks. */
  readonly queries: number;
  readonly atOnly: boolean;
}
export interface EventSpec<N extends string = string> {
  readonly id: number;
  readonly name: N;
  readonly forms: readonly MessageForm[];
  readonly form: ReadonlyMap<string, MessageForm>;
}

/** `SOCK_ID` → `sockId`, as {@link Camel} does for types. */
export const camel = (key: string): string =>
  key.toLowerCase().replace(/_+([a-z0-9]?)/g, (_, next: string) => next.toUpperCase());

function paramSpec(key: string, param: Param): ParamSpec {
  const named = { key, name: camel(key) };
  if ('optional' in param) {
    return {
      ...named,
      type: param.optional,
      optional: true,
      ...(param.ignore !== undefined && { ignore: param.ignore }),
    };
  }
  if ('only' in param) return { ...named, type: param.type, optional: false, only: param.only };
  if ('preset' in param) return { ...named, type: param.type, optional: false, preset: param.preset };
  return { ...named, type: param, optional: false };
}

function parameterLists(params: readonly ParamSpec[]): ParamSpec[][] {
  const lastRequired = params.findLastIndex((param) => !param.optional);
  const lists: ParamSpec[][] = [];
  for (let end = lastRequired + 1; end <= params.length; end++) lists.push(params.slice(0, end));
  // An optional parameter in the middle is left out alone: the types of its neighbours tell.
  const shortest = params.slice(0, lastRequired + 1).filter((param) => !param.optional);
  if (shortest.length <= lastRequired) lists.push(shortest);
  const raw = shortest.findIndex(({ type }) => type.kind === 'bytes' && type.raw);
  if (raw >= 0) lists.push(shortest.slice(0, raw));
  return lists;
}

function formSpec(name: string, params: Params): FormSpec {
  const specs = Object.entries(params).map(([key, param]) => paramSpec(key, param));
  return {
    name,
    params: specs,
    byName: new Map(specs.map((spec) => [spec.name, spec])),
    lists: parameterLists(specs),
    selector: specs.findIndex((spec) => spec.only !== undefined),
  };
}

function messageForms(forms: EventDecl['forms']): MessageForm[] {
  return Object.entries(forms).map(([form, elements]) => ({
    form,
    elements: Object.entries(elements).map(([key, type]) => ({
      key: type.key ?? key,
      name: camel(key),
      type,
    })),
  }));
}

function syntaxesOf(decl: CommandDecl, forms: readonly FormSpec[]): AtSyntax[] {
  const selected = forms.filter((form) => form.selector >= 0);
  return forms.flatMap((form) => {
    const selector = form.params[form.selector];
    return form.lists.map((params): AtSyntax => {
      const asks = params.length <= decl.queries && !selector;
      const clears = decl.verb === 'set' && selector !== undefined && form.params[params.length]?.optional;
      const verb: Verb = asks ? 'query' : clears ? 'clear' : decl.verb;
      const base = { form: form.name, params: params.map(({ key }) => key), verb };
      if (selector?.only)
        return { ...base, condition: { param: selector.key, op: 'in', values: selector.only } };
      const rival = asks ? undefined : selected[0]?.params[selected[0].selector];
      if (!rival || !params.some(({ key }) => key === rival.key)) return base;
      const values = selected.flatMap((other) => other.params[other.selector].only ?? []);
      return { ...base, condition: { param: rival.key, op: 'notIn', values } };
    });
  });
}

export function commandSpec<N extends string>(name: N, decl: CommandDecl): CommandSpec<N> {
  const forms = Object.entries(decl.forms).map(([form, params]) => formSpec(form, params));
  const responses = messageForms(decl.responses);
  return {
    id: decl.id,
    name,
    forms,
    responses,
    response: new Map(responses.map((response) => [response.form, response])),
    config:
      decl.config &&
      new Map(Object.entries(decl.config).map(([key, param]) => [param.id, { ...param, name: key }])),
    syntaxes: syntaxesOf(decl, forms),
    lines: forms.flatMap((form) => form.lists.map((params) => ({ form, params }))),
    queries: decl.queries,
    atOnly: decl.atOnly,
  };
}

export function eventSpec<N extends string>(name: N, decl: EventDecl): EventSpec<N> {
  const forms = messageForms(decl.forms);
  return { id: decl.id, name, forms, form: new Map(forms.map((form) => [form.form, form])) };
}
