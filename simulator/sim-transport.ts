/**
 * The `sim:` transport: a world and a module of its own for whoever opens it, gone when it is closed. The shapes are those
 * of the driver's byte transport, which this folder does not import.
 *
 *     sim:?profile=rnwf02&ap=lab:secret123&host-network=loopback&seed=1&dns=name=addr
 */
import { WincError } from '../driver/protocol/errors.js';
import {
  parseAccessPoint,
  parseBootMs,
  parseDns,
  parseForward,
  parseHostNetwork,
  parseImpair,
  parseProfile,
  parseSeed,
} from './options.js';
import { createSimulator, type Simulator, type SimulatorOptions } from './simulator.js';
import type { Clock } from './tcpip/contract.js';

interface ByteHandler {
  data(bytes: Uint8Array): void;
  closed(error?: Error): void;
}

/** Options that may stand more than once. */
const REPEATABLE = new Set(['ap', 'dns', 'forward']);

/**
 * Reads the options of a `sim:` URL. Values are percent-encoded; names are those of the flags of `wincs02 sim`.
 * @throws WincError `WINC_URL`, `WINC_ARGUMENT`
 */
export function parseSimUrl(url: string): SimulatorOptions {
  const match = /^sim:(?:\?(.*))?$/s.exec(url);
  if (match === null) throw new WincError('WINC_URL', 'a simulator URL is sim: or sim:?name=value&…');
  const query = new URLSearchParams(match[1] ?? '');
  const options: { -readonly [Key in keyof SimulatorOptions]: SimulatorOptions[Key] } = {};
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    const value = values[0];
    if (values.length > 1 && !REPEATABLE.has(name))
      throw new WincError('WINC_URL', `sim: ${name} stands twice`);
    if (name === 'ap') options.accessPoints = values.map(parseAccessPoint);
    else if (name === 'dns') options.dns = values.map(parseDns);
    else if (name === 'forward') options.forwards = values.map(parseForward);
    else if (name === 'profile') options.profile = parseProfile(value);
    else if (name === 'host-network') options.hostNetwork = parseHostNetwork(value);
    else if (name === 'seed') options.seed = parseSeed(value);
    else if (name === 'boot-ms') options.bootMs = parseBootMs(value);
    else if (name === 'impair') options.impair = parseImpair(value);
    else if (name === 'pcap') options.pcap = value;
    else if (name === 'realistic' && value === '') options.realistic = true;
    else if (name === 'paced' && value === '') options.paced = true;
    else
      throw new WincError(
        'WINC_URL',
        `sim: there is no option ${name}${value === '' ? '' : ' of that value'}`,
      );
  }
  return options;
}

/** Opens a simulator of its own, with its module powered up. `simulator` is for who wants to meddle with its world. */
export async function openSimTransport(
  url: string,
  options: { readonly clock: Clock },
): Promise<SimTransport> {
  return new SimTransport(url, await createSimulator({ ...parseSimUrl(url), clock: options.clock }));
}

/** Made by {@link openSimTransport}. */
export class SimTransport {
  readonly kind = 'bytes';
  /** Without passphrases. */
  readonly url: string;
  readonly simulator: Simulator;
  #handler: ByteHandler | undefined;
  /** What the module said that the handler has not been given yet: it is called from the event loop only. */
  #unheard: Uint8Array[] = [];
  #scheduled = false;
  #closed = false;
  readonly #uart;

  constructor(url: string, simulator: Simulator) {
    this.url = url.replace(/([?&]ap=[^&]*?)(?::|%3a)[^&]*/gi, '$1');
    this.simulator = simulator;
    this.#uart = simulator.uart();
    this.#uart.onData = (bytes) => {
      this.#unheard.push(bytes.slice());
      this.#schedule();
    };
  }

  start(handler: ByteHandler): void {
    this.#handler = handler;
    this.#schedule();
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw new WincError('WINC_CLOSED', 'The simulator was closed.');
    this.#uart.toModule(bytes);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unheard = [];
    await this.simulator.close();
    this.#handler?.closed();
  }

  async setBaudRate(_baud: number): Promise<void> {}

  #schedule(): void {
    if (this.#scheduled || this.#handler === undefined || this.#unheard.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const heard = this.#unheard;
      this.#unheard = [];
      for (const bytes of heard) if (!this.#closed) this.#handler?.data(bytes);
    });
  }
}
