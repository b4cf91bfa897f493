/** The AT codec: lines of text ⇄ messages, for both ends of the wire. */
export { type AtFormat, defaultFormat, formatBits, withFormatBits } from './format.js';
export { AtHostDecoder } from './host-decode.js';
export { type AtCommand, type AtEncodeOptions, encodeCommand, rawReadResponse } from './host-encode.js';
export {
  type BasicCommand,
  decodeCommandLine,
  decodeExtended,
  type ParsedCommand,
  type ParsedLine,
} from './module-decode.js';
export { encodeEvent, encodeResponse, encodeStatus } from './module-encode.js';
