/**
 * The simulator: emulated modules on a virtual air, in this process. `createSimulator` is where to begin.
 */
export { MemoryUart } from './memory-uart.js';
export type { LogEntry, LoggedMessage, MessagePattern } from './message-log.js';
export { openPty, type Pty, type PtyOptions } from './pty/pty.js';
export { parseScenario, readScenario, type Scenario } from './scenario/scenario.js';
export { openSimTransport, parseSimUrl, SimTransport } from './sim-transport.js';
export {
  createSimulator,
  type ModuleOptions,
  SimulatedModule,
  Simulator,
  type SimulatorOptions,
} from './simulator.js';
export { VirtualClock } from './tcpip/clock.js';
export type { UartLine } from './uart-line.js';
export { openUartServer, type UartServer, type UartServerOptions } from './uart-server.js';
export type { AccessPoint, AccessPointOptions, EnterpriseAccount } from './world/access-point.js';
export type { DnsRecord } from './world/dns-zone.js';
export type { Forward, ForwardOptions } from './world/nat/forwards.js';
export type { HostNetwork } from './world/policy.js';
export type { Router, RouterAddressing } from './world/router.js';
export { World, type WorldOptions } from './world/world.js';
