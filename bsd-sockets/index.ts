/**
 * The vendor's Berkeley sockets over a module, line by line what a C program for it expects.
 *
 *   BsdSockets     descriptors, errno, poll, events        stream, client   a connection as a Node stream
 *   Socket         one socket: its state and its commands
 *   Reader/Writer  bounded buffers and how they fill and empty
 *   state          tables: transitions, and what each function answers in each state
 */
export * from './address.js';
export { type ConnectOptions, connectTcp, openConnection } from './client.js';
export * from './constants.js';
export { Errno, type ErrnoName, errnoName } from './errno.js';
export type { Membership, OptionValue } from './options.js';
export {
  BsdSockets,
  type EventCallback,
  type PollFd,
  type SockAddrOut,
  type SocketsOptions,
  socketsOf,
} from './sockets.js';
export { SocketStream, socketFailure } from './stream.js';
