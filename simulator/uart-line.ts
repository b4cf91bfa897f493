/** A module's UART as the simulator offers it to a host: a pseudo-terminal, a TCP port, or memory. */
export interface UartLine {
  /** What a host opens: `/dev/pts/3`, `tcp:127.0.0.1:4000`. */
  readonly name: string;
  /** Bytes written that the host has not taken yet. */
  readonly waiting: number;
  /** Bytes lost because the host did not read: a UART without flow control knows no other answer. */
  readonly dropped: number;
  /** Host to module; set by the module. The bytes are lent for the call. */
  receive: (bytes: Uint8Array) => void;
  /** Module to host. Never blocks and keeps nothing of `bytes`. */
  write(bytes: Uint8Array): void;
  /** Takes the line away from the host: a cable pulled. */
  close(): Promise<void>;
}

/** How much a line holds for a host that is slow to read, bytes. */
export const UART_BACKLOG = 256 * 1024;
