import { expect } from 'chai';
import type { Event, Request, Response } from '../../driver/protocol/messages.js';
import { formatEntry, MessageLog, withoutSecrets } from '../../simulator/message-log.js';
import { VirtualClock } from '../../simulator/tcpip/clock.js';

const linkUp: Event = { kind: 'event', name: 'WSTALU', form: 'LINK_UP', elements: { assocId: 1 } };
const request = (command: Request['command'], args: Request['args']): Request => ({
  kind: 'request',
  command,
  args,
  seq: 0,
});

describe('the message log', () => {
  it('leaves out passphrases, passwords and file contents, asked or answered', () => {
    const hidden: [Request['command'], number][] = [
      ['WSTAC', 3],
      ['WSTAC', 33],
      ['WAPC', 3],
      ['MQTTC', 5],
      ['TLSC', 4],
    ];
    for (const [command, id] of hidden) {
      expect(withoutSecrets(request(command, { id, val: 'secret' }))).to.have.nested.property(
        'args.val',
        '***',
      );
      const response: Response = {
        kind: 'response',
        command,
        form: 'VALUE',
        elements: { id, val: 'secret' },
      };
      expect(JSON.stringify(withoutSecrets(response))).not.to.contain('secret');
    }
    expect(withoutSecrets(request('WSTAC', { id: 1, val: 'lab' }))).to.have.nested.property(
      'args.val',
      'lab',
    );
    const block = request('FSTSFR', { tsfrHandle: 1, data: Uint8Array.of(1) });
    expect(withoutSecrets(block)).to.have.nested.property('args.data', '***');
  });

  it('keeps the newest up to its bound, and tells each to its sink', () => {
    const lines: string[] = [];
    const clock = new VirtualClock();
    const log = new MessageLog(clock, { limit: 10, sink: (line) => lines.push(line) });
    for (let index = 0; index < 35; index++) log.record(0, { ...linkUp, elements: { assocId: index } });
    expect(
      log.entries.map(({ message }) => message.kind === 'event' && message.elements.assocId),
    ).to.deep.equal([25, 26, 27, 28, 29, 30, 31, 32, 33, 34]);
    expect(lines).to.have.length(35);
    expect(JSON.parse(lines[3])).to.deep.equal({ at: 0, module: 0, ...linkUp, elements: { assocId: 3 } });
  });

  it('keeps bytes as they were', () => {
    const log = new MessageLog(new VirtualClock());
    const data = Uint8Array.of(1, 2, 3);
    log.record(0, request('SOCKWR', { sockId: 1, length: 3, data }));
    data.fill(0);
    expect(log.entries[0].message).to.have.deep.nested.property('args.data', Uint8Array.of(1, 2, 3));
  });

  it('writes bytes as hexadecimal text', () => {
    const message = request('SOCKWR', { sockId: 1, length: 2, data: Uint8Array.of(0, 255) });
    expect(JSON.parse(formatEntry({ at: 1.23456, module: 2, message }))).to.deep.include({
      at: 1.235,
      module: 2,
      args: { sockId: 1, length: 2, data: '00ff' },
    });
  });

  it('waits for what is expected, and says what came instead', async () => {
    const clock = new VirtualClock();
    const log = new MessageLog(clock);
    log.record(0, linkUp);
    const byName = log.expect('WSTALU', 100);
    const byTest = log.expect((message) => message.kind === 'request', 100);
    const never = log.expect('WSTALD', 100);
    clock.advance(5);
    log.record(1, linkUp);
    log.record(0, request('GMR', {}));
    expect(await byName).to.deep.equal({ at: 5, module: 1, message: linkUp });
    expect((await byTest).message).to.have.property('command', 'GMR');
    clock.advance(100);
    const error = await never.catch((caught: unknown) => caught);
    expect(error).to.have.property('code', 'WINC_TIMEOUT');
    expect(String(error)).to.contain('there came WSTALU, GMR');
    expect(clock.pending).to.equal(0);
  });
});
