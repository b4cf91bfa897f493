/**
 * One queue of commands to one module. It keeps the rules that hold on every wire: commands in order, as many in flight
 * as the wire allows, a deadline for each, every answer to its command, and a way back when an answer is lost.
 */
import { Semaphore } from 'async-mutex';
import { type Clock, systemClock } from '../clock.js';
import type { CommandName } from '../protocol/catalogue/index.js';
import { StatusCode, statusError } from '../protocol/catalogue/statuses.js';
import { WincError } from '../protocol/errors.js';
import type { Event, ModuleMessage, Noise, Response, Status, Values } from '../protocol/messages.js';
import { validateArgs } from '../protocol/validate.js';
import {
  type AnswerMessage,
  answerChannel,
  type CommandMessage,
  commandChannel,
  publishEvent,
  publishNoise,
  publishRecovery,
} from './diagnostics.js';
import { Exchange } from './exchange.js';
import { withoutSecrets } from './secrets.js';
import type { Wire } from './wire.js';

export interface SessionHandler {
  event(event: Event): void;
  noise(noise: Noise): void;
  /** A command that was accepted failed later, without an event of its own. */
  failed(status: Status): void;
  /** The module restarted: its sockets, its association and its configuration are gone. */
  reset(banner: string): void;
  /** An answer was lost, and the module is understood again. Events may have been lost with it. */
  resynced(): void;
  /** Once. `error` says why, unless `close()` asked for it. */
  closed(error?: WincError): void;
}

export interface SessionOptions {
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** For a command that names none, ms. */
  readonly timeoutMs?: number;
  /** Commands waiting for their turn; more fail with `WINC_BUSY`. */
  readonly queueLimit?: number;
  /** How long each rung of the ladder may take, ms. */
  readonly recovery?: { readonly gentleMs?: number; readonly resetMs?: number };
}

export interface RequestOptions {
  /** From the moment the last byte is written, ms. */
  readonly timeoutMs?: number;
  /** Before the command is sent it takes it back; afterwards only the waiting ends. */
  readonly signal?: AbortSignal | undefined;
}

export interface ExchangeOptions extends RequestOptions {
  /**
   * Told of each response the moment it comes, before any event that follows it on the wire; the promise settles later.
   */
  readonly onResponse?: ((response: Response) => void) | undefined;
}

export interface SessionStatistics {
  readonly commands: number;
  /** Commands the module refused. */
  readonly refused: number;
  readonly events: number;
  readonly noise: number;
  readonly noiseBytes: number;
  /** Answers that never came. */
  readonly lostAnswers: number;
  readonly resyncs: number;
  readonly resets: number;
  readonly reopens: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

type Counts = { -readonly [K in Exclude<keyof SessionStatistics, 'bytesIn' | 'bytesOut'>]: number };

export class Session {
  readonly clock: Clock;
  readonly #openWire: () => Promise<Wire>;
  readonly #handler: SessionHandler;
  readonly #timeoutMs: number;
  readonly #queueLimit: number;
  readonly #gentleMs: number;
  readonly #resetMs: number;
  readonly #counts: Counts = {
    commands: 0,
    refused: 0,
    events: 0,
    noise: 0,
    noiseBytes: 0,
    lostAnswers: 0,
    resyncs: 0,
    resets: 0,
    reopens: 0,
  };
  /** Bytes over wires that are no more. */
  #formerBytes = { bytesIn: 0, bytesOut: 0 };
  #wire: Wire | undefined;
  /** As many places as the wire allows commands in flight; one makes it a lock. */
  #slots: Semaphore | undefined;
  #waiting = 0;
  #inFlight: Exchange[] = [];
  #seq = 0;
  #starting = false;
  #recovering: Promise<void> | undefined;
  #over: WincError | undefined;

  constructor(openWire: () => Promise<Wire>, handler: SessionHandler, options: SessionOptions = {}) {
    this.#openWire = openWire;
    this.#handler = handler;
    this.clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#queueLimit = options.queueLimit ?? 64;
    this.#gentleMs = options.recovery?.gentleMs ?? 5000;
    this.#resetMs = options.recovery?.resetMs ?? 8000;
  }

  /** @throws WincError of the transport, or `WINC_MODULE_SILENT` */
  async open(): Promise<void> {
    await this.#startWire();
  }

  get wireName(): Wire['name'] | undefined {
    return this.#wire?.name;
  }

  /** Commands that may be in flight at once. */
  get window(): number {
    return this.#wire?.window ?? 1;
  }

