/**
 * A module and everything it can do: typed commands, typed events, and the few procedures that take several of them.
 */
import { type Clock, systemClock } from './clock.js';
import { operate } from './operation.js';
import { RecordType } from './protocol/catalogue/dns.js';
import type { ArgsOf, CommandName, EventName, EventOf, ResponseOf } from './protocol/catalogue/index.js';
import { statusError } from './protocol/catalogue/statuses.js';
import { WincError } from './protocol/errors.js';
import type { Event, Noise, Status, Values } from './protocol/messages.js';
import { openWire } from './session/open-wire.js';
import {
  type ExchangeOptions,
  type RequestOptions,
  Session,
  type SessionOptions,
  type SessionStatistics,
} from './session/session.js';
import type { Wire } from './session/wire.js';
import { openTransport } from './transport/open.js';
import type { Transport, TransportDevice } from './transport/transport.js';
import { Wifi } from './wifi.js';

export interface OpenOptions extends SessionOptions {
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** Devices in the path of a transport given by URL: trace, impairment. */
  readonly devices?: readonly TransportDevice[];
  /** How long a silent or booting module is waited for, ms. */
  readonly startTimeoutMs?: number;
  /** AT: socket payloads of up to so many bytes go into the command line, longer ones raw after it. */
  readonly inlineUpTo?: number;
}

/** What happens besides the module's own events. */
export interface ModuleEvents {
  /** The module restarted: sockets, association and configuration are gone. */
  reset: (banner: string) => void;
  /** An answer was lost and the module is understood again; events may be missing. */
  resync: () => void;
  /** The end, once. `error` unless `close()` asked for it. */
  close: (error?: WincError) => void;
  /** Every event, named or not listened to. */
  event: (event: Event) => void;
  /** Something on the wire that was no message. */
  noise: (noise: Noise) => void;
  /** An accepted command failed later and has no event to say so. */
  failed: (status: Status) => void;
}

export interface CallOptions<C extends CommandName> extends RequestOptions {
  /** Told of each response the moment it comes, before any event that follows it. */
  readonly onResponse?: (response: ResponseOf<C>) => void;
}
type CallArguments<C extends CommandName> =
  Record<never, never> extends ArgsOf<C>
    ? [args?: ArgsOf<C>, options?: CallOptions<C>]
    : [args: ArgsOf<C>, options?: CallOptions<C>];

export interface ModuleInfo {
  readonly manufacturer: string;
  readonly model: string;
  /** Version, anti-rollback level, hash and build time, as the module prints them. */
  readonly version: string;
  readonly deviceId?: number;
}

export interface PingOptions extends RequestOptions {
  readonly protocolVersion?: 4 | 6;
}

export interface ResolveOptions extends RequestOptions {
  readonly family?: 4 | 6;
}

export class WincModule implements AsyncDisposable {
  readonly clock: Clock;
  readonly wifi: Wifi;
  readonly #session: Session;
  readonly #listeners = new Map<string, Set<(argument: never) => void>>();
  /** The name server is asked one question at a time. */
  #lookups: Promise<unknown> = Promise.resolve();

