/**
 * The stack's side: carries out what contexts put into their command queues and puts what happens into their notice
 * queues. Payload never passes through a queue: it lies in the arena, where the engine receives into it and sends from it.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Stack } from '../../contract.js';
import { Address, formatAddress } from '../../core/address.js';
import { StackError } from '../../errors.js';
import { Arena } from './arena.js';
import { FlowEntry, type FlowHost } from './flow-entry.js';
import { ListenerEntry, PortGroup } from './listener-entry.js';
import { Command, largestContext, queueRecords } from './protocol.js';
import { queueBytes, SharedQueue } from './queue.js';

export interface FlextcpOptions {
  /** Shared memory for queues and rings, bytes; 64 MiB. */
  readonly arenaBytes?: number;
  /** Each connection's rings, bytes, powers of two; 65,536. */
  readonly receiveBytes?: number;
  readonly sendBytes?: number;
}

/** All a thread needs to have a context; goes through `postMessage` or `workerData`, the port in the transfer list. */
export interface ContextDescriptor {
  readonly number: number;
  readonly memory: SharedArrayBuffer;
  readonly commandsOffset: number;
  readonly noticesOffset: number;
  readonly port: MessagePort;
}

/** One context as the stack sees it. */
class ContextSide {
  readonly number: number;
  readonly commands: SharedQueue;
  readonly notices: SharedQueue;
  readonly wake: () => void;
  /** What has something to tell and found no room, or is about to. */
  readonly waiting = new Set<FlowEntry | ListenerEntry>();

  constructor(number: number, commands: SharedQueue, notices: SharedQueue, wake: () => void) {
    this.number = number;
    this.commands = commands;
    this.notices = notices;
    this.wake = wake;
  }
}

export type { ContextSide };

const services = new WeakSet<Stack>();

export class FlextcpService implements FlowHost {
  readonly stack: Stack;
  readonly arena: Arena;
  readonly receiveBytes: number;
  readonly sendBytes: number;
  readonly #contexts = new Map<number, ContextSide>();
  readonly #flows = new Map<number, FlowEntry>();
  readonly #listeners = new Map<number, ListenerEntry>();
  readonly #ports = new Map<number, PortGroup>();
  readonly #channels: MessagePort[] = [];
  #nextContext = 1;

  /** One per stack, until closed. */
  static start(stack: Stack, options: FlextcpOptions): FlextcpService {
    if (services.has(stack)) throw new StackError('EADDRINUSE', 'this stack has a flextcp service already');
    const service = new FlextcpService(stack, options);
    services.add(stack);
    return service;
  }

  private constructor(stack: Stack, options: FlextcpOptions) {
    this.stack = stack;
    this.receiveBytes = options.receiveBytes ?? 65_536;
    this.sendBytes = options.sendBytes ?? 65_536;
    for (const size of [this.receiveBytes, this.sendBytes]) {
      if (!(size >= 1024) || !Number.isInteger(Math.log2(size))) {
        throw new StackError('EINVAL', `a ring of ${size} bytes; it must be a power of two, at least 1024`);
      }
    }
    this.arena = new Arena(options.arenaBytes ?? 1 << 26);
  }

