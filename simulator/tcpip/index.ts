/**
 * A TCP/IP stack in TypeScript, Ethernet frames below and callbacks above:
 *
 * ```
 *   api/       flow · endpoint · flextcp: three styles over one connection
 *   stack.ts   createStack: what a host can do                dhcp/  client, server
 *   tcp/  udp/ connections and sockets
 *   ip/        IPv4, IPv6, ICMP, neighbours, groups, routes
 *   core/      time, timers, packets, addresses
 *   wire/      formats: views, parse, emit
 *   link/      where frames go: pipe, switch, TAP, impairment, capture
 * ```
 */

export * as endpoint from './api/endpoint/index.js';
export * as flextcp from './api/flextcp/index.js';
export * as flow from './api/flow/index.js';
export { TcpStream } from './api/stream.js';
export { systemClock, VirtualClock } from './clock.js';
export type * from './contract.js';
export * from './dhcp/index.js';
export { StackError, type StackErrorCode } from './errors.js';
export * from './link/index.js';
export { randomBytes, secureRandom, seededRandom } from './random.js';
export { type Advertisement, createStack, type EngineStack, type StackOptions } from './stack.js';
export type { StackStats } from './stats.js';
export type { TcpOptions } from './tcp/options.js';
