/**
 * Writes capture files as of draft-ietf-opsawg-pcapng: a section header, an interface description per interface, an
 * enhanced packet block per packet, with direction and comment. Little-endian; readable by tshark, Wireshark, tcpdump.
 */

const blockType = { sectionHeader: 0x0a0d0d0a, interfaceDescription: 1, enhancedPacket: 6 } as const;
const option = {
  end: 0,
  comment: 1,
  interfaceName: 2,
  resolution: 9,
  packetFlags: 2,
  application: 4,
} as const;
const linkTypeEthernet = 1;
const encoder = new TextEncoder();

export interface PcapngOptions {
  /** Takes each full chunk; lent for the call only. */
  readonly sink: (chunk: Uint8Array) => void;
  /** Milliseconds since 1970; what packets without a time of their own get. */
  readonly now: () => number;
  /** Digits after the second: 9 (default) or 6. */
  readonly resolution?: 6 | 9;
  /** Most bytes kept of a packet; everything by default. */
  readonly snapLength?: number;
  /** Bytes gathered before the sink gets them; 64 KiB. */
  readonly buffer?: number;
}

export interface PacketNotes {
  readonly direction?: 'in' | 'out';
  /** At most 65,535 bytes of UTF-8; the rest is cut off. */
  readonly comment?: string | undefined;
  /** Milliseconds since 1970. */
  readonly time?: number;
}

export class PcapngWriter {
  readonly #options: Required<PcapngOptions>;
  #buffer: Uint8Array;
  #view: DataView;
  #used = 0;
  #interfaces = 0;

  constructor(options: PcapngOptions) {
    this.#options = { resolution: 9, snapLength: 262_144, buffer: 65_536, ...options };
    this.#buffer = new Uint8Array(this.#options.buffer);
    this.#view = new DataView(this.#buffer.buffer);
    this.#block(blockType.sectionHeader, 64, () => {
      this.#u32(0x1a2b3c4d);
      this.#u16(1);
      this.#u16(0);
      this.#u32(0xffff_ffff);
      this.#u32(0xffff_ffff);
      this.#option(option.application, encoder.encode('wincs02'));
      this.#endOfOptions();
    });
  }

  /**
   * Declares an interface; the answer is its number in `packet`. Possible at any time.
   * @param linkType what its packets are, by the registry of the tcpdump group; Ethernet unless said
   */
  interface(name: string, linkType: number = linkTypeEthernet): number {
    const text = encoder.encode(name).subarray(0, 255);
    this.#block(blockType.interfaceDescription, 64 + text.length, () => {
      this.#u16(linkType);
      this.#u16(0);
      this.#u32(this.#options.snapLength);
      this.#option(option.interfaceName, text);
      this.#option(option.resolution, Uint8Array.of(this.#options.resolution));
      this.#endOfOptions();
    });
    return this.#interfaces++;
  }

  /** @throws RangeError for an interface never declared */
  packet(interfaceNumber: number, frame: Uint8Array, length: number, notes: PacketNotes = {}): void {
    if (!(interfaceNumber >= 0 && interfaceNumber < this.#interfaces)) {
      throw new RangeError(`no interface ${interfaceNumber} in this capture`);
    }
    const kept = Math.min(length, this.#options.snapLength);
    const comment =
      notes.comment === undefined ? undefined : encoder.encode(notes.comment).subarray(0, 65_535);
    this.#block(blockType.enhancedPacket, kept + 64 + (comment?.length ?? 0), () => {
      const time = notes.time ?? this.#options.now();
      // Whole seconds and the rest apart: nanoseconds since 1970 are beyond what a number holds exactly.
      const seconds = Math.floor(time / 1000);
      const unit = 10 ** this.#options.resolution;
      const ticks =
        BigInt(seconds) * BigInt(unit) + BigInt(Math.floor(((time - seconds * 1000) * unit) / 1000));
      this.#u32(interfaceNumber);
      this.#u32(Number(ticks >> 32n));
      this.#u32(Number(ticks & 0xffff_ffffn));
      this.#u32(kept);
      this.#u32(length);
      this.#bytes(frame.subarray(0, kept));
      if (notes.direction === undefined && comment === undefined) return;
      if (notes.direction !== undefined) {
        this.#u16(option.packetFlags);
        this.#u16(4);
        this.#u32(notes.direction === 'in' ? 1 : 2);
      }
      if (comment !== undefined) this.#option(option.comment, comment);
      this.#endOfOptions();
    });
  }

  /** Hands on what is gathered. */
  flush(): void {
    if (this.#used === 0) return;
    const used = this.#used;
    this.#used = 0;
    this.#options.sink(this.#buffer.subarray(0, used));
  }

  /** `room`: at least as much as `body` writes, with 12 bytes for the frame around it. */
  #block(type: number, room: number, body: () => void): void {
    if (this.#used + room + 12 > this.#buffer.length) this.flush();
    if (room + 12 > this.#buffer.length) {
      this.#buffer = new Uint8Array(room + 12);
      this.#view = new DataView(this.#buffer.buffer);
    }
    const start = this.#used;
    this.#u32(type);
    this.#u32(0);
    body();
    const length = this.#used - start + 4;
    this.#u32(length);
    this.#view.setUint32(start + 4, length, true);
  }

  #u16(value: number): void {
    this.#view.setUint16(this.#used, value, true);
    this.#used += 2;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.#used, value, true);
    this.#used += 4;
  }

  #bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
    while (this.#used % 4 !== 0) this.#buffer[this.#used++] = 0;
  }

  #option(code: number, value: Uint8Array): void {
    this.#u16(code);
    this.#u16(value.length);
    this.#bytes(value);
  }

  #endOfOptions(): void {
    this.#u32(option.end);
  }
}
