/** How every command speaks: results on stdout (lines, or one JSON object each), everything else on stderr. */
import type { Writable } from 'node:stream';

export interface Output {
  readonly json: boolean;
  readonly verbose: boolean;
  /** One result: `text` for people, `value` with `--json`. */
  result(value: Readonly<Record<string, unknown>>, text: string): void;
  /** Progress, on stderr and only with `-v`. */
  note(text: string): void;
}

/** Terminals obey control characters: what came from the air or the wire is shown, never obeyed. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\udc80-\udcff]/g,
    (character) => `\\x${(character.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`,
  );
}

export function createOutput(
  options: { json?: boolean; verbose?: boolean },
  stdout: Writable = process.stdout,
  stderr: Writable = process.stderr,
): Output {
  const json = options.json === true;
  const verbose = options.verbose === true;
  return {
    json,
    verbose,
    result(value, text) {
      stdout.write(`${json ? JSON.stringify(value) : text}\n`);
    },
    note(text) {
      if (verbose) stderr.write(`${text}\n`);
    },
  };
}
