import type { Endpoint, Stack, TcpListener, TcpRequest } from '../../contract.js';
import { parseAddress } from '../../core/address.js';
import { FlowEntry, type FlowHost, type Reported } from './flow-entry.js';
import { Notice } from './protocol.js';
import type { SharedQueue } from './queue.js';
import type { ContextSide } from './service.js';

/** Several contexts listen on one port; connections go round among them. */
export const LISTEN_REUSEPORT = 1;

/** One context's listener: requests that wait for a handle, handles that wait for a request. */
export class ListenerEntry {
  readonly id: number;
  readonly reusePort: boolean;
  readonly #host: FlowHost;
  readonly #owner: ContextSide;
  readonly #backlog: number;
  readonly #requests: TcpRequest[] = [];
  readonly #posted: number[] = [];
  /** New connections not yet told of. */
  readonly #untold: Endpoint[] = [];
  #openStatus: number | undefined;

  constructor(host: FlowHost, id: number, owner: ContextSide, backlog: number, flags: number) {
    this.#host = host;
    this.id = id;
    this.#owner = owner;
    this.#backlog = Math.max(1, backlog);
    this.reusePort = (flags & LISTEN_REUSEPORT) !== 0;
  }

  /** Requests that are welcome. */
  get room(): boolean {
    return this.#requests.length < this.#backlog && this.#untold.length < this.#backlog;
  }

  opened(successful: boolean): void {
    this.#openStatus = successful ? 0 : -1;
    this.#host.tell(this.#owner, this);
  }

  arrive(request: TcpRequest): void {
    this.#untold.push(request.remote);
    this.#host.tell(this.#owner, this);
    this.#requests.push(request);
    this.#match();
  }

  /** The application gives connection `id` to accept into. */
  post(id: number): void {
    if (this.#posted.length >= this.#backlog + 1024) FlowEntry.refuse(this.#host, id, this.#owner, this);
    else this.#posted.push(id);
    this.#match();
  }

  refuseAll(): void {
    for (const request of this.#requests.splice(0)) request.refuse();
  }

  report(notices: SharedQueue): Reported {
    let sleeping = false;
    while (this.#openStatus !== undefined || this.#untold.length > 0) {
      const record = notices.slot();
      if (record === undefined) return { complete: false, sleeping };
      record.fill(0);
      record[1] = this.id;
      if (this.#openStatus !== undefined) {
        record[0] = Notice.LISTENING;
        record[2] = this.#openStatus;
        this.#openStatus = undefined;
      } else {
        const [{ address, port }] = this.#untold.splice(0, 1);
        const words = parseAddress(address);
        record[0] = Notice.NEW_CONNECTION;
        record.set([words?.a ?? 0, words?.b ?? 0, words?.c ?? 0, words?.d ?? 0, port], 2);
      }
      if (notices.push()) sleeping = true;
    }
    return { complete: true, sleeping };
  }

  #match(): void {
    while (this.#requests.length > 0 && this.#posted.length > 0) {
      const [request] = this.#requests.splice(0, 1);
      const [id] = this.#posted.splice(0, 1);
      const flow = this.#host.newFlow(id, this.#owner, this);
      if (flow === undefined) {
        request.ignore();
        FlowEntry.refuse(this.#host, id, this.#owner, this);
      } else flow.accept(request);
    }
  }
}

/** All listeners of one port. */
export class PortGroup {
  readonly #entries: ListenerEntry[] = [];
  #listener: TcpListener | undefined;
  #next = 0;

  /** `undefined`: somebody else has the port. */
  static open(stack: Stack, port: number): PortGroup | undefined {
    const group = new PortGroup();
    try {
      group.#listener = stack.tcpListenRequests({ port }, (request) => group.#distribute(request));
      return group;
    } catch {
      return undefined;
    }
  }

  /** `false`: the port is taken, and not by listeners that all want to share. */
  join(entry: ListenerEntry): boolean {
    if (this.#entries.length > 0 && !(entry.reusePort && this.#entries[0].reusePort)) return false;
    this.#entries.push(entry);
    return true;
  }

  close(): void {
    this.#listener?.close();
    for (const entry of this.#entries) entry.refuseAll();
  }

  #distribute(request: TcpRequest): void {
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[(this.#next + i) % this.#entries.length];
      if (!entry.room) continue;
      this.#next = (this.#next + i + 1) % this.#entries.length;
      entry.arrive(request);
      return;
    }
    // All backlogs are full: the peer's next SYN may find room.
    request.ignore();
  }
}
