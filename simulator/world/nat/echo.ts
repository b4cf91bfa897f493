/** Echo requests to other hosts: carried out by the host's own `ping`, since Node has no ICMP. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Destination } from '../policy.js';

const WAIT_SECONDS = 5;
const LIMIT = 16;

export class EchoForwarder {
  readonly #destination: (address: string) => Destination;
  readonly #running = new Set<ChildProcess>();

  constructor(destination: (address: string) => Destination) {
    this.#destination = destination;
  }

  /** The engine's `icmpForwarder`: `reply` if the host gets an answer, else silence, which is what a lost echo sounds like. */
  readonly forward = (to: string, _from: string, payload: Uint8Array, reply: () => void): void => {
    const destination = this.#destination(to);
    if (typeof destination === 'string' || this.#running.size >= LIMIT) return;
    const count = ['-n', '-q', '-c', '1', '-W', String(WAIT_SECONDS), '-s', String(payload.length)];
    const family = destination.family === 4 ? '-4' : '-6';
    const child = spawn('ping', [family, ...count, '--', destination.address], { stdio: 'ignore' });
    this.#running.add(child);
    child.on('error', () => this.#running.delete(child));
    child.on('exit', (code) => {
      if (this.#running.delete(child) && code === 0) reply();
    });
  };

  close(): void {
    for (const child of this.#running) child.kill();
    this.#running.clear();
  }
}
