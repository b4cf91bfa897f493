/**
 * The AT wire: requests as lines, answers line by line, payloads raw where that is shorter. Everything here is about
 * getting one line at a time across a UART and knowing where in the conversation we are.
 */
import type { Clock, TimerHandle } from '../clock.js';
import { UartLink } from '../link/uart/uart-link.js';
import { type AtCommand, AtHostDecoder, encodeCommand, rawReadResponse } from '../protocol/at/index.js';
import type { CommandName } from '../protocol/catalogue/index.js';
import { WincError } from '../protocol/errors.js';
import type { Event, ModuleMessage, Request } from '../protocol/messages.js';
import { encodeText } from '../protocol/text.js';
import type { ByteTransport } from '../transport/transport.js';
import { secretsOf } from './secrets.js';
import type { Wire, WireCounters, WireHandler } from './wire.js';

export interface AtWireOptions {
  readonly clock: Clock;
  /** How long `start` waits for a module that is silent or booting, ms. A cold boot takes 4 to 5 s. */
  readonly startTimeoutMs?: number;
  /** Socket payloads of up to so many bytes go into the line, longer ones raw after it. */
  readonly inlineUpTo?: number;
}

/** One answer of our own to a probe, ms. */
const PROBE_MS = 500;
/** Silence around `+++`; the module wants a second. */
const GUARD_MS = 1100;
/** A raw block that stops for so long in the middle is over. */
const RAW_IDLE_MS = 1000;
/** As long as any raw payload a module may still be waiting for; line ends mean nothing to one that waits for none. */
const FLUSH = new Uint8Array(1472).fill(0x0a);
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** How a line of our own ended. */
type ProbeResult = 'answered' | 'silence' | 'boot';
interface Probe {
  /** The command without whose response a status is a late one, to an earlier command. */
  readonly proof: CommandName | undefined;
  proven: boolean;
  readonly settle: (result: ProbeResult) => void;
}

interface Pending {
  readonly request: Request;
  readonly rawRead: number | undefined;
  /** Told when the module invites the payload (`true`) or answers instead. */
  invited?: ((yes: boolean) => void) | undefined;
}

export class AtWire implements Wire {
  readonly name = 'at';
  readonly window = 1;
  readonly #link: UartLink;
  readonly #clock: Clock;
  readonly #startTimeoutMs: number;
  readonly #inlineUpTo: number;
  readonly #decoder = new AtHostDecoder();
  #handler!: WireHandler;
  #pending: Pending | undefined;
  /** While we talk to the module ourselves, its answers are no one else's. */
  #ours = false;
  #probe: Probe | undefined;
  /** Raw payload of a peer may be taken for lines: believe no events until the module is understood again. */
  #doubtful = false;
  #rawTimer: TimerHandle | undefined;
  #closed: Error | undefined;

