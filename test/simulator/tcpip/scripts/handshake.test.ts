import { connected, established, script } from './script.js';

describe('scripts: opening', () => {
  script(
    'RFC 9293 3.5: passive open, three-way handshake',
    `${established}
    nothing`,
  );
  script(
    'RFC 9293 3.5: active open, three-way handshake',
    `${connected}
    nothing`,
  );
  script(
    'RFC 9293 3.5 figure 7: simultaneous open',
    `connect
    > S 0:0(0)
    < S 0:0(0) win 65535 <mss 1460>
    > S. 0:0(0) ack 1
    state SYN-RECEIVED
    < S. 0:0(0) ack 1 win 65535 <mss 1460>
    state ESTABLISHED
    event connected
    ...`,
  );
  script(
    'RFC 9293 3.5: simultaneous open completed by a bare acknowledgement',
    `connect
    > S 0:0(0)
    < S 0:0(0) win 65535 <mss 1460>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    state ESTABLISHED
    event connected`,
  );
  script(
    'RFC 9293 3.10.7.1: a SYN to a closed port is reset',
    `< S 0:0(0) win 65535
    > R. 0:0(0) ack 1 abs
    no-connections`,
  );
  script(
    'RFC 9293 3.10.7.1: the reset acknowledges data of the SYN too',
    `< S 0:10(10) win 65535
    > R. 0:0(0) ack 11 abs`,
  );
  script(
    'RFC 9293 3.10.7.1: a stray acknowledgement is reset with its own number',
    `< . 5:5(0) ack 777
    > R 777:777(0) abs`,
  );
  script(
    'RFC 9293 3.10.7.1: a stray reset is not answered',
    `< R 5:5(0)
    < R. 5:5(0) ack 3
    nothing`,
  );
  script(
    'RFC 9293 3.10.7.1: FIN, Xmas and null scans of a closed port are reset, SYN with FIN too',
    `< F 5:5(0)
    > R. 0:0(0) ack 6 abs
    < FPU 5:5(0)
    > R. 0:0(0) ack 6 abs
    < - 5:5(0)
    > R. 0:0(0) ack 5 abs
    < SF 5:5(0)
    > R. 0:0(0) ack 7 abs`,
  );
  script(
    'RFC 9293 3.10.7.2: an acknowledgement to a listener is reset',
    `listen
    < . 1:1(0) ack 4242
    > R 4242:4242(0) abs`,
  );
  script(
    'RFC 9293 3.10.7.2: a reset to a listener is ignored',
    `listen
    < R 1:1(0)
    nothing
    no-connections`,
  );
  script(
    'RFC 9293 3.10.7.2: a segment with neither SYN, ACK nor RST to a listener is dropped',
    `listen
    < F 1:1(0)
    < - 1:1(0)
    < PU 1:11(10)
    nothing`,
  );
  script(
    'RFC 9293 3.10.7.2: SYN and FIN together open nothing',
    `listen
    < SF 0:0(0) win 65535
    nothing
    no-connections`,
  );
  script(
    'RFC 9293 3.10.7.3: refused by reset in SYN-SENT',
    `connect
    > S 0:0(0)
    < R. 0:0(0) ack 1
    state CLOSED
    event closed refused`,
  );
  script(
    'RFC 9293 3.10.7.3: a reset without acknowledgement in SYN-SENT is ignored',
    `connect
    > S 0:0(0)
    < R 0:0(0)
    state SYN-SENT`,
  );
  script(
    'RFC 9293 3.10.7.3: a reset that acknowledges the wrong number in SYN-SENT is ignored',
    `connect
    > S 0:0(0)
    < R. 0:0(0) ack 2
    state SYN-SENT
    nothing`,
  );
  script(
    'RFC 9293 3.10.7.3: an unacceptable acknowledgement in SYN-SENT is reset, the open goes on',
    `connect
    > S 0:0(0)
    < S. 0:0(0) ack 999 win 65535
    > R 999:999(0)
    state SYN-SENT
    < S. 0:0(0) ack 1 win 65535
    > . 1:1(0) ack 1
    state ESTABLISHED`,
  );
  script(
    'RFC 9293 3.10.7.3: an old duplicate acknowledgement below our number in SYN-SENT is reset',
    `connect
    > S 0:0(0)
    < . 0:0(0) ack 0
    > R 0:0(0)
    state SYN-SENT`,
  );
  script(
    'RFC 9293 3.10.7.3: an acceptable acknowledgement without SYN in SYN-SENT is dropped',
    `connect
    > S 0:0(0)
    < . 1:1(0) ack 1
    nothing
    state SYN-SENT`,
  );
  script(
    'RFC 9293 3.10.7.3: data in the SYN-ACK is delivered',
    `connect
    > S 0:0(0)
    < S. 0:5(5) ack 1 win 65535
    > . 1:1(0) ack 6
    readable 5`,
  );
  script(
    'RFC 9293 3.10.7.3: FIN in the SYN-ACK closes the other half at once',
    `connect
    > S 0:0(0)
    < SF. 0:5(5) ack 1 win 65535
    > . 1:1(0) ack 7
    state CLOSE-WAIT
    read 10 5
    ended`,
  );
  script(
    'RFC 9293 3.8.1, RFC 6298 5.5: the SYN is sent again after 1, 2, 4 s, then the open fails',
    `connect
    > S 0:0(0)
    +1000 > S 0:0(0)
    +2000 > S 0:0(0)
    +4000 nothing
    state CLOSED
    event closed timeout
    no-connections`,
    { tcp: { synRetries: 2 } },
  );
  script(
    'RFC 9293 3.8.1: the SYN-ACK is sent again, and the half-open connection forgotten',
    `listen
    < S 0:0(0) win 65535
    > S. 0:0(0) ack 1
    +1000 > S. 0:0(0) ack 1
    +2000 > S. 0:0(0) ack 1
    +4000 > R. 1:1(0) ack 1
    no-connections
    no-event connected`,
    { tcp: { synRetries: 2 } },
  );
  script(
    'RFC 9293 3.10.7.4: a SYN again in SYN-RECEIVED brings the SYN-ACK again',
    `listen
    < S 0:0(0) win 65535
    > S. 0:0(0) ack 1
    < S 0:0(0) win 65535
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    state ESTABLISHED`,
  );
  script(
    'RFC 9293 3.10.7.4: a wrong acknowledgement in SYN-RECEIVED is reset',
    `listen
    < S 0:0(0) win 65535
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 5 win 65535
    > R 5:5(0)
    < . 1:1(0) ack 0 win 65535
    > R 0:0(0)
    < . 1:1(0) ack 1 win 65535
    state ESTABLISHED`,
  );
  script(
    'RFC 9293 3.10.7.4: a reset in SYN-RECEIVED ends a passive open silently',
    `listen
    < S 0:0(0) win 65535
    > S. 0:0(0) ack 1
    < R 1:1(0)
    no-connections
    no-event connected
    no-event closed reset`,
  );
  script(
    'RFC 9293 3.10.7.4: data with the third segment of the handshake is delivered',
    `listen
    < S 0:0(0) win 65535
    > S. 0:0(0) ack 1
    < P. 1:11(10) ack 1 win 65535
    > . 1:1(0) ack 11
    state ESTABLISHED
    readable 10`,
  );
  script(
    'RFC 9293 3.10.7.4: data before the handshake is complete is not lost when the ACK got lost',
    `listen
    < S 0:0(0) win 65535
    > S. 0:0(0) ack 1
    < P. 1:6(5) ack 1 win 65535
    event connected
    readable 5
    ...`,
  );
  script(
    'RFC 9293 3.7.1, RFC 6691: MSS announced is the link less 40 bytes',
    `connect
    > S 0:0(0) <mss 1460>`,
  );
  script(
    'RFC 9293 3.7.1: MSS follows a small MTU',
    `connect
    > S 0:0(0) <mss 536>`,
    { mtu: 576 },
  );
  script(
    'RFC 9293 3.7.1: without an MSS option 536 is assumed',
    `listen
    < S 0:0(0) win 65535
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 1000
    > . 1:537(536) ack 1
    > P. 537:1001(464) ack 1
    < . 1:1(0) ack 1001`,
  );
  script(
    "RFC 9293 3.7.1: the peer's smaller MSS is respected",
    `listen
    < S 0:0(0) win 65535 <mss 100>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 250
    > . 1:101(100) ack 1
    > . 101:201(100) ack 1
    > P. 201:251(50) ack 1
    < . 1:1(0) ack 251`,
  );
  script(
    'RFC 9293 3.7.1: a zero MSS option does not stop us',
    `listen
    < S 0:0(0) win 65535 <mss 0>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    write 10
    > P. 1:11(10) ack 1
    < . 1:1(0) ack 11`,
  );
  script(
    'RFC 7323 2.2: window scaling only if both sides offer it',
    `listen
    < S 0:0(0) win 65535 <mss 1460>
    > S. 0:0(0) ack 1 <no ws>
    < . 1:1(0) ack 1 win 65535
    info windowScale undefined`,
    { tcp: { windowScaling: true } },
  );
  script(
    'RFC 7323 2.2: the window of a SYN is never scaled, later ones are',
    `listen
    < S 0:0(0) win 1000 <mss 1460,ws 4>
    > S. 0:0(0) ack 1 win 65535 <ws 7>
    < . 1:1(0) ack 1 win 1000
    info sendWindow 16000`,
    { tcp: { windowScaling: true } },
  );
  script(
    'RFC 7323 2.3: a scale above 14 counts as 14',
    `listen
    < S 0:0(0) win 100 <mss 1460,ws 200>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 2
    info sendWindow 32768`,
    { tcp: { windowScaling: true } },
  );
  script(
    'RFC 7323 3.2: timestamps only if both sides offer them, echoing from the SYN on',
    `listen
    < S 0:0(0) win 65535 <mss 1460,ts 77/0>
    > S. 0:0(0) ack 1 <ts 0/77>
    < . 1:1(0) ack 1 win 65535 <ts 78/*>
    write 1
    > P. 1:2(1) ack 1 <ts 0/78>
    < . 1:1(0) ack 2 <ts 79/*>`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 2018 2: SACK-permitted is answered with SACK-permitted',
    `listen
    < S 0:0(0) win 65535 <mss 1460,sackOK>
    > S. 0:0(0) ack 1 <sackOK>
    < . 1:1(0) ack 1 win 65535
    info sack true`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 2018 2: no SACK-permitted without having been offered it',
    `listen
    < S 0:0(0) win 65535 <mss 1460>
    > S. 0:0(0) ack 1 <no sackOK>
    < . 1:1(0) ack 1 win 65535
    info sack false`,
    { tcp: { sack: true } },
  );
  script(
    'RFC 7323 2.2: options in segments without SYN are ignored',
    `${established}
    < . 1:1(0) ack 1 <mss 100,ws 3,sackOK>
    info mss 1460
    info windowScale undefined`,
  );
  script(
    'a request waits for its decision, and swallows SYNs sent again',
    `listen-requests
    < S 0:0(0) win 65535
    event request
    < S 0:0(0) win 65535
    no-event request
    nothing
    accept
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    event connected
    state ESTABLISHED`,
  );
  script(
    'a refused request is reset',
    `listen-requests
    < S 0:0(0) win 65535
    event request
    refuse
    > R. 0:0(0) ack 1 abs`,
  );
  script(
    'an ignored request is asked again by the next SYN',
    `listen-requests
    < S 0:0(0) win 65535
    event request
    ignore
    nothing
    < S 0:0(0) win 65535
    event request`,
  );
  script(
    'RFC 9293 3.10.1: shutdown before the handshake is complete sends the FIN after it',
    `connect
    > S 0:0(0)
    write 10
    shutdown
    < S. 0:0(0) ack 1 win 65535
    > FP. 1:11(10) ack 1
    state FIN-WAIT-1
    < . 1:1(0) ack 12
    state FIN-WAIT-2`,
  );
  script(
    'RFC 9293 3.10.4: shutdown in SYN-SENT with nothing to send deletes the connection',
    `connect
    > S 0:0(0)
    shutdown
    state CLOSED
    no-connections`,
  );
});
