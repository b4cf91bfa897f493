/** Carries queries to the name servers the host uses, and their answers back, byte for byte but for the identifier. */
import { createSocket, type Socket } from 'node:dgram';
import { getServers } from 'node:dns';
import type { Clock, Random, TimerHandle } from '../tcpip/contract.js';
import type { AskUpstream } from './dns-server.js';

export interface DnsUpstreamOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** `10.0.0.1`, `10.0.0.1:5353`, `[::1]:53`; by default those of the host. */
  readonly servers?: readonly string[];
  /** For each server in turn, ms; default 2000. */
  readonly timeoutMs?: number;
}

const QUERY_LIMIT = 256;
const DNS_PORT = 53;

function parseServer(server: string): { address: string; port: number } {
  const match = /^\[(.+)\]:(\d+)$/.exec(server) ?? /^([\d.]+):(\d+)$/.exec(server);
  return match === null ? { address: server, port: DNS_PORT } : { address: match[1], port: Number(match[2]) };
}

export class DnsUpstream {
  readonly #options: DnsUpstreamOptions;
  readonly #servers: readonly { address: string; port: number }[];
  readonly #open = new Set<{ cancel(): void }>();

  constructor(options: DnsUpstreamOptions) {
    this.#options = options;
    this.#servers = (options.servers ?? getServers()).map(parseServer);
  }

  readonly ask: AskUpstream = (query, done) => {
    if (this.#open.size >= QUERY_LIMIT) done(undefined);
    else this.#ask(Buffer.from(query), 0, done);
  };

  close(): void {
    for (const query of [...this.#open]) query.cancel();
  }

  #ask(query: Buffer, index: number, done: (answer: Uint8Array | undefined) => void): void {
    const server = this.#servers[index];
    if (server === undefined) {
      done(undefined);
      return;
    }
    const { clock, random, timeoutMs = 2000 } = this.#options;
    const id = query.readUInt16BE(0);
    const ours = Math.floor(random() * 0x10000);
    const socket: Socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    let timer: TimerHandle | undefined;
    const entry = {
      cancel: () => {
        if (!this.#open.delete(entry)) return;
        timer?.cancel();
        socket.close();
      },
    };
    const next = () => {
      if (!this.#open.has(entry)) return;
      entry.cancel();
      this.#ask(query, index + 1, done);
    };
    this.#open.add(entry);
    timer = clock.setTimer(next, timeoutMs);
    socket.on('error', next);
    socket.on('message', (answer) => {
      if (answer.length < 12 || answer.readUInt16BE(0) !== ours || !this.#open.has(entry)) return;
      entry.cancel();
      answer.writeUInt16BE(id, 0);
      done(answer);
    });
    // Connected, so that only the server asked can answer.
    socket.connect(server.port, server.address, () => {
      const sent = Buffer.from(query);
      sent.writeUInt16BE(ours, 0);
      socket.send(sent);
    });
  }
}
