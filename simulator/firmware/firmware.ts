/**
 * The emulated firmware: takes requests from its front ends, one at a time and in order, holds them against the
 * catalogue, and hands them to the service that knows the command.
 */
import { type CommandName, type ConfigCommandName, commands } from '../../driver/protocol/catalogue/index.js';
import { StatusCode, type StatusName } from '../../driver/protocol/catalogue/statuses.js';
import type {
  Event,
  Request,
  Response,
  Scalar,
  Status,
  Value,
  Values,
} from '../../driver/protocol/messages.js';
import { checkArgs, isProblem } from '../../driver/protocol/validate.js';
import { isTyped } from '../../driver/protocol/wiretype.js';
import type { Exchange, FirmwarePort, Frontend } from '../frontend/frontend.js';
import type { Clock, Random, TimerHandle } from '../tcpip/contract.js';
import type { Board } from './board.js';
import { isConfigCommand } from './config-command.js';
import { Configuration } from './configuration.js';
import { erasedFlash, type Flash } from './flash.js';
import type { StackFactory } from './module-stack.js';
import { Network } from './network.js';
import { fastTimings, type Profile, profiles, type Timings } from './profile.js';
import type { Radio } from './radio.js';
import { Regulatory } from './regulatory.js';
import { Resolver } from './resolver.js';
import { ScopedClock } from './scoped-clock.js';
import {
  type Call,
  type ConfigSource,
  DEFERRED,
  type Outcome,
  type Raised,
  type ServiceFactory,
} from './service.js';
import { services } from './services/index.js';
import { Station } from './station.js';
import { Syslog } from './syslog.js';
import { Tls } from './tls/tls.js';
import { WallClock } from './wall-clock.js';

/** Requests waiting for their turn; a host that sends more without reading an answer is refused. */
const MAX_WAITING = 64;
/** Events raised while a command is executed. */
const MAX_HELD_EVENTS = 256;

export interface FirmwareOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly radio: Radio;
  /** `AA:BB:CC:DD:EE:FF` */
  readonly mac: string;
  readonly createStack: StackFactory;
  readonly profile?: Profile;
  readonly timings?: Timings;
  readonly flash?: Flash;
  /** Told of a service that threw; the command was answered 0.1. Without it the error goes on to the caller. */
  readonly onFault?: (error: unknown) => void;
  /** Every message either way, whatever the wire; secrets are in it. */
  readonly observe?: (message: Request | Response | Status | Event) => void;
}

type Handler = (call: Call<CommandName>) => Outcome;

/** Everything that lives from one boot to the next reset. */
interface Running {
  readonly clock: ScopedClock;
  readonly board: Board;
  readonly handlers: ReadonlyMap<CommandName, Handler>;
  readonly configuration: Configuration;
}

const plainArgs = (args: Values): Values =>
  Object.fromEntries(
    Object.entries(args).map(([name, value]): [string, Value | undefined] => [
      name,
      isTyped(value) && name !== 'val' ? (value.value as Scalar) : value,
    ]),
  );

export class Firmware {
  readonly #options: FirmwareOptions;
  readonly #profile: Profile;
  readonly #timings: Timings;
  readonly #flash: Flash;
  readonly #frontends: Frontend[] = [];
  /** Those a host has spoken to since the boot: only their being slow holds anything back. */
  readonly #spokenTo = new Set<Frontend>();
  #booting: TimerHandle | undefined;
  #running: Running | undefined;

  readonly #waiting: Exchange[] = [];
  #current: Exchange | undefined;
  #held: Raised[] = [];
  #afterStatus: (() => void)[] = [];
  #drainCallbacks: (() => void)[] = [];
  /** Events lost because a command took longer than {@link MAX_HELD_EVENTS} events. */
  droppedEvents = 0;

  constructor(options: FirmwareOptions) {
    this.#options = options;
    this.#profile = options.profile ?? profiles.rnwf02;
    this.#timings = options.timings ?? fastTimings;
    this.#flash = options.flash ?? erasedFlash();
  }

