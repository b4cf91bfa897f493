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

export interface Wire {
  readonly name: 'at' | 'tlv';
  /** Brings the link up: echo off and formats set, or the SDIO initialisation. */
  start(handler: WireHandler): Promise<void>;
  /** Resolves when the last byte is written: deadlines count from then. */
  send(request: Request): Promise<void>;
  /**
   * Gets back to a state where the next command is understood, after garbage or a lost answer. `gentle` must not lose
   * the module's state; `reset` may.
   */
  recover(how: 'gentle' | 'reset', timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}
