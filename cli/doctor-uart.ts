/** The bring-up checklist of docs/hardware.md for a module on a UART. */
import type { Clock } from '../driver/clock.js';
import type { ByteTransport } from '../driver/transport/transport.js';
import { type Finding, pause, versionFinding } from './doctor-findings.js';

const USUAL_BAUD = 230_400;
const OTHER_BAUDS = [115_200, 460_800, 921_600, 57_600, 38_400, 19_200, 9600];
/** An answer to AT takes a few ms; a cold boot about 4 s. */
const ANSWER_MS = 400;
const BOOT_MS = 6000;
const GUARD_MS = 1100;
/** Commands sent without waiting: more than the FIFO of a usual UART. */
const BURST = 40;
/** Of what came in, kept to look at. */
const MAX_HEARD = 64 * 1024;

/** What comes in, as text, and waiting for something in it. */
class Ear {
  #heard = '';
  #wake: (() => void) | undefined;
  readonly #port: ByteTransport;
  readonly #clock: Clock;

  constructor(port: ByteTransport, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
    port.start({
      data: (bytes) => {
        this.#heard = (this.#heard + Buffer.from(bytes).toString('latin1')).slice(-MAX_HEARD);
        this.#wake?.();
      },
      closed: () => this.#wake?.(),
    });
  }

  get heard(): string {
    return this.#heard;
  }

  async say(text: string): Promise<void> {
    this.#heard = '';
    await this.#port.write(Buffer.from(text, 'latin1'));
  }

  /** Whether `pattern` was heard within `ms`. */
  async hears(pattern: RegExp, ms: number): Promise<boolean> {
    const deadline = this.#clock.now() + ms;
    while (!pattern.test(this.#heard)) {
      const left = deadline - this.#clock.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = this.#clock.setTimer(resolve, left);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return true;
  }

  async ask(command: string, ms = ANSWER_MS): Promise<boolean> {
    await this.say(`${command}\r\n`);
    return this.hears(/(?:^|[\r\n>])(?:OK|ERROR[^\r\n]*)[\r\n]/, ms);
  }
}

/** Walks the checklist; stops where going on makes no sense. The transport is closed at the end. */
export async function* diagnoseUart(port: ByteTransport, clock: Clock): AsyncGenerator<Finding> {
  const ear = new Ear(port, clock);
  try {
    const answer = await firstAnswer(ear, port, clock);
    yield answer;
    if (answer.state === 'fail') return;
    yield await echo(ear);
    yield await lineEnds(ear);
    yield await flowControl(ear);
    yield await version(ear);
  } finally {
    await port.close();
  }
}

async function firstAnswer(ear: Ear, port: ByteTransport, clock: Clock): Promise<Finding> {
  const check = 'answer to AT';
  const began = clock.now();
  // The first line may be glued to what somebody else left behind.
  await ear.ask('');
  while (clock.now() - began < BOOT_MS) {
    if (await ear.ask('AT')) {
      const ms = Math.round(clock.now() - began);
      return {
        check,
        state: 'ok',
        detail: ms > 2000 ? `after ${ms} ms: it was booting` : 'at once',
        values: { ms },
      };
    }
    if (ear.heard !== '') break;
  }
  // In raw mode a module takes everything for data until it hears the guarded escape.
  await pause(clock, GUARD_MS);
  await ear.say('+++');
  await pause(clock, GUARD_MS);
  if (await ear.ask('AT')) return { check, state: 'ok', detail: 'after +++: it was in raw mode' };
  const strange = ear.heard;
  if (port.url.startsWith('serial:')) {
    for (const baud of [...OTHER_BAUDS, USUAL_BAUD]) {
      await port.setBaudRate(baud);
      await ear.ask('');
      if (await ear.ask('AT')) {
        return {
          check,
          state: 'warn',
          detail: `at ${baud} baud only: open it with ?baud=${baud}, or set the module with AT+IPR`,
          values: { baud },
        };
      }
    }
  }
  if (/AT/.test(strange)) {
    return {
      check,
      state: 'fail',
      silent: true,
      detail: 'only what was sent comes back: TX and RX are bridged, or the module hangs',
    };
  }
  const detail =
    strange === ''
      ? 'nothing at any baud rate: check power, ground, TX and RX (crossed), and that the module runs RNWF02 firmware (WINCS02 speaks SPI only)'
      : 'unreadable at any baud rate: check ground and levels (3.3 V)';
  return { check, state: 'fail', silent: strange === '', detail };
}

async function echo(ear: Ear): Promise<Finding> {
  await ear.ask('AT');
  const on = /(?:^|[\r\n>])AT\r/.test(ear.heard);
  const detail = on ? 'on, as after every reset; the driver turns it off' : 'off';
  return { check: 'echo', state: 'ok', detail };
}

/** LF ends a line. An adapter or terminal server that turns CR into CR LF, or the other way, breaks binary data. */
async function lineEnds(ear: Ear): Promise<Finding> {
  const check = 'line ends';
  await ear.say('AT\r');
  if (await ear.hears(/OK[\r\n]/, ANSWER_MS / 2)) {
    return {
      check,
      state: 'fail',
      detail: 'something on the way adds LF to CR: set the adapter or server to raw',
    };
  }
  await ear.say('\n');
  if (!(await ear.hears(/OK[\r\n]/, ANSWER_MS))) {
    return {
      check,
      state: 'fail',
      detail: 'LF does not arrive: something on the way drops or changes line ends',
    };
  }
  return /OK\r\n/.test(ear.heard)
    ? { check, state: 'ok', detail: 'CR and LF arrive as they are' }
    : { check, state: 'fail', detail: 'CR is lost on the way from the module' };
}

async function flowControl(ear: Ear): Promise<Finding> {
  const check = 'flow control';
  await ear.say('AT\r\n'.repeat(BURST));
  const count = () => ear.heard.match(/OK\r\n/g)?.length ?? 0;
  for (let waited = 0; waited < 10 && count() < BURST; waited++) {
    const before = count();
    await ear.hears(new RegExp(`(?:OK\\r\\n[^]*){${BURST}}`), ANSWER_MS);
    if (count() === before) break;
  }
  return count() === BURST
    ? { check, state: 'ok', detail: `${BURST} commands in one go, ${BURST} answers` }
    : {
        check,
        state: 'warn',
        detail: `${count()} answers to ${BURST} commands: bytes are lost; lower the baud rate, or wire RTS and CTS and use AT&K3 with ?rtscts=1`,
      };
}

async function version(ear: Ear): Promise<Finding> {
  await ear.ask('AT+GMR');
  const found = /\+GMR[:=]"?([^"\r\n]+)/.exec(ear.heard);
  return found === null
    ? { check: 'firmware', state: 'warn', detail: 'AT+GMR tells no version' }
    : versionFinding(found[1]);
}