  constructor(transport: ByteTransport, options: AtWireOptions) {
    this.#clock = options.clock;
    this.#startTimeoutMs = options.startTimeoutMs ?? 7000;
    this.#inlineUpTo = options.inlineUpTo ?? 64;
    this.#link = new UartLink(transport, {
      line: (text, event) => this.#line(text, event),
      marker: () => this.#pending?.invited?.(true),
      raw: (bytes) => this.#raw(bytes),
      noise: (reason, bytes) => this.#handler.message({ kind: 'noise', reason, bytes }),
      closed: (error) => this.#end(error),
    });
  }

  get counters(): WireCounters {
    return this.#link;
  }

  async start(handler: WireHandler): Promise<void> {
    this.#handler = handler;
    this.#link.start();
    await this.#synchronise(this.#clock.now() + this.#startTimeoutMs);
  }

  async send(request: Request): Promise<void> {
    const command = encodeCommand(request, { inlineUpTo: this.#inlineUpTo });
    const { payload, rawRead } = command;
    this.#hideSecrets(request, command);
    const pending: Pending = { request, rawRead };
    this.#pending = pending;
    if (rawRead !== undefined) this.#expectRaw(rawRead);
    if (payload === undefined) return this.#write(command.line, request.command);
    const invited = new Promise<boolean>((resolve) => {
      pending.invited = resolve;
    });
    this.#link.expectMarker();
    await this.#write(command.line, request.command);
    if (await invited) await this.#link.write(payload);
  }

  async recover(how: 'gentle' | 'reset', timeoutMs: number): Promise<void> {
    const deadline = this.#clock.now() + timeoutMs;
    if (this.#pending?.rawRead !== undefined) this.#doubtful = true;
    const swallowed = this.#finish();
    this.#ours = true;
    if (this.#restartedWithin(swallowed)) how = 'gentle';
    if (how === 'reset' && (await this.#ask('\r\nAT+RST', timeoutMs, { until: 'boot' })) !== 'boot') {
      throw silent('it does not restart');
    }
    await this.#synchronise(deadline);
  }

  close(): Promise<void> {
    this.#finish();
    return this.#link.close();
  }

  #write(line: string, command?: CommandName): Promise<void> {
    this.#decoder.sent(line, command);
    return this.#link.write(latin1(`${line}\r\n`));
  }

  #line(text: string, event: boolean): void {
    for (const message of this.#decoder.decode(latin1(event ? `\r${text}` : text))) {
      if (message.kind === 'event' && message.name === 'BOOT') this.#boot(message);
      else if (this.#ours && this.#answersUs(message, text)) continue;
      else if (this.#doubtful) this.#skip('DOUBTFUL', text);
      else {
        if (message.kind === 'status' && !message.asynchronous) this.#finish();
        this.#handler.message(message);
      }
    }
  }

  #skip(reason: string, text: string): void {
    this.#handler.message({ kind: 'noise', reason, bytes: latin1(text) });
  }

  #boot(message: Event): void {
    this.#finish();
    this.#doubtful = false;
    this.#handler.message(message);
    this.#handler.booted(String(message.elements.banner ?? ''));
    this.#probe?.settle('boot');
  }

  /** Nothing more may come for the command in flight. Answers what a raw block had collected. */
  #finish(): Uint8Array {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#rawTimer?.cancel();
    const swallowed = this.#link.expectNothing();
    pending?.invited?.(false);
    return swallowed;
  }

  /** A block that stops growing is a short one, or a restart in the middle, or lost (the session's deadline). */
  #expectRaw(length: number): void {
    this.#link.expectRaw(length);
    let before: number | undefined;
    const check = () => {
      const received = this.#link.rawReceived;
      if (received !== undefined && received.length === before) {
        if (this.#link.endRawShort() || this.#restartedWithin(received)) return;
      }
      before = received?.length;
      this.#rawTimer = this.#clock.setTimer(check, RAW_IDLE_MS);
    };
    this.#rawTimer = this.#clock.setTimer(check, RAW_IDLE_MS);
  }

  /** A module that restarts in the middle of a raw block prints its banner into it. */
  #restartedWithin(block: Uint8Array): boolean {
    const text = Buffer.from(block).toString('latin1');
    const banner = /\r(\+BOOT:[^\r\n]*)\r\n>?$/.exec(text);
    if (banner === null) return false;
    const [message] = this.#decoder.decode(latin1(`\r${banner[1]}`));
    if (message?.kind !== 'event') return false;
    this.#boot(message);
    return true;
  }

  #raw(data: Uint8Array): void {
    this.#rawTimer?.cancel();
    this.#handler.message(rawReadResponse((this.#pending as Pending).request, data));
  }

  /** Whether the message is an answer, to us or to a command given up. */
  #answersUs(message: ModuleMessage, text: string): boolean {
    const probe = this.#probe;
    // The name proves it, whatever the firmware makes of the value.
    if (message.kind === 'noise' && probe?.proof !== undefined && text.startsWith(`+${probe.proof}:`)) {
      probe.proven = true;
      return true;
    }
    if (message.kind === 'response') {
      if (probe !== undefined && message.command === probe.proof) probe.proven = true;
      return true;
    }
    if (message.kind !== 'status') return false;
    if (probe === undefined) this.#skip('LATE_STATUS', text);
    else if (probe.proof === undefined || probe.proven) probe.settle('answered');
    return true;
  }

  /** Sends a line of our own and waits for its status, or for a restart. */
  async #ask(
    line: string,
    timeoutMs: number,
    options: { proof?: CommandName; until?: 'boot' } = {},
  ): Promise<ProbeResult> {
    const result = this.#wait(timeoutMs, options);
    // A write that fails is followed by `closed`.
    this.#write(line, options.proof).catch(() => {});
    return result;
  }

  async #wait(timeoutMs: number, options: { proof?: CommandName; until?: 'boot' }): Promise<ProbeResult> {
    if (this.#closed !== undefined) throw this.#closed;
    const how = await new Promise<ProbeResult>((resolve) => {
      const settle = (result: ProbeResult) => {
        if (result === 'answered' && options.until === 'boot') return;
        timer.cancel();
        this.#probe = undefined;
        resolve(result);
      };
      const timer = this.#clock.setTimer(() => settle('silence'), timeoutMs);
      this.#probe = { proof: options.proof, proven: false, settle };
    });
    if (this.#closed !== undefined) throw this.#closed;
    return how;
  }

  /** Until the module answers what we ask now, with echo off and the formats known. Harder means each time round. */
  async #synchronise(deadline: number): Promise<void> {
    this.#ours = true;
    const left = () => Math.max(0, deadline - this.#clock.now());
    for (let attempt = 0; left() > 0; attempt++) {
      let result: ProbeResult = 'answered';
      if (attempt % 4 === 2) result = await this.#leaveRawMode(left);
      else if (attempt % 4 === 3) await this.#link.write(FLUSH);
      // The line end first finishes whatever half line the module may hold.
      if (result !== 'boot') result = await this.#ask('\r\nATE0', Math.min(PROBE_MS, left()));
      if (result === 'answered') {
        // Two questions in turn: a firmware, or an emulator, may know only one of them.
        const proof = attempt % 2 === 0 ? 'GMM' : 'GMR';
        result = await this.#ask(`AT+${proof}`, Math.min(PROBE_MS, left()), { proof });
      }
      // A firmware that refuses one of these keeps its default, which the codec reads as well.
      for (const line of ['ATV5', 'ATF7']) {
        if (result === 'answered') result = await this.#ask(line, PROBE_MS);
      }
      if (result === 'answered') {
        this.#doubtful = false;
        this.#ours = false;
        return;
      }
      if (result === 'boot') attempt = -1;
    }
    throw silent('it does not answer AT');
  }

  /** Raw mode without a length ends at `+++` between two silences. */
  async #leaveRawMode(left: () => number): Promise<ProbeResult> {
    const before = await this.#wait(Math.min(GUARD_MS, left()), { until: 'boot' });
    if (before === 'boot') return before;
    await this.#link.write(latin1('+++'));
    return this.#wait(Math.min(GUARD_MS, left()), { until: 'boot' });
  }

  /** In every form a secret may cross the wire: as it is, as hex, and as this line spells it. */
  #hideSecrets(request: Request, { line }: AtCommand): void {
    const names = secretsOf(request);
    const { transport } = this.#link;
    if (names.length === 0 || transport.hide === undefined) return;
    for (const name of names) {
      const value = request.args[name];
      const bytes = typeof value === 'string' ? encodeText(value) : value;
      if (!(bytes instanceof Uint8Array)) continue;
      transport.hide(bytes);
      transport.hide(latin1(Buffer.from(bytes).toString('hex').toUpperCase()));
    }
    // Secrets come last on their lines.
    const spelt = /[,=](?:"(.*)"|\[(.*)\])$/.exec(line);
    if (spelt !== null) transport.hide(latin1(spelt[1] ?? spelt[2]));
  }

  #end(error: Error | undefined): void {
    this.#closed = error ?? new WincError('WINC_CLOSED', 'The port was closed.');
    this.#finish();
    this.#probe?.settle('silence');
    this.#handler.closed(error);
  }
}

const silent = (why: string) => new WincError('WINC_MODULE_SILENT', `The module is silent: ${why}.`);
