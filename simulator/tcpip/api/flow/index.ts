/** TCP as MirageOS programs know it; function by function in docs/engine-apis.md. */
export {
  eof,
  Flow,
  type FlowError,
  FlowTcp,
  type FlowWriteError,
  type Keepalive,
  type Listener,
  type Result,
} from './flow.js';
