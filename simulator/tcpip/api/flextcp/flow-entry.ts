import type { Stack, TcpConnection, TcpHandler, TcpRequest, TcpState } from '../../contract.js';
import { parseAddress } from '../../core/address.js';
import type { Arena } from './arena.js';
import type { ListenerEntry } from './listener-entry.js';
import { Notice, type Rings } from './protocol.js';
import type { SharedQueue } from './queue.js';
import type { ContextSide } from './service.js';

/** What entries need of the service. */
export interface FlowHost {
  readonly stack: Stack;
  readonly arena: Arena;
  tell(side: ContextSide, what: FlowEntry | ListenerEntry): void;
  newFlow(id: number, owner: ContextSide, listener?: ListenerEntry): FlowEntry | undefined;
  forget(flow: FlowEntry): void;
}

export interface Reported {
  /** Nothing is left to tell. */
  readonly complete: boolean;
  /** The reader slept when something was put into its queue. */
  readonly sleeping: boolean;
}

/** What there is to tell, as bits. Told in this order. */
const tell = {
  opened: 1,
  moved: 2,
  received: 4,
  sent: 8,
  receiveClosed: 16,
  sendClosed: 32,
  closed: 64,
} as const;

const peerDone: ReadonlySet<TcpState> = new Set(['CLOSE-WAIT', 'CLOSING', 'LAST-ACK', 'TIME-WAIT']);
const ownFinAcknowledged: ReadonlySet<TcpState> = new Set(['FIN-WAIT-2', 'TIME-WAIT', 'CLOSED']);

/**
 * One connection. Totals count bytes modulo 2^32 since its start and are what both sides compare, so that a notice that
 * found no room is simply told later, with the totals of then.
 */
export class FlowEntry {
  readonly id: number;
  readonly rings: Rings;
  readonly #host: FlowHost;
  readonly #listener: ListenerEntry | undefined;
  #owner: ContextSide;
  #connection: TcpConnection | undefined;
  #pending = 0;
  #status = 0;
  #established = false;
  #over = false;
  #closing = false;
  #receiveClosed = false;
  #sendClosed = false;
  #finSent = false;
  /** Told to the application. */
  #received = 0;
  #done = 0;
  #sent = 0;
  #acknowledged = 0;

  constructor(
    host: FlowHost,
    id: number,
    owner: ContextSide,
    rings: Rings,
    listener: ListenerEntry | undefined,
  ) {
    this.#host = host;
    this.id = id;
    this.#owner = owner;
    this.rings = rings;
    this.#listener = listener;
  }

  /** Tells that there is no room for connection `id`. */
  static refuse(host: FlowHost, id: number, owner: ContextSide, listener?: ListenerEntry): void {
    const nothing = { receiveOffset: 0, receiveSize: 0, sendOffset: 0, sendSize: 0 };
    const flow = new FlowEntry(host, id, owner, nothing, listener);
    flow.#status = -1;
    flow.#tell(tell.opened);
  }