  get statistics(): SessionStatistics {
    const { bytesIn = 0, bytesOut = 0 } = this.#wire?.counters ?? {};
    const former = this.#formerBytes;
    return { ...this.#counts, bytesIn: former.bytesIn + bytesIn, bytesOut: former.bytesOut + bytesOut };
  }

  /**
   * Sends a command and collects its responses.
   * @throws WincError `WINC_ARGUMENT` (nothing was sent), `WINC_BUSY`, `WINC_ABORTED`, `WINC_STATUS` (refused),
   *   `WINC_TIMEOUT` (no answer, but the module answers again), `WINC_MODULE_RESET`, `WINC_MODULE_SILENT`,
   *   `WINC_PORT_LOST`, `WINC_CLOSED`
   */
  async request(
    command: CommandName,
    args: Values,
    options: RequestOptions = {},
  ): Promise<readonly Response[]> {
    const { signal } = options;
    if (this.#over !== undefined) throw this.#over;
    if (this.#slots === undefined) throw new WincError('WINC_CLOSED', 'The module is not open yet.');
    validateArgs(command, args);
    if (signal?.aborted) throw aborted(signal);
    if (this.#waiting >= this.#queueLimit) {
      throw new WincError('WINC_BUSY', `${this.#waiting} commands are waiting already.`);
    }
    const answer = this.#inTurn(this.#slots, command, args, options);
    if (signal === undefined) return answer;
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(aborted(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  async close(): Promise<void> {
    this.#end(new WincError('WINC_CLOSED', 'The module was closed.'), true);
    await this.#wire?.close();
  }

  async #inTurn(
    slots: Semaphore,
    command: CommandName,
    args: Values,
    options: ExchangeOptions,
  ): Promise<readonly Response[]> {
    this.#waiting++;
    const release = await slots
      .acquire()
      .then(([, releaser]) => releaser)
      .catch(() => {
        throw this.#over;
      })
      .finally(() => {
        this.#waiting--;
      });
    try {
      while (this.#recovering !== undefined) await this.#recovering;
      if (this.#over !== undefined) throw this.#over;
      if (options.signal?.aborted) throw aborted(options.signal);
      return await this.#exchange(command, args, options);
    } finally {
      release();
    }
  }

  #exchange(
    command: CommandName,
    args: Values,
    { timeoutMs = this.#timeoutMs, onResponse }: ExchangeOptions,
  ): Promise<readonly Response[]> {
    const wire = this.#wire as Wire;
    const seq = this.#seq;
    this.#seq = (this.#seq + 1) & 0xffff;
    const request = { kind: 'request', command, args, seq } as const;
    const exchange = new Exchange(request, this.clock, (late) => this.#answerLost(late), onResponse);
    this.#counts.commands++;
    this.#inFlight.push(exchange);
    if (commandChannel.hasSubscribers) {
      commandChannel.publish({ command, args: withoutSecrets(request), seq } satisfies CommandMessage);
    }
    // Writing has a deadline of its own: flow control may hold the port for ever.
    exchange.arm(2 * timeoutMs);
    wire.send(request).then(
      () => {
        if (this.#recovering === undefined) exchange.arm(timeoutMs);
      },
      (error: Error) => this.#settle(exchange, -1, error),
    );
    return exchange.answered;
  }

  #settle(exchange: Exchange, status: number, error?: Error): void {
    const at = this.#inFlight.indexOf(exchange);
    if (at >= 0) this.#inFlight.splice(at, 1);
    if (answerChannel.hasSubscribers && !exchange.settled) {
      const { command, seq } = exchange.request;
      const ms = this.clock.now() - exchange.startedAt;
      answerChannel.publish({ command, seq, status, ms } satisfies AnswerMessage);
    }
    if (error === undefined) exchange.succeed();
    else exchange.fail(error);
  }

  #failAll(error: Error): void {
    for (const exchange of [...this.#inFlight]) this.#settle(exchange, -1, error);
  }

  async #startWire(): Promise<void> {
    const wire = await this.#openWire();
    if (this.#over !== undefined) {
      await wire.close();
      throw this.#over;
    }
    this.#wire = wire;
    this.#slots ??= new Semaphore(wire.window);
    const current = () => this.#wire === wire && this.#over === undefined;
    let lost: Error | undefined;
    this.#starting = true;
    try {
      await wire.start({
        message: (message) => {
          if (current()) this.#message(message);
        },
        booted: (banner) => {
          // A wire that is starting waits for a module that is booting.
          if (current() && !this.#starting) this.#booted(banner);
        },
        closed: (error) => {
          lost = error;
          if (current()) this.#end(asWincError(error));
        },
      });
    } catch (error) {
      this.#wire = undefined;
      await wire.close().catch(() => {});
      throw lost ?? error;
    } finally {
      this.#starting = false;
    }
    if (this.#over !== undefined) throw this.#over;
  }

  #message(message: ModuleMessage): void {
    if (message.kind === 'response') this.#response(message);
    else if (message.kind === 'status') this.#status(message);
    else if (message.kind === 'noise') this.#noise(message);
    else {
      this.#counts.events++;
      publishEvent(message);
      this.#handler.event(message);
    }
  }

  /** The wire that knows sequence numbers says which; the other has one command in flight. */
  #addressee(message: Response | Status): Exchange | undefined {
    const { seq, command } = message;
    const exchange =
      seq === undefined ? this.#inFlight[0] : this.#inFlight.find((each) => each.request.seq === seq);
    return command === undefined || exchange?.request.command === command ? exchange : undefined;
  }

  #response(response: Response): void {
    const exchange = this.#addressee(response);
    if (exchange === undefined) this.#noise(stray('UNEXPECTED_RESPONSE'));
    else exchange.respond(response);
  }

  #status(status: Status): void {
    if (status.asynchronous) {
      this.#handler.failed(status);
      return;
    }
    const exchange = this.#addressee(status);
    if (exchange === undefined) {
      this.#noise(stray('UNEXPECTED_STATUS'));
    } else if (status.code === 0) {
      this.#settle(exchange, 0);
    } else {
      this.#counts.refused++;
      this.#settle(exchange, status.code, statusError(exchange.request.command, status.code, status.text));
    }
    // Without numbers, one status too many shifts all that follow. What we send is a command; if the module saw none,
    // someone or something else wrote to it, and its answer may be to that.
    const astray = exchange === undefined || status.code === StatusCode.INVALID_CMD;
    if (astray && status.seq === undefined) this.#recover(undefined);
  }

  #noise(noise: Noise): void {
    this.#counts.noise++;
    this.#counts.noiseBytes += noise.bytes.length;
    publishNoise(noise);
    this.#handler.noise(noise);
  }

  #booted(banner: string): void {
    this.#counts.resets++;
    // The answer to RST may be the restart itself.
    const [first] = this.#inFlight;
    if (first?.request.command === 'RST') this.#settle(first, 0);
    this.#failAll(new WincError('WINC_MODULE_RESET', 'The module restarted while it had this command.'));
    this.#handler.reset(banner);
    this.#recover(undefined);
  }

  #answerLost(late: Exchange): void {
    this.#counts.lostAnswers++;
    this.#recover(late);
  }

  /** Climbs the ladder, once at a time. Commands in flight fail with what it led to; waiting ones go on after it. */
  #recover(late: Exchange | undefined): void {
    for (const exchange of this.#inFlight) exchange.disarm();
    this.#recovering ??= this.#climb(late).finally(() => {
      this.#recovering = undefined;
    });
  }

  async #climb(late: Exchange | undefined): Promise<void> {
    let cause: unknown;
    for (const step of ['gentle', 'reset', 'reopen'] as const) {
      publishRecovery(step);
      try {
        await this.#rung(step);
      } catch (error) {
        cause = error;
        continue;
      }
      if (this.#over !== undefined) return;
      publishRecovery('recovered');
      if (late === undefined && step === 'gentle') return;
      this.#counts.resyncs++;
      const what = late === undefined ? '' : `${late.request.command}: `;
      this.#failAll(
        step === 'gentle'
          ? new WincError('WINC_TIMEOUT', `${what}the module gave no answer.`)
          : new WincError('WINC_MODULE_RESET', `${what}the module gave no answer and had to be restarted.`),
      );
      if (step === 'gentle') this.#handler.resynced();
      return;
    }
    publishRecovery('failed');
    const wire = this.#wire;
    this.#end(new WincError('WINC_MODULE_SILENT', 'The module does not answer any more.', { cause }));
    await wire?.close().catch(() => {});
  }

