/** Sequence numbers are signed 32-bit; order is by difference modulo 2^32 (RFC 9293 3.4). */
export const before = (a: number, b: number): boolean => ((a - b) | 0) < 0;
export const beforeOrAt = (a: number, b: number): boolean => ((a - b) | 0) <= 0;
export const after = (a: number, b: number): boolean => ((a - b) | 0) > 0;
export const afterOrAt = (a: number, b: number): boolean => ((a - b) | 0) >= 0;
/** How far `a` is ahead of `b`, as an unsigned distance if it is ahead at all. */
export const distance = (a: number, b: number): number => (a - b) | 0;
