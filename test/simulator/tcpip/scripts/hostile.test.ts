import { established, script } from './script.js';

const sackEstablished = `
  listen
  < S 0:0(0) win 65535 <mss 1460,sackOK>
  > S. 0:0(0) ack 1 <sackOK>
  < . 1:1(0) ack 1 win 65535`;

const timestamped = `
  listen
  < S 0:0(0) win 65535 <mss 1460,ts 1000/0>
  > S. 0:0(0) ack 1
  < . 1:1(0) ack 1 win 65535 <ts 1001/*>`;

describe('scripts: hostile peers', () => {
  script(
    'RFC 5961 3.2: a reset in the window, but not exact, is challenged',
    `${established}
    < R 100:100(0)
    > . 1:1(0) ack 1
    state ESTABLISHED
    count tcpChallengeAcks 1`,
  );
  script(
    'RFC 5961 3.2: a reset outside the window is dropped',
    `${established}
    < R 70000:70000(0)
    < R 0:0(0)
    < R -5000:-5000(0)
    nothing
    state ESTABLISHED`,
  );
  script(
    'RFC 5961 3.2: the exact reset counts',
    `${established}
    < R 1:1(0)
    event closed reset`,
  );
  script(
    'RFC 5961 3.2: a peer that really lost its state answers the challenge exactly',
    `${established}
    < R 100:100(0)
    > . 1:1(0) ack 1
    < R 1:1(0)
    event closed reset
    no-connections`,
  );
  script(
    'RFC 5961 4.2: a SYN in the window is challenged',
    `${established}
    < S 100:100(0) win 65535
    > . 1:1(0) ack 1
    state ESTABLISHED`,
  );
  script(
    'RFC 5961 4.2: a SYN at the exact place is challenged too',
    `${established}
    < S 1:1(0) win 65535
    > . 1:1(0) ack 1
    state ESTABLISHED`,
  );
  script(
    'RFC 5961 4.2: so is a SYN outside the window',
    `${established}
    < S 500000:500000(0) win 65535
    > . 1:1(0) ack 1
    state ESTABLISHED`,
  );
  script(
    'RFC 5961 4.2: a SYN-ACK out of nowhere is challenged',
    `${established}
    < S. 1:1(0) ack 1 win 65535
    > . 1:1(0) ack 1
    state ESTABLISHED`,
  );
  script(
    'RFC 5961 5.2: an acknowledgement of what was never sent is challenged, its data dropped',
    `${established}
    < P. 1:11(10) ack 100
    > . 1:1(0) ack 1
    readable 0`,
  );
  script(
    'RFC 5961 5.2: an acknowledgement too old to be true is challenged, its data dropped',
    `${established}
    < P. 1:11(10) ack -100000
    > . 1:1(0) ack 1
    readable 0`,
  );
  script(
    'RFC 5961 5.2: an old acknowledgement within the window is fine',
    `${established}
    write 100
    > P. 1:101(100) ack 1
    < . 1:1(0) ack 101
    < P. 1:11(10) ack 1
    > . 101:101(0) ack 11
    readable 10`,
  );
  script(
    'RFC 5961 7: challenges are limited',
    `${established}
    ${'< R 100:100(0)\n'.repeat(150)}
    sent 100
    ...
    count tcpChallengeAcksLimited 50
    state ESTABLISHED`,
  );
  script(
    'ACK storm: bare acknowledgements from outside the window are answered twice a second at most',
    `${established}
    ${'< . 200000:200000(0) ack 1\n'.repeat(50)}
    sent 1
    drop
    +500 < . 200000:200000(0) ack 1
    sent 1
    drop`,
  );
  script(
    'ACK storm: in SYN-RECEIVED, bare acknowledgements of an older connection are answered twice a second at most',
    `listen
    < S 0:0(0) win 65535 <mss 1460>
    > S. 0:0(0) ack 1
    ${'< . 0:0(0) ack -5000\n'.repeat(50)}
    sent 1
    drop
    ...`,
  );
  script(
    'RFC 9293 3.10.7.4: a segment without ACK is dropped',
    `${established}
    < - 1:11(10)
    < P 1:11(10)
    < F 1:1(0)
    nothing
    readable 0
    state ESTABLISHED`,
  );
  script(
    'RFC 9293 3.10.7.4: all flags at once',
    `${established}
    < SFRPUEW. 1:1(0) ack 1
    state CLOSED
    ...`,
  );
  script(
    'RFC 9293 3.10.7.4: data far outside the window is acknowledged and dropped',
    `${established}
    < . 1000000:1000010(10) ack 1
    > . 1:1(0) ack 1
    < . -1000000:-999990(10) ack 1
    > . 1:1(0) ack 1
    readable 0`,
  );
  script(
    'RFC 9293 3.4: a FIN out of the window does not close',
    `${established}
    < F. 100000:100000(0) ack 1
    > . 1:1(0) ack 1
    state ESTABLISHED`,
  );
  script(
    'RFC 9293 3.4: two FINs at different places: the first that fits wins',
    `${established}
    < F. 21:21(0) ack 1
    > . 1:1(0) ack 1
    < F. 1:11(10) ack 1
    > . 1:1(0) ack 12
    state CLOSE-WAIT
    readable 10`,
  );
  script(
    'RFC 9293 3.4: overlapping data out of order with different lengths, many times',
    `${established}
    < . 101:201(100) ack 1
    < . 151:251(100) ack 1
    < . 51:151(100) ack 1
    < . 101:102(1) ack 1
    < . 2:300(298) ack 1
    < . 250:251(1) ack 1
    ...
    < . 1:2(1) ack 1
    > . 1:1(0) ack 300
    read 1000 299`,
  );
  script(
    'a thousand islands: the ranges kept are bounded, and the data comes anyway',
    `${sackEstablished}
    ${Array.from({ length: 200 }, (_, i) => `< . ${3 + 2 * i}:${4 + 2 * i}(1) ack 1`).join('\n')}
    ...
    < . 1:403(402) ack 1
    > . 1:1(0) ack 403
    read 1000 402`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 9293 3.8.6: a window that shrinks to nothing right after the data went out',
    `${established}
    write 2000
    drop 2
    < . 1:1(0) ack 1 win 0
    nothing
    +1000 > . 1:1461(1460) ack 1
    < . 1:1(0) ack 2001 win 0
    info sendQueue 0`,
    { tcp: { minRtoMs: 1000 } },
  );
  script(
    'optimistic acknowledgement: beyond what was sent earns nothing',
    `${established}
    write 20000
    sent 10
    ...
    < . 1:1(0) ack 20001
    > . 14601:14601(0) ack 1
    info sendQueue 20000`,
  );
  script(
    'ACK division: many acknowledgements of single bytes open the window no faster (RFC 3465)',
    `listen
    < S 0:0(0) win 65535 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 30000
    sent 10
    drop 10
    ${Array.from({ length: 20 }, (_, i) => `< . 1:1(0) ack ${2 + i}`).join('\n')}
    info cwnd 10020
    ...`,
  );
  script(
    'RFC 9293 3.1: option of length zero ends the options, the segment counts',
    `${established}
    < P. 1:11(10) ack 1 <raw fe 00 01 01>
    > . 1:1(0) ack 11
    count tcpSegmentsIn 3
    count malformedTcpOptions 1`,
  );
  script(
    'RFC 7323 5.3: PAWS drops what is older than what was seen',
    `${timestamped}
    < P. 1:11(10) ack 1 <ts 2000/*>
    > . 1:1(0) ack 11
    < P. 11:21(10) ack 1 <ts 1500/*>
    > . 1:1(0) ack 11
    readable 10
    count tcpPawsDrops 1`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 7323 5.3: a wrapped timestamp is newer, not older',
    `listen
    < S 0:0(0) win 65535 <mss 1460,ts 4294967290/0>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535 <ts 4294967295/*>
    < P. 1:11(10) ack 1 <ts 5/*>
    > . 1:1(0) ack 11 <ts 0/5>
    readable 10`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 7323 3.2: once agreed on, a segment without timestamps is dropped',
    `${timestamped}
    < P. 1:11(10) ack 1
    nothing
    readable 0`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 7323 5.2: but a reset without timestamps counts',
    `${timestamped}
    < R 1:1(0)
    event closed reset`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 7323 5.3: a reset is not subject to PAWS',
    `${timestamped}
    < R 1:1(0) <ts 1/0>
    event closed reset`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 7323 4.3: the timestamp of a segment ahead of the left edge is not echoed',
    `${timestamped}
    < . 11:21(10) ack 1 <ts 2000/*>
    > . 1:1(0) ack 1 <ts 0/1001>
    < . 1:11(10) ack 1 <ts 1500/*>
    > . 1:1(0) ack 21 <ts 0/1500>`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 7323 5.5: after 24 days a timestamp says nothing',
    `${timestamped}
    +2160000000 < P. 1:11(10) ack 1 <ts 900/*>
    > . 1:1(0) ack 11
    readable 10`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 2018 4: SACK blocks of nonsense are ignored',
    `${sackEstablished}
    write 5000
    drop 4
    < . 1:1(0) ack 1 <sack 100000:200000>
    < . 1:1(0) ack 1 <sack 3000:2000>
    < . 1:1(0) ack 1 <sack -5000:-4000>
    < . 1:1(0) ack 1 <sack 2000:2000>
    < . 1:1(0) ack 1 <sack 0:500000 1:1>
    nothing
    info lost 0
    < . 1:1(0) ack 5001`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 2018 8: a peer that takes back its SACK gets the data again after the timeout',
    `${sackEstablished}
    write 5840
    drop 4
    < . 1:1(0) ack 1 <sack 1461:5841>
    > . 1:1461(1460) ack 1
    < . 1:1(0) ack 1461
    +1000 ...
    < . 1:1(0) ack 5841`,
    { tcp: { sack: true, minRtoMs: 1000 } },
  );
  script(
    'RFC 4987 3.6: a SYN flood beyond the backlog is answered with cookies, and a cookie opens',
    `listen backlog 2
    peer-port 1001
    < S 0:0(0) win 65535 <mss 1460>
    peer-port 1002
    < S 0:0(0) win 65535 <mss 1460>
    drop 2
    peer-port 1003
    < S 0:0(0) win 65535 <mss 1460>
    > S. 0:0(0) ack 1
    count tcpSynCookiesSent 1
    < P. 1:11(10) ack 1 win 65535
    > . 1:1(0) ack 11
    event connected
    state ESTABLISHED
    readable 10
    info mss 1460`,
  );
  script(
    'RFC 4987 3.6: with timestamps a cookie keeps window scale and SACK',
    `listen backlog 1
    peer-port 1001
    < S 0:0(0) win 65535 <mss 1460>
    drop
    peer-port 1002
    < S 0:0(0) win 65535 <mss 1300,sackOK,ws 9,ts 7/0>
    > S. 0:0(0) ack 1 <sackOK,ws 7,ts 0/7>
    < . 1:1(0) ack 1 win 100 <ts 8/*>
    state ESTABLISHED
    info sack true
    info sendWindow 51200
    info mss 1288`,
    { tcp: { sack: true, timestamps: true, windowScaling: true } },
  );
  script(
    'RFC 4987 3.6: a forged cookie is reset',
    `listen backlog 1
    peer-port 1001
    < S 0:0(0) win 65535 <mss 1460>
    drop
    peer-port 1002
    < S 0:0(0) win 65535 <mss 1460>
    drop
    < . 1:1(0) ack 12345 win 65535
    > R 12345:12345(0)`,
  );
  script(
    'RFC 4987 3.6: a cookie is good for two minutes, not for ever',
    `listen backlog 1
    peer-port 1001
    < S 0:0(0) win 65535 <mss 1460>
    drop
    peer-port 1002
    < S 0:0(0) win 65535 <mss 1460>
    drop
    +200000 ...
    < . 1:1(0) ack 1 win 65535
    > R 1:1(0)`,
  );
  for (const [name, raw] of [
    ['length one', '03 01 01 01'],
    ['length beyond the header', '08 28 00 00'],
    ['kind without length', '01 01 01 02'],
    ['timestamps too short', '08 04 00 00'],
    ['timestamps too long', '08 0c 00 00 00 00 00 00 00 00 00 00'],
    ['SACK without blocks', '05 02 01 01'],
    ['SACK with half a block', '05 06 00 00 00 01 01 01'],
    ['MSS of three bytes', '02 03 05 00'],
    ['window scale of four bytes', '03 04 07 00'],
    ['SACK-permitted with a body', '04 04 00 00'],
    ['Fast Open cookie of odd length', '22 07 01 02 03 04 05 00'],
    ['Fast Open cookie too short', '22 04 01 02'],
    ['user timeout of six bytes', '1c 06 00 00 00 00 01 01'],
    ['unknown kinds', 'fd 04 00 00 a5 04 00 00'],
    ['end of list, then garbage', '00 ff ff ff'],
    ['forty bytes of NOP', `${'01 '.repeat(40).trim()}`],
    ['MD5 signature we did not ask for', '13 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 01'],
  ] as const) {
    script(
      `RFC 9293 3.1 (MUST-6, MUST-7): malformed options: ${name}`,
      `listen
      < S 0:0(0) win 65535 <raw ${raw}>
      > S. 0:0(0) ack 1
      < P. 1:11(10) ack 1 <raw ${raw}>
      > . 1:1(0) ack 11
      readable 10`,
      { tcp: { sack: true, timestamps: true, windowScaling: true, fastOpen: true } },
    );
  }
  script(
    'RFC 8985 6.2: a hole sent again in the instant its successors went and arrived is not lost with every report',
    `
    listen
    < S 0:0(0) win 65535 <mss 1000,sackOK>
    > S. 0:0(0) ack 1
    +100 < . 1:1(0) ack 1 win 65535
    write 5000
    drop 5
    < . 1:1(0) ack 1 <sack 2001:5001>
    > . 1:1001(1000) ack 1
    > . 1001:2001(1000) ack 1
    < . 1:1(0) ack 1 <sack 2001:5001>
    < . 1:1(0) ack 1 <sack 2001:5001>
    < . 1:1(0) ack 1 <sack 2001:5001>
    nothing
    +10 < . 1:1(0) ack 1 <sack 2001:5001>
    nothing
    +290 > . 1:1001(1000) ack 1
    count tcpTimeouts 1`,
    { tcp: { sack: true } },
  );
});