  async #rung(step: 'gentle' | 'reset' | 'reopen'): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    const wire = this.#wire as Wire;
    if (step === 'gentle') return wire.recover('gentle', this.#gentleMs);
    if (step === 'reset') return wire.recover('reset', this.#resetMs);
    const { bytesIn, bytesOut } = this.#formerBytes;
    const { counters } = wire;
    this.#formerBytes = { bytesIn: bytesIn + counters.bytesIn, bytesOut: bytesOut + counters.bytesOut };
    this.#wire = undefined;
    await wire.close();
    await this.#startWire();
    this.#counts.reopens++;
    // Whatever the module still knows, nobody can tell any more which answers and events were lost.
    this.#handler.reset('');
  }

  #end(error: WincError, asked = false): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#failAll(error);
    this.#slots?.cancel();
    this.#handler.closed(asked ? undefined : error);
  }
}

const stray = (reason: string): Noise => ({ kind: 'noise', reason, bytes: new Uint8Array(0) });

const aborted = (signal: AbortSignal) =>
  new WincError('WINC_ABORTED', 'The command was aborted.', { cause: signal.reason });

function asWincError(error: Error | undefined): WincError {
  if (error instanceof WincError) return error;
  return new WincError('WINC_PORT_LOST', `The port is gone: ${error?.message ?? 'it was closed'}.`, {
    cause: error,
  });
}