  private constructor(openTheWire: () => Promise<Wire>, options: OpenOptions) {
    this.clock = options.clock ?? systemClock;
    this.wifi = new Wifi(this);
    this.#session = new Session(
      openTheWire,
      {
        event: (event) => {
          this.#emit(event.name, event);
          this.#emit('event', event);
        },
        noise: (noise) => this.#emit('noise', noise),
        failed: (status) => this.#emit('failed', status),
        reset: (banner) => this.#emit('reset', banner),
        resynced: () => this.#emit('resync', undefined),
        closed: (error) => this.#emit('close', error),
      },
      options,
    );
  }

  /**
   * Opens a module on a transport: a URL (which can be opened again after a failure), or one already open (which can
   * not).
   * @throws WincError `WINC_URL`, `WINC_PORT_…`, `WINC_MODULE_SILENT`
   */
  static async open(target: string | Transport, options: OpenOptions = {}): Promise<WincModule> {
    let given = typeof target === 'string' ? undefined : target;
    const openTheWire = async () => {
      const transport = typeof target === 'string' ? await openTransport(target, options) : given;
      if (transport === undefined) {
        throw new WincError(
          'WINC_PORT_LOST',
          'The transport was handed over open; nobody can open it again.',
        );
      }
      given = undefined;
      return openWire(transport, { ...options, clock: options.clock ?? systemClock });
    };
    const module = new WincModule(openTheWire, options);
    await module.#session.open();
    return module;
  }

  /** Which wire it speaks. */
  get wire(): Wire['name'] {
    return this.#session.wireName ?? 'at';
  }

  /** Commands that may be in flight at once: 1 on the AT wire. */
  get window(): number {
    return this.#session.window;
  }

  get statistics(): SessionStatistics {
    return this.#session.statistics;
  }

  /**
   * One command of the catalogue: `call('SOCKO', { protocol: Protocol.TCP })`.
   * @throws WincError as {@link Session.request}; `WINC_STATUS` with `status` and `statusName` if it is refused
   */
  async call<C extends CommandName>(
    command: C,
    ...[args, options]: CallArguments<C>
  ): Promise<readonly ResponseOf<C>[]> {
    const responses = await this.#session.request(
      command,
      (args ?? {}) as Values,
      options as ExchangeOptions,
    );
    return responses as unknown as readonly ResponseOf<C>[];
  }

  /** Listens to an event of the catalogue (`'SOCKIND'`) or of the module. Answers a function that ends it. */
  on<E extends EventName>(name: E, listener: (event: EventOf<E>) => void): () => void;
  on<K extends keyof ModuleEvents>(name: K, listener: ModuleEvents[K]): () => void;
  on(name: string, listener: (argument: never) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Manufacturer, model and firmware. */
  async info(options?: RequestOptions): Promise<ModuleInfo> {
    const [gmi] = await this.call('GMI', {}, options);
    const [gmm] = await this.call('GMM', {}, options);
    const [gmr] = await this.call('GMR', {}, options);
    const identity = await this.call('DI', { id: 1 }, options).catch(refusedAs([]));
    const deviceId = identity[0]?.elements.val;
    return {
      manufacturer: gmi?.elements.manId ?? '',
      model: gmm?.elements.modelId ?? '',
      version: gmr?.elements.versionInfo ?? '',
      ...(typeof deviceId === 'number' && { deviceId }),
    };
  }

  /** Restarts the module and waits until it is back. Everything it knew is gone. */
  async reset(options: RequestOptions = {}): Promise<void> {
    const { timeoutMs = 10_000, signal } = options;
    const restarted = new Promise<void>((resolve, reject) => {
      const undo = [
        this.on('reset', () => settle(resolve)),
        this.on('close', (error) => settle(() => reject(error))),
      ];
      const timer = this.clock.setTimer(
        () => settle(() => reject(new WincError('WINC_MODULE_SILENT', 'The module did not restart.'))),
        timeoutMs,
      );
      const settle = (action: () => void) => {
        timer.cancel();
        for (const each of undo) each();
        action();
      };
    });
    restarted.catch(() => {});
    await this.call('RST', {}, { signal });
    await restarted;
    // Answered only once the module is understood again.
    await this.call('GMM', {}, { signal });
  }

  /**
   * One ICMP echo.
   * @param target  a name or an address
   * @returns who answered, and after how many ms
   * @throws WincError `WINC_STATUS` (no reply, name not resolvable), `WINC_TIMEOUT`
   */
  ping(target: string, options: PingOptions = {}): Promise<{ address: string; rttMs: number }> {
    const { timeoutMs = 15_000, signal, protocolVersion } = options;
    const args = { targetAddr: target, ...(protocolVersion !== undefined && { protocolVersion }) };
    return operate(this, {
      what: `The ping to ${target}`,
      start: () => this.call('PING', args, { signal }),
      events: {
        PING: ({ elements }) => ({ address: String(elements.ipAddress), rttMs: elements.rtt }),
        PINGERR: ({ elements }) => {
          throw statusError('PING', elements.errorCode);
        },
      },
      timeoutMs,
      signal,
    });
  }

  /**
   * The first address of a name, asked of the module's name servers.
   * @throws WincError `WINC_STATUS` (`DNS_NON_EXISTENT_DOMAIN`, `DNS_TIMEOUT`…), `WINC_TIMEOUT`
   */
  resolve(name: string, options: ResolveOptions = {}): Promise<string> {
    const { family = 4, timeoutMs = 30_000, signal } = options;
    const type = family === 6 ? RecordType.AAAA : RecordType.A;
    const lookup = () =>
      operate(this, {
        what: `The look-up of ${name}`,
        start: () => this.call('DNSRESOLV', { type, queryName: name }, { signal }),
        events: {
          DNSRESOLV: (event) =>
            event.form === 'A_AAAA_RESPONSE' && event.elements.type === type
              ? String(event.elements.address)
              : undefined,
          DNSERR: ({ elements }) => {
            throw statusError('DNSRESOLV', elements.errorCode);
          },
        },
        timeoutMs,
        signal,
      });
    const answer = this.#lookups.then(lookup, lookup);
    this.#lookups = answer.catch(() => {});
    return answer;
  }

  /** Everything pending fails with `WINC_CLOSED`. The module itself goes on. */
  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #emit(name: string, argument: unknown): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (argument: unknown) => void)(argument);
      } catch (error) {
        // A listener's bug is its owner's, and must not cost the bytes that follow.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** Takes a refusal for an answer; everything else stays a failure. */
export function refusedAs<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof WincError && error.code === 'WINC_STATUS') return value;
    throw error;
  };
}
