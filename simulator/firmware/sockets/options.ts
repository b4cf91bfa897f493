/** AT+SOCKC of one socket. */

import { ConfigTable } from '../config-table.js';
import type { ModuleConnection } from '../module-stack.js';

export type SocketConfig = ConfigTable<'SOCKC'>;

/** Buffer sizes at power-up; within the documented range, the value itself is not documented. */
export const DEFAULT_BUFFER = 8192;

export const socketConfig = (changed: (param: string | undefined) => void): SocketConfig =>
  new ConfigTable('SOCKC', { defaults: { SO_RCVBUF: DEFAULT_BUFFER, SO_SNDBUF: DEFAULT_BUFFER }, changed });

/** The same values in another socket: what a listener's children start with. */
export function inherit(from: SocketConfig, to: SocketConfig): void {
  for (const name of [
    'SO_LINGER',
    'SO_NODELAY',
    'SO_KEEPALIVE',
    'SO_RCVBUF',
    'SO_SNDBUF',
    'IP_TOS',
  ] as const) {
    to.assign(name, from.number(name));
  }
  to.assign('ASYNC_WIN_SZ', from.number('ASYNC_WIN_SZ'));
  to.assign('ASYNC_MAX_FRM_SZ', from.number('ASYNC_MAX_FRM_SZ'));
}

/** SO_KEEPALIVE is milliseconds of silence, as in the TCP/IP stack the firmware is built on; 0 turns it off. */
export function applyOptions(config: SocketConfig, connection: ModuleConnection): void {
  connection.setNoDelay(config.number('SO_NODELAY') === 1);
  connection.setKeepAlive(config.number('SO_KEEPALIVE'));
  connection.setReceiveBuffer(config.number('SO_RCVBUF'));
  connection.setSendBuffer(config.number('SO_SNDBUF'));
  connection.setTrafficClass(config.number('IP_TOS'));
}
