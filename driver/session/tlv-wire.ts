/** The TLV wire: every request a binary message, several in flight, over the SDIO link. */
import type { Clock } from '../clock.js';
import { SdioLink, type SdioLinkOptions } from '../link/sdio/link.js';
import { WincError } from '../protocol/errors.js';
import type { Request } from '../protocol/messages.js';
import { encodeText } from '../protocol/text.js';
import { encodeRequest, hostQuirks, TlvHostDecoder, TlvWriter } from '../protocol/tlv/index.js';
import { isTyped } from '../protocol/wiretype.js';
import type { SpiTransport } from '../transport/transport.js';
import { secretsOf } from './secrets.js';
import type { Wire, WireCounters, WireHandler } from './wire.js';

export interface TlvWireOptions {
  readonly clock: Clock;
  /** How long `start` waits for a module that is silent or booting, ms. It boots in about 3500. */
  readonly startTimeoutMs?: number;
  /** Overrides what the transport's URL says. */
  readonly link?: Pick<SdioLinkOptions, 'windows' | 'crc' | 'reset'>;
}

/** Commands in flight. A module asks for a burst of them at once. */
const WINDOW = 8;

/**
 * What a bus URL says about the link on it: `windows=merged|vendor`, `crc=on|off`.
 * @throws WincError `WINC_URL`
 */
export function linkOptionsOf(url: string): Pick<SdioLinkOptions, 'windows' | 'crc'> {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const windows = query.get('windows') ?? 'merged';
  const crc = query.get('crc') ?? 'off';
  if (windows !== 'merged' && windows !== 'vendor') {
    throw new WincError('WINC_URL', `${url}: "windows" must be merged or vendor.`);
  }
  if (crc !== 'on' && crc !== 'off') throw new WincError('WINC_URL', `${url}: "crc" must be on or off.`);
  return { windows, crc: crc === 'on' };
}

export class TlvWire implements Wire {
  readonly name = 'tlv';
  readonly window = WINDOW;
  readonly #bus: SpiTransport;
  readonly #link: SdioLink;
  readonly #decoder = new TlvHostDecoder();
  /** Writers whose last message the module has taken. */
  readonly #writers: TlvWriter[] = [];
  readonly #counters = { bytesIn: 0, bytesOut: 0 };

  constructor(bus: SpiTransport, options: TlvWireOptions) {
    this.#bus = bus;
    this.#link = new SdioLink(bus, {
      clock: options.clock,
      ...linkOptionsOf(bus.url),
      ...options.link,
      ...(options.startTimeoutMs !== undefined && { bootTimeout: options.startTimeoutMs }),
    });
  }

  /** Bytes of messages; what the bus needed for them the link knows. */
  get counters(): WireCounters {
    return this.#counters;
  }

  get link(): SdioLink {
    return this.#link;
  }

  async start(handler: WireHandler): Promise<void> {
    await this.#link.start({
      message: (bytes) => {
        this.#counters.bytesIn += bytes.length;
        const message = this.#decoder.decode(bytes);
        // That it booted was seen on the bus before it could say so.
        if (message.kind !== 'event' || message.name !== 'BOOT') handler.message(message);
      },
      recovered: (restarted) => {
        if (restarted) handler.booted('');
      },
      closed: (error) => handler.closed(error),
    });
  }

  async send(request: Request): Promise<void> {
    this.#hideSecrets(request);
    const writer = this.#writers.pop() ?? new TlvWriter();
    const bytes = encodeRequest(request, hostQuirks, writer);
    this.#counters.bytesOut += bytes.length;
    await this.#link.send([bytes]);
    if (this.#writers.length < WINDOW) this.#writers.push(writer);
  }

  #hideSecrets(request: Request): void {
    if (this.#bus.hide === undefined) return;
    for (const name of secretsOf(request)) {
      const value = request.args[name];
      const secret = isTyped(value) ? value.value : value;
      if (typeof secret === 'string') this.#bus.hide(encodeText(secret));
      else if (secret instanceof Uint8Array) this.#bus.hide(secret);
    }
  }

  async recover(how: 'gentle' | 'reset', timeoutMs: number): Promise<void> {
    await this.#link.recover(how, timeoutMs);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
