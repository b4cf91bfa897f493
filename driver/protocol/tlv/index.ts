/** The TLV codec: bytes ⇄ messages, for both ends of the wire. Pure. */
export {
  bytesFromHex,
  encodeEvent,
  encodeResponse,
  encodeStatus,
  TlvHostDecoder,
  type WireElement,
  wireElements,
} from './messages.js';
export {
  type DecodedRequest,
  type DecodeRequestOptions,
  decodeRequest,
  encodeRequest,
  hostQuirks,
  type RequestQuirks,
  strictQuirks,
  vendorQuirks,
} from './requests.js';
export { MAX_ELEMENTS, MessageKind, TlvList, TlvWriter } from './tlv.js';
