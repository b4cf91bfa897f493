/** How a module prints and reads: the settings of `ATV`, `ATF` and `ATM`. AT reference, "Basic Commands". */
export interface AtFormat {
  /** `ATV`: 0 and 1 print `0`/`1`, 2 to 5 `OK`/`ERROR`; 1, 3, 5 add the code, 4 and 5 the text. */
  readonly verbosity: 0 | 1 | 2 | 3 | 4 | 5;
  /** `ATF` bits 0-1: 0 all hex, 1 plain strings, 2 escaped strings, 3 escaped strings and byte arrays. */
  readonly strings: 0 | 1 | 2 | 3;
  /** `ATF` bit 2: `0x`, `0o` and `0b` are understood and printed. */
  readonly bases: boolean;
  /** `ATF` bit 3: integers without prefix are hexadecimal. */
  readonly hexIntegers: boolean;
  /** `ATM1`: responses and events are named `+0E.00`. */
  readonly numeric: boolean;
}

/** After every reset. The reference gives `ATF7`; the verbosity is what every real module shows. */
export const defaultFormat: AtFormat = {
  verbosity: 5,
  strings: 3,
  bases: true,
  hexIntegers: false,
  numeric: false,
};

/** `ATF<bits>`, 0 to 15. */
export const withFormatBits = (format: AtFormat, bits: number): AtFormat => ({
  ...format,
  strings: (bits & 3) as AtFormat['strings'],
  bases: (bits & 4) !== 0,
  hexIntegers: (bits & 8) !== 0,
});
export const formatBits = (format: AtFormat): number =>
  format.strings | (format.bases ? 4 : 0) | (format.hexIntegers ? 8 : 0);
