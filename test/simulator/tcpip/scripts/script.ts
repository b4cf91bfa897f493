/**
 * Timed scripts of segments, on the virtual clock: one stack under test, one peer that is nothing but the script.
 *
 *     listen                                    the user's calls, by name
 *     < S 0:0(0) win 65535 <mss 1460>           a segment of the peer's comes
 *     > S. 0:0(0) ack 1 <mss 1460>              the stack must send this next
 *     +40 > . 1:1(0) ack 1001                   … 40 ms later, and nothing before
 *     nothing                                   the stack must have sent nothing more
 *
 * Flags: S F R P U E(CE) W(CWR), `.` for ACK. Sequence numbers count from each side's initial one. In what is expected,
 * only what is written is compared: `ack`, `win`, `urg`, and the options between `< >`, of which `none` forbids all and
 * `no X` one. At the end of a script nothing may be left over, unless its last line is `...`.
 */
import { expect } from 'chai';
import * as wire from '../../../../simulator/tcpip/wire/tcp.js';
import { Machine, type ScriptOptions, type Sent } from './machine.js';
import { flagText, parseSegmentLine } from './segment-line.js';

function injectLine(machine: Machine, text: string): void {
  const line = parseSegmentLine(text);
  const segment = new wire.Segment();
  segment.flags = line.flags;
  segment.sequence = (machine.peerIss + line.start) | 0;
  segment.acknowledgment = line.ack === undefined ? 0 : (machine.ourIss + line.ack) | 0;
  segment.window = line.win ?? 65_535;
  segment.urgentPointer = line.urg ?? 0;
  let raw: Uint8Array | undefined;
  for (const option of line.options ?? []) {
    const [name, ...values] = option.split(' ');
    switch (name) {
      case 'mss':
        segment.mss = Number(values[0]);
        break;
      case 'ws':
        segment.windowScale = Number(values[0]);
        break;
      case 'sackOK':
        segment.sackPermitted = true;
        break;
      case 'ts': {
        const [value, echo] = values[0].split('/');
        segment.hasTimestamps = true;
        segment.timestampValue = Number(value) | 0;
        segment.timestampEcho = echo === '*' ? machine.lastTimestamp : Number(echo);
        break;
      }
      case 'sack':
        for (const block of values) {
          const [left, right] = block.split(':').map(Number);
          segment.sack[2 * segment.sackCount] = (machine.ourIss + left) | 0;
          segment.sack[2 * segment.sackCount + 1] = (machine.ourIss + right) | 0;
          segment.sackCount++;
        }
        break;
      case 'uto':
        segment.userTimeout = Number(values[0]);
        break;
      case 'fo':
        segment.fastOpenLength = values[0] === 'cookie' ? machineCookie.length : (values[0]?.length ?? 0) / 2;
        segment.fastOpenCookie.set(
          values[0] === 'cookie' ? machineCookie : Buffer.from(values[0] ?? '', 'hex'),
        );
        break;
      case 'raw':
        raw = Uint8Array.from(values, (value) => Number.parseInt(value, 16));
        break;
      default:
        throw new Error(`no such option: ${option}`);
    }
  }
  const data = Uint8Array.from({ length: line.length }, (_, i) => (line.start + i) & 0xff);
  const trafficClass = /\bce\b/.test(line.rest) ? 3 : 0;
  machine.inject(segment, data, { ...(raw === undefined ? {} : { raw }), trafficClass });
}

/** The Fast Open cookie the stack last gave out. */
let machineCookie: Uint8Array = new Uint8Array();

function describe_(machine: Machine, { segment, data, at }: Sent): string {
  const start = (segment.sequence - machine.ourIss) | 0;
  const ack = segment.flags & wire.ACK ? ` ack ${(segment.acknowledgment - machine.peerIss) | 0}` : '';
  const sack = Array.from({ length: segment.sackCount }, (_, i) => {
    const left = (segment.sack[2 * i] - machine.peerIss) | 0;
    return ` ${left}:${(segment.sack[2 * i + 1] - machine.peerIss) | 0}`;
  }).join('');
  const options = [
    segment.mss > 0 ? `mss ${segment.mss}` : '',
    segment.sackPermitted ? 'sackOK' : '',
    segment.windowScale >= 0 ? `ws ${segment.windowScale}` : '',
    segment.hasTimestamps ? `ts ${segment.timestampValue}/${segment.timestampEcho}` : '',
    segment.sackCount > 0 ? `sack${sack}` : '',
    segment.fastOpenLength >= 0 ? `fo ${segment.fastOpenLength}` : '',
  ].filter((option) => option !== '');
  const range = `${start}:${start + data.length}(${data.length})`;
  return `${flagText(segment.flags)} ${range}${ack} win ${segment.window} <${options.join(',')}> at ${at}`;
}

