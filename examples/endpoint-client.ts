/**
 * The endpoint API (OpenThread `otTcp*`): a client that sends by reference and reads in place, and a listener, on two
 * stacks joined by a cable in memory. The first connection asks for a Fast Open cookie.
 *
 *     node --import tsx examples/endpoint-client.ts
 */
import {
  DisconnectedReason,
  IncomingConnectionAction,
  OtError,
  RECEIVE_BUFFER_SIZE_MANY_HOPS,
  SEND_MORE_TO_COME,
  TcpEndpoint,
  TcpListener,
} from '../simulator/tcpip/api/endpoint/index.js';
import { createStack } from '../simulator/tcpip/index.js';
import { memoryPipe } from '../simulator/tcpip/link/index.js';

const [left, right] = memoryPipe();
const [near, far] = [createStack({ link: left }), createStack({ link: right })];
near.addAddress('10.0.0.1', 24);
far.addAddress('10.0.0.2', 24);

const check = (error: OtError): void => {
  if (error !== OtError.NONE) throw new Error('the stack refused');
};
const reasonName = (wanted: DisconnectedReason): string | undefined =>
  Object.entries(DisconnectedReason).find(([, reason]) => reason === wanted)?.[0];

/** Reads what is there, in place, and gives the memory back. */
function take(endpoint: TcpEndpoint): string {
  let text = '';
  for (let piece = endpoint.receiveByReference().buffer; piece !== undefined; piece = piece.next) {
    text += Buffer.from(piece.data.subarray(0, piece.length));
  }
  check(endpoint.commitReceive(text.length, 0));
  return text;
}

const served = new TcpEndpoint();
check(
  served.initialize(far, {
    receiveAvailable: (endpoint, available, endOfStream) => {
      if (available > 0) console.log('server got:', take(endpoint).trim());
      if (endOfStream) check(endpoint.sendEndOfStream());
    },
    receiveBuffer: new Uint8Array(RECEIVE_BUFFER_SIZE_MANY_HOPS),
  }),
);
const listener = new TcpListener();
check(
  listener.initialize(far, {
    acceptReady: () => ({ action: IncomingConnectionAction.ACCEPT, into: served }),
    acceptDone: (_listener, _endpoint, peer) => console.log(`server: accepted ${peer.address}`),
  }),
);
check(listener.listen({ address: '::', port: 5000 }));

const done = new Promise<void>((resolve) => {
  const client = new TcpEndpoint();
  check(
    client.initialize(near, {
      established: () => console.log('client: established'),
      sendDone: (_endpoint, buffer) => console.log(`client: ${buffer.length} bytes are mine again`),
      disconnected: (_endpoint, reason) => {
        console.log('client: disconnected', reasonName(reason));
        resolve();
      },
      receiveBuffer: new Uint8Array(RECEIVE_BUFFER_SIZE_MANY_HOPS),
    }),
  );
  // Nothing is sent before the first data is: this is how Fast Open gets it into the SYN.
  check(client.connect({ address: '10.0.0.2', port: 5000 }, 0));
  const data = Buffer.from('hello, endpoint\n');
  check(client.sendByReference({ data, length: 7 }, SEND_MORE_TO_COME));
  check(client.sendByExtension(data.length - 7, 0));
  check(client.sendEndOfStream());
});
await done;
near.close();
far.close();