  /** @throws StackError `ENOBUFS` if the arena has no room for its queues, or there were 2,047 contexts already */
  createContext(): ContextDescriptor {
    if (this.#nextContext > largestContext) throw new StackError('ENOBUFS', 'no more contexts');
    const size = queueBytes(queueRecords);
    const commandsOffset = this.arena.take(size);
    const noticesOffset = this.arena.take(size);
    if (commandsOffset === undefined || noticesOffset === undefined) {
      throw new StackError('ENOBUFS', 'the arena has no room for another context');
    }
    const number = this.#nextContext++;
    const { port1, port2 } = new MessageChannel();
    const { memory } = this.arena;
    const side = new ContextSide(
      number,
      new SharedQueue(memory, commandsOffset, queueRecords),
      new SharedQueue(memory, noticesOffset, queueRecords),
      () => port1.postMessage(0),
    );
    this.#contexts.set(number, side);
    this.#channels.push(port1);
    port1.on('message', () => this.drain(number));
    port1.unref();
    side.commands.sleep();
    return { number, memory, commandsOffset, noticesOffset, port: port2 };
  }

  /** Resets all connections, stops listening. Contexts hear no more. */
  close(): void {
    services.delete(this.stack);
    for (const group of this.#ports.values()) group.close();
    for (const flow of this.#flows.values()) flow.abort();
    for (const port of this.#channels) port.close();
    this.#ports.clear();
    this.#flows.clear();
    this.#listeners.clear();
    this.#contexts.clear();
  }

  /** Carries out what this context asks for, and tells it what it had no room for. */
  drain(number: number): void {
    const side = this.#contexts.get(number);
    if (side === undefined) return;
    do {
      for (let record = side.commands.front(); record !== undefined; record = side.commands.front()) {
        this.#carryOut(side, record);
        // Whoever waits for room in here polls; there is nobody to tell.
        side.commands.shift();
      }
    } while (!side.commands.sleep());
    this.#flush(side);
  }

  tell(side: ContextSide, what: FlowEntry | ListenerEntry): void {
    side.waiting.add(what);
    this.#flush(side);
  }

  #flush(side: ContextSide): void {
    let wake = false;
    for (const what of side.waiting) {
      const { complete, sleeping } = what.report(side.notices);
      wake ||= sleeping;
      if (!complete) break;
      side.waiting.delete(what);
    }
    if (wake) side.wake();
  }

  forget(flow: FlowEntry): void {
    this.#flows.delete(flow.id);
    this.arena.give(flow.rings.receiveOffset, this.receiveBytes);
    this.arena.give(flow.rings.sendOffset, this.sendBytes);
  }

  /** Rings for a new connection; `undefined`: the arena is full. */
  newFlow(id: number, owner: ContextSide, listener?: ListenerEntry): FlowEntry | undefined {
    const receiveOffset = this.#flows.has(id) ? undefined : this.arena.take(this.receiveBytes);
    if (receiveOffset === undefined) return undefined;
    const sendOffset = this.arena.take(this.sendBytes);
    if (sendOffset === undefined) {
      this.arena.give(receiveOffset, this.receiveBytes);
      return undefined;
    }
    const rings = { receiveOffset, receiveSize: this.receiveBytes, sendOffset, sendSize: this.sendBytes };
    const flow = new FlowEntry(this, id, owner, rings, listener);
    this.#flows.set(id, flow);
    return flow;
  }

  #carryOut(side: ContextSide, record: Int32Array): void {
    const [kind, id] = record;
    const flow = this.#flows.get(id);
    if (kind === Command.CONNECTION_OPEN) this.#open(side, record);
    else if (kind === Command.CONNECTION_CLOSE) flow?.close();
    else if (kind === Command.RECEIVE_DONE) flow?.receiveDone(record[2]);
    else if (kind === Command.SEND) flow?.send(record[2]);
    else if (kind === Command.SEND_CLOSE) flow?.sendClose();
    else if (kind === Command.MOVE) flow?.move(this.#contexts.get(record[2]), record);
    else if (kind === Command.LISTEN_OPEN) this.#listen(side, record);
    else if (kind === Command.LISTEN_ACCEPT) this.#listeners.get(id)?.post(record[2]);
  }

  #open(side: ContextSide, record: Int32Array): void {
    const [, id, a, b, c, d, port] = record;
    const flow = this.newFlow(id, side);
    if (flow === undefined) FlowEntry.refuse(this, id, side);
    else flow.connect(formatAddress(new Address(a, b, c, d)), port);
  }

  #listen(side: ContextSide, record: Int32Array): void {
    const [, id, port, backlog, flags] = record;
    const entry = new ListenerEntry(this, id, side, backlog, flags);
    let group = this.#ports.get(port);
    if (group === undefined && !this.#listeners.has(id)) {
      group = PortGroup.open(this.stack, port);
      if (group !== undefined) this.#ports.set(port, group);
    }
    const joined = !this.#listeners.has(id) && group?.join(entry) === true;
    if (joined) this.#listeners.set(id, entry);
    entry.opened(joined);
  }
}
