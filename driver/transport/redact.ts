const MASK = new Uint8Array([0x2a, 0x2a, 0x2a]);
/** A shorter beginning of a secret at the end of a chunk is chance, and may be shown if nothing follows it. */
const TELLING_PREFIX = 3;

/** The byte strings that must not be readable in a record. Bounded: the oldest are forgotten first. */
export class Secrets {
  readonly #limit: number;
  #list: Buffer[] = [];

  constructor(limit = 64) {
    this.#limit = limit;
  }

  hide(secret: Uint8Array): void {
    if (secret.length === 0) return;
    const copy = Buffer.from(secret);
    this.#list = [copy, ...this.#list.filter((known) => !known.equals(copy))].slice(0, this.#limit);
  }

  /** The secret that begins at or nearest after `from`; of several there, the longest. */
  find(bytes: Buffer, from: number): { at: number; length: number } | undefined {
    let found: { at: number; length: number } | undefined;
    for (const secret of this.#list) {
      const at = bytes.indexOf(secret, from);
      if (at < 0) continue;
      if (found === undefined || at < found.at || (at === found.at && secret.length > found.length)) {
        found = { at, length: secret.length };
      }
    }
    return found;
  }

  /** Bytes at the end of `bytes` that may be the beginning of a secret still to come. */
  unfinished(bytes: Buffer): number {
    let longest = 0;
    for (const secret of this.#list) {
      for (let length = Math.min(secret.length - 1, bytes.length); length > longest; length--) {
        if (bytes.subarray(bytes.length - length).equals(secret.subarray(0, length))) longest = length;
      }
    }
    return longest;
  }
}

/** One direction of a record: chunks in, the same bytes with every secret replaced by `***` out. */
export class StreamMask {
  readonly #secrets: Secrets;
  #held = Buffer.alloc(0);

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** What may be shown now. The rest waits for the next chunk or for `flush`. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#held, chunk]);
    const shown: Uint8Array[] = [];
    let at = 0;
    for (let secret = this.#secrets.find(bytes, 0); secret; secret = this.#secrets.find(bytes, at)) {
      shown.push(bytes.subarray(at, secret.at), MASK);
      at = secret.at + secret.length;
    }
    const rest = bytes.subarray(at);
    const held = this.#secrets.unfinished(rest);
    this.#held = Buffer.from(rest.subarray(rest.length - held));
    shown.push(rest.subarray(0, rest.length - held));
    return Buffer.concat(shown);
  }

  /** Nothing came for a while: what was held back is shown, masked if it tells too much. */
  flush(): Uint8Array {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held.length >= TELLING_PREFIX ? MASK : held;
  }
}
