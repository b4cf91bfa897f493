/** The bring-up checklist of docs/hardware.md for a module on an SPI bus, from the wires up. */
import type { Clock } from '../driver/clock.js';
import { SdioCard } from '../driver/link/sdio/card.js';
import { initialise } from '../driver/link/sdio/initialise.js';
import type { Request } from '../driver/protocol/messages.js';
import { directArgument, Fn0, R1, SdioCommand } from '../driver/protocol/sdio/index.js';
import { TlvWire } from '../driver/session/tlv-wire.js';
import type { SpiTransport } from '../driver/transport/transport.js';
import { type Finding, pause, versionFinding } from './doctor-findings.js';

/** A real module boots in about 3.5 s. */
const BOOT_LIMIT = 8000;
const RETRY = 20;
/** Register accesses that have to come out right. */
const ROUNDS = 200;
const ANSWER_LIMIT = 3000;

const ones = (count: number) => new Uint8Array(count).fill(0xff);
const all = (bytes: Uint8Array, value: number) => bytes.every((byte) => byte === value);
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Walks the checklist; stops where going on makes no sense. The transport is closed at the end. */
export async function* diagnoseSpi(bus: SpiTransport, clock: Clock): AsyncGenerator<Finding> {
  try {
    yield* wires(bus, clock);
    const card = new SdioCard(bus, 'vendor');
    const boot = await awaitBoot(card, bus, clock);
    yield boot;
    if (boot.state === 'fail') return;
    const answering = await registers(card, clock);
    yield answering;
    if (answering.state === 'fail') return;
    yield* messages(bus, clock);
  } finally {
    await bus.close();
  }
}

async function* wires(bus: SpiTransport, clock: Clock): AsyncGenerator<Finding> {
  await bus.setReset(true);
  await pause(clock, 20);
  const inReset = new Uint8Array(await bus.transfer(ones(8)));
  if (all(inReset, 0x00)) yield { check: 'MISO in reset', state: 'ok', detail: 'low, as it should be' };
  else {
    const what = all(inReset, 0xff) ? 'high: nothing drives it' : `${hexOf(inReset)}: it changes`;
    yield {
      check: 'MISO in reset',
      state: 'warn',
      detail: `${what}. Check power, MISO and chip select, and that reset reaches the MCLR pin.`,
    };
  }
  yield bus.interruptAsserted
    ? {
        check: 'INTOUT in reset',
        state: 'warn',
        detail: 'low: not connected, pulled down, or the wrong line (int=…)',
      }
    : { check: 'INTOUT in reset', state: 'ok', detail: 'high' };
  await pause(clock, 80);
  await bus.setReset(false);
}

async function awaitBoot(card: SdioCard, bus: SpiTransport, clock: Clock): Promise<Finding> {
  const check = 'answer to CMD0';
  const began = clock.now();
  let last = 0;
  const odd = new Set<number>();
  while (clock.now() - began < BOOT_LIMIT) {
    last = await card.command(SdioCommand.GO_IDLE, 0);
    if (last === R1.IDLE) {
      const ms = Math.round(clock.now() - began);
      return { check, state: 'ok', detail: `${ms} ms after the release of reset`, values: { bootMs: ms } };
    }
    if (last !== 0x00 && last !== 0xff && odd.add(last).size > 3) break;
    await pause(clock, RETRY);
  }
  if (odd.size > 0) {
    const seen = [...odd].map((byte) => byte.toString(16).padStart(2, '0')).join(', ');
    return {
      check,
      state: 'fail',
      detail: `garbage (${seen}): the clock is too fast for the wiring (try clock=1000000), the mode is not 0, or MOSI and MISO are swapped`,
    };
  }
  const level = new Uint8Array(await bus.transfer(ones(4)));
  return {
    check,
    state: 'fail',
    silent: true,
    detail:
      last === 0x00 && all(level, 0x00)
        ? `none in ${BOOT_LIMIT} ms, MISO stays low: the module is held in reset, has no power or is erased`
        : `none in ${BOOT_LIMIT} ms, MISO stays high: MOSI, SCK or chip select does not arrive (is another device of this bus chosen?)`,
  };
}

/** Initialises, then reads and writes one register many times: what the wiring makes of the clock rate. */
async function registers(card: SdioCard, clock: Clock): Promise<Finding> {
  const check = 'registers';
  const address = Fn0.FN0_BLOCK_SIZE;
  let round = 0;
  try {
    await initialise(card, {
      clock,
      bootTimeout: 1000,
      retryInterval: RETRY,
      checked: false,
      fresh: false,
      known: false,
    });
    for (; round < ROUNDS; round++) {
      const value = (round * 37 + 11) & 0xff;
      const read = await card.direct(
        directArgument(true, 0, address, value),
        directArgument(false, 0, address),
      );
      if (read !== value) throw new Error(`wrote ${value.toString(16)}, read ${read.toString(16)}`);
    }
    await card.direct(directArgument(true, 0, address, 0));
    return { check, state: 'ok', detail: `initialised; ${ROUNDS} values written and read back` };
  } catch (error) {
    return {
      check,
      state: 'fail',
      detail: `${(error as Error).message} (round ${round}): try a lower clock, shorter wires, a ground beside SCK`,
    };
  }
}

/** One whole exchange: the interrupt line, the mailbox, the messages. */
async function* messages(bus: SpiTransport, clock: Clock): AsyncGenerator<Finding> {
  const wire = new TlvWire(bus, { clock, startTimeoutMs: BOOT_LIMIT, link: { reset: false } });
  let version: string | undefined;
  let answered = () => {};
  const done = new Promise<void>((resolve) => {
    answered = resolve;
  });
  let failure: Error | undefined;
  try {
    await wire.start({
      message(message) {
        if (message.kind === 'response' && message.command === 'GMR')
          version = String(message.elements.versionInfo);
        if (message.kind === 'status') answered();
      },
      booted: () => {},
      closed: (error) => {
        failure = error;
        answered();
      },
    });
    const request: Request = { kind: 'request', command: 'GMR', args: {}, seq: 0 };
    await Promise.race([wire.send(request).then(() => done), pause(clock, ANSWER_LIMIT)]);
  } catch (error) {
    failure = error as Error;
  }
  if (version !== undefined) {
    yield {
      check: 'interrupt and messages',
      state: 'ok',
      detail: 'a command was asked for, sent and answered',
    };
    yield versionFinding(version);
    return;
  }
  yield {
    check: 'interrupt and messages',
    state: 'fail',
    detail: `${failure?.message ?? 'no answer to a command'}: INTOUT does not arrive (int=…), or the module runs no firmware for this wire`,
  };
}
