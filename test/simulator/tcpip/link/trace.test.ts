import { expect } from 'chai';
import fc from 'fast-check';
import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import { FrameDecoder } from '../../../../simulator/tcpip/link/decode.js';
import { onClock } from '../../../../simulator/tcpip/link/dispatch.js';
import { memoryPipe } from '../../../../simulator/tcpip/link/pipe.js';
import { TracedLink } from '../../../../simulator/tcpip/link/trace.js';
import { fromHex, plain, udp4 } from './frames.js';

const ethernet = (type: string): string => `020000000002 020000000001 ${type}`;
const tcp4 = (length: number): string =>
  `4500 ${length.toString(16).padStart(4, '0')} 0000 4000 4006 0000 0a000001 0a000002`;
const line = (hex: string, decoder = new FrameDecoder()): string => {
  const frame = fromHex(hex);
  return decoder.line(frame, frame.length);
};

describe('frame decoder', () => {
  it('reads a TCP conversation with relative sequence numbers and every option', () => {
    const decoder = new FrameDecoder();
    const synOptions = '020405b4 0402 080a0000000500000000 01 030307 22 02 0000';
    expect(
      line(
        `${ethernet('0800')} ${tcp4(64)} 1388 0050 ffffff00 00000000 b0 02 faf0 0000 0000 ${synOptions}`,
        decoder,
      ),
    ).to.equal(
      '10.0.0.1.5000 > 10.0.0.2.80 TCP S seq 0 win 64240 <mss 1460, sackOK, ts 5 0, wscale 7, tfo request> len 0',
    );
    const back = `4500 0028 0000 4000 4006 0000 0a000002 0a000001`;
    expect(
      line(`${ethernet('0800')} ${back} 0050 1388 00000064 ffffff01 50 12 2000 0000 0000`, decoder),
    ).to.equal('10.0.0.2.80 > 10.0.0.1.5000 TCP SA seq 0 ack 1 win 8192 len 0');
    expect(
      line(
        `${ethernet('0800')} ${tcp4(43)} 1388 0050 00000001 00000065 50 18 0100 0000 0000 616263`,
        decoder,
      ),
    ).to.equal('10.0.0.1.5000 > 10.0.0.2.80 TCP PA seq 257 ack 1 win 256 len 3');
    const sack = '01 01 05 0a 00000001 00000003';
    const sacked = `4500 0034 0000 4000 4006 0000 0a000002 0a000001`;
    expect(
      line(`${ethernet('0800')} ${sacked} 0050 1388 00000065 ffffff01 80 10 0000 0000 0000 ${sack}`, decoder),
    ).to.equal('10.0.0.2.80 > 10.0.0.1.5000 TCP A seq 1 ack 1 win 0 <sack 257-259> len 0');
  });

  it('reads ARP, UDP, ICMP, fragments, VLAN tags and what it does not know', () => {
    const arp = '0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002';
    expect(line(`${ethernet('0806')} ${arp}`)).to.equal(
      'ARP who has 10.0.0.2 tell 10.0.0.1 (02:00:00:00:00:01)',
    );
    const frame = udp4(0, [1, 2, 3]);
    expect(new FrameDecoder().line(frame, frame.length)).to.equal('10.0.0.1.1 > 10.0.0.2.2 UDP len 3');
    expect(new FrameDecoder().line(frame, frame.length - 2)).to.match(/UDP len 1 cut off, 2 bytes missing$/);
    const icmp = '4500 001c 0000 0000 4001 0000 0a000001 0a000002 0800 0000 0007 0009';
    expect(line(`${ethernet('8100 0005 0800')} ${icmp}`)).to.equal(
      '10.0.0.1 > 10.0.0.2 ICMP echo request id 7 seq 9 len 0',
    );
    expect(
      line(`${ethernet('0800')} 4500 001c 0abc 2001 4011 0000 0a000001 0a000002 0000000000000000`),
    ).to.equal('10.0.0.1 > 10.0.0.2 frag 2748@8+ protocol 17 len 8');
    expect(line(`${ethernet('88cc')} 0011`)).to.equal(
      '02:00:00:00:00:01 > 02:00:00:00:00:02 type 0x88cc len 2',
    );
  });

  it('writes IPv6 addresses as RFC 5952 has them and walks extension headers', () => {
    const header = (next: string, length: string, from: string, to: string) =>
      `60000000 ${length} ${next} 40 ${from} ${to}`;
    const linkLocal = 'fe800000000000000000000000000001';
    const text = (from: string) =>
      line(`${ethernet('86dd')} ${header('3b', '0000', from, linkLocal)}`).replace(/ >.*/, '');
    expect(text('20010db8000000000001000000000001')).to.equal('2001:db8::1:0:0:1');
    expect(text('00000000000000000000000000000000')).to.equal('::');
    expect(text('00000000000000000000000000000001')).to.equal('::1');
    expect(text('fe800000000000000000000000000000')).to.equal('fe80::');
    expect(text('20010db8000100010001000100010000')).to.equal('2001:db8:1:1:1:1:1:0');
    const hopByHop = '3a 00 0502 0000 0100';
    const query = '82 00 0000 0000 0000';
    expect(
      line(`${ethernet('86dd')} ${header('00', '0010', linkLocal, linkLocal)} ${hopByHop} ${query}`),
    ).to.equal('fe80::1 > fe80::1 ICMPv6 multicast listener query code 0 len 0');
  });

  it('never throws, whatever the bytes, and answers one line', () => {
    const types = fc.constantFrom([8, 0], [8, 6], [0x86, 0xdd], [0x81, 0]);
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 120 }), fc.nat(134), ([high, low], bytes, length) => {
        const frame = Uint8Array.from([...new Uint8Array(12), high, low, ...bytes]);
        const text = new FrameDecoder().line(frame, Math.min(length, frame.length));
        expect(text).to.match(/^[\x20-\x7e]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('traced link', () => {
  it('passes everything on and writes time, direction and what was dropped', () => {
    const clock = new VirtualClock(5000);
    const [near, far] = memoryPipe({ dispatch: onClock(clock), queue: 1 });
    const lines: string[] = [];
    const link = new TracedLink(near, clock, (text) => lines.push(text));
    let received = 0;
    link.receive = () => received++;
    link.transmit(plain(1, 2), 14);
    expect(link.transmit(plain(1, 2), 14)).to.equal(false);
    clock.advance(1500);
    far.transmit(plain(2, 1), 14);
    clock.advance(0);
    expect(received).to.equal(1);
    expect(lines.map((text) => text.slice(0, 31))).to.deep.equal(
      [
        '  0.000000 > 02:00:00:00:00:01 >',
        '  0.000000 > 02:00:00:00:00:01 >',
        '          ! dropped below',
        '  1.500000 < 02:00:00:00:00:02 >',
      ].map((text) => text.slice(0, 31)),
    );
  });
});
