import { expect } from 'chai';
import { SdioLink } from '../../../../driver/link/sdio/link.js';
import type { SpiTransport } from '../../../../driver/transport/transport.js';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { BareModule, settle } from './bench.js';
import { readTranscript, type Transcript, type Turn, transcriptNames } from './transcripts.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/**
 * A bus whose module is a recording. What precedes the recording (initialisation, an announcement) is answered by the
 * slave; from its first window on, every window has to be the recorded one.
 */
class Recording implements SpiTransport {
  readonly kind = 'spi';
  readonly url = 'recording:';
  interruptAsserted = false;
  readonly finished: Promise<void>;
  link!: SdioLink;

  readonly #transcript: Transcript;
  readonly #live: BareModule;
  readonly #turns: Turn[];
  #at: number | undefined;
  #handler!: Parameters<SpiTransport['start']>[0];
  #finish!: { resolve(): void; reject(error: unknown): void };
  #release: (() => void) | undefined;
  #closed = false;
  #up = false;
  readonly #early: (readonly Uint8Array[])[] = [];

  constructor(transcript: Transcript, live: BareModule) {
    this.#transcript = transcript;
    this.#live = live;
    this.#turns = [...transcript.host];
    this.finished = new Promise((resolve, reject) => {
      this.#finish = { resolve, reject };
    });
    live.onInterrupt = (asserted) => this.#interrupt(asserted);
  }

  /** From now on the recording answers; it may begin with an event that was raised before. */
  begin(): void {
    this.#at = 0;
    if (this.#transcript.module[0]?.before === 0) this.#interrupt(true);
    this.#advance();
  }

  start(handler: Parameters<SpiTransport['start']>[0]): void {
    this.#handler = handler;
  }

  async transfer(mosi: Uint8Array): Promise<Uint8Array> {
    if (this.#at === undefined) {
      const first = this.#transcript.entries.find(({ kind }) => kind === 'window');
      const starts = this.#transcript.announcedBefore.length > 0 && this.interruptAsserted;
      if (starts && first?.kind === 'window' && hex(first.mosi) === hex(mosi)) this.begin();
      else return this.#live.transfer(mosi);
    }
    const { entries } = this.#transcript;
    while (this.#at! < entries.length && entries[this.#at!].kind !== 'window') this.#pass();
    const entry = entries[this.#at!];
    if (entry?.kind !== 'window') {
      const over = new Error('the recording is over');
      if (this.#closed) throw over;
      return new Promise((_, reject) => {
        this.#release = () => reject(over);
      });
    }
    try {
      expect(hex(mosi), `entry ${this.#at}`).to.equal(hex(entry.mosi));
    } catch (error) {
      this.#finish.reject(error);
    }
    this.#at!++;
    this.#advance();
    return entry.miso;
  }

  async setReset(asserted: boolean): Promise<void> {
    if (this.#at === undefined) {
      this.#live.setReset(asserted);
      return;
    }
    const entry = this.#transcript.entries[this.#at];
    expect(entry).to.include({ kind: 'reset', asserted });
    this.#at++;
    this.#advance();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#release?.();
    this.#handler.closed();
  }

  /** The link is up: what the host did right after its initialisation can be done. */
  started(): void {
    this.#up = true;
    for (const messages of this.#early.splice(0)) this.#send(messages);
  }

  #send(messages: readonly Uint8Array[]): void {
    if (this.#up) void this.link.send(messages).catch(() => {});
    else this.#early.push(messages);
  }

  /** Nothing happened for a while: if INTOUT fell by itself in the recording, it does so now. */
  nudge(): void {
    if (this.#at === undefined) return;
    const entry = this.#transcript.entries[this.#at];
    if (entry?.kind === 'interrupt' && entry.asserted) {
      this.#pass();
      this.#advance();
    }
  }

  #pass(): void {
    const entry = this.#transcript.entries[this.#at!++];
    if (entry.kind === 'interrupt') this.#interrupt(entry.asserted);
  }

  #interrupt(asserted: boolean): void {
    this.interruptAsserted = asserted;
    this.#handler.interrupt(asserted);
  }

  #advance(): void {
    const { entries } = this.#transcript;
    while (entries[this.#at!]?.kind === 'comment') this.#at!++;
    let next = this.#at!;
    while (next < entries.length && entries[next].kind === 'interrupt') next++;
    if (this.#turns[0]?.before === next) this.#send(this.#turns.shift()!.messages);
    if (!entries.slice(this.#at!).some(({ kind }) => kind === 'window')) this.#finish.resolve();
  }
}

describe('SDIO link against the recorded modules', () => {
  for (const name of transcriptNames()) {
    it(`drives ${name} byte for byte`, async () => {
      const transcript = readTranscript(name);
      const clock = new VirtualClock();
      const bus = new Recording(transcript, new BareModule(clock, {}, 10));
      const received: string[] = [];
      const initialises = name === 'init' || name === 'reset_without_mclr' || name.startsWith('own_');
      bus.link = new SdioLink(bus, { clock, windows: 'vendor', reset: name !== 'reset_without_mclr' });
      if (initialises) bus.begin();
      await settle(
        clock,
        bus.link.start({
          message: (bytes) => received.push(hex(bytes)),
          recovered: (_, cause) => expect.fail(`bus error: ${cause.message}`),
          closed: () => {},
        }),
      );
      bus.started();
      if (transcript.announcedBefore.length > 0)
        void bus.link.send(transcript.announcedBefore).catch(() => {});
      else if (!initialises) bus.begin();
      const nudging = setInterval(() => bus.nudge(), 1);
      await bus.finished.finally(() => clearInterval(nudging));
      await bus.link.close();
      const recorded = transcript.records.flatMap(({ record }) =>
        record.kind === 'message' && record.from === 'module' ? [hex(record.bytes)] : [],
      );
      expect(received).to.deep.equal(recorded);
    });
  }
});
