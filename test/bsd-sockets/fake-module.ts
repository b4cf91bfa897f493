import type { WincModule } from '../../driver/index.js';
import { statusError } from '../../driver/protocol/index.js';
import { VirtualClock } from '../../simulator/tcpip/clock.js';

type Args = Record<string, unknown>;
type Answer = (args: Args) => unknown;

/** A call that waits to be answered. */
export interface OpenCall {
  readonly args: Args;
  ok(...responses: { form?: string; elements: Args }[]): void;
  refuse(status: number): void;
  fail(error: Error): void;
}

/**
 * What bsd-sockets sees of a module, under the test's hand: calls are answered by a table, or held until the test answers
 * them; events are told by name.
 */
export class FakeModule {
  readonly clock = new VirtualClock();
  readonly wire: 'at' | 'tlv';
  readonly window: number;
  /** `SOCKWR {"sockId":7,…}`, as they were called; data as latin1 text. */
  readonly calls: string[] = [];
  readonly answers = new Map<string, Answer>();
  /** Commands whose calls stay open. */
  readonly held = new Map<string, OpenCall[]>();
  readonly #listeners = new Map<string, Set<(argument: unknown) => void>>();

  constructor(wire: 'at' | 'tlv' = 'tlv', window = wire === 'tlv' ? 4 : 1) {
    this.wire = wire;
    this.window = window;
    this.answers.set('SOCKO', () => [{ form: 'SOCKET_OPEN_RESPONSE', elements: { sockId: 700 } }]);
  }

  /** As the layer's constructor wants it. */
  get asModule(): WincModule {
    return this as unknown as WincModule;
  }

  hold(command: string): OpenCall[] {
    const open: OpenCall[] = [];
    this.held.set(command, open);
    return open;
  }

  call(
    command: string,
    args: Args = {},
    options: { onResponse?: (response: unknown) => void } = {},
  ): Promise<unknown> {
    const shown = { ...args };
    for (const [name, value] of Object.entries(shown)) {
      if (value instanceof Uint8Array) shown[name] = Buffer.from(value).toString('latin1');
    }
    this.calls.push(`${command} ${JSON.stringify(shown)}`);
    const open = this.held.get(command);
    if (open === undefined) {
      try {
        const responses = (this.answers.get(command)?.(args) ?? []) as unknown[];
        for (const each of responses) options.onResponse?.(each);
        return Promise.resolve(responses);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return new Promise((resolve, reject) => {
      open.push({
        args,
        ok: (...responses) => {
          for (const each of responses) options.onResponse?.(each);
          resolve(responses);
        },
        refuse: (status) => reject(statusError(command, status)),
        fail: reject,
      });
    });
  }

  on(name: string, listener: (argument: never) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as (argument: unknown) => void);
    return () => listeners.delete(listener as (argument: unknown) => void);
  }

  emit(name: string, argument?: unknown): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(argument);
  }

  /** An event of the catalogue. */
  event(name: string, form: string, elements: Args): void {
    this.emit(name, { kind: 'event', name, form, elements });
  }

  indicate(sockId: number, lclPort = 50000, rmtPort = 80): void {
    this.event('SOCKIND', 'TCP_CONNECTION_ESTABLISHED', {
      sockId,
      lclAddr: '10.0.2.15',
      lclPort,
      rmtAddr: '10.0.2.2',
      rmtPort,
    });
  }

  peerClosed(sockId: number): void {
    this.event('SOCKCL', 'SOCKET_CLOSE_RESPONSE', { sockId });
  }

  settle(ms = 0): Promise<void> {
    return this.clock.advanceAsync(ms);
  }
}

export const refusal = (status: number) => (): never => {
  throw statusError('command', status);
};
