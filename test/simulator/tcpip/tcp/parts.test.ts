import { expect } from 'chai';
import fc from 'fast-check';
import { v4Address } from '../../../../simulator/tcpip/core/address.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { KeyedHash } from '../../../../simulator/tcpip/tcp/keyed-hash.js';
import { ReceiveBuffer } from '../../../../simulator/tcpip/tcp/receive-buffer.js';
import * as board from '../../../../simulator/tcpip/tcp/scoreboard.js';
import { SendBuffer } from '../../../../simulator/tcpip/tcp/send-buffer.js';
import * as states from '../../../../simulator/tcpip/tcp/states.js';

const patterned = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => ((from + i) * 7) & 0xff);

describe('ReceiveBuffer', () => {
  it('gives every byte once and in order, however the segments come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.array(fc.tuple(fc.nat(4000), fc.integer({ min: 1, max: 1500 })), { minLength: 1, maxLength: 60 }),
        (base, pieces) => {
          const buffer = new ReceiveBuffer();
          let next = 0;
          let read = 0;
          const into = new Uint8Array(700);
          for (const [start, length] of [...pieces, [0, 5500] as const]) {
            const data = patterned(start, length);
            const skip = Math.max(0, next - start);
            if (skip >= length) continue;
            const at = start + skip;
            if (at === next) {
              buffer.append(data, skip, length - skip);
              next += length - skip;
              next += buffer.join((base + next) | 0);
            } else buffer.insert((base + next) | 0, (base + at) | 0, data, skip, length - skip);
            const n = buffer.peek(into, 0);
            buffer.consume(n);
            expect(into.subarray(0, n)).to.deep.equal(patterned(read, n));
            read += n;
          }
          const rest = new Uint8Array(10_000);
          const n = buffer.peek(rest, 0);
          expect(rest.subarray(0, n)).to.deep.equal(patterned(read, n));
          expect(read + n).to.equal(5500);
          buffer.consume(n);
          expect(buffer.capacity, 'memory held when empty').to.equal(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keeps to memory it was given', () => {
    const buffer = new ReceiveBuffer();
    buffer.useMemory(new Uint8Array(1500));
    expect(buffer.capacity).to.equal(1024);
    expect(buffer.append(patterned(0, 1000), 0, 1000)).to.equal(true);
    expect(buffer.append(patterned(1000, 100), 0, 100)).to.equal(false);
    buffer.consume(1000);
    expect(buffer.append(patterned(0, 1024), 0, 1024)).to.equal(true);
    const views = buffer.views([]);
    expect(views.map((view) => view.length)).to.deep.equal([24, 1000]);
    expect(Buffer.concat(views)).to.deep.equal(Buffer.from(patterned(0, 1024)));
  });
});

describe('SendBuffer', () => {
  it('copies any stretch of what is not yet acknowledged, by copy, reference or in place', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom('write', 'reference', 'reserve', 'drop', 'copy'),
            fc.nat(70_000),
            fc.nat(),
          ),
          {
            maxLength: 60,
          },
        ),
        (steps) => {
          const buffer = new SendBuffer();
          let start = 0;
          let end = 0;
          for (const [kind, size, where] of steps) {
            if (kind === 'drop') {
              const n = Math.min(size, end - start);
              buffer.drop(n);
              start += n;
            } else if (kind === 'copy') {
              if (end === start) continue;
              const offset = where % (end - start);
              const n = Math.min(1 + (size % 3000), end - start - offset);
              const into = new Uint8Array(n + 5);
              buffer.copy(offset, into, 5, n);
              expect(into.subarray(5)).to.deep.equal(patterned(start + offset, n));
            } else if (kind === 'reserve') {
              const [view] = buffer.reserve(size);
              if (view === undefined) continue;
              view.set(patterned(end, view.length));
              buffer.commit(view.length);
              end += view.length;
            } else {
              const data = patterned(end, size);
              if (kind === 'write') buffer.write(data, size);
              else buffer.writeReference(data);
              end += size;
            }
            expect(buffer.length).to.equal(end - start);
          }
          buffer.clear();
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('Scoreboard', () => {
  it('counts bytes by kind as one by one counting does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.array(
          fc.tuple(
            fc.constantFrom('push', 'pop', 'sack', 'lose', 'resend', 'split', 'trim', 'clear'),
            fc.nat(),
          ),
          {
            maxLength: 120,
          },
        ),
        (base, steps) => {
          const scoreboard = new board.Scoreboard();
          let next = base;
          for (const [kind, where] of steps) {
            const { count } = scoreboard;
            const index = count > 0 ? where % count : 0;
            if (kind === 'push') {
              const end = (next + 1 + (where % 1460)) | 0;
              scoreboard.push(next, end, where | 0);
              next = end;
            } else if (count === 0) continue;
            else if (kind === 'pop') scoreboard.popFront();
            else if (kind === 'sack') scoreboard.markSacked(index);
            else if (kind === 'lose' && (scoreboard.flags(index) & board.SACKED) === 0)
              scoreboard.markLost(index);
            else if (kind === 'resend' && scoreboard.flags(index) & board.LOST)
              scoreboard.markResent(index, 5);
            else if (kind === 'split') scoreboard.split(index, (scoreboard.start(index) + 3) | 0);
            else if (kind === 'trim' && ((scoreboard.end(0) - scoreboard.start(0)) | 0) > 1) {
              scoreboard.trimFront((scoreboard.start(0) + 1) | 0);
            } else if (kind === 'clear') scoreboard.clearLost(index);
            check(scoreboard);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function check(scoreboard: board.Scoreboard): void {
  let sacked = 0;
  let lost = 0;
  let resent = 0;
  let records = 0;
  let firstLost = -1;
  for (let i = 0; i < scoreboard.count; i++) {
    const bytes = (scoreboard.end(i) - scoreboard.start(i)) | 0;
    const flags = scoreboard.flags(i);
    if (i > 0) expect(scoreboard.start(i)).to.equal(scoreboard.end(i - 1));
    if (flags & board.SACKED) {
      sacked += bytes;
      records++;
    }
    if (flags & board.LOST) lost += bytes;
    if (flags & board.RESENT) resent += bytes;
    if (firstLost < 0 && (flags & (board.LOST | board.RESENT | board.SACKED)) === board.LOST) firstLost = i;
    expect(scoreboard.find(scoreboard.start(i))).to.equal(i);
  }
  expect([
    scoreboard.sackedBytes,
    scoreboard.lostBytes,
    scoreboard.resentBytes,
    scoreboard.sackedCount,
  ]).to.deep.equal([sacked, lost, resent, records]);
  expect(scoreboard.nextLost()).to.equal(firstLost);
}

describe('the state table (RFC 9293 figure 5)', () => {
  const cases: [number, number, number][] = [
    [states.CLOSED, states.ACTIVE_OPEN, states.SYN_SENT],
    [states.CLOSED, states.PASSIVE_OPEN, states.LISTEN],
    [states.LISTEN, states.SYN_CAME, states.SYN_RECEIVED],
    [states.SYN_SENT, states.SYN_CAME, states.SYN_RECEIVED],
    [states.SYN_SENT, states.SYN_ACK_CAME, states.ESTABLISHED],
    [states.SYN_SENT, states.CLOSE, states.CLOSED],
    [states.SYN_RECEIVED, states.SYN_ACKED, states.ESTABLISHED],
    [states.SYN_RECEIVED, states.CLOSE, states.FIN_WAIT_1],
    [states.ESTABLISHED, states.CLOSE, states.FIN_WAIT_1],
    [states.ESTABLISHED, states.FIN_CAME, states.CLOSE_WAIT],
    [states.FIN_WAIT_1, states.FIN_ACKED, states.FIN_WAIT_2],
    [states.FIN_WAIT_1, states.FIN_CAME, states.CLOSING],
    [states.FIN_WAIT_2, states.FIN_CAME, states.TIME_WAIT],
    [states.CLOSE_WAIT, states.CLOSE, states.LAST_ACK],
    [states.CLOSING, states.FIN_ACKED, states.TIME_WAIT],
    [states.LAST_ACK, states.FIN_ACKED, states.CLOSED],
    [states.TIME_WAIT, states.EXPIRED, states.CLOSED],
  ];
  it('goes where the figure says', () => {
    for (const [from, event, to] of cases) expect(states.nextState(from, event)).to.equal(to);
  });

  it('fails into CLOSED from everywhere, and leaves TIME-WAIT by nothing else', () => {
    for (let state = 0; state < states.stateNames.length; state++) {
      expect(states.nextState(state, states.FAILED)).to.equal(states.CLOSED);
    }
    for (const event of [
      states.CLOSE,
      states.FIN_CAME,
      states.FIN_ACKED,
      states.SYN_CAME,
      states.SYN_ACKED,
    ]) {
      expect(states.nextState(states.TIME_WAIT, event)).to.equal(-1);
    }
  });
});

describe('KeyedHash', () => {
  it('is HalfSipHash-2-4 in quality: one bit in changes half the bits out', () => {
    const hash = new KeyedHash(seededRandom(9));
    const local = v4Address(0x0a000001);
    const random = seededRandom(10);
    let changed = 0;
    const rounds = 2000;
    for (let i = 0; i < rounds; i++) {
      const remote = v4Address(Math.floor(random() * 2 ** 32));
      const port = Math.floor(random() * 65_536);
      const one = hash.of(local, remote, port, 80);
      const two = hash.of(local, remote, port ^ (1 << Math.floor(random() * 16)), 80);
      for (let bit = 0; bit < 32; bit++) changed += ((one ^ two) >>> bit) & 1;
    }
    expect(changed / rounds).to.be.within(15.5, 16.5);
  });

  it('depends on its key', () => {
    const of = (seed: number): number =>
      new KeyedHash(seededRandom(seed)).of(v4Address(1), v4Address(2), 3, 4);
    expect(of(1)).to.equal(of(1));
    expect(of(1)).to.not.equal(of(2));
  });
});
