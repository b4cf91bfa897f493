/**
 * Which arguments must never appear in a log or a trace: passphrases, passwords and uploaded files, which may be
 * private keys.
 */
import { type CommandName, configIds } from '../protocol/catalogue/index.js';
import type { Request, Value, Values } from '../protocol/messages.js';

const { WSTAC, WAPC, MQTTC, TLSC } = configIds;
const secretIds: Partial<Record<CommandName, ReadonlySet<number>>> = {
  WSTAC: new Set([WSTAC.CREDENTIALS, WSTAC.ENT_MSCHV2_PW]),
  WAPC: new Set([WAPC.CREDENTIALS]),
  MQTTC: new Set([MQTTC.PASSWORD]),
  TLSC: new Set([TLSC.PRI_KEY_PASSWORD]),
};
const secretArgs: Partial<Record<CommandName, readonly string[]>> = { FSTSFR: ['data'] };

/** Names of the arguments that are secret in this request. */
export function secretsOf({ command, args }: Pick<Request, 'command' | 'args'>): readonly string[] {
  const id = args.id;
  if (typeof id === 'number' && secretIds[command]?.has(id)) return ['val'];
  return secretArgs[command] ?? [];
}

/** The arguments with every secret replaced by `***`. */
export function withoutSecrets(request: Pick<Request, 'command' | 'args'>): Values {
  const names = secretsOf(request);
  if (names.length === 0) return request.args;
  const shown: Record<string, Value | undefined> = { ...request.args };
  for (const name of names) if (shown[name] !== undefined) shown[name] = '***';
  return shown;
}
