/** One message to an AT line and back, for `encode` and `decode`. */
import {
  AtHostDecoder,
  decodeCommandLine,
  encodeCommand,
  type ParsedLine,
} from '../driver/protocol/at/index.js';
import { commandByName } from '../driver/protocol/catalogue/index.js';
import { describeStatus } from '../driver/protocol/catalogue/statuses.js';
import { WincError } from '../driver/protocol/errors.js';
import { type JsonObject, messageToJson, requestFromJson, requestToJson } from '../driver/protocol/json.js';

/** The whole message in one line: payloads are written into it, never after it. */
export function encodeAtLine(json: JsonObject): string {
  return encodeCommand(requestFromJson(json), { inlineUpTo: Number.POSITIVE_INFINITY }).line;
}

/** A line of either end: `AT…` is a host's, everything else a module's. The line end and prompts may still be there. */
export function decodeAtLine(line: Uint8Array): JsonObject[] {
  const text = Buffer.from(line)
    .toString('latin1')
    .replace(/[\r\n]+$/, '');
  const trimmed = text.replace(/^[\r\n>]+/, '');
  return trimmed.startsWith('AT') ? [decodeHostLine(trimmed)] : decodeModuleLine(text, trimmed);
}

function decodeHostLine(text: string): JsonObject {
  const { basics, extended, status }: ParsedLine = decodeCommandLine(Buffer.from(text, 'latin1'));
  const failure = status ?? (extended !== undefined && 'status' in extended ? extended.status : undefined);
  if (failure !== undefined)
    throw new WincError('WINC_ARGUMENT', describeStatus(failure), { status: failure });
  if (extended !== undefined && 'request' in extended) return requestToJson(extended.request);
  return { basic: basics.map(({ name, value }) => `${name}${value}`) };
}

function decodeModuleLine(text: string, trimmed: string): JsonObject[] {
  const decoder = new AtHostDecoder();
  const name = /^\+([A-Z0-9]+)[:=]/.exec(trimmed)?.[1];
  const command = name === undefined ? undefined : commandByName(name);
  // Without its leading CR, a line named like a command answers that command.
  if (command !== undefined && !text.startsWith('\r')) decoder.sent(`AT+${command.name}=`, command.name);
  return decoder.decode(Buffer.from(text, 'latin1')).map((message) => messageToJson(message));
}
