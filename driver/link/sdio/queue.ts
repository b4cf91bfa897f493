/** What waits to be sent: groups of messages, each with the promise of whoever queued it. */

interface Group {
  readonly messages: readonly Uint8Array[];
  left: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Messages in one announcement, as the vendor's driver was seen to take them. */
export const MAX_BURST = 8;
/** Bytes in one announcement that combines several groups. */
const MAX_BURST_BYTES = 8192;

/** Messages announced together. */
export class Burst {
  readonly messages: readonly Uint8Array[];
  readonly #owners: readonly Group[];
  #next = 0;

  constructor(messages: readonly Uint8Array[], owners: readonly Group[]) {
    this.messages = messages;
    this.#owners = owners;
  }

  get left(): number {
    return this.messages.length - this.#next;
  }

  /** The message to be written now. */
  get current(): Uint8Array {
    return this.messages[this.#next];
  }

  /** The module has taken the current message. */
  taken(): void {
    const owner = this.#owners[this.#next++];
    if (--owner.left === 0) owner.resolve();
  }

  /** 32-bit little-endian word counts. */
  lengthList(): Uint8Array {
    const list = new Uint8Array(this.messages.length * 4);
    const view = new DataView(list.buffer);
    for (const [at, message] of this.messages.entries()) view.setUint32(at * 4, message.length / 4, true);
    return list;
  }

  fail(error: Error): void {
    for (const owner of this.#owners.slice(this.#next)) owner.reject(error);
  }

  /** Messages not taken, with their owners. */
  rest(): { readonly message: Uint8Array; readonly owner: Group }[] {
    const rest: { message: Uint8Array; owner: Group }[] = [];
    for (let at = this.#next; at < this.messages.length; at++) {
      rest.push({ message: this.messages[at], owner: this.#owners[at] });
    }
    return rest;
  }
}

export class SendQueue {
  #groups: Group[] = [];
  /** Messages of a broken-off burst: they go first. */
  #returned: { readonly message: Uint8Array; readonly owner: Group }[] = [];

  /** Messages waiting. */
  get length(): number {
    let count = this.#returned.length;
    for (const { messages } of this.#groups) count += messages.length;
    return count;
  }

  push(messages: readonly Uint8Array[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#groups.push({ messages, left: messages.length, resolve, reject });
    });
  }

  /** @param combine whether several groups may share a burst */
  next(combine: boolean): Burst {
    const messages: Uint8Array[] = [];
    const owners: Group[] = [];
    for (const { message, owner } of this.#returned.splice(0)) {
      messages.push(message);
      owners.push(owner);
    }
    let bytes = 0;
    while (this.#groups.length > 0) {
      const [group] = this.#groups;
      const size = group.messages.reduce((sum, { length }) => sum + length, 0);
      const fits =
        combine && messages.length + group.messages.length <= MAX_BURST && bytes + size <= MAX_BURST_BYTES;
      if (messages.length > 0 && !fits) break;
      this.#groups.shift();
      for (const message of group.messages) {
        messages.push(message);
        owners.push(group);
      }
      bytes += size;
    }
    return new Burst(messages, owners);
  }

  putBack(burst: Burst): void {
    this.#returned.unshift(...burst.rest());
  }

  fail(error: Error): void {
    for (const { owner } of this.#returned.splice(0)) owner.reject(error);
    for (const group of this.#groups.splice(0)) group.reject(error);
  }
}
