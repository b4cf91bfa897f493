import { expect } from 'chai';
import { StatusCode } from '../../../driver/protocol/catalogue/statuses.js';
import type { Event, Request, Response, Status, Values } from '../../../driver/protocol/messages.js';
import { Firmware } from '../../../simulator/firmware/firmware.js';
import { fastTimings } from '../../../simulator/firmware/profile.js';
import type { Exchange, Frontend } from '../../../simulator/frontend/frontend.js';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import { seededRandom } from '../../../simulator/tcpip/random.js';
import { FakeRadio } from './support/fake-radio.js';
import { FakeStack } from './support/fake-stack.js';

/** A front end without a wire. */
class Recorder implements Frontend {
  readonly log: string[] = [];
  congested = false;
  booting(): void {
    this.log.push('booting');
  }
  booted(banner: string): void {
    this.log.push(`booted ${banner.slice(0, 4)}`);
  }
  event({ name }: Omit<Event, 'kind'>): void {
    this.log.push(name);
  }
}

const setup = () => {
  const clock = new VirtualClock();
  const radio = new FakeRadio(clock);
  const stacks: FakeStack[] = [];
  const faults: unknown[] = [];
  const observed: (Request | Response | Status | Event)[] = [];
  const firmware = new Firmware({
    clock,
    random: seededRandom(1),
    radio,
    mac: '02:00:00:00:00:01',
    createStack: (options) => {
      const stack = new FakeStack(options);
      stacks.push(stack);
      return stack;
    },
    onFault: (error) => faults.push(error),
    observe: (message) => observed.push(message),
  });
  const frontend = new Recorder();
  const port = firmware.connect(frontend);
  const execute = (command: Request['command'], args: Values = {}, more: Partial<Exchange> = {}) => {
    const responses: Omit<Response, 'kind' | 'seq'>[] = [];
    const statuses: number[] = [];
    port.execute({
      request: { kind: 'request', command, args, seq: 0 },
      respond: (response) => {
        responses.push(response);
        frontend.log.push(`response ${response.command}`);
      },
      finish: ({ code }) => {
        statuses.push(code);
        frontend.log.push(`status ${code}`);
      },
      ...more,
    });
    return { responses, statuses };
  };
  return { clock, radio, stacks, faults, observed, firmware, frontend, execute };
};

const booted = () => {
  const all = setup();
  all.firmware.powerUp();
  all.clock.advance(fastTimings.boot);
  all.frontend.log.length = 0;
  return all;
};

describe('Firmware', () => {
  it('announces a boot and answers nothing before its end', () => {
    const { clock, firmware, frontend, execute } = setup();
    firmware.powerUp();
    expect(execute('GMM').statuses).to.deep.equal([StatusCode.HOST_INTERFACE_FAILED]);
    clock.advance(fastTimings.boot);
    expect(frontend.log).to.deep.equal([
      'booting',
      `status ${StatusCode.HOST_INTERFACE_FAILED}`,
      'booted RNWF',
    ]);
    expect(execute('GMM').responses[0].elements).to.deep.equal({ modelId: 'RNWF02' });
  });

  it('gives responses first, then one status, then the events raised meanwhile', () => {
    const { frontend, execute } = booted();
    execute('TIME', { format: 1, utcSec: 5 });
    frontend.log.length = 0;
    execute('TIME', { format: 1 });
    execute('SOCKO', { protocol: 2 });
    expect(frontend.log).to.deep.equal(['status 0', 'TIME', 'response SOCKO', 'status 0']);
  });

  it('takes the arguments of either wire: typed, as bytes, as text', () => {
    const { execute } = booted();
    expect(execute('WSTAC', { id: 1, val: { type: 'STRING', value: 'net' } }).statuses).to.deep.equal([0]);
    expect(execute('WSTAC', { id: 1, val: Buffer.from('net') }).statuses).to.deep.equal([0]);
    expect(execute('WSTAC', { id: 1 }).responses[0].elements).to.deep.equal({ id: 1, val: 'net' });
    expect(
      execute('NETIFC', { intf: 0, id: 10, val: { type: 'INTEGER_UNSIGNED', value: 1 } }).statuses,
    ).to.deep.equal([0]);
    expect(execute('PING', { targetAddr: { type: 'IPV4ADDR', value: '10.0.0.1' } }).statuses).to.have.length(
      1,
    );
  });

  it('answers a command of the catalogue it does not know with 0.3, and bad arguments with 0.4 and 0.5', () => {
    const { execute } = booted();
    expect(execute('MQTTCONN', { clean: 1 }).statuses).to.deep.equal([StatusCode.UNKNOWN_CMD]);
    expect(execute('SOCKO', { protocol: 9 }).statuses).to.deep.equal([StatusCode.INVALID_PARAMETER]);
    expect(execute('SOCKO', {}).statuses).to.deep.equal([StatusCode.INCORRECT_NUM_PARAMS]);
    expect(execute('SOCKO', { protocol: 2, more: 1 }).statuses).to.deep.equal([
      StatusCode.INCORRECT_NUM_PARAMS,
    ]);
    expect(execute('SOCKWR', { sockId: 1, length: 0 }).statuses).to.deep.equal([
      StatusCode.INCORRECT_NUM_PARAMS,
    ]);
    expect(execute('WSTAC', { val: 1 }).statuses).to.deep.equal([StatusCode.INCORRECT_NUM_PARAMS]);
  });

  it('starts over after AT+RST: nothing of before goes on', () => {
    const { clock, radio, stacks, frontend, execute } = booted();
    execute('WSTAC', { id: 1, val: 'MyAP' });
    execute('WSTAC', { id: 2, val: 3 });
    execute('WSTAC', { id: 3, val: 'MyAPPSK' });
    execute('WSTA', { state: 1 });
    clock.advance(100);
    execute('WSCN', { actPasv: 1 });
    frontend.log.length = 0;
    execute('RST');
    expect(frontend.log).to.deep.equal(['status 0', 'booting']);
    expect(radio.association.left).to.equal(true);
    expect(stacks[0].closed).to.equal(true);
    clock.advance(60_000);
    expect(frontend.log).to.deep.equal(['status 0', 'booting', 'booted RNWF']);
    expect(stacks).to.have.length(2);
    expect(execute('WSTAC', { id: 1 }).responses).to.deep.equal([]);
  });

  it('goes quiet when the power goes', () => {
    const { clock, firmware, frontend, execute } = booted();
    execute('WSCN', { actPasv: 1 });
    firmware.powerDown();
    frontend.log.length = 0;
    clock.advance(60_000);
    expect(frontend.log).to.deep.equal([]);
    expect(clock.pending).to.equal(0);
  });

  it('answers 0.1 when a service breaks down, tells of it, and goes on', () => {
    const { stacks, faults, execute } = booted();
    stacks[0].udpBind = () => {
      throw new TypeError('broken');
    };
    const id = execute('SOCKO', { protocol: 1 }).responses[0].elements.sockId as number;
    expect(execute('SOCKBL', { sockId: id, lclPort: 5 }).statuses).to.deep.equal([StatusCode.ERROR]);
    expect(faults).to.have.length(1);
    expect(execute('GMM').statuses).to.deep.equal([0]);
  });

  it('shows an observer every message', () => {
    const { observed, execute } = booted();
    execute('TIME', { format: 1, utcSec: 5 });
    execute('TIME', { format: 1 });
    execute('GMM');
    expect(observed.map((message) => message.kind)).to.deep.equal([
      'request',
      'status',
      'request',
      'status',
      'event',
      'request',
      'response',
      'status',
    ]);
  });
});
