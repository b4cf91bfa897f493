/**
 * The host's side of a module.
 *
 *   WincModule            typed commands and events, Wi-Fi, ping, look-ups
 *   session/              one queue of commands, deadlines, recovery
 *   protocol/             catalogue and codecs (used by the simulator too)
 *   link/                 bytes ⇄ lines and raw blocks (UART), messages (SDIO over SPI)
 *   transport/            serial:, tcp:, bridge:, spi:, memory; trace and impairment
 */
export { type Clock, systemClock, type TimerHandle } from './clock.js';
export {
  type ModuleEvents,
  type ModuleInfo,
  type OpenOptions,
  type PingOptions,
  type ResolveOptions,
  refusedAs,
  WincModule,
} from './module.js';
export { type Operation, operate } from './operation.js';
export { WincError } from './protocol/errors.js';
export type { RequestOptions, SessionStatistics } from './session/session.js';
export { type ByteImpairments, impairDevice, parseByteImpairments } from './transport/impair.js';
export { type MemoryTransport, memoryPair } from './transport/memory.js';
export { type OpenTransportOptions, openTransport, registerTransport } from './transport/open.js';
export { type TraceOptions, type TraceOutput, traceDevice } from './transport/trace.js';
export type {
  ByteTransport,
  ByteTransportHandler,
  SpiTransport,
  Transport,
  TransportDevice,
  TransportOpener,
  TransportOptions,
} from './transport/transport.js';
export {
  type Association,
  type JoinOptions,
  type ScanOptions,
  type ScanResult,
  type Security,
  securities,
  type Wifi,
} from './wifi.js';
