import { expect } from 'chai';
import { answerNtp } from '../../../simulator/world/ntp.js';

const request = (version: number, mode = 3) => {
  const packet = new Uint8Array(48);
  packet[0] = (version << 3) | mode;
  packet[2] = 6;
  packet.set([0xe1, 0xe2, 0xe3, 0xe4, 1, 2, 3, 4], 40);
  return packet;
};
const at = (nowMs: number) => ({ nowMs, state: 'synchronised' as const });

describe('the NTP server', () => {
  it('answers a client in its own version with its own transmit time as origin (RFC 5905 section 9.2)', () => {
    for (const version of [1, 2, 3, 4]) {
      const answer = answerNtp(request(version), at(0))!;
      expect(answer[0]).to.equal((version << 3) | 4);
      expect(answer[1]).to.equal(1);
      expect(answer[2]).to.equal(6);
      expect([...answer.subarray(24, 32)]).to.deep.equal([0xe1, 0xe2, 0xe3, 0xe4, 1, 2, 3, 4]);
    }
  });

  it('counts from 1900, with a binary fraction, into the next era', () => {
    const seconds = (ms: number) => new DataView(answerNtp(request(4), at(ms))!.buffer).getUint32(40);
    const fraction = (ms: number) => new DataView(answerNtp(request(4), at(ms))!.buffer).getUint32(44);
    expect(seconds(0)).to.equal(2208988800);
    expect(fraction(500)).to.equal(0x80000000);
    expect(fraction(250)).to.equal(0x40000000);
    // 2036-02-07T06:28:16Z: the first second of era 1
    expect(seconds(Date.UTC(2036, 1, 7, 6, 28, 16))).to.equal(0);
    expect(seconds(Date.UTC(2036, 1, 7, 6, 28, 15))).to.equal(0xffffffff);
  });

  it('ignores what is no request', () => {
    expect(answerNtp(request(4, 4), at(0))).to.equal(undefined);
    expect(answerNtp(request(5), at(0))).to.equal(undefined);
    expect(answerNtp(request(4).subarray(0, 47), at(0))).to.equal(undefined);
  });

  it('says so when it is not synchronised, or wants no clients', () => {
    const lost = answerNtp(request(4), { nowMs: 0, state: 'unsynchronised' })!;
    expect(lost[0] >> 6).to.equal(3);
    expect(lost[1]).to.equal(16);
    const denied = answerNtp(request(4), { nowMs: 0, state: 'kiss-of-death' })!;
    expect(denied[1]).to.equal(0);
    expect(Buffer.from(denied.subarray(12, 16)).toString()).to.equal('DENY');
  });
});
