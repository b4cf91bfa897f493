/**
 * DHCP: `options` (forms) → `message` (wire) → `client-machine` (the table) → `client` (time and sockets); `lease-pool` →
 * `server`; `v6`, the stateless sibling.
 */
export { DhcpClient, type DhcpClientOptions, type DhcpLease } from './client.js';
export type { ClientState } from './client-machine.js';
export { type DhcpMessage, decodeMessage, encodeMessage, messageType } from './message.js';
export type { DhcpOptions, Route } from './options.js';
export { DhcpServer, type DhcpServerOptions } from './server.js';
export { Dhcp6Client, type Dhcp6ClientOptions, type Dhcp6Information } from './v6.js';
