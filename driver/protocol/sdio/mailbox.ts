/**
 * The 32-bit words by which both ends announce messages: type << 24 | count << 16 | length. Lengths are in 32-bit
 * words. On the bus the word is little endian, unlike everything inside a message.
 */

/** Both ends write TX_REQ for "the host sends", RX_REQ for "the module sends". */
export const MailboxType = { TX_REQUEST: 1, RX_REQUEST: 2 } as const;

export interface MailboxWord {
  readonly type: number;
  readonly count: number;
  /** 32-bit words of the message; for several messages see who writes it. */
  readonly length: number;
}

export function mailboxWord(type: number, count: number, length: number): number {
  return ((type << 24) | ((count & 0xff) << 16) | (length & 0xffff)) >>> 0;
}

export function parseMailboxWord(word: number): MailboxWord {
  return { type: word >>> 24, count: (word >>> 16) & 0xff, length: word & 0xffff };
}

/** Bytes of a message on the bus: padded with zeros to whole words. */
export function paddedLength(bytes: number): number {
  return (bytes + 3) & ~3;
}
