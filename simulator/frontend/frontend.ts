/**
 * The seam between the emulated firmware and the wire it is heard on. A front end turns bytes into requests and
 * messages into bytes; the firmware sees neither bytes nor timing.
 */
import type { Event, Request, Response, Status } from '../../driver/protocol/messages.js';

/** A request as the firmware answers it: any number of `respond`, then exactly one `finish`. */
export interface Exchange {
  readonly request: Request;
  respond(response: Omit<Response, 'kind' | 'seq'>): void;
  finish(status: Omit<Status, 'kind' | 'seq'>): void;
}

/** The firmware, as a front end sees it. Requests are answered strictly in the order they came. */
export interface FirmwarePort {
  execute(exchange: Exchange): void;
  /** The host pulled MCLR, or sent a break: restart from power-up. */
  hardReset(): void;
}

/** A front end, as the firmware sees it. */
export interface Frontend {
  /** Restart announced: forget line state, then print the banner (AT) or become unready (SDIO). */
  booting(): void;
  booted(banner: string): void;
  event(event: Omit<Event, 'kind'>): void;
}
