/** One message to TLV bytes and back, for `encode` and `decode`. */
import { describeStatus } from '../driver/protocol/catalogue/statuses.js';
import { WincError } from '../driver/protocol/errors.js';
import { type JsonObject, messageToJson, requestFromJson, requestToJson } from '../driver/protocol/json.js';
import {
  decodeRequest,
  encodeRequest,
  MessageKind,
  TlvHostDecoder,
  TlvList,
  wireElements,
} from '../driver/protocol/tlv/index.js';

export function encodeTlvMessage(json: JsonObject): Uint8Array {
  return encodeRequest(requestFromJson(json));
}

/** A message of either end; the first byte tells. */
export function decodeTlvMessage(bytes: Uint8Array): JsonObject[] {
  if (bytes[0] === MessageKind.REQUEST) return [decodeHostMessage(bytes)];
  const message = new TlvHostDecoder().decode(bytes);
  if (message.kind === 'noise')
    throw new WincError('WINC_ARGUMENT', `no message of the module: ${message.reason}`);
  return [messageToJson(message, wireElements(bytes))];
}

function decodeHostMessage(bytes: Uint8Array): JsonObject {
  const decoded = decodeRequest(bytes, new TlvList(), { typed: true });
  if (decoded === undefined) throw new WincError('WINC_ARGUMENT', 'a request has at least 8 bytes');
  if ('request' in decoded) return requestToJson(decoded.request);
  throw new WincError('WINC_ARGUMENT', describeStatus(decoded.status), { status: decoded.status });
}
