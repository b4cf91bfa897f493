import { expect } from 'chai';
import { WincModule } from '../../../driver/module.js';
import type { WincError } from '../../../driver/protocol/errors.js';
import { registerTransport } from '../../../driver/transport/open.js';
import { traceDevice } from '../../../driver/transport/trace.js';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';
import { BANNER, ScriptedModule, settle } from './scripted-module.js';

interface Rig {
  readonly clock: VirtualClock;
  readonly far: ScriptedModule;
  readonly module: WincModule;
  readonly log: string[];
}

async function open(prepare: (far: ScriptedModule) => void = () => {}): Promise<Rig> {
  const clock = new VirtualClock();
  const far = new ScriptedModule();
  prepare(far);
  const opening = WincModule.open(far.near, { clock });
  opening.catch(() => {});
  for (let i = 0; i < 40; i++) await settle(clock, 50);
  const module = await opening;
  far.forget();
  const log: string[] = [];
  module.on('event', ({ name, elements }) => log.push(`${name} ${JSON.stringify(elements)}`));
  module.on('reset', () => log.push('reset'));
  module.on('resync', () => log.push('resync'));
  module.on('close', (error) => log.push(`close ${error?.code ?? ''}`));
  module.on('noise', ({ reason }) => log.push(`noise ${reason}`));
  return { clock, far, module, log };
}

/** The code it fails with, or `ok`. */
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: WincError) => error.code,
  );

