/** DNS over TCP (RFC 7766): queries and answers with two bytes of length before each. */
import type { Clock, Stack, TcpConnection, TcpHandler, TcpListener } from '../tcpip/contract.js';
import { DNS_PORT, type DnsServer } from './dns-server.js';

const CONNECTION_LIMIT = 32;
/** A client that says nothing for so long is let go, ms. */
const IDLE_MS = 30_000;
const LONGEST = 2 + 0xffff;

export function serveDnsOverTcp(stack: Stack, server: DnsServer, clock: Clock): TcpListener {
  let open = 0;
  return stack.tcpListen({ port: DNS_PORT }, (connection) => {
    if (open >= CONNECTION_LIMIT) return undefined;
    open++;
    return dnsConnection(connection, server, clock, () => open--);
  });
}

function dnsConnection(
  connection: TcpConnection,
  server: DnsServer,
  clock: Clock,
  closed: () => void,
): TcpHandler {
  const received = new Uint8Array(LONGEST);
  let length = 0;
  let unsent: Uint8Array[] = [];
  let idle = clock.setTimer(() => connection.abort(), IDLE_MS);

  const flush = () => {
    while (unsent.length > 0) {
      const taken = connection.write(unsent[0]);
      if (taken < unsent[0].length) {
        unsent[0] = unsent[0].subarray(taken);
        return;
      }
      unsent.shift();
    }
  };
  const reply = (answer: Uint8Array) => {
    // The write buffer holds a client's usual burst; who reads nothing and asks on gets no more.
    if (unsent.length >= CONNECTION_LIMIT) return;
    unsent.push(Uint8Array.of(answer.length >> 8, answer.length & 255, ...answer));
    flush();
  };
  const takeQueries = () => {
    while (length >= 2) {
      const end = 2 + ((received[0] << 8) | received[1]);
      if (length < end) return;
      server.query(received.subarray(2, end), 'tcp', reply);
      received.copyWithin(0, end, length);
      length -= end;
    }
  };
  return {
    readable() {
      idle.cancel();
      idle = clock.setTimer(() => connection.abort(), IDLE_MS);
      for (let count = 1; count > 0; ) {
        count = connection.read(received.subarray(length));
        length += count;
        takeQueries();
      }
      if (connection.ended) connection.shutdown();
    },
    writable: flush,
    closed() {
      idle.cancel();
      unsent = [];
      closed();
    },
  };
}