function expectLine(machine: Machine, text: string): void {
  const line = parseSegmentLine(text);
  const sent = machine.sent.shift();
  expect(sent, `expected ${text}, the stack sent nothing`).to.not.equal(undefined);
  const { segment, data } = sent!;
  const got = describe_(machine, sent!);
  const say = `expected ${text}, got ${got}`;
  expect(segment.flags & 0xff, say).to.equal(line.flags);
  // A reset to a segment of no connection counts from zero.
  const base = /\babs\b/.test(line.rest) ? 0 : machine.ourIss;
  expect((segment.sequence - base) | 0, say).to.equal(line.start);
  expect(data.length, say).to.equal(line.length);
  if (line.ack !== undefined) expect((segment.acknowledgment - machine.peerIss) | 0, say).to.equal(line.ack);
  if (line.win !== undefined) expect(segment.window, say).to.equal(line.win);
  if (line.urg !== undefined) expect(segment.urgentPointer, say).to.equal(line.urg);
  if (/\bect0\b/.test(line.rest)) expect(sent!.trafficClass & 3, say).to.equal(2);
  if (/\bnot-ect\b/.test(line.rest)) expect(sent!.trafficClass & 3, say).to.equal(0);
  for (const option of line.options ?? []) expectOption(machine, segment, option, say);
  // The SYN itself takes the first number.
  const first = segment.flags & wire.SYN ? line.start : line.start - 1;
  for (let i = 0; i < data.length; i++) expect(data[i], `${say}, byte ${i}`).to.equal((first + i) & 0xff);
}

function expectOption(machine: Machine, segment: wire.Segment, option: string, say: string): void {
  const [name, ...values] = option.split(' ');
  const present: Readonly<Record<string, boolean>> = {
    mss: segment.mss > 0,
    ws: segment.windowScale >= 0,
    sackOK: segment.sackPermitted,
    ts: segment.hasTimestamps,
    sack: segment.sackCount > 0,
    fo: segment.fastOpenLength >= 0,
  };
  if (name === 'none') {
    expect(Object.values(present).some(Boolean), say).to.equal(false);
    return;
  }
  if (name === 'no') {
    expect(present[values[0]], say).to.equal(false);
    return;
  }
  expect(present[name], say).to.equal(true);
  if (name === 'fo') machineCookie = segment.fastOpenCookie.slice(0, segment.fastOpenLength);
  if (values.length === 0) return;
  switch (name) {
    case 'mss':
      expect(segment.mss, say).to.equal(Number(values[0]));
      break;
    case 'ws':
      expect(segment.windowScale, say).to.equal(Number(values[0]));
      break;
    case 'fo':
      expect(segment.fastOpenLength, say).to.equal(Number(values[0]));
      break;
    case 'ts':
      expect(segment.timestampEcho, say).to.equal(Number(values[0].split('/')[1]));
      break;
    case 'sack':
      expect(segment.sackCount, say).to.equal(values.length);
      values.forEach((block, i) => {
        const left = (segment.sack[2 * i] - machine.peerIss) | 0;
        const right = (segment.sack[2 * i + 1] - machine.peerIss) | 0;
        expect(`${left}:${right}`, say).to.equal(block);
      });
      break;
  }
}

