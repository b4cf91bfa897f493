/**
 * `wincs02 demo` (`npm start`): the main job from end to end. A web server of our own on loopback, and a page fetched from
 * it through the module: AT text, emulated firmware, TCP/IP engine, simulated router, kernel socket.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { connectTcp } from '../bsd-sockets/index.js';
import { WincModule } from '../driver/index.js';
import { addCommonOptions, type CommonOptions } from './common.js';
import { CliError, Exit } from './exit.js';
import { createOutput } from './output.js';

const serverName = 'demo.wincs02.test';
const network = { ssid: 'wincs02 lab', passphrase: 'demonstration' };
const bodyBytes = 256 * 1024;

export function demoCommand(): Command {
  return addCommonOptions(
    new Command('demo').description('boot, join, resolve, connect, fetch a page: every step timed'),
  ).action(async (options: CommonOptions) => {
    const { json } = createOutput(options);
    if (options.port !== 'sim:')
      throw new CliError(
        Exit.USAGE,
        'the demonstration brings its own network; use tcp or info on another port',
      );
    const server = await startServer();
    try {
      await run((server.address() as AddressInfo).port, json);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
}

async function run(port: number, json: boolean): Promise<void> {
  const started = performance.now();
  let last = started;
  const step = (name: string, detail: string): void => {
    const now = performance.now();
    const ms = now - last;
    last = now;
    console.log(
      json
        ? JSON.stringify({ step: name, ms, detail })
        : `${name.padEnd(8)} ${ms.toFixed(1).padStart(8)} ms  ${detail}`,
    );
  };

  const world = new URLSearchParams({
    ap: `${network.ssid}:${network.passphrase}`,
    dns: `${serverName}=10.0.2.2`,
    'host-network': 'loopback',
  });
  const module = await WincModule.open(`sim:?${world}`);
  try {
    const info = await module.info();
    step('boot', `${info.manufacturer} ${info.model}, ${info.version}`);
    const { addresses } = await module.wifi.join(network);
    step('join', `"${network.ssid}": ${addresses.join(', ')}`);
    const address = await module.resolve(serverName);
    step('dns', `${serverName} is ${address}`);
    const socket = await connectTcp(module, address, port);
    step('tcp', `connected to ${address}:${port}`);
    socket.write(`GET / HTTP/1.1\r\nHost: ${serverName}\r\nConnection: close\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const fetchMs = performance.now() - last;
    const page = Buffer.concat(chunks);
    step('http', `${page.length} bytes`);
    report(page, json);
    const { commands } = module.statistics;
    const rate = page.length / fetchMs;
    const seconds = (performance.now() - started) / 1000;
    if (json)
      console.log(JSON.stringify({ bytes: page.length, commands, kilobytesPerSecond: rate, seconds }));
    else
      console.log(
        `\n${page.length} bytes in ${commands} AT commands, ${rate.toFixed(0)} kB/s, ${seconds.toFixed(2)} s in all`,
      );
  } finally {
    await module.close();
  }
}

/** The first lines of what came, and a check of all of it. */
function report(page: Buffer, json: boolean): void {
  const split = page.indexOf('\r\n\r\n');
  const body = page.subarray(split + 4);
  if (split < 0 || !body.equals(demoPage()))
    throw new CliError(Exit.FAILED, `the page arrived damaged: ${page.length} bytes`);
  if (json) return;
  const head = page.subarray(0, split).toString('latin1').split('\r\n');
  const firstLines = body.toString('latin1', 0, 200).split('\n').slice(0, 3);
  console.log(`\n${[...head.slice(0, 3), '', ...firstLines].map((line) => `  | ${line}`).join('\n')}`);
}

function demoPage(): Buffer {
  const head = '<!doctype html>\n<title>wincs02</title>\n<h1>Fetched through an emulated Wi-Fi module</h1>\n';
  const page = Buffer.alloc(bodyBytes, 'The quick brown fox jumps over the lazy dog. 0123456789\n');
  page.write(head);
  return page;
}

function startServer(): Promise<Server> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': bodyBytes }).end(demoPage());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
