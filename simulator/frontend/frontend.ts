/**
 * The seam between the emulated firmware and the wire it is heard on. A front end turns bytes into requests and
 * messages into bytes; the firmware sees neither bytes nor timing.
 */
import type { Event, Request, Response, Status } from '../../driver/protocol/messages.js';

/**
 * A request as the firmware answers it: any number of `respond`, then exactly one `finish`. Both may come from inside
 * {@link FirmwarePort.execute}.
 */
export interface Exchange {
  readonly request: Request;
  /**
   * The request lacks its raw payload, which the wire brings later: the firmware only says whether it would refuse it
   * as it stands. The same request follows with the payload in it.
   */
  readonly payloadFollows?: boolean;
  respond(response: Omit<Response, 'kind' | 'seq'>): void;
  finish(status: Omit<Status, 'kind' | 'seq'>): void;
}

/** The firmware, as a front end sees it. Requests are answered strictly in the order they came. */
export interface FirmwarePort {
  execute(exchange: Exchange): void;
  /** The host pulled MCLR, or sent a break: restart from power-up. */
  hardReset(): void;
  /** The front end was congested and is no more. */
  drained(): void;
}

/** A front end, as the firmware sees it. */
export interface Frontend {
  /**
   * The host is slow to take what was sent. Meanwhile the firmware holds back what can wait (socket data of the
   * asynchronous modes); single events still come and are the front end's to queue, within bounds.
   */
  readonly congested?: boolean;
  /** Restart announced: forget line state, then print the banner (AT) or become unready (SDIO). */
  booting(): void;
  booted(banner: string): void;
  event(event: Omit<Event, 'kind'>): void;
  /** AT+IPR was accepted; its status has been sent. */
  baudChanged?(baud: number): void;
}
