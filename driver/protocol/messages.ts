/**
 * The four messages that flow between a codec and everything above it. They carry no trace of the wire: the
 * AT codec and the TLV codec both read and write them, the driver from one side, the simulator from the other.
 */
import type { CommandName, EventName } from './catalogue/index.js';

/** An `ID.INDEX` pair, as in `AT+DNSC=1.2`: not a decimal number (5.10 is not 5.1). */
export interface Fractional {
  readonly int: number;
  readonly frac: number;
}

/** The wire types of API reference "Data types"; the numbers are the TLV type codes. */
export const WireType = {
  STATUS: 1,
  INTEGER: 2,
  INTEGER_UNSIGNED: 3,
  INTEGER_FRAC: 4,
  STRING: 5,
  BYTE_ARRAY: 6,
  LABEL: 7,
  IPV4ADDR: 8,
  IPV6ADDR: 9,
  BOOL: 10,
  MACADDR: 11,
  UTC_TIME: 12,
} as const;
export type WireTypeName = keyof typeof WireType;

/** A value with its wire type stated by the caller, for a parameter that accepts several. */
export interface Typed {
  readonly type: WireTypeName;
  readonly value: Scalar;
}

/**
 * One value, in the form every layer above a codec sees:
 * integers, booleans sent as integers, status codes (module << 8 | number) and UTC seconds are `number`;
 * STRING is `string`: UTF-8 on the wire, bytes that are not UTF-8 as lone surrogates U+DC80..U+DCFF, so that
 * any byte string survives the round trip; BYTE_ARRAY is `Uint8Array`; addresses are text (`192.168.1.2`,
 * RFC 5952 lower case for IPv6, `AA:BB:CC:DD:EE:FF`).
 */
export type Scalar = number | boolean | string | Uint8Array | Fractional;
export type Value = Scalar | Typed;

/** Named values, keyed by the catalogue's names in camel case (`SOCK_ID` → `sockId`). */
export type Values = Readonly<Record<string, Value | undefined>>;
/** Decoded elements; `Typed` never occurs here. An element list of variable length is an array of scalars. */
export type Elements = Readonly<Record<string, Scalar | readonly Scalar[] | undefined>>;

/** host → module */
export interface Request {
  readonly kind: 'request';
  readonly command: CommandName;
  /** The form to write (`FSRECV`), where the arguments fit several; decoders fill it in. */
  readonly form?: string;
  readonly args: Values;
  /** 16-bit sequence number of the TLV header; the AT wire has none and ignores it. */
  readonly seq: number;
}

/** module → host: one information element of the command in progress; 0..n of them precede its status. */
export interface Response {
  readonly kind: 'response';
  readonly command: CommandName;
  /** Which of the command's documented response forms this is, such as `READ_RESPONSE`. */
  readonly form: string;
  readonly elements: Elements;
  readonly seq?: number;
}

/** module → host: ends a command. */
export interface Status {
  readonly kind: 'status';
  /** On the AT wire, where a status line names none: the command in progress, if the decoder was told. */
  readonly command?: CommandName;
  /** module << 8 | number; 0 is OK. -1 when the verbosity (ATV0, ATV2, ATV4) hides the number. */
  readonly code: number;
  /** The text the module sent along, if the verbosity includes it. */
  readonly text?: string;
  /** A command that was accepted before has failed (`+SOCKBR:ERROR:4`): this ends no command in progress. */
  readonly asynchronous?: true;
  readonly seq?: number;
}

/** module → host, at any time: an asynchronous event (AEC). */
export interface Event {
  readonly kind: 'event';
  readonly name: EventName;
  /** Which of the event's documented forms this is, such as `TCP_RECEIVE_POLLED`. */
  readonly form: string;
  readonly elements: Elements;
}

/** Something on the wire that is no message: counted and reported, never thrown, never fatal. */
export interface Noise {
  readonly kind: 'noise';
  /** Stable, such as `UNKNOWN_LINE`, `LINE_TOO_LONG`, `BAD_PARAMETER`, `UNEXPECTED_BYTES`. */
  readonly reason: string;
  readonly bytes: Uint8Array;
}

export type ModuleMessage = Response | Status | Event | Noise;
export type Message = Request | ModuleMessage;
