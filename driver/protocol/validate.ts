/**
 * Arguments against the catalogue, before anything is encoded: which form of the command they are, and whether each
 * value is one the form takes. The host throws; the module answers with a status. Both ask {@link checkArgs}.
 */
import { type CommandName, commandByName } from './catalogue/index.js';
import { StatusCode } from './catalogue/statuses.js';
import { WincError } from './errors.js';
import type { Value, Values } from './messages.js';
import type { CommandSpec, FormSpec, ParamSpec } from './spec.js';
import { Bad, checkConfigValue, checkValue, type WireValue } from './values.js';
import { configParam } from './wiretype.js';

export interface Resolved {
  readonly spec: CommandSpec<CommandName>;
  readonly form: FormSpec;
  /** By position in `form.params`; undefined where an optional one is left out. Presets are filled in. */
  readonly values: readonly (WireValue | undefined)[];
}
/** Why arguments do not fit. */
export interface Problem {
  /** What the module answers: 0.4 for a wrong value, 0.5 for a wrong number of parameters. */
  readonly status: number;
  /** In camel case; absent if no single parameter is to blame. */
  readonly param?: string;
  readonly message: string;
}
export const isProblem = (result: Resolved | Problem): result is Problem => 'message' in result;

export interface CheckOptions {
  /** The form to check against (`FSRECV`), where the arguments alone leave it open. */
  readonly form?: string | undefined;
  /** Accept a missing raw payload: `AT+SOCKWR=<id>,<length>`, the bytes follow after `#`. */
  readonly rawFollows?: boolean;
  /**
   * Let a configuration value pass that its parameter would not take, with the type it has by itself: whoever keeps
   * the configuration answers for it.
   */
  readonly anyConfigValue?: boolean;
}

const wrongCount = (message: string, param?: string): Problem => ({
  status: StatusCode.INCORRECT_NUM_PARAMS,
  message,
  ...(param !== undefined && { param }),
});

function checkParam(
  spec: CommandSpec,
  param: ParamSpec,
  value: Value,
  args: Values,
  { anyConfigValue }: CheckOptions,
): WireValue | Bad {
  if (param.only && !param.only.includes(value as number))
    return new Bad(`must be ${param.only.join(' or ')}`);
  const known = param.type.kind === 'configValue' ? configParam(spec, args.id) : undefined;
  const checked = known ? checkConfigValue(known, args.id, value) : checkValue(param.type, value);
  return known && anyConfigValue && checked instanceof Bad ? checkValue(param.type, value) : checked;
}

function checkForm(
  spec: CommandSpec<CommandName>,
  form: FormSpec,
  args: Values,
  options: CheckOptions,
): Resolved | Problem {
  for (const name in args) {
    if (args[name] !== undefined && !form.byName.has(name)) {
      return wrongCount(`${spec.name} has no parameter ${name}`, name);
    }
  }
  const values: (WireValue | undefined)[] = [];
  let missing: ParamSpec | undefined;
  for (const param of form.params) {
    const value = args[param.name] ?? param.preset;
    if (value === undefined) {
      if (param.optional) missing ??= param;
      else if (!(options.rawFollows && param.type.kind === 'bytes' && param.type.raw)) {
        return wrongCount(`${spec.name} needs ${param.name}`, param.name);
      }
      values.push(undefined);
      continue;
    }
    if (missing && param.optional) {
      return wrongCount(`${spec.name}: ${param.name} needs ${missing.name}`, param.name);
    }
    const checked = checkParam(spec, param, value, args, options);
    if (checked instanceof Bad) {
      const message = `${spec.name}: ${param.name} ${checked.reason}`;
      return { status: StatusCode.INVALID_PARAMETER, param: param.name, message };
    }
    values.push(checked);
  }
  return { spec, form, values };
}

function selects(form: FormSpec, args: Values): boolean {
  const selector = form.params[form.selector];
  return selector?.only?.includes(args[selector.name] as number) ?? false;
}

/** Finds the form the arguments are meant for and checks every value. */
export function checkArgs(
  spec: CommandSpec<CommandName>,
  args: Values,
  options: CheckOptions = {},
): Resolved | Problem {
  const { forms } = spec;
  const named = forms.length === 1 ? forms[0] : forms.find(({ name }) => name === options.form);
  if (named) return checkForm(spec, named, args, options);

  const open = forms.filter((form) => form.selector < 0);
  const selected = forms.find((form) => selects(form, args));
  let problem = selected && checkForm(spec, selected, args, options);
  if (problem && !isProblem(problem)) return problem;
  // What a fixed value selects for writing can still be asked for: `AT+TLSC=1,9`.
  const asks = Object.values(args).filter((value) => value !== undefined).length <= spec.queries;
  if (problem && !asks) return problem;
  for (const form of open) {
    const result = checkForm(spec, form, args, options);
    if (!isProblem(result)) return result;
    problem ??= result;
  }
  return problem as Problem;
}

/**
 * @throws WincError `WINC_UNKNOWN_COMMAND`, or `WINC_ARGUMENT` naming the parameter and what it takes
 */
export function validateArgs(command: string, args: Values, options?: CheckOptions): Resolved {
  const spec = commandByName(command);
  if (!spec) throw new WincError('WINC_UNKNOWN_COMMAND', `the module has no command ${command}`);
  const result = checkArgs(spec, args, options);
  if (isProblem(result)) throw new WincError('WINC_ARGUMENT', result.message);
  return result;
}