  connect(address: string, port: number): void {
    try {
      this.#connection = this.#host.stack.tcpConnect({ address, port }, this.#handler(), {
        receiveMemory: this.#receiveMemory(),
      });
    } catch {
      this.#fail();
    }
  }

  accept(request: TcpRequest): void {
    this.#connection = request.accept(this.#handler(), { receiveMemory: this.#receiveMemory() });
  }

  receiveDone(total: number): void {
    const bytes = (total - this.#done) | 0;
    // Only what the application was told of can be done with.
    if (bytes <= 0 || bytes > ((this.#received - this.#done) | 0)) return;
    this.#done = total | 0;
    this.#connection?.consume(bytes);
  }

  send(total: number): void {
    const bytes = (total - this.#sent) | 0;
    const { sendSize, sendOffset } = this.rings;
    if (bytes <= 0 || bytes > sendSize - ((this.#sent - this.#acknowledged) | 0)) return;
    const at = this.#sent & (sendSize - 1);
    this.#sent = total | 0;
    const first = Math.min(bytes, sendSize - at);
    const { memory } = this.#host.arena;
    this.#connection?.writeReference(new Uint8Array(memory, sendOffset + at, first), first < bytes);
    if (first < bytes) this.#connection?.writeReference(new Uint8Array(memory, sendOffset, bytes - first));
  }

  sendClose(): void {
    if (this.#finSent) return;
    this.#finSent = true;
    this.#connection?.shutdown();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#over || this.#connection === undefined) this.#tell(tell.closed);
    else this.#connection.close();
  }

  /**
   * `seen`: the command, which says what the application knows: total received, whether it saw either side close. What it
   * missed, because it was still in the old context's queue, the new one is told again. To nowhere means to stay.
   */
  move(to: ContextSide | undefined, seen: Int32Array): void {
    this.#owner.waiting.delete(this);
    this.#owner = to ?? this.#owner;
    this.#received = seen[3];
    let bits = tell.moved | tell.received;
    if (this.#receiveClosed && seen[4] === 0) bits |= tell.receiveClosed;
    if (this.#sendClosed && seen[5] === 0) bits |= tell.sendClosed;
    // What was acknowledged is part of MOVED.
    this.#pending &= ~tell.sent;
    this.#tell(bits);
  }

  abort(): void {
    if (this.#connection === undefined) return;
    this.#connection.handler = {};
    this.#connection.abort();
  }

  /** Puts what is to be told into the owner's queue, as far as there is room. */
  report(notices: SharedQueue): Reported {
    let sleeping = false;
    for (let bit = 1; bit <= tell.closed; bit <<= 1) {
      while ((this.#pending & bit) !== 0) {
        const record = notices.slot();
        if (record === undefined) return { complete: false, sleeping };
        const again = this.#fill(record, bit);
        if (!again) this.#pending &= ~bit;
        if (record[0] === 0) break;
        if (notices.push()) sleeping = true;
      }
    }
    return { complete: true, sleeping };
  }

  /** Answers whether more of the same kind follows. Word 0 stays 0 if there was nothing after all. */
  #fill(record: Int32Array, bit: number): boolean {
    record.fill(0);
    record[1] = this.id;
    if (bit === tell.opened)
      this.#fillOpened(record, this.#listener === undefined ? Notice.OPENED : Notice.ACCEPTED);
    else if (bit === tell.moved) {
      this.#fillOpened(record, Notice.MOVED);
      record.set([this.#received, this.#done, this.#sent, this.#acknowledged], 12);
    } else if (bit === tell.received) return this.#fillReceived(record);
    else if (bit === tell.sent) {
      record[0] = Notice.SENT;
      record[2] = this.#acknowledged;
    } else if (bit === tell.receiveClosed) record[0] = Notice.RECEIVE_CLOSED;
    else if (bit === tell.sendClosed) record[0] = Notice.SEND_CLOSED;
    else {
      record[0] = Notice.CLOSED;
      record[2] = this.#status;
      this.#host.forget(this);
    }
    return false;
  }

  #fillOpened(record: Int32Array, kind: number): void {
    const { receiveOffset, receiveSize, sendOffset, sendSize } = this.rings;
    record[0] = kind;
    const remote = parseAddress(this.#connection?.remote.address ?? '::');
    record.set([this.#status, remote?.a ?? 0, remote?.b ?? 0, remote?.c ?? 0, remote?.d ?? 0], 2);
    record[7] = this.#connection?.remote.port ?? 0;
    record.set([receiveOffset, Math.log2(receiveSize || 1), sendOffset, Math.log2(sendSize || 1)], 8);
    if (kind !== Notice.MOVED) record.set([this.#listener?.id ?? 0, this.#connection?.local.port ?? 0], 12);
  }

  /** The next contiguous piece that the application has not been told of. */
  #fillReceived(record: Int32Array): boolean {
    let skip = (this.#received - this.#done) | 0;
    const views = this.#connection?.receiveViews() ?? [];
    for (const [index, view] of views.entries()) {
      if (skip >= view.length) {
        skip -= view.length;
        continue;
      }
      record[0] = Notice.RECEIVED;
      record[2] = view.byteOffset + skip;
      record[3] = view.length - skip;
      record[4] = this.#received;
      this.#received = (this.#received + view.length - skip) | 0;
      return index + 1 < views.length;
    }
    return false;
  }

  #receiveMemory(): Uint8Array {
    return new Uint8Array(this.#host.arena.memory, this.rings.receiveOffset, this.rings.receiveSize);
  }

  #tell(bits: number): void {
    this.#pending |= bits;
    this.#host.tell(this.#owner, this);
  }

  #fail(): void {
    this.#status = -1;
    this.#over = true;
    this.#tell(tell.opened);
    this.#host.forget(this);
  }

  #handler(): TcpHandler {
    return {
      connected: () => {
        this.#established = true;
        this.#tell(tell.opened);
      },
      readable: () => {
        if (this.#closing) return;
        this.#tell(tell.received);
        if (peerDone.has(this.#connection?.state ?? 'CLOSED')) this.#closeReceive();
      },
      acknowledged: (total) => {
        const more = (total | 0) !== this.#acknowledged;
        this.#acknowledged = total | 0;
        if (this.#closing) return;
        if (more) this.#tell(tell.sent);
        if (this.#finSent && ownFinAcknowledged.has(this.#connection?.state ?? 'CLOSED')) this.#closeSend();
      },
      closed: (failure) => {
        if (!this.#established) {
          this.#fail();
          return;
        }
        this.#over = true;
        if (failure !== 'none') this.#status = -1;
        if (this.#closing) {
          this.#pending = 0;
          this.#tell(tell.closed);
          return;
        }
        this.#tell(tell.received);
        this.#closeReceive();
        this.#closeSend();
      },
    };
  }

  #closeReceive(): void {
    if (this.#receiveClosed) return;
    this.#receiveClosed = true;
    this.#tell(tell.receiveClosed);
  }

  #closeSend(): void {
    if (this.#sendClosed) return;
    this.#sendClosed = true;
    this.#tell(tell.sendClosed);
  }
}
