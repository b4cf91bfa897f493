/** What the modules and their hosts said, wire-neutral, secrets left out: the last of it in memory, all of it to a file if wanted. */
import { type CommandName, configIds } from '../driver/protocol/catalogue/index.js';
import { WincError } from '../driver/protocol/errors.js';
import type { Event, Request, Response, Status } from '../driver/protocol/messages.js';
import type { Clock, TimerHandle } from './tcpip/contract.js';

export type LoggedMessage = Request | Response | Status | Event;

export interface LogEntry {
  /** The simulator's clock, ms. */
  readonly at: number;
  /** Which module, from 0. */
  readonly module: number;
  readonly message: LoggedMessage;
}

/** A message's name (`WSTALU`, `SOCKO`) or anything that decides. */
export type MessagePattern = string | ((message: LoggedMessage, entry: LogEntry) => boolean);

const MASK = '***';
const { WSTAC, WAPC, MQTTC, TLSC } = configIds;
/** Configuration parameters that are secrets, by command. */
const SECRET_IDS: Partial<Record<CommandName, readonly number[]>> = {
  WSTAC: [WSTAC.CREDENTIALS, WSTAC.ENT_MSCHV2_PW],
  WAPC: [WAPC.CREDENTIALS],
  MQTTC: [MQTTC.PASSWORD],
  TLSC: [TLSC.PRI_KEY_PASSWORD],
};
/** Commands whose data may be a private key. */
const SECRET_DATA: ReadonlySet<string> = new Set(['FSTSFR']);

/** The message to keep: passphrases, passwords and file contents replaced by `***`, bytes copied. */
export function withoutSecrets(message: LoggedMessage): LoggedMessage {
  if (message.kind === 'request') return { ...message, args: owned(masked(message.command, message.args)) };
  if (message.kind === 'response')
    return { ...message, elements: owned(masked(message.command, message.elements)) };
  return message.kind === 'event' ? { ...message, elements: owned(message.elements) } : message;
}

/** Bytes are lent by whoever made the message. */
function owned<T extends Readonly<Record<string, unknown>>>(values: T): T {
  const copies = Object.entries(values).filter(([, value]) => value instanceof Uint8Array);
  if (copies.length === 0) return values;
  return {
    ...values,
    ...Object.fromEntries(copies.map(([name, value]) => [name, (value as Uint8Array).slice()])),
  };
}

function masked<T extends Readonly<Record<string, unknown>>>(command: CommandName, values: T): T {
  const names = SECRET_DATA.has(command)
    ? ['data']
    : typeof values.id === 'number' && SECRET_IDS[command]?.includes(values.id)
      ? ['val', 'value']
      : [];
  const secret = names.filter((name) => values[name] !== undefined);
  return secret.length === 0
    ? values
    : { ...values, ...Object.fromEntries(secret.map((name) => [name, MASK])) };
}

const nameOf = (message: LoggedMessage): string | undefined =>
  message.kind === 'event' ? message.name : message.command;

const matches = (pattern: MessagePattern, entry: LogEntry): boolean =>
  typeof pattern === 'string' ? nameOf(entry.message) === pattern : pattern(entry.message, entry);

/** One line of JSON; byte arrays as hexadecimal text. */
export function formatEntry({ at, module, message }: LogEntry): string {
  const bytesAsHex = (_key: string, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  return JSON.stringify({ at: Math.round(at * 1000) / 1000, module, ...message }, bytesAsHex);
}

interface Expectation {
  readonly pattern: MessagePattern;
  readonly found: (entry: LogEntry) => void;
  readonly given: (error: Error) => void;
  readonly timer: TimerHandle;
}

export class MessageLog {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #sink: ((line: string) => void) | undefined;
  #entries: LogEntry[] = [];
  #recorded = 0;
  #expectations: Expectation[] = [];

  /** @param limit  messages kept in memory, the oldest forgotten first */
  constructor(clock: Clock, options: { limit?: number; sink?: (line: string) => void } = {}) {
    this.#clock = clock;
    this.#limit = options.limit ?? 4096;
    this.#sink = options.sink;
  }

  /** Oldest first. */
  get entries(): readonly LogEntry[] {
    return this.#entries.slice(-this.#limit);
  }

  record(module: number, message: LoggedMessage): void {
    const entry = { at: this.#clock.now(), module, message: withoutSecrets(message) };
    this.#entries.push(entry);
    this.#recorded++;
    if (this.#entries.length >= 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit);
    this.#sink?.(`${formatEntry(entry)}\n`);
    for (const expectation of [...this.#expectations])
      if (matches(expectation.pattern, entry)) expectation.found(entry);
  }

  /**
   * The first message from now on that matches.
   * @throws WincError `WINC_TIMEOUT` after `timeoutMs` on the simulator's clock, naming what came instead
   */
  expect(pattern: MessagePattern, timeoutMs = 5000): Promise<LogEntry> {
    return new Promise((resolve, reject) => {
      const before = this.#recorded;
      const done = () => {
        expectation.timer.cancel();
        this.#expectations = this.#expectations.filter((other) => other !== expectation);
      };
      const expectation: Expectation = {
        pattern,
        found: (entry) => {
          done();
          resolve(entry);
        },
        given: (error) => {
          done();
          reject(error);
        },
        timer: this.#clock.setTimer(() => {
          const wanted = typeof pattern === 'string' ? pattern : 'such a message';
          const count = Math.min(this.#recorded - before, this.#entries.length);
          const came = this.#entries
            .slice(this.#entries.length - count)
            .map(({ message }) => nameOf(message) ?? 'status');
          const instead = came.length === 0 ? 'nothing came' : `there came ${came.slice(0, 20).join(', ')}`;
          expectation.given(new WincError('WINC_TIMEOUT', `no ${wanted} within ${timeoutMs} ms; ${instead}`));
        }, timeoutMs),
      };
      this.#expectations.push(expectation);
    });
  }

  close(): void {
    for (const expectation of [...this.#expectations])
      expectation.given(new WincError('WINC_CLOSED', 'the simulator was closed'));
  }
}
