/**
 * The module's protocol as data and pure functions: the catalogue of commands, events, configuration and statuses,
 * and the codecs of the wires it is spoken on. Used by the driver from one end and by the simulator from the other.
 */
export * from './at/index.js';
export { CipherSuite, type CipherSuiteName, cipherSuiteName } from './catalogue/cipher-suites.js';
export * as enums from './catalogue/enums.js';
export * from './catalogue/index.js';
export * from './catalogue/limits.js';
export * from './catalogue/statuses.js';
export { TlsError, type TlsErrorName, tlsErrorName } from './catalogue/tls-errors.js';
export * from './errors.js';
export {
  type JsonObject,
  type JsonRequest,
  type JsonValue,
  messageToJson,
  requestFromJson,
  requestToJson,
  type WireElement,
} from './json.js';
export * from './messages.js';
export { type Quirk, quirks } from './quirks.js';
export type {
  AtSyntax,
  CommandSpec,
  ConfigSpec,
  ElementSpec,
  EventSpec,
  FormSpec,
  MessageForm,
  ParamSpec,
} from './spec.js';
export { decodeText, encodeText } from './text.js';
export {
  type CheckOptions,
  checkArgs,
  isProblem,
  type Problem,
  type Resolved,
  validateArgs,
} from './validate.js';
