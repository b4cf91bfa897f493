/**
 * The module's protocol as data and pure functions: the catalogue of commands, events, configuration and statuses,
 * and the codecs of the wires it is spoken on. Used by the driver from one end and by the simulator from the other.
 */
export * from './at/index.js';
export * from './catalogue/index.js';
export * from './catalogue/limits.js';
export * from './catalogue/statuses.js';
export * from './errors.js';
export * from './messages.js';
export { type Quirk, quirks } from './quirks.js';
export * from './spec.js';
export { decodeText, encodeText } from './text.js';
export { type CheckOptions, checkArgs, isProblem, type Problem, type Resolved, validateArgs } from './validate.js';
