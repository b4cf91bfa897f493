import { script } from './script.js';

/** Round trip of 100 ms, MSS 1000, no SACK. */
const plain = `
  listen
  < S 0:0(0) win 65535 <mss 1000>
  > S. 0:0(0) ack 1
  +100 < . 1:1(0) ack 1 win 65535`;

const sack = `
  listen
  < S 0:0(0) win 65535 <mss 1000,sackOK>
  > S. 0:0(0) ack 1
  +100 < . 1:1(0) ack 1 win 65535`;

describe('scripts: loss recovery', () => {
  script(
    'RFC 6298 2.2, 2.4: the first timeout is the round trip plus four times half of it, at least 200 ms',
    `${plain}
    write 1000
    > P. 1:1001(1000) ack 1
    +300 > P. 1:1001(1000) ack 1
    +100 < . 1:1(0) ack 1001
    count tcpTimeouts 1`,
  );
  script(
    'RFC 6298 5.5: the timeout doubles',
    `${plain}
    write 1000
    > P. 1:1001(1000) ack 1
    +300 > P. 1:1001(1000) ack 1
    +600 > P. 1:1001(1000) ack 1
    +1200 > P. 1:1001(1000) ack 1
    +2400 > P. 1:1001(1000) ack 1
    < . 1:1(0) ack 1001`,
  );
  script(
    'RFC 6298 5.3: an acknowledgement of new data restarts the timer',
    `${plain}
    write 2000
    > . 1:1001(1000) ack 1
    > P. 1001:2001(1000) ack 1
    +200 < . 1:1(0) ack 1001
    +250 nothing
    ...
    < . 1:1(0) ack 2001`,
  );
  script(
    'RFC 6298 5.2: with everything acknowledged the timer is off',
    `${plain}
    write 1000
    > P. 1:1001(1000) ack 1
    +100 < . 1:1(0) ack 1001
    +10000 nothing`,
  );
  script(
    'RFC 6298 3 (Karn): a segment sent twice gives no sample',
    `${plain}
    write 1000
    > P. 1:1001(1000) ack 1
    +300 > P. 1:1001(1000) ack 1
    +5 < . 1:1(0) ack 1001
    info srtt 100`,
  );
  script(
    'RFC 5681 3.2: three duplicates bring the missing segment at once',
    `${plain}
    write 6000
    drop 6
    +100 < . 1:1(0) ack 1001
    < . 1:1(0) ack 1001
    < . 1:1(0) ack 1001
    nothing
    < . 1:1(0) ack 1001
    > . 1001:2001(1000) ack 1
    +100 < . 1:1(0) ack 6001
    count tcpFastRecoveries 1
    count tcpTimeouts 0`,
  );
  script(
    'RFC 5681 2: a segment with data or a changed window is no duplicate acknowledgement',
    `${plain}
    write 6000
    drop 6
    < . 1:2(1) ack 1
    > . 6001:6001(0) ack 2
    < . 2:2(0) ack 1 win 60000
    < . 2:2(0) ack 1 win 50000
    < . 2:2(0) ack 1 win 40000
    < . 2:2(0) ack 1 win 30000
    nothing
    +100 < . 2:2(0) ack 6001`,
  );
  script(
    'RFC 6582 3.2: a partial acknowledgement brings the next hole',
    `${plain}
    write 8000
    drop 8
    < . 1:1(0) ack 1001
    < . 1:1(0) ack 1001
    < . 1:1(0) ack 1001
    < . 1:1(0) ack 1001
    > . 1001:2001(1000) ack 1
    +100 < . 1:1(0) ack 4001
    > . 4001:5001(1000) ack 1
    +100 < . 1:1(0) ack 8001
    count tcpTimeouts 0
    count tcpFastRecoveries 1`,
  );
  script(
    'RFC 3042 2: the first two duplicates bring new data, the third what is missing',
    `${plain}
    write 20000
    sent 10
    drop 10
    < . 1:1(0) ack 1
    > . 10001:11001(1000) ack 1
    < . 1:1(0) ack 1
    > . 11001:12001(1000) ack 1
    < . 1:1(0) ack 1
    > . 1:1001(1000) ack 1
    < . 1:1(0) ack 1
    < . 1:1(0) ack 1
    < . 1:1(0) ack 1
    < . 1:1(0) ack 1
    < . 1:1(0) ack 1
    < . 1:1(0) ack 1
    ...
    +100 < . 1:1(0) ack 10001
    ...`,
  );
  script(
    'RFC 6675 5, RFC 8985 6: one hole reported by SACK is filled, and nothing else sent again',
    `${sack}
    write 6000
    drop 6
    +100 < . 1:1(0) ack 1 <sack 1001:6001>
    > . 1:1001(1000) ack 1
    +100 < . 1:1(0) ack 6001
    count tcpRetransmits 1`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 6675 5: several holes at once',
    `${sack}
    write 9000
    drop 9
    +100 < . 1:1(0) ack 1 <sack 1001:3001 4001:6001 7001:9001>
    > . 1:1001(1000) ack 1
    > . 3001:4001(1000) ack 1
    > . 6001:7001(1000) ack 1
    +100 < . 1:1(0) ack 9001
    count tcpRetransmits 3`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 8985 6.2: fewer than three reports wait for the reordering window, a quarter of the round trip',
    `${sack}
    write 3000
    drop 3
    +100 < . 1:1(0) ack 1 <sack 1001:2001>
    nothing
    +25 > . 1:1001(1000) ack 1
    +75 < . 1:1(0) ack 3001
    count tcpTimeouts 0`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 8985 6.2: reordering within the window sends nothing again',
    `${sack}
    write 3000
    drop 3
    +100 < . 1:1(0) ack 1 <sack 1001:2001>
    +20 < . 1:1(0) ack 3001
    +100 nothing
    count tcpRetransmits 0`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 8985 6.2: a retransmission that is lost too is noticed without a timeout',
    `${sack}
    write 8000
    drop 8
    +100 < . 1:1(0) ack 1 <sack 1001:5001>
    > . 1:1001(1000) ack 1
    write 4000
    ...
    +100 < . 1:1(0) ack 1 <sack 1001:9001>
    > . 1:1001(1000) ack 1
    ...
    +100 < . 1:1(0) ack 12001
    count tcpTimeouts 0`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 8985 7.3: a tail that is lost is probed after two round trips',
    `${sack}
    write 3000
    > . 1:1001(1000) ack 1
    > . 1001:2001(1000) ack 1
    > P. 2001:3001(1000) ack 1
    +200 > P. 2001:3001(1000) ack 1
    count tcpTailLossProbes 1
    +100 < . 1:1(0) ack 1 <sack 2001:3001>
    > . 1:1001(1000) ack 1
    > . 1001:2001(1000) ack 1
    +100 < . 1:1(0) ack 3001
    count tcpTimeouts 0`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 8985 7.3: the probe is new data where there is some and the window allows',
    `listen
    < S 0:0(0) win 3000 <mss 1000,sackOK>
    > S. 0:0(0) ack 1
    +100 < . 1:1(0) ack 1 win 4000
    write 4000
    > . 1:1001(1000) ack 1
    > . 1001:2001(1000) ack 1
    +200 > . 2001:3001(1000) ack 1
    +100 < . 1:1(0) ack 3001
    ...`,
    { tcp: { sack: true, initialWindow: 2 } },
  );
  script(
    'RFC 8985 7.2: a single segment in flight waits for a delayed acknowledgement too',
    `${sack}
    write 500
    > P. 1:501(500) ack 1
    +299 nothing
    +1 > P. 1:501(500) ack 1
    < . 1:1(0) ack 501`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 8985 7.4.2: a probe that repaired a loss reduces the window, once more has been acknowledged',
    `${sack}
    write 1000
    > P. 1:1001(1000) ack 1
    +300 > P. 1:1001(1000) ack 1
    +100 < . 1:1(0) ack 1001
    info cwnd 10000
    write 1000
    > P. 1001:2001(1000) ack 1
    +100 < . 1:1(0) ack 2001
    info cwnd 3500`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 8985 7.4.2: a probe that was not needed does not, by D-SACK',
    `${sack}
    write 1000
    > P. 1:1001(1000) ack 1
    +300 > P. 1:1001(1000) ack 1
    +5 < . 1:1(0) ack 1001
    +95 < . 1:1(0) ack 1001 <sack 1:1001>
    write 1000
    > P. 1001:2001(1000) ack 1
    +100 < . 1:1(0) ack 2001
    info cwnd 10000`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 5681 3.1: after a timeout the window is one segment',
    `${plain}
    write 5000
    drop 5
    +300 > . 1:1001(1000) ack 1
    info cwnd 1000
    nothing
    < . 1:1(0) ack 5001`,
  );
  script(
    'RFC 5681 3.1: after a timeout slow start, the rest in order',
    `${plain}
    write 5000
    drop 5
    +300 > . 1:1001(1000) ack 1
    +100 < . 1:1(0) ack 1001
    > . 1001:2001(1000) ack 1
    > . 2001:3001(1000) ack 1
    +100 < . 1:1(0) ack 3001
    > . 3001:4001(1000) ack 1
    > P. 4001:5001(1000) ack 1
    +100 < . 1:1(0) ack 5001`,
  );
  script(
    'RFC 5682 3: a timeout that was only a delay is taken back (SACK)',
    `${sack}
    write 5000
    drop 5
    +200 drop 1
    +300 ...
    count tcpTimeouts 1
    < . 1:1(0) ack 3001
    ...
    < . 1:1(0) ack 5001
    count tcpSpuriousTimeouts 1
    info cwnd 10000`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 5682 2.1: a timeout that was only a delay is taken back (without SACK)',
    `${plain}
    write 5000
    drop 5
    +300 > . 1:1001(1000) ack 1
    write 3000
    < . 1:1(0) ack 1001
    > . 5001:6001(1000) ack 1
    > . 6001:7001(1000) ack 1
    < . 1:1(0) ack 2001
    count tcpSpuriousTimeouts 1
    ...
    < . 1:1(0) ack 8001
    count tcpRetransmits 1`,
  );
  script(
    'RFC 2883 4.1: a duplicate is reported by D-SACK',
    `listen
    < S 0:0(0) win 65535 <mss 1000,sackOK>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    < . 1:1001(1000) ack 1
    > . 1:1(0) ack 1001 <no sack>
    < . 1:1001(1000) ack 1
    > . 1:1(0) ack 1001 <sack 1:1001>
    < . 501:1501(1000) ack 1
    > . 1:1(0) ack 1501 <sack 501:1001>`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 2883 4.2: a duplicate beyond the gap is reported before the range it lies in',
    `listen
    < S 0:0(0) win 65535 <mss 1000,sackOK>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    < . 1001:2001(1000) ack 1
    > . 1:1(0) ack 1 <sack 1001:2001>
    < . 1001:2001(1000) ack 1
    > . 1:1(0) ack 1 <sack 1001:2001 1001:2001>`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 2018 4: the latest range first, then the others, four at most',
    `listen
    < S 0:0(0) win 65535 <mss 1000,sackOK>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    < . 1001:2001(1000) ack 1
    > . 1:1(0) ack 1 <sack 1001:2001>
    < . 3001:4001(1000) ack 1
    > . 1:1(0) ack 1 <sack 3001:4001 1001:2001>
    < . 5001:6001(1000) ack 1
    > . 1:1(0) ack 1 <sack 5001:6001 1001:2001 3001:4001>
    < . 7001:8001(1000) ack 1
    > . 1:1(0) ack 1 <sack 7001:8001 1001:2001 3001:4001 5001:6001>
    < . 9001:10001(1000) ack 1
    > . 1:1(0) ack 1 <sack 9001:10001 1001:2001 3001:4001 5001:6001>
    < . 2001:3001(1000) ack 1
    > . 1:1(0) ack 1 <sack 1001:4001 5001:6001 7001:8001 9001:10001>`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 2018 3: with timestamps three blocks fit',
    `listen
    < S 0:0(0) win 65535 <mss 1000,sackOK,ts 1/0>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535 <ts 2/*>
    < . 1001:2001(1000) ack 1 <ts 2/*>
    < . 3001:4001(1000) ack 1 <ts 2/*>
    < . 5001:6001(1000) ack 1 <ts 2/*>
    drop 3
    < . 7001:8001(1000) ack 1 <ts 2/*>
    > . 1:1(0) ack 1 <sack 7001:8001 1001:2001 3001:4001>`,
    { tcp: { sack: true, timestamps: true } },
  );
  script(
    'RFC 5681 3.1, RFC 9438 4.6: the threshold after a loss is 0.7 of the window',
    `${sack}
    write 10000
    drop 10
    +100 < . 1:1(0) ack 1 <sack 1001:10001>
    > . 1:1001(1000) ack 1
    info ssthresh 7000
    +100 < . 1:1(0) ack 10001
    info cwnd 7000`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 5681 3.2: Reno halves',
    `${sack}
    write 10000
    drop 10
    +100 < . 1:1(0) ack 1 <sack 1001:10001>
    > . 1:1001(1000) ack 1
    info ssthresh 5000
    +100 < . 1:1(0) ack 10001
    info cwnd 5000`,
    { tcp: { sack: true, congestionControl: 'reno' } },
  );
  script(
    'RFC 3168 6.1.1: ECN negotiated by us as server',
    `listen
    < SEW 0:0(0) win 65535 <mss 1000>
    > SE. 0:0(0) ack 1 not-ect
    < . 1:1(0) ack 1 win 65535
    info ecn true
    write 10
    > P. 1:11(10) ack 1 ect0
    < . 1:1(0) ack 11`,
    { tcp: { ecn: 'accept' } },
  );
  script(
    'RFC 3168 6.1.1: ECN asked for by us as client, and off if not answered',
    `connect
    > SEW 0:0(0)
    < S. 0:0(0) ack 1 win 65535
    > . 1:1(0) ack 1
    info ecn false
    write 10
    > P. 1:11(10) ack 1 not-ect
    < . 1:1(0) ack 11`,
    { tcp: { ecn: 'on' } },
  );
  script(
    'RFC 3168 6.1.1.1: a SYN-ACK with both flags set is no agreement',
    `connect
    > SEW 0:0(0)
    < SEW. 0:0(0) ack 1 win 65535
    > . 1:1(0) ack 1
    info ecn false`,
    { tcp: { ecn: 'on' } },
  );
  script(
    'RFC 3168 6.1.1.1: the second SYN is plain',
    `connect
    > SEW 0:0(0)
    +1000 > S 0:0(0)
    ...`,
    { tcp: { ecn: 'on' } },
  );
  script(
    'RFC 3168 6.1.2: ECE reduces the window once, and the next data says CWR',
    `listen
    < SEW 0:0(0) win 65535 <mss 1000>
    > SE. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 10000
    drop 10
    +100 < E. 1:1(0) ack 1001
    info cwnd 6300
    < E. 1:1(0) ack 5001
    write 1000
    > PW. 10001:11001(1000) ack 1 ect0
    < . 1:1(0) ack 11001
    count tcpCongestionMarks 1`,
    { tcp: { ecn: 'accept' } },
  );
  script(
    'RFC 3168 6.1.3: CE is echoed until CWR comes',
    `listen
    < SEW 0:0(0) win 65535 <mss 1000>
    > SE. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    < . 1:1001(1000) ack 1 ce
    > E. 1:1(0) ack 1001
    < . 1001:2001(1000) ack 1
    > E. 1:1(0) ack 2001
    < W. 2001:3001(1000) ack 1
    > . 1:1(0) ack 3001`,
    { tcp: { ecn: 'accept' } },
  );
  script(
    'RFC 7413 4.2: a client asks for a cookie and gets one',
    `listen fast-open
    < S 0:0(0) win 65535 <mss 1000,fo>
    > S. 0:0(0) ack 1 <fo 8>
    < . 1:1(0) ack 1 win 65535
    state ESTABLISHED`,
    { tcp: { fastOpen: true } },
  );
  script(
    'RFC 7413 4.2: with the cookie the data of the SYN is delivered before the handshake ends',
    `listen fast-open
    peer-port 1001
    < S 0:0(0) win 65535 <mss 1000,fo>
    > S. 0:0(0) ack 1 <fo 8>
    peer-port 1002
    < S 0:100(100) win 65535 <mss 1000,fo cookie>
    event connected
    readable 100
    write 50
    > S. 0:0(0) ack 101
    > P. 1:51(50) ack 101
    state SYN-RECEIVED
    < . 101:101(0) ack 51
    state ESTABLISHED`,
    { tcp: { fastOpen: true } },
  );
  script(
    'RFC 7413 4.2: a wrong cookie: only the SYN is acknowledged, and a right one given',
    `listen fast-open
    < S 0:100(100) win 65535 <mss 1000,fo 0102030405060708>
    > S. 0:0(0) ack 1 <fo 8>
    < P. 1:101(100) ack 1 win 65535
    > . 1:1(0) ack 101
    readable 100`,
    { tcp: { fastOpen: true } },
  );
  script(
    'RFC 7413 4.2: a listener without Fast Open ignores the option',
    `listen
    < S 0:100(100) win 65535 <mss 1000,fo 0102030405060708>
    > S. 0:0(0) ack 1 <no fo>`,
    { tcp: { fastOpen: true } },
  );
  script(
    'RFC 7413 4.2: a request that is accepted takes the data of its SYN',
    `listen-requests fast-open
    peer-port 1001
    < S 0:0(0) win 65535 <mss 1000,fo>
    event request
    accept
    > S. 0:0(0) ack 1 <fo 8>
    peer-port 1002
    < S 0:100(100) win 65535 <mss 1000,fo cookie>
    event request
    +500 nothing
    accept
    > S. 0:0(0) ack 101
    readable 100
    event connected
    < . 101:101(0) ack 1
    state ESTABLISHED`,
    { tcp: { fastOpen: true } },
  );
  script(
    'RFC 7413 4.1: as client first for the cookie, then with data in the SYN',
    `connect fast-open
    nothing
    write 100
    > S 0:0(0) <fo 0>
    < S. 0:0(0) ack 1 win 65535 <mss 1000,fo 1122334455667788>
    > P. 1:101(100) ack 1
    < R 1:1(0)
    connect fast-open
    write 200
    > S 0:200(200) <fo 8>
    ...`,
    { tcp: { fastOpen: true } },
  );
});
