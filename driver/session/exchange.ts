import type { Clock, TimerHandle } from '../clock.js';
import type { Request, Response } from '../protocol/messages.js';

/** A command on its way: the responses so far, the promise its caller waits on, and the deadline. */
export class Exchange {
  readonly request: Request;
  readonly responses: Response[] = [];
  readonly answered: Promise<readonly Response[]>;
  readonly startedAt: number;
  readonly #clock: Clock;
  readonly #late: (exchange: Exchange) => void;
  readonly #onResponse: ((response: Response) => void) | undefined;
  #resolve!: (responses: readonly Response[]) => void;
  #reject!: (error: Error) => void;
  #deadline: TimerHandle | undefined;
  #settled = false;

  constructor(
    request: Request,
    clock: Clock,
    late: (exchange: Exchange) => void,
    onResponse?: (response: Response) => void,
  ) {
    this.request = request;
    this.#clock = clock;
    this.#late = late;
    this.#onResponse = onResponse;
    this.startedAt = clock.now();
    this.answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail while nobody waits yet: between the failed write and its report, or after an abort.
    this.answered.catch(() => {});
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Starts the deadline, or starts it anew. */
  arm(timeoutMs: number): void {
    if (this.#settled) return;
    this.#deadline?.cancel();
    this.#deadline = this.#clock.setTimer(() => this.#late(this), timeoutMs);
  }

  respond(response: Response): void {
    this.responses.push(response);
    this.#onResponse?.(response);
  }

  disarm(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
  }

  succeed(): void {
    if (this.#finish()) this.#resolve(this.responses);
  }

  fail(error: Error): void {
    if (this.#finish()) this.#reject(error);
  }

  #finish(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.disarm();
    return true;
  }
}
