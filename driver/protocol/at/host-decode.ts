/** Lines of a module, from the host's end: responses, statuses, events, and what is none of these. */
import {
  type CommandName,
  commandById,
  commandByName,
  type EventName,
  eventById,
  eventByName,
} from '../catalogue/index.js';
import type { ModuleMessage, Noise } from '../messages.js';
import type { CommandSpec, EventSpec } from '../spec.js';
import { type Matched, matchForm } from './elements.js';
import { type AtFormat, defaultFormat } from './format.js';
import { lexParameters } from './lexer.js';
import { parseStatus } from './status.js';

const NUL = 0x00;
const CR = 0x0d;
const PLUS = 0x2b;
const COLON = 0x3a;
const EQUALS = 0x3d;
const PROMPT = 0x3e;

/** More than any line of the module: 2048 bytes of data as hex. */
const MAX_LINE = 8192;
/** Of what a report about the line quotes. */
const MAX_QUOTE = 256;

interface Names {
  readonly command: CommandSpec<CommandName> | undefined;
  readonly event: EventSpec<EventName> | undefined;
}

/** Turns lines into messages. Never throws; what it cannot read is answered as {@link Noise}. */
export class AtHostDecoder {
  /** As the module is set; only `hexIntegers` and `bases` change what is read. */
  format: AtFormat = defaultFormat;
  private pending: CommandName | undefined;
  /** The command in progress has no parameters. */
  private bare = false;
  /** What is still to come of the echo of the line sent last. */
  private echo: Uint8Array = new Uint8Array();

  /** Call before a line is written: its echo is recognised, and its information lines are told from events. */
  sent(line: string, command?: CommandName): void {
    this.pending = command;
    this.bare = !line.includes('=');
    this.echo = Buffer.from(line, 'latin1');
  }

  /**
   * @param line without its LF (CR LF); an event's leading CR and prompts may still be there. Values are copied.
   */
  decode(line: Uint8Array): ModuleMessage[] {
    const messages: ModuleMessage[] = [];
    if (line.length > MAX_LINE) return [noise('LINE_TOO_LONG', line)];
    let start = 0;
    // A CR inside the line parts an event from what it interrupted: an echo, or a prompt.
    for (;;) {
      const end = line.indexOf(CR, start);
      const segment = trim(line.subarray(start, end < 0 ? line.length : end));
      if (segment.length > 0) this.segment(segment, start > 0, messages);
      if (end < 0) return messages;
      start = end + 1;
    }
  }

  private segment(segment: Uint8Array, afterCr: boolean, messages: ModuleMessage[]): void {
    if (this.isEcho(segment)) return;
    const status = parseStatus(segment);
    if (status) {
      messages.push({ kind: 'status', ...(this.pending && { command: this.pending }), ...status });
      this.pending = undefined;
      this.echo = new Uint8Array();
      return;
    }
    if (segment[0] === PLUS) this.named(segment, afterCr, messages);
    else messages.push(noise('UNKNOWN_LINE', segment));
  }

  /** Part or all of the echo, or that of a line sent before the module was in step. */
  private isEcho(segment: Uint8Array): boolean {
    const { echo } = this;
    if (segment.length <= echo.length && segment.every((byte, i) => byte === echo[i])) {
      this.echo = echo.subarray(segment.length);
      return true;
    }
    return segment[0] === 0x41 && segment[1] === 0x54;
  }

  private named(segment: Uint8Array, afterCr: boolean, messages: ModuleMessage[]): void {
    const end = nameEnd(segment);
    const name = Buffer.from(segment.buffer, segment.byteOffset + 1, end - 1).toString('latin1');
    const names = namesOf(name);
    const body = segment.subarray(Math.min(end + 1, segment.length));
    if (!names.command && !names.event) {
      messages.push(noise('UNKNOWN_NAME', segment));
      return;
    }
    const { tokens, error } = lexParameters(body, 0, this.format);
    if (error) {
      messages.push(this.lateFailure(names.command, body) ?? noise('BAD_PARAMETER', segment));
      return;
    }
    for (const spec of this.candidates(names, afterCr)) {
      const forms = 'responses' in spec ? spec.responses : spec.forms;
      const matched = matchForm(forms, tokens, commandByName(spec.name)?.config, this.bare);
      if (!matched) continue;
      messages.push(messageOf(spec, matched));
      if (matched.extra > 0) messages.push(noise('EXTRA_ELEMENTS', segment));
      return;
    }
    messages.push(this.lateFailure(names.command, body) ?? noise('BAD_PARAMETER', segment));
  }

  /** An information line belongs to the command in progress and has no leading CR; the rest are events. */
  private candidates(
    { command, event }: Names,
    afterCr: boolean,
  ): (CommandSpec<CommandName> | EventSpec<EventName>)[] {
    const responds = command !== undefined && command.responses.length > 0;
    if (!event) return responds ? [command] : [];
    if (!responds) return [event];
    return command.name === this.pending && !afterCr ? [command, event] : [event, command];
  }

  /** `+SOCKBR:ERROR:4`: an accepted command failed (quirk late-failure). */
  private lateFailure(
    command: CommandSpec<CommandName> | undefined,
    body: Uint8Array,
  ): ModuleMessage | undefined {
    const status = command && parseStatus(body);
    if (!status || status.code === 0) return undefined;
    return { kind: 'status', command: command.name, asynchronous: true, ...status };
  }
}

function messageOf(
  spec: CommandSpec<CommandName> | EventSpec<EventName>,
  { form, elements }: Matched,
): ModuleMessage {
  return 'responses' in spec
    ? { kind: 'response', command: spec.name, form: form.form, elements }
    : { kind: 'event', name: spec.name, form: form.form, elements };
}

const noise = (reason: string, line: Uint8Array): Noise => ({
  kind: 'noise',
  reason,
  bytes: new Uint8Array(line.subarray(0, MAX_QUOTE)),
});

/** Without prompts in front, and the NULs a module shows around a reset. */
function trim(segment: Uint8Array): Uint8Array {
  let start = 0;
  let end = segment.length;
  while (start < end && (segment[start] === PROMPT || segment[start] === NUL)) start++;
  while (end > start && segment[end - 1] === NUL) end--;
  return segment.subarray(start, end);
}

const isHex = (byte: number): boolean => (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46);
const isNumeric = (segment: Uint8Array): boolean =>
  segment.length >= 6 &&
  isHex(segment[1]) &&
  isHex(segment[2]) &&
  (segment[3] === 0x2e || segment[3] === COLON) &&
  isHex(segment[4]) &&
  isHex(segment[5]);

/** Where the name ends; some examples write `=` for `:` (quirk equals-for-colon). */
function nameEnd(segment: Uint8Array): number {
  let end = isNumeric(segment) ? 6 : 1;
  while (end < segment.length && segment[end] !== COLON && segment[end] !== EQUALS) end++;
  return end;
}

function namesOf(name: string): Names {
  const command = commandByName(name);
  const event = eventByName(name);
  if (command || event || !/^[0-9A-F]{2}[.:][0-9A-F]{2}$/.test(name)) return { command, event };
  const id = Number.parseInt(name.slice(0, 2) + name.slice(3), 16);
  return { command: commandById(id), event: eventById(id) };
}
