/** What tells one module from another, and how long things take. */

export type ProfileName = 'rnwf02' | 'wincs02';

export interface Profile {
  readonly name: ProfileName;
  /** AT+GMI. Known from the AT engine this firmware descends from; not documented. */
  readonly manufacturer: string;
  /** AT+GMM. */
  readonly model: string;
  /** Text of +BOOT, as seen on real modules. */
  readonly banner: string;
}

/** Firmware 3.2.0 as AT+GMR of a real module tells it: version, anti-rollback level, hash, build time (UTC). */
export const build = {
  version: { int: 3, frac: 2 },
  patch: 0,
  security: 4,
  hash: 'a1ac4a49',
  time: Date.UTC(2026, 2, 19, 13, 57, 36) / 1000,
  text: '3.2.0 4 a1ac4a49 [13:57:36 Mar 19 2026]',
} as const;

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  rnwf02: {
    name: 'rnwf02',
    manufacturer: 'Microchip',
    model: 'RNWF02',
    banner: 'RNWF - AT Command Interface 3.2.0 (c) 2026 Microchip Technology Inc',
  },
  wincs02: {
    name: 'wincs02',
    manufacturer: 'Microchip',
    model: 'WINCS02',
    banner: 'WINCS02 3.2.0 (c) 2026 Microchip Technology Inc',
  },
};

/** Milliseconds. */
export interface Timings {
  /** From reset to +BOOT. */
  readonly boot: number;
  /** From AT+WSTA=1 to the first authentication frame, once an access point is found. */
  readonly associate: number;
  /** From AT+WSTA=1 to +WSTAERR when there is none, or it does not answer. */
  readonly associationFailure: number;
  /** A TLS handshake that takes longer has failed. Not documented. */
  readonly handshake: number;
  /** One sector of flash. */
  readonly sectorErase: number;
}

/** As little waiting as keeps the order of things. */
export const fastTimings: Timings = {
  boot: 20,
  associate: 20,
  associationFailure: 200,
  handshake: 10_000,
  sectorErase: 0,
};
/**
 * As measured on firmware 3.1.0: 3.85 to 4.06 s to boot, 9.5 s to give up on an access point. A sector takes what flash
 * of this kind takes.
 */
export const realisticTimings: Timings = {
  boot: 3900,
  associate: 2000,
  associationFailure: 9500,
  handshake: 10_000,
  sectorErase: 45,
};
