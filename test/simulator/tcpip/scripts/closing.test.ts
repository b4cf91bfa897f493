import { connected, established, script } from './script.js';

describe('scripts: closing', () => {
  script(
    'RFC 9293 3.6: active close, TIME-WAIT, then gone',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    state FIN-WAIT-1
    < . 1:1(0) ack 2
    state FIN-WAIT-2
    < F. 1:1(0) ack 2
    > . 2:2(0) ack 2
    state TIME-WAIT
    event time-wait
    event closed none
    no-event released
    +60000 nothing
    event released
    no-connections`,
  );
  script(
    'RFC 9293 3.6: passive close through CLOSE-WAIT and LAST-ACK',
    `${established}
    < F. 1:1(0) ack 1
    > . 1:1(0) ack 2
    state CLOSE-WAIT
    event readable
    ended
    shutdown
    > F. 1:1(0) ack 2
    state LAST-ACK
    < . 2:2(0) ack 2
    event closed none
    event released
    no-connections`,
  );
  script(
    'RFC 9293 3.6 figure 13: simultaneous close',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    < F. 1:1(0) ack 1
    > . 2:2(0) ack 2
    state CLOSING
    < . 2:2(0) ack 2
    state TIME-WAIT
    event closed none`,
  );
  script(
    'RFC 9293 3.6: FIN and its acknowledgement in one segment',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    < F. 1:1(0) ack 2
    > . 2:2(0) ack 2
    state TIME-WAIT`,
  );
  script(
    'RFC 9293 3.6: the FIN rides on the last data',
    `${established}
    write 100
    > P. 1:101(100) ack 1
    write 2000
    shutdown
    > . 101:1561(1460) ack 1
    > FP. 1561:2101(540) ack 1
    < . 1:1(0) ack 2102
    state FIN-WAIT-2`,
  );
  script(
    'RFC 9293 3.6: half close, the peer goes on sending',
    `${established}
    auto-read
    shutdown
    > F. 1:1(0) ack 1
    < . 1:1(0) ack 2
    < P. 1:1001(1000) ack 2
    > . 2:2(0) ack 1001
    < FP. 1001:1501(500) ack 2
    > . 2:2(0) ack 1502
    state TIME-WAIT`,
  );
  script(
    'RFC 9293 3.6: half close by the peer, we go on sending',
    `${established}
    < F. 1:1(0) ack 1
    > . 1:1(0) ack 2
    write 3000
    > . 1:1461(1460) ack 2
    > . 1461:2921(1460) ack 2
    > P. 2921:3001(80) ack 2
    < . 2:2(0) ack 3001
    shutdown
    > F. 3001:3001(0) ack 2
    < . 2:2(0) ack 3002
    no-connections`,
  );
  script(
    'RFC 9293 3.10.7.4: the FIN of TIME-WAIT again is acknowledged again and restarts 2 MSL',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    < F. 1:1(0) ack 2
    > . 2:2(0) ack 2
    +50000 < F. 1:1(0) ack 2
    > . 2:2(0) ack 2
    +50000 state TIME-WAIT
    +10000 nothing
    no-connections`,
  );
  script(
    'RFC 1337 3: a reset does not end TIME-WAIT',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    < F. 1:1(0) ack 2
    > . 2:2(0) ack 2
    < R 2:2(0)
    state TIME-WAIT`,
  );
  script(
    'RFC 9293 3.10.7.4, RFC 1122 4.2.2.13: a SYN beyond the last sequence number ends TIME-WAIT',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    < F. 1:1(0) ack 2
    > . 2:2(0) ack 2
    < S 5000:5000(0) win 65535
    peer-iss 1005000
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535
    state ESTABLISHED`,
  );
  script(
    'RFC 9293 3.10.7.4: an old SYN does not end TIME-WAIT',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    < F. 1:1(0) ack 2
    > . 2:2(0) ack 2
    < S -100:-100(0) win 65535
    > . 2:2(0) ack 2
    state TIME-WAIT`,
  );
  script(
    'RFC 6191 2: in TIME-WAIT a newer timestamp lets even an older sequence number in',
    `listen
    < S 0:0(0) win 65535 <ts 100/0>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535 <ts 101/*>
    shutdown
    > F. 1:1(0) ack 1
    < F. 1:1(0) ack 2 <ts 102/*>
    > . 2:2(0) ack 2
    < S -500000:-500000(0) win 65535 <ts 200/0>
    peer-iss 500000
    > S. 0:0(0) ack 1`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 6191 2: in TIME-WAIT an older timestamp keeps even a newer sequence number out',
    `listen
    < S 0:0(0) win 65535 <ts 100/0>
    > S. 0:0(0) ack 1
    < . 1:1(0) ack 1 win 65535 <ts 101/*>
    shutdown
    > F. 1:1(0) ack 1
    < F. 1:1(0) ack 2 <ts 102/*>
    > . 2:2(0) ack 2
    < S 500000:500000(0) win 65535 <ts 50/0>
    > . 2:2(0) ack 2
    state TIME-WAIT`,
    { tcp: { timestamps: true } },
  );
  script(
    'RFC 9293 3.10.7.4: FIN before its data waits for the gap to fill',
    `${established}
    < F. 11:11(0) ack 1
    > . 1:1(0) ack 1
    state ESTABLISHED
    < P. 1:11(10) ack 1
    > . 1:1(0) ack 12
    state CLOSE-WAIT
    read 100 10
    ended`,
  );
  script(
    'RFC 9293 3.10.7.4: data behind a FIN is ignored',
    `${established}
    < F. 1:11(10) ack 1
    > . 1:1(0) ack 12
    < P. 12:22(10) ack 1
    > . 1:1(0) ack 12
    readable 10`,
  );
  script(
    'RFC 9293 3.10.7.4: data beyond a FIN that is still ahead is cut off',
    `${established}
    < F. 11:11(0) ack 1
    > . 1:1(0) ack 1
    < P. 5:25(20) ack 1
    > . 1:1(0) ack 1
    < . 1:5(4) ack 1
    > . 1:1(0) ack 12
    readable 10
    state CLOSE-WAIT`,
  );
  script(
    'RFC 9293 3.10.5: abort sends a reset with the next sequence number',
    `${established}
    write 10
    > P. 1:11(10) ack 1
    abort
    > R. 11:11(0) ack 1
    event closed aborted
    no-connections`,
  );
  script(
    'RFC 9293 3.10.7.4: reset in the exact place ends the connection; what was received stays readable',
    `${established}
    < P. 1:11(10) ack 1
    > . 1:1(0) ack 11
    < R 11:11(0)
    event closed reset
    read 100 10
    no-connections`,
  );
  script(
    'RFC 2525 2.17: closing with unread data resets',
    `${established}
    < P. 1:11(10) ack 1
    > . 1:1(0) ack 11
    close
    > R. 1:1(0) ack 11
    event closed aborted`,
  );
  script(
    'RFC 2525 2.17: data that comes after close resets',
    `${established}
    close
    > F. 1:1(0) ack 1
    < . 1:1(0) ack 2
    state FIN-WAIT-2
    < P. 1:11(10) ack 2
    > R. 2:2(0) ack 1
    no-connections`,
  );
  script(
    'RFC 9293 3.6: after close, FIN-WAIT-2 does not wait for ever',
    `${established}
    close
    > F. 1:1(0) ack 1
    < . 1:1(0) ack 2
    state FIN-WAIT-2
    +60000 nothing
    event closed none
    no-connections`,
  );
  script(
    'RFC 9293 3.6: after shutdown alone it does',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    < . 1:1(0) ack 2
    +600000 state FIN-WAIT-2`,
  );
  script(
    'RFC 6298 5: the FIN is sent again',
    `${connected}
    shutdown
    > F. 1:1(0) ack 1
    +1000 > F. 1:1(0) ack 1
    +2000 > F. 1:1(0) ack 1
    < . 1:1(0) ack 2
    state FIN-WAIT-2`,
    { tcp: { minRtoMs: 1000 } },
  );
  script(
    'RFC 9293 3.10.2: nothing is taken after shutdown',
    `${established}
    shutdown
    > F. 1:1(0) ack 1
    write 10 0
    nothing`,
  );
  script(
    'RFC 9293 3.10.7.4: data acknowledged in LAST-ACK, then the FIN',
    `${established}
    < F. 1:1(0) ack 1
    > . 1:1(0) ack 2
    write 10
    > P. 1:11(10) ack 2
    shutdown
    > F. 11:11(0) ack 2
    state LAST-ACK
    < . 2:2(0) ack 11
    state LAST-ACK
    < . 2:2(0) ack 12
    no-connections`,
  );
});
