/**
 * What a session needs from a wire: whole messages out, whole messages in, and a way back to a known state. Two
 * exist, `AtWire` (UART link + AT codec) and `TlvWire` (SDIO link + TLV codec); nothing above knows which.
 */
import type { ModuleMessage, Request } from '../protocol/messages.js';

export interface WireHandler {
  /** Bytes inside the message are valid only during the call unless the codec copied them (it does, for values). */
  message(message: ModuleMessage): void;
  /** The module restarted by itself or on command (`+BOOT`, or the SDIO link found it unconfigured). */
  booted(banner: string): void;
  /** Once; the wire is unusable from now. */
  closed(error?: Error): void;
}

export interface WireCounters {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface Wire {
  readonly name: 'at' | 'tlv';
  /** Commands that may be sent before the first of them is answered. */
  readonly window: number;
  readonly counters: WireCounters;
  /**
   * Brings the link up: echo off and formats set, or the SDIO initialisation. Waits for a module that is booting.
   * @throws WincError `WINC_MODULE_SILENT`
   */
  start(handler: WireHandler): Promise<void>;
  /**
   * Resolves when the last byte is written: deadlines count from then.
   * @throws WincError `WINC_ARGUMENT` before anything is sent, `WINC_PORT_LOST`
   */
  send(request: Request): Promise<void>;
  /**
   * Gets back to a state where the next command is understood, after garbage, a lost answer or a restart of the
   * module. `gentle` must not lose the module's state; `reset` may. What was in flight is forgotten.
   * @throws WincError `WINC_MODULE_SILENT`
   */
  recover(how: 'gentle' | 'reset', timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}
