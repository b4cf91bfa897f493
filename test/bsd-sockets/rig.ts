import {
  AF_INET,
  BsdSockets,
  errnoName,
  IPPROTO_TCP,
  POLLIN,
  POLLOUT,
  SOCK_STREAM,
  SocketEvent,
  type SocketsOptions,
} from '../../bsd-sockets/index.js';
import { FakeModule } from './fake-module.js';

export const peer = { family: AF_INET, address: '10.0.2.2', port: 80 };
const eventName = (event: number) => Object.entries(SocketEvent).find(([, value]) => value === event)?.[0];

export function rig(wire: 'at' | 'tlv' = 'tlv', options: SocketsOptions = {}) {
  const module = new FakeModule(wire);
  const sockets = new BsdSockets(module.asModule, options);
  const events: string[] = [];
  sockets.registerEventCallback((fd, event, status) =>
    events.push(`${fd} ${eventName(event)}${status === 0 ? '' : ' error'}`),
  );
  /** `ok:n` or the name of errno. */
  const said = (result: number) => (result >= 0 ? `ok:${result}` : errnoName(sockets.errno));
  const poll = (fd: number, wanted = POLLIN | POLLOUT) => {
    const fds = [{ fd, events: wanted, revents: 0 }];
    sockets.poll(fds);
    return fds[0].revents;
  };
  const recv = (fd: number, length = 100) => {
    const buffer = new Uint8Array(length);
    const count = sockets.recv(fd, buffer);
    return count > 0 ? Buffer.from(buffer.subarray(0, count)).toString('latin1') : said(count);
  };
  const send = (fd: number, text: string) => said(sockets.send(fd, Buffer.from(text, 'latin1')));
  return { module, sockets, events, said, poll, recv, send };
}

/** A connected TCP socket with the module's number 700. */
export async function connected(wire: 'at' | 'tlv' = 'tlv', options: SocketsOptions = {}) {
  const all = rig(wire, options);
  const fd = all.sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  await all.module.settle();
  all.sockets.connect(fd, peer);
  await all.module.settle();
  all.module.indicate(700);
  all.events.length = 0;
  all.module.calls.length = 0;
  return { ...all, fd };
}