function step(machine: Machine, line: string): void {
  const timed = /^\+(\d+) (.*)$/.exec(line);
  if (timed !== null) {
    const ms = Number(timed[1]);
    if (timed[2].startsWith('>')) {
      if (ms > 0) machine.clock.advance(ms - 1);
      const early = machine.sent[0];
      expect(early === undefined ? 'nothing' : describe_(machine, early), `before ${line}`).to.equal(
        'nothing',
      );
      machine.clock.advance(Math.min(1, ms));
    } else machine.clock.advance(ms);
    step(machine, timed[2]);
    return;
  }
  const [word, ...words] = line.split(' ');
  switch (word) {
    case '<':
      injectLine(machine, line.slice(2));
      break;
    case '>':
      expectLine(machine, line.slice(2));
      break;
    case 'nothing': {
      const [first] = machine.sent;
      expect(first === undefined ? 'nothing' : describe_(machine, first)).to.equal('nothing');
      break;
    }
    case '...':
      machine.sent.length = 0;
      break;
    case 'drop':
      expect(machine.sent.length, 'segments sent').to.be.at.least(Number(words[0] ?? 1));
      machine.sent.splice(0, Number(words[0] ?? 1));
      break;
    case 'sent':
      expect(machine.sent.length, 'segments sent').to.equal(Number(words[0]));
      break;
    case 'listen':
      machine.listen(words);
      break;
    case 'listen-requests':
      machine.requests(words);
      break;
    case 'accept':
    case 'refuse':
    case 'ignore':
      machine.decide(word);
      break;
    case 'connect':
      machine.connect(words);
      break;
    case 'peer-iss':
      machine.peerIss = Number(words[0]) | 0;
      break;
    case 'peer-port':
      machine.peerPort = Number(words[0]);
      break;
    case 'auto-read':
      machine.autoRead = true;
      break;
    case 'write':
      expect(machine.write(Number(words[0])), 'bytes taken').to.equal(Number(words[1] ?? words[0]));
      break;
    case 'read': {
      const into = new Uint8Array(Number(words[0]));
      expect(machine.connection.read(into), 'bytes read').to.equal(Number(words[1] ?? words[0]));
      break;
    }
    case 'readable':
      expect(machine.connection.readable, 'readable').to.equal(Number(words[0]));
      break;
    case 'ended':
      expect(machine.connection.ended, 'ended').to.equal(true);
      break;
    case 'state':
      expect(machine.connection.state).to.equal(words[0]);
      break;
    case 'no-connections':
      expect([...machine.stack.connections()].map(({ state }) => state)).to.deep.equal([]);
      break;
    case 'event':
      expect(machine.events, `events ${machine.events.join(', ')}`).to.include(words.join(' '));
      machine.events.splice(machine.events.indexOf(words.join(' ')), 1);
      break;
    case 'no-event':
      expect(machine.events).to.not.include(words.join(' '));
      break;
    case 'count': {
      const name = words[0] as keyof typeof machine.stack.stats;
      expect(machine.stack.stats[name], name).to.equal(Number(words[1]));
      break;
    }
    case 'info': {
      const info = machine.connection.info() as unknown as Record<string, unknown>;
      expect(String(info[words[0]]), words[0]).to.equal(words[1]);
      break;
    }
    case 'shutdown':
      machine.connection.shutdown();
      break;
    case 'close':
      machine.connection.close();
      break;
    case 'abort':
      machine.connection.abort();
      break;
    case 'nodelay':
      machine.connection.setNoDelay(words[0] !== 'off');
      break;
    case 'more':
      machine.connection.setMore(words[0] !== 'off');
      break;
    case 'urgent':
      machine.connection.writeUrgent(new Uint8Array(Number(words[0])));
      break;
    case 'keepalive':
      machine.connection.setKeepAlive(Number(words[0]), Number(words[1]), Number(words[2]));
      break;
    case 'user-timeout':
      machine.connection.setUserTimeout(Number(words[0]));
      break;
    case 'receive-buffer':
      machine.connection.setReceiveBuffer(Number(words[0]));
      break;
    case 'send-buffer':
      machine.connection.setSendBuffer(Number(words[0]));
      break;
    default:
      throw new Error(`no such step: ${line}`);
  }
  // Callbacks of calls from above run from a timer of 0 ms.
  machine.clock.advance(0);
}

/** Runs one script; the stack is closed afterwards, and no timer may be left. */
export function runScript(script: string, options: ScriptOptions = {}): void {
  const machine = new Machine(options);
  const lines = script
    .split('\n')
    .map((line) => line.replace(/\s*\/\/.*$/, '').trim())
    .filter((line) => line !== '');
  for (const line of lines) {
    try {
      step(machine, line);
    } catch (error) {
      const trace = machine.sent.map((sent) => describe_(machine, sent)).join('\n    ');
      (error as Error).message =
        `at "${line}": ${(error as Error).message}\n  still to be expected:\n    ${trace}`;
      throw error;
    }
  }
  const left = machine.sent.map((sent) => describe_(machine, sent));
  expect(left, 'left over').to.deep.equal([]);
  machine.stack.close();
  expect(machine.clock.pending, 'timers left').to.equal(0);
}

/** A mocha case. Its title names the RFC and section it shows. */
export function script(title: string, text: string, options: ScriptOptions = {}): void {
  it(title, () => runScript(text, options));
}

/** Preludes that most cases begin with. */
export const established = `
  listen
  < S 0:0(0) win 65535 <mss 1460>
  > S. 0:0(0) ack 1
  < . 1:1(0) ack 1 win 65535
  state ESTABLISHED
  event connected`;

export const connected = `
  connect
  > S 0:0(0)
  < S. 0:0(0) ack 1 win 65535 <mss 1460>
  > . 1:1(0) ack 1
  state ESTABLISHED
  event connected`;
