/** The module's SDIO registers, as far as a host uses them. */

/** Function 0: card common control registers, function basic registers, and one of the vendor's own. */
export const Fn0 = {
  IO_ENABLE: 0x02,
  IO_READY: 0x03,
  INT_ENABLE: 0x04,
  INT_PENDING: 0x05,
  IO_ABORT: 0x06,
  BUS_INTERFACE: 0x07,
  FN0_BLOCK_SIZE: 0x10,
  FN1_CSA_CONFIG: 0x100,
  /** 24 bits, little endian: where CSA_DATA reads and writes. */
  FN1_CSA_POINTER: 0x10c,
  /** A window into the code storage area; the pointer advances by itself. */
  FN1_CSA_DATA: 0x10f,
  FN1_BLOCK_SIZE: 0x110,
  CLOCK_WAKE_UP: 0x18000,
} as const;

/** Function 1: the message FIFO, the interrupt register and two mailbox words. */
export const Fn1 = {
  DATA: 0x00,
  INT_ID: 0x08,
  INT_ENABLE: 0x09,
  /** host → module, 32 bits, little endian */
  HOST_WORD: 0x24,
  /** module → host, 32 bits, little endian */
  MODULE_WORD: 0x28,
} as const;

/** Bits of INT_ID. Writing a one clears. */
export const IntId = { DATA_READY: 0x01, READ_ERROR: 0x02, MESSAGE: 0x04, ACK: 0x08 } as const;

/** Values written during initialisation. */
export const RegisterValue = {
  FN1_ENABLED: 0x02,
  /** Master enable and function 1. */
  INT_MASTER_FN1: 0x03,
  IO_RESET: 0x08,
  CSA_ENABLED: 0x80,
  CSA_SUPPORTED: 0x40,
  /** Extended continuous SPI interrupt, one data line. */
  BUS_SPI_INTERRUPT: 0x20,
  CLOCK_AUTOMATIC: 0x01,
  CLOCK_MANUAL: 0x02,
} as const;
