/**
 * Every written exchange of the areas below, played by a pyserial script against `wincs02 sim` on a pseudo-terminal: the same
 * lines in the same order, each framed to the byte, with echo and without. What is wrong in them, and why, is said in the
 * firmware's own scenarios (and `+WSCNC=` in an answer is a misprint of `+WSCNC:`); two things more differ here:
 * - The peers are servers on this host's loopback, 10.0.2.2 to the module: a loopback-only world reaches no other address.
 *   So the addresses and ports of the flows' peers are replaced where they stand, and 8.8.8.8 too.
 * - On every join a link-local address is told beside the other one, in an order left to chance, as modules seen do; only
 *   one of the flows shows it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { flows, keyOf, steps } from '../simulator/firmware/support/exchanges.js';
import { scenarios } from '../simulator/firmware/support/scenarios.js';
import { scratch, startSimulator } from './support/processes.js';
import { CLOSES, NOBODY, PEER, type Stage, stages, worlds } from './support/stages.js';

const AREAS = ['system', 'scan', 'join', 'ip', 'dns', 'tcp-client', 'ping'];
const LINK_LOCAL = /^\+WSTAAIP:\d+,"FE80::/;
const python = '/usr/bin/python3';
const hasPyserial = (): boolean => spawnSync(python, ['-c', 'import serial']).status === 0;

/** The other end of a flow's sockets. */
class Peer {
  received = '';
  readonly #server: Server;
  /** The last one to come. */
  #socket: Socket | undefined;

  constructor() {
    this.#server = createServer((socket) => {
      this.#socket = socket;
      socket.on('data', (data) => {
        this.received += data.toString('latin1');
      });
      socket.on('error', () => {});
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  act(what: string | typeof CLOSES): void {
    if (what === CLOSES) this.#socket?.end();
    else this.#socket?.write(what);
  }

  close(): void {
    this.#server.close();
    this.#socket?.destroy();
  }
}

interface Result {
  readonly compared: number;
  readonly failed: string | null;
  readonly heard: string;
}

/** One flow, one way. */
interface Part {
  readonly name: string;
  readonly key: string;
  readonly stage: Stage;
  readonly echo: boolean;
  readonly peer: Peer;
  result?: Result;
}

const parts: readonly Part[] = stages.flatMap(([key, stage]) =>
  [true, false].map((echo) => ({
    name: `${key}${stage.as === undefined ? '' : ` (${stage.as})`}, ${echo ? 'with' : 'without'} echo`,
    key,
    stage,
    echo,
    peer: new Peer(),
  })),
);

/** Lines; those in a list come in any order. */
type Steps = readonly (string | readonly string[])[];

/** The link-local address of a join beside the other one. */
function withLinkLocal(lines: readonly string[]): Steps {
  const result: (string | readonly string[])[] = [];
  for (let at = 0; at < lines.length; at++) {
    result.push(lines[at]);
    if (!lines[at].startsWith('+WSTALU:')) continue;
    if (LINK_LOCAL.test(lines[at + 1])) at++;
    result.push(['+WSTAAIP:1,"FE80::DF6A:DC30:93BF:60AE"', lines[++at]]);
  }
  return result;
}

describe('written exchanges, played by pyserial', () => {
  const files = scratch();
  const simulators: Awaited<ReturnType<typeof startSimulator>>[] = [];

  before(async function () {
    if (!hasPyserial()) this.skip();
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const closedPort = (nobody.address() as AddressInfo).port;
    nobody.close();

    const exchanges = await Promise.all(
      Object.entries(worlds).map(async ([world, scenario], at) => {
        const own = parts.filter(({ stage }) => (stage.world ?? 'home') === world);
        const file = files.path(`world-${at}.json`);
        writeFileSync(file, JSON.stringify({ ...scenario, seed: at, modules: own.map(() => ({})) }));
        const devices = own.map((_, index) => files.path(`winc-${at}-${index}`));
        const uarts = devices.flatMap((device) => ['--uart', `pty:${device}`]);
        simulators.push(await startSimulator('--scenario', file, ...uarts));
        return Promise.all(
          own.map(async ({ name, key, stage, echo, peer }, index) => {
            const port = await peer.listen();
            const onHost = (lines: readonly string[]): Steps =>
              withLinkLocal(
                lines.map((line) =>
                  line
                    .replace(/^(\+\w+)=/, '$1:')
                    .replace(PEER, `"10.0.2.2",${port}`)
                    .replace(NOBODY, `"10.0.2.2",${closedPort}`)
                    .replace('8.8.8.8', '10.0.2.2'),
                ),
              );
            const flow = flows.find((one) => keyOf(one) === key)!;
            return {
              name,
              device: devices[index],
              echo,
              given: onHost(stage.given ?? []),
              lines: onHost(steps(flow, scenarios[key])),
              cues: Object.keys(stage.peer ?? {}),
            };
          }),
        );
      }),
    );

    const script = spawn(python, [join(import.meta.dirname, 'flows_client.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    script.stdin.end(JSON.stringify(exchanges.flat()));
    for await (const line of createInterface({ input: script.stdout })) {
      const { name, cue, ...result } = JSON.parse(line) as { name: string; cue?: string } & Result;
      const part = parts.find((one) => one.name === name)!;
      if (cue === undefined) part.result = result;
      else part.peer.act(part.stage.peer![cue]);
    }
  });

  after(async () => {
    for (const { peer } of parts) peer.close();
    await Promise.all(simulators.map((simulator) => simulator.stop()));
    files.remove();
  });

  for (const part of parts)
    it(part.name, () => {
      expect(part.result, 'what the script said').not.equal(undefined);
      const { failed, heard, compared } = part.result!;
      if (failed !== null) expect.fail(`${failed} after ${JSON.stringify(heard)}`);
      expect(compared).to.be.above(0);
      if (part.stage.received !== undefined) expect(part.peer.received).to.equal(part.stage.received);
    });

  it('none is left out', () => {
    const played = new Set(stages.map(([key]) => key));
    const wanted = flows.filter(({ area }) => AREAS.includes(area)).map(keyOf);
    expect([...played]).to.have.members(wanted);
  });
});
