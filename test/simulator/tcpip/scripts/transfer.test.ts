import { connected, established, script } from './script.js';

describe('scripts: transfer', () => {
  script(
    'RFC 9293 3.8.6.3, RFC 5681 4.2: the second full segment is acknowledged at once, one alone after the delay',
    `${established}
    auto-read
    < . 1:1461(1460) ack 1
    > . 1:1(0) ack 1461
    < . 1461:2921(1460) ack 1
    > . 1:1(0) ack 2921
    < . 2921:4381(1460) ack 1
    > . 1:1(0) ack 4381
    < . 4381:5841(1460) ack 1
    > . 1:1(0) ack 5841
    < . 5841:7301(1460) ack 1
    > . 1:1(0) ack 7301
    < . 7301:8761(1460) ack 1
    > . 1:1(0) ack 8761
    < . 8761:10221(1460) ack 1
    > . 1:1(0) ack 10221
    < . 10221:11681(1460) ack 1
    > . 1:1(0) ack 11681
    < . 11681:13141(1460) ack 1
    nothing
    < . 13141:14601(1460) ack 1
    > . 1:1(0) ack 14601
    < . 14601:16061(1460) ack 1
    +40 > . 1:1(0) ack 16061`,
  );
  script(
    'RFC 9293 3.8.6.3: data going out carries the acknowledgement',
    `${established}
    < P. 1:11(10) ack 1
    > . 1:1(0) ack 11
    write 5
    > P. 1:6(5) ack 11
    < . 11:11(0) ack 6
    +100 nothing`,
  );
  script(
    'RFC 9293 3.7.4: Nagle holds a small segment while another is unacknowledged',
    `${established}
    write 10
    > P. 1:11(10) ack 1
    write 10
    write 10
    nothing
    < . 1:1(0) ack 11
    > P. 11:31(20) ack 1
    < . 1:1(0) ack 31`,
  );
  script(
    'RFC 9293 3.7.4: without Nagle every write goes at once',
    `${established}
    nodelay
    write 10
    write 10
    > P. 1:11(10) ack 1
    > P. 11:21(10) ack 1
    < . 1:1(0) ack 21`,
  );
  script(
    'Minshall: a small segment behind full ones goes at once',
    `${established}
    write 3000
    > . 1:1461(1460) ack 1
    > . 1461:2921(1460) ack 1
    > P. 2921:3001(80) ack 1
    write 10
    nothing
    < . 1:1(0) ack 3001
    > P. 3001:3011(10) ack 1
    < . 1:1(0) ack 3011`,
  );
  script(
    'MSG_MORE: a partial segment waits for the rest',
    `${established}
    more
    nodelay
    write 0
    more
    nothing
    more off
    nothing`,
  );
  script(
    'RFC 9293 3.8.6: no more than the window',
    `listen
    < S 0:0(0) win 2000 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 2000
    write 5000
    > . 1:1001(1000) ack 1
    > . 1001:2001(1000) ack 1
    nothing
    < . 1:1(0) ack 1001 win 2000
    > . 2001:3001(1000) ack 1
    < . 1:1(0) ack 3001 win 2000
    > . 3001:4001(1000) ack 1
    > P. 4001:5001(1000) ack 1
    < . 1:1(0) ack 5001`,
  );
  script(
    'RFC 9293 3.8.6: a window that shrinks takes back nothing that was sent',
    `listen
    < S 0:0(0) win 4000 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 4000
    write 6000
    > . 1:1001(1000) ack 1
    > . 1001:2001(1000) ack 1
    > . 2001:3001(1000) ack 1
    > . 3001:4001(1000) ack 1
    < . 1:1(0) ack 1001 win 1000
    nothing
    < . 1:1(0) ack 4001 win 2000
    > . 4001:5001(1000) ack 1
    > P. 5001:6001(1000) ack 1
    < . 1:1(0) ack 6001`,
  );
  script(
    'RFC 9293 3.8.6.1: a window of zero is probed, with backoff, and opens again',
    `listen
    < S 0:0(0) win 1000 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 1000
    write 3000
    > . 1:1001(1000) ack 1
    < . 1:1(0) ack 1001 win 0
    +1000 > . 1000:1000(0) ack 1
    < . 1:1(0) ack 1001 win 0
    +2000 > . 1000:1000(0) ack 1
    < . 1:1(0) ack 1001 win 0
    +4000 > . 1000:1000(0) ack 1
    < . 1:1(0) ack 1001 win 2000
    > . 1001:2001(1000) ack 1
    > P. 2001:3001(1000) ack 1
    < . 1:1(0) ack 3001`,
    { tcp: { minRtoMs: 1000 } },
  );
  script(
    'RFC 9293 3.8.6.1: probes that are answered keep the connection as long as it takes',
    `listen
    < S 0:0(0) win 1000 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 1000
    write 3000
    > . 1:1001(1000) ack 1
    < . 1:1(0) ack 1001 win 0
${'    +100000 < . 1:1(0) ack 1001 win 0\n'.repeat(30)}
    state ESTABLISHED
    ...`,
  );
  script(
    'RFC 9293 3.8.6.2.1: a sliver of window is not used until the timer says so',
    `listen
    < S 0:0(0) win 4000 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 4000
    write 4000
    > . 1:1001(1000) ack 1
    > . 1001:2001(1000) ack 1
    > . 2001:3001(1000) ack 1
    > P. 3001:4001(1000) ack 1
    < . 1:1(0) ack 4001 win 100
    write 1000
    nothing
    +200 > . 4001:4101(100) ack 1
    < . 1:1(0) ack 4101 win 4000
    > P. 4101:5001(900) ack 1
    < . 1:1(0) ack 5001`,
  );
  script(
    'RFC 9293 3.8.6.2.2: the receiver offers nothing small: zero until half the buffer is free',
    `listen
    < S 0:0(0) win 65535 <mss 1000>
    > S. 0:0(0) ack 1 win 4000
    < . 1:1(0) ack 1 win 65535
    < . 1:1001(1000) ack 1
    > . 1:1(0) ack 1001 win 3000
    < . 1001:2001(1000) ack 1
    > . 1:1(0) ack 2001 win 2000
    < . 2001:3001(1000) ack 1
    > . 1:1(0) ack 3001 win 1000
    < . 3001:4001(1000) ack 1
    > . 1:1(0) ack 4001 win 0
    read 500
    nothing
    read 1600
    > . 1:1(0) ack 4001 win 2100`,
    { tcp: { receiveBuffer: 4000, maxReceiveBuffer: 4000 }, mtu: 1040 },
  );
  script(
    'RFC 9293 3.10.7.4: a probe of a byte beyond a window of zero is answered and not taken',
    `listen
    < S 0:0(0) win 65535 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    < . 1:1001(1000) ack 1
    > . 1:1(0) ack 1001 win 0
    < . 1001:1002(1) ack 1
    > . 1:1(0) ack 1001 win 0
    readable 1000`,
    { tcp: { receiveBuffer: 1000, maxReceiveBuffer: 1000 } },
  );
  script(
    'RFC 9293 3.10.7.4: an acknowledgement counts even when our window is shut',
    `listen
    < S 0:0(0) win 65535 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 100
    > P. 1:101(100) ack 1
    < . 1:1001(1000) ack 1
    > . 101:101(0) ack 1001 win 0
    < . 1001:1101(100) ack 101
    > . 101:101(0) ack 1001 win 0
    info sendQueue 0`,
    { tcp: { receiveBuffer: 1000, maxReceiveBuffer: 1000 } },
  );
  script(
    'RFC 9293 3.10.7.4: data beyond the window is cut, what fits is kept',
    `listen
    < S 0:0(0) win 65535 <mss 1000>
    > S. 0:0(0) ack 1 win 1500
    < . 1:1(0) ack 1 win 65535
    < . 1:1001(1000) ack 1
    > . 1:1(0) ack 1001 win 500
    < . 1001:2001(1000) ack 1
    > . 1:1(0) ack 1501 win 0
    readable 1500`,
    { tcp: { receiveBuffer: 1500, maxReceiveBuffer: 1500 } },
  );
  script(
    'RFC 9293 3.4: out of order data is kept and acknowledged in one go when the gap is filled',
    `${established}
    < . 11:21(10) ack 1
    > . 1:1(0) ack 1
    < . 21:31(10) ack 1
    > . 1:1(0) ack 1
    readable 0
    < . 1:11(10) ack 1
    > . 1:1(0) ack 31
    readable 30`,
  );
  script(
    'RFC 9293 3.4: overlapping segments, every byte once',
    `${established}
    < . 11:31(20) ack 1
    > . 1:1(0) ack 1
    < . 5:20(15) ack 1
    > . 1:1(0) ack 1
    < . 41:51(10) ack 1
    > . 1:1(0) ack 1
    < . 25:45(20) ack 1
    > . 1:1(0) ack 1
    < . 1:6(5) ack 1
    > . 1:1(0) ack 51
    read 100 50`,
  );
  script(
    'RFC 9293 3.10.7.4: an old duplicate is acknowledged and dropped',
    `${established}
    < . 1:11(10) ack 1
    > . 1:1(0) ack 11
    < . 1:11(10) ack 1
    > . 1:1(0) ack 11
    readable 10
    count tcpDuplicates 1`,
  );
  script(
    'RFC 9293 3.10.7.4: a segment half old, half new gives its new half',
    `${established}
    < . 1:11(10) ack 1
    > . 1:1(0) ack 11
    < . 6:21(15) ack 1
    > . 1:1(0) ack 21
    readable 20`,
  );
  script(
    'RFC 9293 3.4: the sequence numbers wrap',
    `listen
    peer-iss 4294967290
    < S 0:0(0) win 65535 <mss 1460>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    < . 1:21(20) ack 1
    > . 1:1(0) ack 21
    < . 31:41(10) ack 1
    > . 1:1(0) ack 21
    < . 21:31(10) ack 1
    > . 1:1(0) ack 41
    read 100 40`,
  );
  script(
    'RFC 9293 3.10.7.4: the window comes from the newest segment only',
    `${established}
    < . 1:11(10) ack 1 win 5000
    > . 1:1(0) ack 11
    info sendWindow 5000
    < . 1:11(10) ack 1 win 100
    > . 1:1(0) ack 11
    info sendWindow 5000`,
  );
  script(
    'RFC 9293 3.8.5: urgent data comes in line',
    `${established}
    < UP. 1:11(10) ack 1 urg 10
    > . 1:1(0) ack 11
    read 100 10`,
  );
  script(
    'RFC 9293 3.8.5: an urgent pointer beyond the data changes nothing',
    `${established}
    < U. 1:11(10) ack 1 urg 60000
    > . 1:1(0) ack 11
    readable 10`,
  );
  script(
    'RFC 6928 2: the initial window is ten segments',
    `listen
    < S 0:0(0) win 65535 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 20000
    sent 10
    drop 10
    < . 1:1(0) ack 2001
    sent 4
    ...`,
  );
  script(
    'RFC 5681 3.1: slow start doubles, one more segment for each acknowledged',
    `listen
    < S 0:0(0) win 65535 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 60000
    drop 2
    nothing
    < . 1:1(0) ack 1001
    drop 2
    < . 1:1(0) ack 2001
    drop 2
    nothing
    ...`,
    { tcp: { initialWindow: 2 } },
  );
  script(
    'RFC 9293 3.9.1: what does not fit the send buffer is not taken; room is announced',
    `${established}
    send-buffer 5000
    write 8000 5000
    drop 4
    write 100 0
    < . 1:1(0) ack 5001
    event writable`,
  );
  script(
    'RFC 5681 4.1: after an idle period the window restarts',
    `listen
    < S 0:0(0) win 65535 <mss 1000>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 10000
    drop 10
    < . 1:1(0) ack 10001
    info cwnd 18000
    +10000 nothing
    write 20000
    sent 10
    ...`,
    { tcp: { congestionControl: 'reno' } },
  );
  script(
    'RFC 9293 3.8.4: keepalive probes an idle peer and gives up on a dead one',
    `${established}
    keepalive 10000 1000 3
    +10000 > . 0:0(0) ack 1
    < . 1:1(0) ack 1
    +10000 > . 0:0(0) ack 1
    +1000 > . 0:0(0) ack 1
    +1000 > . 0:0(0) ack 1
    +1000 > R. 1:1(0) ack 1
    event closed timeout
    no-connections`,
  );
  script(
    "RFC 9293 3.8.4: a peer's keepalive probe is acknowledged, with and without a byte",
    `${established}
    < . 0:0(0) ack 1
    > . 1:1(0) ack 1
    +1000 < . 0:1(1) ack 1
    > . 1:1(0) ack 1
    readable 0`,
  );
  script(
    'RFC 9293 3.8.3, RFC 5482: the user timeout ends a connection without progress',
    `${connected}
    user-timeout 5000
    write 10
    > P. 1:11(10) ack 1
    +4000 ...
    +8000 state CLOSED
    event closed timeout
    ...`,
  );
});