  /** A front end hears every event from now on; what it is given is where it sends its requests. */
  connect(frontend: Frontend): FirmwarePort {
    this.#frontends.push(frontend);
    frontend.baudChanged?.(this.#flash.baud);
    return {
      execute: (exchange) => {
        this.#spokenTo.add(frontend);
        this.#execute(exchange);
      },
      hardReset: () => this.hardReset(),
      drained: () => this.#drained(),
    };
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  powerUp(): void {
    this.powerDown();
    this.#booting = this.#options.clock.setTimer(() => this.#boot(), this.#timings.boot);
  }

  /** Everything stops; what is in flash stays. Requests under way are never answered. */
  powerDown(): void {
    this.#booting?.cancel();
    this.#booting = undefined;
    this.#waiting.length = 0;
    this.#current = undefined;
    this.#held = [];
    this.#afterStatus = [];
    this.#drainCallbacks = [];
    this.#spokenTo.clear();
    this.#flash.files.abandonReservations();
    for (const frontend of this.#frontends) frontend.booting();
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    running.clock.stop();
    running.board.station.leave();
    running.board.network.close();
  }

  hardReset(): void {
    this.powerUp();
  }

  #drained(): void {
    for (const callback of this.#drainCallbacks) {
      if (this.#congested()) return;
      callback();
    }
  }

  #execute(exchange: Exchange): void {
    if (this.#running === undefined || this.#waiting.length >= MAX_WAITING) {
      exchange.finish({ command: exchange.request.command, code: StatusCode.HOST_INTERFACE_FAILED });
      return;
    }
    this.#options.observe?.(exchange.request);
    this.#waiting.push(exchange);
    this.#next();
  }

  #boot(): void {
    this.#booting = undefined;
    this.#running = this.#start();
    for (const frontend of this.#frontends) frontend.booted(this.#profile.banner);
  }

  #start(): Running {
    this.#flash.nvm.boot();
    const { random, radio, mac, createStack } = this.#options;
    const clock = new ScopedClock(this.#options.clock);
    const time = new WallClock(clock);
    const regulatory = new Regulatory();
    const network = new Network({ clock, random, mac, createStack, time });
    const configuration = new Configuration();
    const beforePrompt: (() => void)[] = [];
    const firmware = this;
    // What an earlier boot left under way outside the module's clock must not speak in this one.
    const emit = (event: Raised): void => {
      if (this.#running?.clock === clock) this.#emit(event);
    };
    const syslog = new Syslog({ clock, time, emit });
    const board: Board = {
      profile: this.#profile,
      timings: this.#timings,
      clock,
      random,
      radio,
      flash: this.#flash,
      files: this.#flash.files,
      time,
      regulatory,
      network,
      station: new Station({ clock, radio, timings: this.#timings, network, regulatory }),
      resolver: new Resolver({ clock, random, network }),
      syslog,
      tls: new Tls({
        clock,
        time,
        files: this.#flash.files,
        syslog,
        handshakeMs: this.#timings.handshake,
        emit,
      }),
      emit,
      configuration,
      beforePrompt: (action) => void beforePrompt.push(action),
      get congested() {
        return firmware.#congested();
      },
      onDrained: (callback) => void this.#drainCallbacks.push(callback),
      afterStatus: (action) => {
        if (this.#current === undefined) action();
        else this.#afterStatus.push(action);
      },
      setBaud: (baud) => {
        this.#flash.baud = baud;
        board.afterStatus(() => {
          for (const frontend of this.#frontends) frontend.baudChanged?.(baud);
        });
      },
      restart: () => board.afterStatus(() => this.powerUp()),
    };
    const handlers = new Map<CommandName, Handler>();
    for (const factory of services as readonly ServiceFactory[]) {
      const service = factory(board);
      for (const [name, handler] of Object.entries(service.commands ?? {})) {
        handlers.set(name as CommandName, handler as Handler);
      }
      for (const [name, source] of Object.entries(service.config ?? {})) {
        configuration.register(name as ConfigCommandName, source as ConfigSource<never>);
      }
    }
    for (const action of beforePrompt) action();
    return { clock, board, handlers, configuration };
  }

  #next(): void {
    while (this.#current === undefined) {
      const exchange = this.#waiting.shift();
      if (exchange === undefined) return;
      this.#current = exchange;
      this.#run(exchange);
    }
  }

  #run(exchange: Exchange): void {
    try {
      const outcome = this.#dispatch(exchange);
      if (outcome !== DEFERRED) this.#finish(exchange, outcome ?? 'OK');
    } catch (error) {
      this.#finish(exchange, 'ERROR');
      if (this.#options.onFault === undefined) throw error;
      this.#options.onFault(error);
    }
  }

  #dispatch(exchange: Exchange): Outcome {
    const { request, payloadFollows = false } = exchange;
    const running = this.#running as Running;
    const name = request.command;
    const handler = running.handlers.get(name);
    if (handler === undefined && !isConfigCommand(name)) return 'UNKNOWN_CMD';
    const args = plainArgs(request.args);
    // Values of configuration parameters are the table's to judge: it knows more of them than the catalogue.
    const judged = isConfigCommand(name) ? { ...args, val: undefined } : args;
    const checked = checkArgs(commands[name], judged, { form: request.form, rawFollows: payloadFollows });
    if (isProblem(checked)) {
      this.#finish(exchange, checked.status);
      return DEFERRED;
    }
    const call: Call<CommandName> = {
      args: args as Call<CommandName>['args'],
      payloadFollows,
      respond: ({ form, elements }) => {
        if (this.#current !== exchange) return;
        const response = { command: name, form, elements: elements as never };
        this.#options.observe?.({ kind: 'response', ...response });
        exchange.respond(response);
      },
      finish: (status = 'OK') => this.#finish(exchange, status),
    };
    if (handler !== undefined) return handler(call);
    if (!isConfigCommand(name)) return 'UNKNOWN_CMD';
    return running.configuration.run(name, call);
  }

  #finish(exchange: Exchange, status: StatusName | number): void {
    if (this.#current !== exchange) return;
    const code = typeof status === 'number' ? status : StatusCode[status];
    const outcome = { command: exchange.request.command, code };
    this.#options.observe?.({ kind: 'status', ...outcome });
    exchange.finish(outcome);
    this.#current = undefined;
    const held = this.#held;
    const actions = this.#afterStatus;
    this.#held = [];
    this.#afterStatus = [];
    for (const event of held) this.#emit(event);
    for (const action of actions) action();
    this.#next();
  }

  #emit(event: Raised): void {
    // What ends with a reset ends in silence.
    if (this.#running === undefined) return;
    if (this.#current !== undefined) {
      if (this.#held.length < MAX_HELD_EVENTS) this.#held.push(event);
      else this.droppedEvents++;
      return;
    }
    this.#options.observe?.({ kind: 'event', ...(event as Omit<Event, 'kind'>) });
    for (const frontend of this.#frontends) frontend.event(event as never);
  }

  #congested(): boolean {
    for (const frontend of this.#spokenTo) if (frontend.congested === true) return true;
    return false;
  }
}
