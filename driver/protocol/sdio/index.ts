/** SDIO over SPI as both ends know it: command frames, checksums, registers, mailbox words. Pure. */
export * from './bridge.js';
export * from './command.js';
export * from './crc.js';
export * from './mailbox.js';
export * from './registers.js';
