/** A module on the bench: firmware and AT front end on virtual time, a fake radio and a fake stack. */

import { Firmware } from '../../../../simulator/firmware/firmware.js';
import { erasedFlash } from '../../../../simulator/firmware/flash.js';
import { fastTimings, type Timings } from '../../../../simulator/firmware/profile.js';
import { AtFrontend } from '../../../../simulator/frontend/at/at-frontend.js';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { FakeRadio } from './fake-radio.js';
import { FakeStack } from './fake-stack.js';

export const MAC = '40:84:32:90:23:8D';

export interface BenchOptions {
  readonly paced?: boolean;
  readonly timings?: Timings;
  readonly seed?: number;
  /** What each new boot's stack is given. */
  readonly prepare?: (stack: FakeStack) => void;
}

export class Bench {
  readonly clock = new VirtualClock();
  readonly radio = new FakeRadio(this.clock);
  readonly flash = erasedFlash();
  readonly firmware: Firmware;
  readonly frontend: AtFrontend;
  /** Of the present boot. */
  stack!: FakeStack;
  /** Bytes a slow host has not taken. */
  hostWaiting = 0;
  #output = '';

  constructor(options: BenchOptions = {}) {
    const { clock, radio } = this;
    this.firmware = new Firmware({
      clock,
      random: seededRandom(options.seed ?? 1),
      radio,
      mac: MAC,
      timings: options.timings ?? fastTimings,
      flash: this.flash,
      createStack: (stackOptions) => {
        this.stack = new FakeStack(stackOptions);
        options.prepare?.(this.stack);
        return this.stack;
      },
    });
    this.frontend = new AtFrontend({
      clock,
      output: (bytes) => {
        this.#output += Buffer.from(bytes).toString('latin1');
      },
      outputWaiting: () => this.hostWaiting,
      paced: options.paced ?? false,
    });
    this.frontend.attach(this.firmware.connect(this.frontend));
  }

  /** Powered up, banner printed and taken away. */
  static booted(options: BenchOptions = {}): Bench {
    const bench = new Bench(options);
    bench.firmware.powerUp();
    bench.clock.advance(fastTimings.boot);
    bench.take();
    return bench;
  }

  type(text: string | Uint8Array): void {
    this.frontend.receive(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Everything printed since the last call, as latin1. */
  take(): string {
    const text = this.#output;
    this.#output = '';
    return text;
  }

  /** Types a line and answers what comes back at once. */
  command(line: string): string {
    this.type(`${line}\r\n`);
    return this.take();
  }

  /** Lets time pass and answers what was printed meanwhile. */
  wait(ms: number): string {
    this.clock.advance(ms);
    return this.take();
  }

  /** Without echo, with the station on its network. */
  static joined(options: BenchOptions = {}): Bench {
    const bench = Bench.booted(options);
    bench.command('ATE0');
    bench.join();
    return bench;
  }

  join(): void {
    const [ap] = this.radio.accessPoints;
    this.command(`AT+WSTAC=1,"${ap.ssid}"`);
    this.command(`AT+WSTAC=2,${ap.passphrase === undefined ? 0 : 3}`);
    if (ap.passphrase !== undefined) this.command(`AT+WSTAC=3,"${ap.passphrase}"`);
    this.command('AT+WSTA=1');
    this.wait(100);
  }

  /** Opens a TCP socket, connects it and answers id and connection. */
  connect(): { id: number; connection: FakeStack['connections'][number] } {
    this.stack.onConnect = (connection) => connection.establish();
    const id = Number(/\+SOCKO:(\d+)/.exec(this.command('AT+SOCKO=2'))?.[1]);
    this.command(`AT+SOCKBR=${id},"192.168.0.195",6666`);
    this.wait(10);
    return { id, connection: this.stack.connections[this.stack.connections.length - 1] };
  }
}
