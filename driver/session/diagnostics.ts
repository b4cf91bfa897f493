/**
 * Hooks for tools, by `node:diagnostics_channel`. A message is built only if someone listens; secrets are not in it.
 *
 * | channel | message |
 * |---|---|
 * | `wincs02:command` | `{ command, args, seq }` about to be sent |
 * | `wincs02:answer` | `{ command, seq, status, ms }`; `status` -1 if none came |
 * | `wincs02:event` | `{ event }` |
 * | `wincs02:noise` | `{ reason, bytes }` |
 * | `wincs02:recovery` | `{ step }`: `gentle`, `reset`, `reopen`, `recovered`, `failed` |
 */
import { channel } from 'node:diagnostics_channel';
import type { CommandName } from '../protocol/catalogue/index.js';
import type { Event, Noise, Values } from '../protocol/messages.js';

export interface CommandMessage {
  readonly command: CommandName;
  readonly args: Values;
  readonly seq: number;
}
export interface AnswerMessage {
  readonly command: CommandName;
  readonly seq: number;
  readonly status: number;
  readonly ms: number;
}
export interface RecoveryMessage {
  readonly step: 'gentle' | 'reset' | 'reopen' | 'recovered' | 'failed';
}

export const commandChannel = channel('wincs02:command');
export const answerChannel = channel('wincs02:answer');
export const eventChannel = channel('wincs02:event');
export const noiseChannel = channel('wincs02:noise');
export const recoveryChannel = channel('wincs02:recovery');

export const publishEvent = (event: Event): void => {
  if (eventChannel.hasSubscribers) eventChannel.publish({ event });
};
export const publishNoise = ({ reason, bytes }: Noise): void => {
  if (noiseChannel.hasSubscribers) noiseChannel.publish({ reason, bytes });
};
export const publishRecovery = (step: RecoveryMessage['step']): void => {
  if (recoveryChannel.hasSubscribers) recoveryChannel.publish({ step } satisfies RecoveryMessage);
};