describe('a session on the AT wire', () => {
  it('turns echo off first, and understands the prompts until then', async () => {
    const { far, module, clock } = await open((each) => {
      each.echo = true;
      each.replies.set('ATE0', 'OK\r\n>');
    });
    expect(far.received).to.match(/^\r\nATE0\r\nAT\+GMM\r\nATV5\r\nATF7\r\n$/);
    far.replies.set('AT+GMR', '+GMR:"3.2.0"\r\nOK\r\n');
    const answer = module.call('GMR');
    await settle(clock);
    expect((await answer)[0].elements).to.deep.equal({ versionInfo: '3.2.0' });
  });

  it('does not take a late answer to something else for its own', async () => {
    const { module, clock, far } = await open((each) => {
      // Half a line of an earlier program is in the module's buffer: its error comes first.
      each.replies.set('ATE0', 'ERROR:0.2,"Invalid AT Command"\r\nOK\r\n');
    });
    far.replies.set('AT+GMI', '+GMI:"Microchip"\r\nOK\r\n');
    const answer = module.call('GMI');
    await settle(clock);
    expect((await answer)[0].elements.manId).to.equal('Microchip');
  });

  it('gets in step with a module left in numeric mode', async () => {
    const { far, module, clock } = await open((each) =>
      each.replies.set('AT+GMM', '+02.01:"RNWF02"\r\nOK\r\n'),
    );
    far.replies.set('AT+GMI', '+02.00:"Microchip"\r\nOK\r\n');
    const answer = module.call('GMI');
    await settle(clock);
    expect((await answer)[0].elements.manId).to.equal('Microchip');
  });

  it('gets in step with a firmware that refuses ATE0 and GMM, and prints GMR without quotes', async () => {
    const { far, module, clock } = await open((each) => {
      for (const line of ['ATE0', 'AT+GMM', 'ATV5', 'ATF7']) each.replies.set(line, 'ERROR\r\n');
      each.replies.set('AT+GMR', '+GMR:3.1.0\r\nOK\r\n');
    });
    far.replies.set('AT+GMI', '+GMI:"Microchip"\r\nOK\r\n');
    const answer = module.call('GMI');
    await settle(clock);
    expect((await answer)[0].elements.manId).to.equal('Microchip');
  });

  it('sends one command at a time, in order', async () => {
    const { far, module, clock } = await open((each) => {
      each.replies.set('AT+GMI', undefined);
    });
    const first = module.call('GMI');
    const second = module.call('GMR');
    await settle(clock, 10);
    expect(far.heard).to.deep.equal(['AT+GMI']);
    far.print('+GMI:"a"\r\nOK\r\n');
    await settle(clock);
    expect(far.heard).to.deep.equal(['AT+GMI', 'AT+GMR']);
    expect((await first)[0].elements.manId).to.equal('a');
    expect(await outcome(second)).to.equal('ok');
  });

  it('is not put out of step by what another program writes to the module', async () => {
    const { far, module, clock } = await open((each) => each.replies.set('AT+GMI', undefined));
    const first = outcome(module.call('GMI'));
    await settle(clock);
    // The answer to a stray line comes first, then that to ours.
    far.print('ERROR:0.2,"Invalid AT Command"\r\n+GMI:"Microchip"\r\nOK\r\n');
    far.replies.set('AT+GMR', '+GMR:"3.2.0"\r\nOK\r\n');
    const second = module.call('GMR');
    await settle(clock, 100);
    expect(await first).to.equal('WINC_STATUS');
    expect((await second)[0].elements.versionInfo).to.equal('3.2.0');
    far.print('OK\r\n');
    const third = module.call('GMR');
    await settle(clock, 100);
    expect((await third)[0].elements.versionInfo).to.equal('3.2.0');
  });

  it('gives a refusal its number and name', async () => {
    const { far, module, clock } = await open();
    far.replies.set('AT+SOCKCL=99', 'ERROR:14.0,"Socket ID Not Found"\r\n');
    const refused = module.call('SOCKCL', { sockId: 99 }).catch((error) => error);
    await settle(clock);
    expect(await refused).to.include({
      code: 'WINC_STATUS',
      status: 0x0e00,
      statusName: 'SOCKET_ID_NOT_FOUND',
    });
    expect(module.statistics.refused).to.equal(1);
  });

  it('hears events at any time: idle, before the echo is done, between responses', async () => {
    const { far, module, clock, log } = await open();
    far.print('\r+WSTALD:1\r\n');
    far.replies.set('AT+GMR', (each) => each.print('\r+SOCKRXT:5,10\r\n+GMR:"x"\r\n\r+SOCKCL:5\r\nOK\r\n'));
    const answer = module.call('GMR');
    await settle(clock);
    expect((await answer)[0].elements.versionInfo).to.equal('x');
    expect(log).to.deep.equal([
      'WSTALD {"assocId":1}',
      'SOCKRXT {"sockId":5,"pendData":10}',
      'SOCKCL {"sockId":5}',
    ]);
  });

  it('tells the response SOCKCL from the event SOCKCL', async () => {
    const { far, module, clock, log } = await open();
    far.replies.set('AT+SOCKCL=5', '\r+SOCKCL:6\r\n+SOCKCL:5\r\nOK\r\n');
    const answer = module.call('SOCKCL', { sockId: 5 });
    await settle(clock);
    expect((await answer).map(({ elements }) => elements.sockId)).to.deep.equal([5]);
    expect(log).to.deep.equal(['SOCKCL {"sockId":6}']);
  });

  it('is not misled by a # in a network name', async () => {
    const { far, module, clock, log } = await open();
    const read = module.call('SOCKRD', { sockId: 5, outputMode: 2, length: 3 });
    far.replies.set('AT+SOCKRD=5,2,3', (each) =>
      each.print('\r+WSCNIND:-40,3,1,"AA:BB:CC:DD:EE:FF","#1 #"\r\n#abcOK\r\n'),
    );
    await settle(clock);
    const [{ elements }] = await read;
    expect(Buffer.from(elements.data).toString()).to.equal('abc');
    expect(log[0]).to.contain('"ssid":"#1 #"');
  });

  it('counts garbage as noise and hears what follows', async () => {
    const { far, module, clock, log } = await open();
    far.print(`\x80\xfe garbage\r\n${'y'.repeat(20_000)}\r\n\r+SOCKCL:7\r\n`);
    await settle(clock);
    expect(log).to.deep.equal(['noise UNKNOWN_LINE', 'noise LINE_TOO_LONG', 'SOCKCL {"sockId":7}']);
    expect(module.statistics.noise).to.equal(2);
  });

  it('reads a raw block of exactly the announced length, whatever it contains', async () => {
    const { far, module, clock } = await open();
    const data = '\r\nOK\r\n+++#>\0\xff';
    far.replies.set(`AT+SOCKRD=5,2,${data.length}`, `#${data}OK\r\n`);
    const read = module.call('SOCKRD', { sockId: 5, outputMode: 2, length: data.length });
    await settle(clock);
    expect(Buffer.from((await read)[0].elements.data).toString('latin1')).to.equal(data);
  });

  it('takes a short raw block for what it is after a silence', async () => {
    const { far, module, clock, log } = await open();
    far.replies.set('AT+SOCKRD=5,2,100', '#abcOK\r\n');
    const read = module.call('SOCKRD', { sockId: 5, outputMode: 2, length: 100 });
    await settle(clock, 2500);
    expect(Buffer.from((await read)[0].elements.data).toString()).to.equal('abc');
    expect(log).to.deep.equal([]);
  });

  it('writes a large payload raw after the #, and nothing before it', async () => {
    const { far, module, clock } = await open();
    const payload = Buffer.from(Array.from({ length: 300 }, (_, i) => i & 0xff));
    let got = '';
    far.replies.set('AT+SOCKWR=5,300', undefined);
    const written = module.call('SOCKWR', { sockId: 5, length: 300, data: payload });
    await settle(clock, 100);
    expect(far.received.endsWith('AT+SOCKWR=5,300\r\n')).to.equal(true);
    far.takeRaw(300, (bytes) => {
      got = bytes;
      far.print('OK\r\n');
    });
    far.print('#');
    await settle(clock);
    expect(await outcome(written)).to.equal('ok');
    expect(got).to.equal(payload.toString('latin1'));
  });

  it('takes the refusal of a raw write for an answer, and sends no payload', async () => {
    const { far, module, clock } = await open();
    far.replies.set('AT+SOCKWR=5,300', 'ERROR:14.12,"Socket Not Ready"\r\n');
    const written = module
      .call('SOCKWR', { sockId: 5, length: 300, data: Buffer.alloc(300) })
      .catch((e) => e);
    await settle(clock);
    expect((await written).statusName).to.equal('SOCKET_NOT_READY');
    expect(far.received.endsWith('AT+SOCKWR=5,300\r\n')).to.equal(true);
  });

  it('gets back in step after a lost answer, and says so', async () => {
    const { far, module, clock, log } = await open();
    far.replies.set('AT+GMI', undefined);
    const lost = outcome(module.call('GMI', {}, { timeoutMs: 1000 }));
    const next = module.call('GMR');
    far.replies.set('AT+GMR', '+GMR:"3.2.0"\r\nOK\r\n');
    await settle(clock, 1500);
    expect(await lost).to.equal('WINC_TIMEOUT');
    expect((await next)[0].elements.versionInfo).to.equal('3.2.0');
    expect(log).to.deep.equal(['resync']);
    expect(module.statistics).to.include({ lostAnswers: 1, resyncs: 1 });
  });

  it('does not give a late answer to the next command', async () => {
    const { far, module, clock } = await open();
    far.replies.set('AT+GMI', undefined);
    // The answer to GMI comes in the middle of the recovery.
    far.replies.set('ATE0', '+GMI:"late"\r\nERROR:0.4\r\nOK\r\n');
    const lost = outcome(module.call('GMI', {}, { timeoutMs: 1000 }));
    const next = module.call('GMR');
    far.replies.set('AT+GMR', '+GMR:"own"\r\nOK\r\n');
    await settle(clock, 3000);
    expect(await lost).to.equal('WINC_TIMEOUT');
    expect((await next)[0].elements.versionInfo).to.equal('own');
  });

  it('restarts a module that stays silent, and reports the loss', async () => {
    const { far, module, clock, log } = await open();
    // Only AT+RST is still understood, and answered by the restart itself.
    for (const line of ['AT+GMI', 'ATE0', 'AT+GMM']) far.replies.set(line, undefined);
    far.replies.set('AT+RST', (each) => {
      for (const line of ['AT+GMI', 'ATE0']) each.replies.delete(line);
      each.replies.set('AT+GMM', '+GMM:"RNWF02"\r\nOK\r\n');
      each.print(BANNER);
    });
    const lost = outcome(module.call('GMI', {}, { timeoutMs: 1000 }));
    await settle(clock, 12_000);
    expect(await lost).to.equal('WINC_MODULE_RESET');
    expect(log.filter((each) => each === 'reset')).to.have.length(1);
  });

  it('gives up in bounded time when nothing helps', async () => {
    const { far, module, clock, log } = await open();
    far.deaf = true;
    const lost = outcome(module.call('GMI', {}, { timeoutMs: 1000 }));
    const waiting = outcome(module.call('GMR'));
    await settle(clock, 16_000);
    expect(await lost).to.equal('WINC_MODULE_SILENT');
    expect(await waiting).to.equal('WINC_MODULE_SILENT');
    expect(await outcome(module.call('GMM'))).to.equal('WINC_MODULE_SILENT');
    expect(log).to.deep.equal(['close WINC_MODULE_SILENT']);
  });

  it('notices a restart: commands fail, echo is turned off again, commands go on', async () => {
    const { far, module, clock, log } = await open();
    far.replies.set('AT+GMI', undefined);
    const pending = outcome(module.call('GMI'));
    await settle(clock);
    far.echo = true;
    far.print(`\0${BANNER}>`);
    await settle(clock, 100);
    expect(await pending).to.equal('WINC_MODULE_RESET');
    expect(log.filter((each) => each === 'reset')).to.have.length(1);
    expect(far.echo).to.equal(false);
    far.replies.set('AT+GMR', '+GMR:"x"\r\nOK\r\n');
    const after = module.call('GMR');
    await settle(clock);
    expect((await after)[0].elements.versionInfo).to.equal('x');
    expect(module.statistics.resets).to.equal(1);
  });

  it('notices a restart in the middle of a raw write', async () => {
    const { far, module, clock } = await open();
    far.replies.set('AT+SOCKWR=5,300', (each) => each.print(BANNER));
    const written = outcome(module.call('SOCKWR', { sockId: 5, length: 300, data: Buffer.alloc(300) }));
    await settle(clock, 500);
    expect(await written).to.equal('WINC_MODULE_RESET');
    const after = outcome(module.call('GMR'));
    await settle(clock, 100);
    expect(await after).to.equal('ok');
  });

  it('notices a restart in the middle of a raw read', async () => {
    const { far, module, clock, log } = await open();
    far.replies.set('AT+SOCKRD=5,2,1000', (each) => each.print(`#abc${BANNER}`));
    const read = outcome(module.call('SOCKRD', { sockId: 5, outputMode: 2, length: 1000 }));
    await settle(clock, 3000);
    expect(await read).to.equal('WINC_MODULE_RESET');
    expect(log).to.include('reset');
  });

  it('believes no events while payload of a peer may be taken for lines', async () => {
    const { far, module, clock, log } = await open();
    far.replies.set('AT+SOCKRD=5,2,1000', (each) => each.print('#abc'));
    const read = outcome(
      module.call('SOCKRD', { sockId: 5, outputMode: 2, length: 1000 }, { timeoutMs: 500 }),
    );
    await settle(clock, 400);
    far.deaf = true;
    await settle(clock, 200);
    far.print('\r+SOCKCL:6\r\n\r+WSTALD:1\r\n');
    await settle(clock, 100);
    far.deaf = false;
    await settle(clock, 6000);
    expect(await read).to.equal('WINC_TIMEOUT');
    expect(log.filter((each) => each.startsWith('SOCKCL') || each.startsWith('WSTALD'))).to.deep.equal([]);
  });

  it('fails everything at once when the port is unplugged', async () => {
    const { far, module, clock, log } = await open();
    far.replies.set('AT+GMI', undefined);
    const pending = outcome(module.call('GMI'));
    const waiting = outcome(module.call('GMR'));
    await settle(clock);
    far.near.unplug();
    expect(await pending).to.equal('WINC_PORT_LOST');
    expect(await waiting).to.equal('WINC_PORT_LOST');
    expect(log).to.deep.equal(['close WINC_PORT_LOST']);
    expect(clock.pending).to.equal(0);
  });

  it('fails with WINC_MODULE_SILENT if nothing ever answers, within its time', async () => {
    const clock = new VirtualClock();
    const far = new ScriptedModule();
    far.deaf = true;
    const opening = outcome(WincModule.open(far.near, { clock, startTimeoutMs: 7000 }));
    await settle(clock, 9000);
    expect(await opening).to.equal('WINC_MODULE_SILENT');
    expect(clock.pending).to.equal(0);
  });

  it('opens the port again as its last resort', async () => {
    const clock = new VirtualClock();
    const modules: ScriptedModule[] = [];
    registerTransport('scripted', async () => {
      const far = new ScriptedModule();
      modules.push(far);
      return far.near;
    });
    const opening = WincModule.open('scripted:', { clock });
    await settle(clock, 100);
    const module = await opening;
    let resets = 0;
    let closed = 0;
    module.on('reset', () => resets++);
    module.on('close', () => closed++);
    modules[0].deaf = true;
    const lost = outcome(module.call('GMI', {}, { timeoutMs: 1000 }));
    await settle(clock, 15_000);
    expect(await lost).to.equal('WINC_MODULE_RESET');
    expect(modules).to.have.length(2);
    expect([resets, closed, module.statistics.reopens]).to.deep.equal([1, 0, 1]);
    const after = outcome(module.call('GMR'));
    await settle(clock, 100);
    expect(await after).to.equal('ok');
    expect(clock.pending).to.equal(0);
  });

  it('says so when the port that was opened again is silent too', async () => {
    const clock = new VirtualClock();
    registerTransport('scripted', async () => {
      const far = new ScriptedModule();
      far.deaf = opened++ > 0;
      first ??= far;
      return far.near;
    });
    let opened = 0;
    let first: ScriptedModule | undefined;
    const opening = WincModule.open('scripted:', { clock });
    await settle(clock, 100);
    const module = await opening;
    const closings: (string | undefined)[] = [];
    module.on('close', (error) => closings.push(error?.code));
    (first as ScriptedModule).deaf = true;
    const lost = outcome(module.call('GMI', {}, { timeoutMs: 1000 }));
    await settle(clock, 25_000);
    expect(await lost).to.equal('WINC_MODULE_SILENT');
    expect(closings).to.deep.equal(['WINC_MODULE_SILENT']);
    expect(clock.pending).to.equal(0);
  });

  it('waits for a module that is booting', async () => {
    const clock = new VirtualClock();
    const far = new ScriptedModule();
    far.deaf = true;
    const opening = outcome(WincModule.open(far.near, { clock }));
    await settle(clock, 4000);
    far.deaf = false;
    far.echo = true;
    far.print(`${BANNER}>`);
    await settle(clock, 200);
    expect(await opening).to.equal('ok');
  });

  it('frees a module that an earlier program left waiting for raw bytes', async () => {
    const clock = new VirtualClock();
    const far = new ScriptedModule();
    far.takeRaw(1460, () => far.print('OK\r\n'));
    const opening = outcome(WincModule.open(far.near, { clock }));
    await settle(clock, 7000);
    expect(await opening).to.equal('ok');
  });

  it('refuses bad arguments before anything is sent', async () => {
    const { far, module } = await open();
    expect(await outcome(module.call('SOCKBR', { sockId: 0, rmtAddr: 'x', rmtPort: 1 }))).to.equal(
      'WINC_ARGUMENT',
    );
    expect(await outcome(module.call('SOCKWR', { sockId: 1, length: 2000, data: '' }))).to.equal(
      'WINC_ARGUMENT',
    );
    expect(far.heard).to.deep.equal([]);
  });

  it('lets nothing that is passed in end the line', async () => {
    const { far, module, clock } = await open();
    const nasty = 'a"\r\nAT+RST\r\n\0\\';
    const sent = outcome(module.call('WSTAC', { id: 1, val: nasty }));
    await settle(clock);
    expect(await sent).to.equal('ok');
    expect(far.heard).to.have.length(1);
    expect(far.heard[0]).to.match(/^AT\+WSTAC=1,[\x20-\x7e]+$/);
  });

  it('bounds its queue', async () => {
    const { far, module, clock } = await open();
    far.replies.set('AT+GMI', undefined);
    const all = Array.from({ length: 70 }, () => outcome(module.call('GMI')));
    expect(await all[69]).to.equal('WINC_BUSY');
    await settle(clock);
    far.near.unplug();
    expect((await Promise.all(all)).filter((code) => code === 'WINC_PORT_LOST')).to.have.length(64);
  });

  it('takes a waiting command back on abort, and only the waiting of one that was sent', async () => {
    const { far, module, clock } = await open();
    far.replies.set('AT+GMI', undefined);
    const sent = new AbortController();
    const queued = new AbortController();
    const first = outcome(module.call('GMI', {}, { signal: sent.signal }));
    const second = outcome(module.call('GMR', {}, { signal: queued.signal }));
    const third = outcome(module.call('NETIFC', {}));
    await settle(clock);
    sent.abort();
    queued.abort();
    expect(await first).to.equal('WINC_ABORTED');
    expect(await second).to.equal('WINC_ABORTED');
    expect(far.heard).to.deep.equal(['AT+GMI']);
    far.print('OK\r\n');
    await settle(clock);
    expect(far.heard).to.deep.equal(['AT+GMI', 'AT+NETIFC']);
    expect(await third).to.equal('ok');
  });

  it('keeps passphrases out of the trace in every form', async () => {
    const clock = new VirtualClock();
    const far = new ScriptedModule();
    const lines: string[] = [];
    const traced = traceDevice({ write: (line) => lines.push(line) })(far.near, clock);
    const opening = WincModule.open(traced, { clock });
    await settle(clock, 100);
    const module = await opening;
    const secret = 'pass"word\\ü';
    const set = module.call('WSTAC', { id: 3, val: secret });
    await settle(clock, 100);
    await set;
    far.print(`\r+WSTAC:3,"${Buffer.from(secret).toString('latin1')}"\r\n`);
    await settle(clock, 100);
    const text = lines.join('');
    expect(text).to.contain('AT+WSTAC=3,');
    expect(text).to.contain('***');
    for (const form of ['pass', Buffer.from(secret).toString('hex').toUpperCase()]) {
      expect(text).not.to.contain(form);
    }
  });
});
