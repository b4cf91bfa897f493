/** From power-up to a card that exchanges messages. */
import type { Clock } from '../../clock.js';
import { WincError } from '../../protocol/errors.js';
import {
  directArgument,
  Fn0,
  Fn1,
  IntId,
  OCR_3V3,
  R1,
  RegisterValue,
  SdioCommand,
} from '../../protocol/sdio/index.js';
import type { SdioCard } from './card.js';
import { busError, hex } from './window.js';

export interface InitialiseOptions {
  readonly clock: Clock;
  /** How long the module may take to answer CMD0, ms; it boots in about 3500. */
  readonly bootTimeout: number;
  /** Pause between two attempts, ms. */
  readonly retryInterval: number;
  /** Ask the module to check CRC7 and CRC16, and check its own. */
  readonly checked: boolean;
  /** The module was just reset. */
  readonly fresh: boolean;
  /** It was configured before: find out whether it still is. */
  readonly known: boolean;
}

export interface Initialised {
  /** From the first CMD0 to its answer, ms. */
  readonly bootTime: number;
  /** The card had lost its configuration: it was reset, or restarted by itself. */
  readonly unconfigured: boolean;
}

const write = (fn: number, address: number, value: number) => directArgument(true, fn, address, value);
const read = (fn: number, address: number) => directArgument(false, fn, address);

/** 512 bytes. */
const BLOCK_SIZE_HIGH = 2;

const configuration = [
  write(0, Fn0.FN1_BLOCK_SIZE, 0),
  write(0, Fn0.FN1_BLOCK_SIZE + 1, BLOCK_SIZE_HIGH),
  write(0, Fn0.FN1_CSA_CONFIG, RegisterValue.CSA_ENABLED),
  write(0, Fn0.FN0_BLOCK_SIZE, 0),
  write(0, Fn0.FN0_BLOCK_SIZE + 1, BLOCK_SIZE_HIGH),
  write(0, Fn0.IO_ENABLE, RegisterValue.FN1_ENABLED),
  write(0, Fn0.BUS_INTERFACE, RegisterValue.BUS_SPI_INTERRUPT),
  write(0, Fn0.INT_ENABLE, RegisterValue.INT_MASTER_FN1),
  write(0, Fn0.CLOCK_WAKE_UP, RegisterValue.CLOCK_AUTOMATIC),
  write(1, Fn1.INT_ENABLE, IntId.MESSAGE),
] as const;

export const sleep = (clock: Clock, ms: number) =>
  new Promise<void>((resolve) => clock.setTimer(() => resolve(), ms));

/** @throws WincError `WINC_MODULE_SILENT` when nothing answers, `WINC_BUS` when what answers is no such module */
export async function initialise(card: SdioCard, options: InitialiseOptions): Promise<Initialised> {
  card.checked = false;
  if (options.fresh) await endTransfer(card);
  const bootTime = await goIdle(card, options);
  await powerUp(card, options);
  const r1 = await card.command(SdioCommand.CRC_ON_OFF, options.checked ? 1 : 0x00ff_0000);
  if (r1 !== 0) throw busError(`CMD59: R1 = ${hex(r1)}`);
  card.checked = options.checked;
  const unconfigured =
    !options.known || (await card.direct(read(0, Fn0.FN1_BLOCK_SIZE + 1))) !== BLOCK_SIZE_HIGH;
  await card.direct(...configuration);
  await confirm(card, Fn0.FN1_CSA_CONFIG, RegisterValue.CSA_ENABLED, 'message lists are not supported');
  await confirm(card, Fn0.IO_READY, RegisterValue.FN1_ENABLED, 'function 1 is not ready');
  await confirm(card, Fn0.INT_ENABLE, RegisterValue.INT_MASTER_FN1, 'interrupts are not enabled');
  return { bootTime, unconfigured };
}

/** A card that answers before its first CMD0 was not reset, and is to reset its functions. */
async function endTransfer(card: SdioCard): Promise<void> {
  const { r1, value } = await card.tryDirect(read(0, Fn0.IO_ABORT));
  if (r1 !== R1.IDLE) return;
  const again = await card.tryDirect(write(0, Fn0.IO_ABORT, value | RegisterValue.IO_RESET));
  if (again.r1 !== R1.IDLE) throw busError(`the card does not take a reset: R1 = ${hex(again.r1)}`);
}

async function goIdle(card: SdioCard, options: InitialiseOptions): Promise<number> {
  const { clock } = options;
  const began = clock.now();
  for (;;) {
    const r1 = await card.command(SdioCommand.GO_IDLE, 0);
    if (r1 === R1.IDLE) return clock.now() - began;
    if (r1 !== 0x00 && r1 !== 0xff)
      throw busError(`CMD0 was answered with ${hex(r1)}, which no SDIO card does`);
    if (clock.now() - began >= options.bootTimeout) {
      const level = r1 === 0x00 ? 'stays low, as in reset' : 'stays high';
      throw new WincError(
        'WINC_MODULE_SILENT',
        `no answer to CMD0 within ${options.bootTimeout} ms: MISO ${level}`,
      );
    }
    await sleep(clock, options.retryInterval);
  }
}

async function powerUp(card: SdioCard, options: InitialiseOptions): Promise<void> {
  const { clock } = options;
  const began = clock.now();
  const { r1 } = await card.operatingConditions(0);
  if (r1 !== R1.IDLE) throw busError(`CMD5: R1 = ${hex(r1)}`);
  for (;;) {
    const answer = await card.operatingConditions(OCR_3V3);
    if ((answer.r1 & ~R1.IDLE) !== 0) throw busError(`CMD5: R1 = ${hex(answer.r1)}`);
    if (answer.ready) return;
    if (clock.now() - began >= options.bootTimeout) {
      throw new WincError('WINC_MODULE_SILENT', `not powered up within ${options.bootTimeout} ms (CMD5)`);
    }
    await sleep(clock, options.retryInterval);
  }
}

async function confirm(card: SdioCard, address: number, bits: number, otherwise: string): Promise<void> {
  const value = await card.direct(read(0, address));
  if ((value & bits) !== bits) throw busError(`${otherwise}: register ${hex(address)} = ${hex(value)}`);
}
