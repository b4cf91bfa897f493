/**
 * Frames of the SPI bridge, by which a host program drives an emulated module's bus through a socket: one byte opcode,
 * four bytes payload length (big endian), payload.
 */
export const BridgeOpcode = {
  /** host → module: MOSI of one chip-select window; answered with as many MISO bytes. */
  XFER: 0x01,
  /** host → module: one byte, 0 asserts reset, 1 releases it; answered empty. */
  MCLR: 0x02,
  /** module → host: one byte, 0 = asserted (low), 1 = idle; at connect and at every change. */
  INTOUT: 0x03,
} as const;

export const BRIDGE_HEADER_BYTES = 5;
/** Longest payload either end accepts. */
export const BRIDGE_MAX_PAYLOAD = 1 << 20;

export function bridgeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(BRIDGE_HEADER_BYTES + payload.length);
  frame[0] = opcode;
  new DataView(frame.buffer).setUint32(1, payload.length);
  frame.set(payload, BRIDGE_HEADER_BYTES);
  return frame;
}

/** Cuts a stream into frames. */
export class BridgeFrameReader {
  readonly #accepts: (opcode: number, length: number) => boolean;
  readonly #frame: (opcode: number, payload: Uint8Array) => void;
  readonly #header = new Uint8Array(BRIDGE_HEADER_BYTES);
  #headerAt = 0;
  #payload = new Uint8Array(4096);
  #length = 0;
  #at = 0;
  #broken = false;

  /**
   * @param accepts says whether a frame of this opcode and length may come; lengths are already within
   *                {@link BRIDGE_MAX_PAYLOAD}
   * @param frame   is told of each; the payload is valid during the call
   */
  constructor(
    accepts: (opcode: number, length: number) => boolean,
    frame: (opcode: number, payload: Uint8Array) => void,
  ) {
    this.#accepts = accepts;
    this.#frame = frame;
  }

  /** @returns false once a frame was not acceptable: the stream cannot be followed any further */
  push(bytes: Uint8Array): boolean {
    let at = 0;
    while (at < bytes.length && !this.#broken) {
      if (this.#headerAt < BRIDGE_HEADER_BYTES) {
        this.#header[this.#headerAt++] = bytes[at++];
        if (this.#headerAt < BRIDGE_HEADER_BYTES) continue;
        this.#begin();
      } else {
        const take = Math.min(bytes.length - at, this.#length - this.#at);
        this.#payload.set(bytes.subarray(at, at + take), this.#at);
        this.#at += take;
        at += take;
      }
      if (!this.#broken && this.#at === this.#length) {
        this.#headerAt = 0;
        this.#frame(this.#header[0], this.#payload.subarray(0, this.#length));
      }
    }
    return !this.#broken;
  }

  #begin(): void {
    const length = new DataView(this.#header.buffer).getUint32(1);
    this.#at = 0;
    this.#length = length;
    if (length > BRIDGE_MAX_PAYLOAD || !this.#accepts(this.#header[0], length)) this.#broken = true;
    else if (length > this.#payload.length) this.#payload = new Uint8Array(length);
  }
}
