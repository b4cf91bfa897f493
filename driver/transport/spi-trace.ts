/**
 * A log of everything on an SPI bus as text, one line per chip-select window or level change:
 *
 *     @0.001204 H>M ff40... | M>H ffff...   # comment
 *     @0.001300 H>M MCLR 0                  reset asserted (0) or released (1)
 *     @0.001410 M>H INTOUT 0                interrupt line low (0) or high (1)
 *
 * The time, in seconds, and the comment are optional.
 */

import type { Clock } from '../clock.js';
import { WincError } from '../protocol/errors.js';
import type { SpiTransport, Transport, TransportDevice } from './transport.js';

export type SpiTraceEntry = (
  | { readonly kind: 'window'; readonly mosi: Uint8Array; readonly miso: Uint8Array }
  | { readonly kind: 'reset' | 'interrupt'; readonly asserted: boolean }
  | { readonly kind: 'comment'; readonly text: string }
) & {
  /** Seconds, if the log has times. */
  readonly time?: number;
};

const linePattern =
  /^(?:@(?<time>\d+(?:\.\d+)?)\s+)?(?:H>M (?<mosi>(?:[0-9a-f]{2})+) \| M>H (?<miso>(?:[0-9a-f]{2})+)|H>M MCLR (?<reset>[01])|M>H INTOUT (?<interrupt>[01]))\s*(?:#.*)?$/i;

/**
 * Reads one line; undefined for an empty one.
 * @throws WincError `WINC_TRACE_FORMAT`
 */
export function parseSpiTraceLine(line: string): SpiTraceEntry | undefined {
  const text = line.trim();
  if (text === '') return undefined;
  if (text.startsWith('#')) return { kind: 'comment', text: text.slice(1).trim() };
  const groups = linePattern.exec(text)?.groups;
  if (groups === undefined)
    throw new WincError('WINC_TRACE_FORMAT', `not a line of an SPI trace: ${text.slice(0, 60)}`);
  const time = groups.time === undefined ? {} : { time: Number(groups.time) };
  if (groups.reset !== undefined) return { kind: 'reset', asserted: groups.reset === '0', ...time };
  if (groups.interrupt !== undefined)
    return { kind: 'interrupt', asserted: groups.interrupt === '0', ...time };
  const mosi = Uint8Array.from(Buffer.from(groups.mosi, 'hex'));
  const miso = Uint8Array.from(Buffer.from(groups.miso, 'hex'));
  if (mosi.length !== miso.length) {
    throw new WincError('WINC_TRACE_FORMAT', `${mosi.length} bytes out and ${miso.length} in, in one window`);
  }
  return { kind: 'window', mosi, miso, ...time };
}

/** @throws WincError `WINC_TRACE_FORMAT` naming the line */
export function parseSpiTrace(text: string): SpiTraceEntry[] {
  const entries: SpiTraceEntry[] = [];
  text.split('\n').forEach((line, index) => {
    try {
      const entry = parseSpiTraceLine(line);
      if (entry !== undefined) entries.push(entry);
    } catch (cause) {
      throw new WincError('WINC_TRACE_FORMAT', `line ${index + 1}: ${(cause as Error).message}`, { cause });
    }
  });
  return entries;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

/** One line, without its end. */
export function formatSpiTraceEntry(entry: SpiTraceEntry): string {
  const time = entry.time === undefined ? '' : `@${entry.time.toFixed(6)} `;
  switch (entry.kind) {
    case 'window':
      return `${time}H>M ${hex(entry.mosi)} | M>H ${hex(entry.miso)}`;
    case 'reset':
      return `${time}H>M MCLR ${entry.asserted ? 0 : 1}`;
    case 'interrupt':
      return `${time}M>H INTOUT ${entry.asserted ? 0 : 1}`;
    case 'comment':
      return `# ${entry.text}`;
  }
}

/** Bytes by which a piece of a secret is recognised wherever a window cuts it. */
const GRAM = 8;
const MASK = 0x2a;
/** Secrets kept in mind; the oldest are forgotten first. */
const MAX_GRAMS = 65_536;

/** Overwrites secrets in copies of what is recorded. */
class SpiMask {
  readonly #grams = new Set<string>();
  readonly #short: Buffer[] = [];

  hide(secret: Uint8Array): void {
    const bytes = Buffer.from(secret);
    if (bytes.length === 0) return;
    if (bytes.length < GRAM) {
      if (!this.#short.some((known) => known.equals(bytes))) this.#short.push(bytes);
      return;
    }
    const text = bytes.toString('latin1');
    for (let at = 0; at + GRAM <= text.length; at++) this.#grams.add(text.slice(at, at + GRAM));
    for (const gram of this.#grams) {
      if (this.#grams.size <= MAX_GRAMS) break;
      this.#grams.delete(gram);
    }
  }

  apply(bytes: Uint8Array): Uint8Array {
    if (this.#grams.size === 0 && this.#short.length === 0) return bytes;
    const masked = Buffer.from(bytes);
    const text = masked.toString('latin1');
    for (let at = 0; at + GRAM <= text.length; at++) {
      if (this.#grams.has(text.slice(at, at + GRAM))) masked.fill(MASK, at, at + GRAM);
    }
    for (const secret of this.#short) {
      for (let at = masked.indexOf(secret); at >= 0; at = masked.indexOf(secret, at + 1)) {
        masked.fill(MASK, at, at + secret.length);
      }
    }
    return masked;
  }
}

/** Puts a tap on a bus: `sink` is told of every window and level change, in order; bytes are lent for the call. */
export function traceSpi(
  bus: SpiTransport,
  clock: Clock,
  sink: (entry: SpiTraceEntry) => void,
): SpiTransport {
  const began = clock.now();
  const time = () => (clock.now() - began) / 1000;
  const mask = new SpiMask();
  return {
    kind: 'spi',
    url: bus.url,
    get interruptAsserted() {
      return bus.interruptAsserted;
    },
    async transfer(mosi) {
      const miso = await bus.transfer(mosi);
      sink({ kind: 'window', mosi: mask.apply(mosi), miso: mask.apply(miso), time: time() });
      return miso;
    },
    async setReset(asserted) {
      sink({ kind: 'reset', asserted, time: time() });
      await bus.setReset(asserted);
    },
    start(handler) {
      bus.start({
        interrupt(asserted) {
          sink({ kind: 'interrupt', asserted, time: time() });
          handler.interrupt(asserted);
        },
        closed: (error) => handler.closed(error),
      });
    },
    close: () => bus.close(),
    hide(secret) {
      mask.hide(secret);
      bus.hide?.(secret);
    },
  };
}

/** Writes the log of an SPI bus, with secrets as asterisks; other transports pass unseen. */
export function spiTraceDevice(output: { write(line: string): unknown }): TransportDevice {
  return (inner: Transport, clock: Clock) =>
    inner.kind === 'spi'
      ? traceSpi(inner, clock, (entry) => output.write(`${formatSpiTraceEntry(entry)}\n`))
      : inner;
}
