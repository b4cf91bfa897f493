/** One emulated module: firmware, radio and front ends, wired as on the board. */

import type { Event, Request, Response, Status } from '../driver/protocol/messages.js';
import { Firmware } from './firmware/firmware.js';
import { erasedFlash, type Flash } from './firmware/flash.js';
import { fastTimings, type ProfileName, profiles, realisticTimings } from './firmware/profile.js';
import type { Radio } from './firmware/radio.js';
import { AtFrontend } from './frontend/at/at-frontend.js';
import type { FirmwarePort, Frontend } from './frontend/frontend.js';
import type { Clock, Random } from './tcpip/contract.js';
import { createStack } from './tcpip/stack.js';

export interface ModuleOptions {
  readonly clock: Clock;
  /** Decides socket ids, query ids, ports: the same seed gives the same module. */
  readonly random: Random;
  /** What the air hands to this module, for its MAC address. */
  readonly radio: Radio;
  /** `AA:BB:CC:DD:EE:FF` */
  readonly mac: string;
  /** Default `rnwf02`, which speaks AT. */
  readonly profile?: ProfileName;
  /** Take the time a real module was measured to take; default: as little as possible. */
  readonly realistic?: boolean;
  /** Milliseconds from reset to +BOOT, whatever else says. */
  readonly bootMs?: number;
  /** Let bytes on the UART take the time they take on a wire (230400 baud until AT+IPR says otherwise). */
  readonly pacedUart?: boolean;
  /** What an earlier life of the module left behind. */
  readonly flash?: Flash;
  /** Told of a firmware service that threw; without it the error goes on to whoever caused it. */
  readonly onFault?: (error: unknown) => void;
  /** Every message either way, whatever the wire; secrets are in it. */
  readonly observe?: (message: Request | Response | Status | Event) => void;
}

/** The module's UART, as a cable sees it. */
export interface UartPort {
  /** Host to module; the bytes are lent for the call. */
  write(bytes: Uint8Array): void;
  /** Module to host, set by whoever holds the other end; the bytes are lent for the call. */
  onData: (bytes: Uint8Array) => void;
  /** Set by whoever holds the other end: bytes it took and the host did not yet. */
  waiting: () => number;
  /** Bytes lost because one side did not listen in time. */
  readonly dropped: number;
}

/** A front end brought from outside: the SDIO slave of the SPI bus. */
export interface ExternalFrontend extends Frontend {
  connect(firmware: FirmwarePort): void;
}

export class EmulatedModule {
  readonly firmware: Firmware;
  readonly uart: UartPort;
  readonly mac: string;
  /** Survives resets and power cycles; give it to the next module to make it the same one. */
  readonly flash: Flash;

  constructor(options: ModuleOptions) {
    const { clock, random, radio, mac } = options;
    this.mac = mac;
    this.flash = options.flash ?? erasedFlash();
    const timings = options.realistic ? realisticTimings : fastTimings;
    this.firmware = new Firmware({
      clock,
      random,
      radio,
      mac,
      // Nobody else is on the simulated link with that address; a real host makes sure.
      createStack: (stack) => createStack({ ...stack, probeLease: options.realistic ?? false }),
      profile: profiles[options.profile ?? 'rnwf02'],
      timings: { ...timings, ...(options.bootMs !== undefined && { boot: options.bootMs }) },
      flash: this.flash,
      ...(options.onFault && { onFault: options.onFault }),
      ...(options.observe && { observe: options.observe }),
    });

    const frontend = new AtFrontend({
      clock,
      output: (bytes) => this.uart.onData(bytes),
      outputWaiting: () => this.uart.waiting(),
      paced: options.pacedUart ?? false,
    });
    this.uart = {
      write: (bytes) => frontend.receive(bytes),
      onData: () => {},
      waiting: () => 0,
      get dropped() {
        return frontend.dropped;
      },
    };
    frontend.attach(this.firmware.connect(frontend));
  }

  /** Puts another front end beside the UART, for instance the SPI bus; before `powerUp`. */
  attach(frontend: ExternalFrontend): void {
    frontend.connect(this.firmware.connect(frontend));
  }

  powerUp(): void {
    this.firmware.powerUp();
  }

  /** The reset pin. */
  reset(): void {
    this.firmware.hardReset();
  }

  /** Everything stops at once; nothing more is sent. */
  powerDown(): void {
    this.firmware.powerDown();
  }
}
