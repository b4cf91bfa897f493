import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { CapturedLink, CaptureFile } from '../../../../simulator/tcpip/link/capture.js';
import { onClock } from '../../../../simulator/tcpip/link/dispatch.js';
import { PcapngWriter } from '../../../../simulator/tcpip/link/pcapng.js';
import { memoryPipe } from '../../../../simulator/tcpip/link/pipe.js';
import { plain } from './frames.js';

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** Cuts a file into blocks, checking both lengths of each. */
function blocks(file: Buffer): Block[] {
  const result: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    expect(length % 4).to.equal(0);
    expect(file.readUInt32LE(at + length - 4)).to.equal(length);
    result.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return result;
}

function options(bytes: Buffer): Map<number, Buffer> {
  const result = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const [code, length] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)];
    if (code === 0) break;
    result.set(code, bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return result;
}

function packet({ type, body }: Block) {
  expect(type).to.equal(6);
  const kept = body.readUInt32LE(12);
  const notes = options(body.subarray(20 + Math.ceil(kept / 4) * 4));
  return {
    interface: body.readUInt32LE(0),
    ticks: (BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8)),
    length: body.readUInt32LE(16),
    bytes: [...body.subarray(20, 20 + kept)],
    flags: notes.get(2)?.readUInt32LE(0),
    comment: notes.get(1)?.toString(),
  };
}

function collected(extra: { resolution?: 6 | 9; snapLength?: number; buffer?: number } = {}, now = () => 0) {
  const chunks: Buffer[] = [];
  const writer = new PcapngWriter({ sink: (chunk) => chunks.push(Buffer.from(chunk)), now, ...extra });
  return {
    writer,
    chunks,
    file: () => {
      writer.flush();
      return Buffer.concat(chunks);
    },
  };
}

describe('pcapng writer', () => {
  it('starts with a section header and describes each interface before its packets', () => {
    const { writer, file } = collected();
    expect([writer.interface('stack'), writer.interface('wire')]).to.deep.equal([0, 1]);
    const [section, first, second] = blocks(file());
    expect(section.type).to.equal(0x0a0d0d0a);
    expect(section.body.subarray(0, 16).toString('hex')).to.equal('4d3c2b1a01000000ffffffffffffffff');
    for (const [block, name] of [
      [first, 'stack'],
      [second, 'wire'],
    ] as const) {
      expect([block.type, block.body.readUInt16LE(0)]).to.deep.equal([1, 1]);
      expect(options(block.body.subarray(8)).get(2)?.toString()).to.equal(name);
      expect([...(options(block.body.subarray(8)).get(9) ?? [])]).to.deep.equal([9]);
    }
  });

  it('keeps any packet, comment, direction and time exactly', () => {
    const record = fc.record({
      frame: fc.uint8Array({ maxLength: 3000 }),
      comment: fc.option(fc.string({ maxLength: 300, unit: 'grapheme' }), { nil: undefined }),
      direction: fc.option(fc.constantFrom('in' as const, 'out' as const), { nil: undefined }),
      time: fc.nat(4_000_000_000_000),
      port: fc.nat(1),
    });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 8 }),
        fc.integer({ min: 16, max: 5000 }),
        (records, buffer) => {
          const { writer, file } = collected({ buffer });
          writer.interface('a');
          writer.interface('b');
          for (const { frame, comment, direction, time, port } of records) {
            writer.packet(port, frame, frame.length, { comment, time, ...(direction && { direction }) });
          }
          const written = blocks(file()).slice(3).map(packet);
          expect(written).to.deep.equal(
            records.map(({ frame, comment, direction, time, port }) => ({
              interface: port,
              ticks: BigInt(time) * 1_000_000n,
              length: frame.length,
              bytes: [...frame],
              flags: direction === undefined ? undefined : direction === 'in' ? 1 : 2,
              comment,
            })),
          );
        },
      ),
    );
  });

  it('resolves nanoseconds or microseconds', () => {
    for (const [resolution, ticks] of [
      [9, 1_700_000_000_123_250_000n],
      [6, 1_700_000_000_123_250n],
    ] as const) {
      const { writer, file } = collected({ resolution }, () => 1_700_000_000_123.25);
      writer.packet(writer.interface('x'), plain(1, 2), 14);
      expect(packet(blocks(file())[2]).ticks).to.equal(ticks);
    }
  });

  it('cuts packets at the snap length and says how long they were', () => {
    const { writer, file } = collected({ snapLength: 5 });
    writer.packet(writer.interface('x'), plain(1, 2, [1, 2, 3]), 17);
    const { bytes, length } = packet(blocks(file())[2]);
    expect([bytes.length, length]).to.deep.equal([5, 17]);
  });

  it('hands on whole blocks, at most a buffer at a time', () => {
    const { writer, chunks, file } = collected({ buffer: 4096 });
    const port = writer.interface('x');
    for (let i = 0; i < 200; i++) writer.packet(port, plain(1, 2, new Array<number>(500).fill(i & 255)), 514);
    expect(chunks.length).to.be.greaterThan(20);
    for (const chunk of chunks) expect(chunk.length).to.be.at.most(4096);
    for (const chunk of chunks) blocks(chunk);
    expect(blocks(file()).length).to.equal(202);
  });

  it('refuses an interface that was never declared', () => {
    expect(() => collected().writer.packet(0, plain(1, 2), 14)).to.throw(RangeError);
  });
});

describe('captured link', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'capture-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('writes both directions to a file while frames pass through', () => {
    const clock = new VirtualClock();
    const [near, far] = memoryPipe({ dispatch: onClock(clock), queue: 1 });
    const path = join(folder, 'a.pcapng');
    const file = new CaptureFile(path, { now: () => clock.now() });
    const link = new CapturedLink(near, file.writer, 'stack');
    const seen: number[] = [];
    link.receive = (frame) => seen.push(frame[14]);
    far.receive = (frame) => seen.push(frame[14]);
    link.transmit(plain(1, 2, [1]), 15);
    link.transmit(plain(1, 2, [2]), 15);
    clock.advance(3);
    far.transmit(plain(2, 1, [3]), 15);
    clock.advance(0);
    file.flush();
    const packets = blocks(readFileSync(path)).slice(2).map(packet);
    expect(seen).to.deep.equal([1, 3]);
    expect(
      packets.map(({ bytes, flags, comment, ticks }) => [bytes[14], flags, comment, ticks]),
    ).to.deep.equal([
      [1, 2, undefined, 0n],
      [2, 2, 'dropped: the queue below is full', 0n],
      [3, 1, undefined, 3_000_000n],
    ]);
    file.close();
    file.close();
    link.transmit(plain(1, 2, [4]), 15);
    clock.advance(0);
    expect(seen).to.deep.equal([1, 3, 4]);
  });

  it('reports a disk that fails and lets the traffic go on', () => {
    const errors: Error[] = [];
    const file = new CaptureFile('/dev/full', { onError: (error) => errors.push(error) });
    const port = file.writer.interface('x');
    for (let i = 0; i < 3; i++) {
      file.writer.packet(port, plain(1, 2), 14);
      file.flush();
    }
    expect(errors.map((error) => (error as NodeJS.ErrnoException).code)).to.deep.equal(['ENOSPC']);
  });
});
