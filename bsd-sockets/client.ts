/** Outgoing TCP connections as promises. */
import type { WincModule } from '../driver/index.js';
import { WincError } from '../driver/protocol/index.js';
import { TlsWatch } from '../tls/index.js';
import { isAddress } from './address.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  IPPROTO_TLS,
  SOCK_STREAM,
  SocketEvent,
  SocketStatus,
  TLS_CONF_IDX,
} from './constants.js';
import { errnoName } from './errno.js';
import { socketsOf } from './sockets.js';
import { SocketStream, socketFailure } from './stream.js';

export interface ConnectOptions {
  /** Until the connection stands, the name's look-up included, ms. Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** 4 (default) or 6, where the host is a name. */
  readonly family?: 4 | 6;
  /** TLS by the module, with this configuration (1..4). */
  readonly tlsConfig?: number;
}

/**
 * Connects through the module.
 * @param host  a name or an address
 * @returns a connected descriptor of `socketsOf(module)`
 * @throws WincError `WINC_ARGUMENT`, `WINC_STATUS` (`DNS_…`), `WINC_CONNECT_FAILED` with `errno`,
 *   `WINC_CONNECT_TIMEOUT`, `WINC_TLS_CERTIFICATE` and `WINC_TLS_HANDSHAKE` (see `TlsFailure`), `WINC_ABORTED`,
 *   `WINC_SOCKET` (no descriptor), or the module's own failure
 */
export async function openConnection(
  module: WincModule,
  host: string,
  port: number,
  options: ConnectOptions = {},
): Promise<number> {
  const { signal, timeoutMs = 30_000, tlsConfig } = options;
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new WincError('WINC_ARGUMENT', 'The port must be a whole number from 1 to 65535.');
  }
  const deadline = module.clock.now() + timeoutMs;
  const isV6 = isAddress(AF_INET6, host);
  const isName = !isV6 && !isAddress(AF_INET, host);
  const family = isV6 || (isName && options.family === 6) ? AF_INET6 : AF_INET;
  const address = isName ? await module.resolve(host, { family, timeoutMs, signal }) : host;
  const sockets = socketsOf(module);
  const fd = sockets.socket(family, SOCK_STREAM, tlsConfig === undefined ? IPPROTO_TCP : IPPROTO_TLS);
  if (fd < 0) {
    const errno = errnoName(sockets.errno) ?? 'EIO';
    throw new WincError('WINC_SOCKET', `No socket to be had: ${errno}.`, { errno });
  }
  if (tlsConfig !== undefined) sockets.setsockopt(fd, IPPROTO_TLS, TLS_CONF_IDX, tlsConfig);
  const where = `Connecting to ${host}:${port}`;
  const connected = tlsConfig === undefined ? SocketEvent.CONNECT : SocketEvent.TLS_CONNECT;
  const tls = tlsConfig === undefined ? undefined : new TlsWatch(module, tlsConfig);
  const connection = new Promise<void>((resolve, reject) => {
    const end = () => {
      timer.cancel();
      signal?.removeEventListener('abort', aborted);
    };
    const give = (error: WincError) => {
      end();
      // Before OPEN it cannot be closed: then as soon as it is.
      sockets.watch(fd, () => void sockets.shutdown(fd));
      sockets.shutdown(fd);
      reject(error);
    };
    const aborted = () =>
      give(new WincError('WINC_ABORTED', `${where} was aborted.`, { cause: signal?.reason }));
    const late = () =>
      give(new WincError('WINC_CONNECT_TIMEOUT', `${where}: no answer in time.`, { errno: 'ETIMEDOUT' }));
    const timer = module.clock.setTimer(late, Math.max(0, deadline - module.clock.now()));
    signal?.addEventListener('abort', aborted, { once: true });
    sockets.watch(fd, (_fd, event, status) => {
      if (status === SocketStatus.ERROR) {
        give(socketFailure(sockets, fd, 'WINC_CONNECT_FAILED', `${where} failed`));
      } else if (event === SocketEvent.OPEN) sockets.connect(fd, { family, address, port });
      else if (event === connected) {
        end();
        resolve();
      }
    });
    if (signal?.aborted) aborted();
  });
  try {
    await connection;
  } catch (error) {
    throw (await tls?.explain(`${where} failed`, error)) ?? error;
  } finally {
    tls?.end();
  }
  return fd;
}

/** As {@link openConnection}, as a Node stream. */
export async function connectTcp(
  module: WincModule,
  host: string,
  port: number,
  options: ConnectOptions = {},
): Promise<SocketStream> {
  return new SocketStream(socketsOf(module), await openConnection(module, host, port, options));
}
