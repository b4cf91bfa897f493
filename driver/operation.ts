/**
 * What takes a command and some events to finish: a scan, a join, a ping. Listens before it starts, ends once, and
 * leaves no listener and no timer behind.
 */

import type { WincModule } from './module.js';
import type { EventName, EventOf } from './protocol/catalogue/index.js';
import { WincError } from './protocol/errors.js';

export interface Operation<T> {
  /** For messages: `The scan`. */
  readonly what: string;
  /** The command that begins it. */
  start(): Promise<unknown>;
  /** The first answer that is not `undefined` is the result; what a listener throws is the failure. */
  readonly events: { readonly [E in EventName]?: (event: EventOf<E>) => T | undefined };
  readonly timeoutMs: number;
  /** The code of the failure when time is up. Default `WINC_TIMEOUT`. */
  readonly timeoutCode?: `WINC_${string}`;
  readonly signal?: AbortSignal | undefined;
}

/** @throws what `start` or a listener throws; WincError `WINC_ABORTED`, `WINC_MODULE_RESET`, the module's own end, or the time-out's */
export function operate<T>(module: WincModule, operation: Operation<T>): Promise<T> {
  const { what, events, signal, timeoutMs, timeoutCode = 'WINC_TIMEOUT' } = operation;
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) {
      reject(new WincError('WINC_ABORTED', `${what} was aborted.`, { cause: signal.reason }));
      return;
    }
    const undo: (() => void)[] = [];
    const end = (settle: () => void) => {
      for (const each of undo.splice(0)) each();
      settle();
    };
    const fail = (error: unknown) => end(() => reject(error));
    for (const name of Object.keys(events) as EventName[]) {
      // Which event belongs to which listener is checked where the operation is written.
      const listener = events[name] as (event: never) => T | undefined;
      const heard = (event: never) => {
        try {
          const result = listener(event);
          if (result !== undefined) end(() => resolve(result));
        } catch (error) {
          fail(error);
        }
      };
      undo.push(module.on(name, heard as never));
    }
    undo.push(
      module.on('reset', () => fail(new WincError('WINC_MODULE_RESET', `${what}: the module restarted.`))),
      module.on('close', (error) =>
        fail(error ?? new WincError('WINC_CLOSED', `${what}: the module was closed.`)),
      ),
    );
    const timer = module.clock.setTimer(
      () => fail(new WincError(timeoutCode, `${what} did not end within ${timeoutMs} ms.`)),
      timeoutMs,
    );
    undo.push(() => timer.cancel());
    if (signal !== undefined) {
      const aborted = () =>
        fail(new WincError('WINC_ABORTED', `${what} was aborted.`, { cause: signal.reason }));
      signal.addEventListener('abort', aborted, { once: true });
      undo.push(() => signal.removeEventListener('abort', aborted));
    }
    operation.start().catch(fail);
  });
}
