/**
 * TCP as programs on TAS know it: contexts with event queues, payload in shared memory. Function by function in
 * docs/engine-apis.md.
 *
 *     thread with the stack:  init(stack) ── FlextcpService ── commands, notices (queue.ts) ──┐
 *     any thread:             FlextcpContext(descriptor) ─────────────────────────────────────┘
 */
import type { Stack } from '../../contract.js';
import { type FlextcpOptions, FlextcpService } from './service.js';

export { FlextcpConnection, FlextcpContext, type FlextcpEvent, FlextcpListener } from './context.js';
export { LISTEN_REUSEPORT } from './listener-entry.js';
export type { ContextDescriptor, FlextcpOptions } from './service.js';
export { FlextcpService } from './service.js';

/**
 * The service of a stack, once per stack.
 * @throws StackError `EADDRINUSE` if the stack has one already, `EINVAL`
 */
export function init(stack: Stack, options: FlextcpOptions = {}): FlextcpService {
  return FlextcpService.start(stack, options);
}
