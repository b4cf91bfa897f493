/**
 * What an SPI bus is used for: 1 MiB to a TCP echo server and back, through the emulated module, for each way of
 * reading, counted by the bus. The peer is the same transfer with the vendor driver's windows.
 */

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import {
  AF_INET,
  AsyncMode,
  BsdSockets,
  IPPROTO_TCP,
  SOCK_STREAM,
  SocketEvent,
  SocketStatus,
} from '../bsd-sockets/index.js';
import { WincModule } from '../driver/index.js';
import { MemorySpi } from '../driver/transport/spi-memory.js';
import { createSimulator } from '../simulator/simulator.js';
import type { Metric } from './run.js';

const TOTAL = 1 << 20;
const SEGMENT = 1460;
/** Bytes on their way at once, so that the module's buffers are used and not overrun. */
const IN_FLIGHT = 18 * SEGMENT;

interface Usage {
  /** Bytes clocked per byte of payload, both ways counted. */
  readonly bytesPerByte: number;
  /** Chip-select windows per segment of payload. */
  readonly transfersPerSegment: number;
  readonly megabytesPerSecond: number;
}

function pattern(at: number): number {
  return (at * 7 + (at >> 8) * 13 + (at >> 16)) & 0xff;
}

/** Sends `TOTAL` bytes, at most `IN_FLIGHT` ahead of what has come back, and checks every one. */
function echo(sockets: BsdSockets, port: number): Promise<() => void> {
  const data = new Uint8Array(TOTAL);
  for (let at = 0; at < TOTAL; at++) data[at] = pattern(at);
  const chunk = new Uint8Array(8192);
  let sent = 0;
  let received = 0;
  return new Promise((resolve, reject) => {
    const fd = sockets.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    const send = () => {
      // Whole segments only, as any program with much to send would write them.
      while (sent < TOTAL && sent - received <= IN_FLIGHT - SEGMENT) {
        const count = sockets.send(fd, data.subarray(sent, Math.min(TOTAL, sent + SEGMENT)));
        if (count <= 0) return;
        sent += count;
      }
    };
    const receive = () => {
      for (;;) {
        const count = sockets.recv(fd, chunk);
        if (count <= 0) break;
        for (let at = 0; at < count; at++) {
          if (chunk[at] !== data[received + at]) reject(new Error(`byte ${received + at} came back wrong`));
        }
        received += count;
      }
      if (received === TOTAL) resolve(() => sockets.shutdown(fd));
      else send();
    };
    sockets.watch(fd, (_fd, event, status) => {
      if (status === SocketStatus.ERROR) reject(new Error(`socket event ${event} failed`));
      else if (event === SocketEvent.OPEN) {
        sockets.connect(fd, { family: AF_INET, address: '10.0.2.2', port });
      } else if (event === SocketEvent.CONNECT || event === SocketEvent.SEND) send();
      else if (event === SocketEvent.RECV) receive();
    });
  });
}

async function measure(port: number, mode: AsyncMode, windows: 'merged' | 'vendor'): Promise<Usage> {
  const simulator = await createSimulator({
    profile: 'wincs02',
    accessPoints: [{ ssid: 'bench', passphrase: 'bench-pass' }],
    hostNetwork: 'loopback',
  });
  const bus = new MemorySpi(simulator.modules[0].spi, `memory:?windows=${windows}`);
  const module = await WincModule.open(bus);
  try {
    await module.wifi.join({ ssid: 'bench', passphrase: 'bench-pass' });
    const sockets = new BsdSockets(module, { asyncMode: mode });
    const { bytes, transfers } = bus;
    const began = performance.now();
    const done = await echo(sockets, port);
    const seconds = (performance.now() - began) / 1000;
    const usage = {
      bytesPerByte: (bus.bytes - bytes) / (2 * TOTAL),
      transfersPerSegment: (bus.transfers - transfers) / ((2 * TOTAL) / SEGMENT),
      megabytesPerSecond: (2 * TOTAL) / 1e6 / seconds,
    };
    done();
    return usage;
  } finally {
    await module.close();
    await simulator.close();
  }
}

async function echoServer(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

export async function run(): Promise<readonly Metric[]> {
  const { server, port } = await echoServer();
  const modes = [
    ['polled', AsyncMode.OFF],
    ['async', AsyncMode.SIMPLE],
    ['acknowledged', AsyncMode.ACKED],
  ] as const;
  const metrics: Metric[] = [];
  try {
    for (const [name, mode] of modes) {
      const merged = await measure(port, mode, 'merged');
      const vendor = await measure(port, mode, 'vendor');
      const metric = (what: string, unit: string, key: keyof Usage): Metric => ({
        name: `${name} ${what}`,
        value: merged[key],
        unit,
        peer: 'windows=vendor',
        ratio: merged[key] / vendor[key],
      });
      metrics.push(
        metric('bus bytes per payload byte', 'B/B', 'bytesPerByte'),
        metric('transfers per segment', '/1460 B', 'transfersPerSegment'),
        metric('throughput in memory', 'MB/s', 'megabytesPerSecond'),
      );
    }
  } finally {
    server.close();
  }
  return metrics;
}
