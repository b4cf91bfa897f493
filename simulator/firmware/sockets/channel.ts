import type { Clock } from '../../tcpip/contract.js';
import type { ModuleConnection } from '../module-stack.js';
import { endGently } from './end-gently.js';
import type { ByteSource } from './stream-receiver.js';

/** How a stream socket's bytes travel: as they are, or encrypted. */
export interface Channel extends ByteSource {
  /** Bytes that `write` takes now. */
  readonly writable: number;
  /** No more than `writable` bytes. */
  write(data: Uint8Array): void;
  /** What was written still goes out; nothing is read any more. */
  close(): void;
  /** At once. */
  abort(): void;
}

export function plainChannel(connection: ModuleConnection, clock: Clock): Channel {
  return {
    get readable() {
      return connection.readable;
    },
    get ended() {
      return connection.readable === 0 && (connection.ended || connection.state === 'CLOSED');
    },
    get writable() {
      return connection.writable;
    },
    read: (into) => connection.read(into),
    write: (data) => void connection.write(data),
    close: () => endGently(connection, clock),
    abort() {
      connection.handler = {};
      connection.abort();
    },
  };
}
