import { expect } from 'chai';
import { WincModule } from '../../driver/index.js';
import type { WincError } from '../../driver/protocol/index.js';
import { VirtualClock } from '../../simulator/tcpip/clock.js';
import { BANNER, ScriptedModule, settle } from './session/scripted-module.js';

async function open() {
  const clock = new VirtualClock();
  const far = new ScriptedModule();
  const opening = WincModule.open(far.near, { clock });
  await settle(clock, 100);
  const module = await opening;
  far.forget();
  far.replies.set('AT+WSTA', '+WSTA:0\r\nOK\r\n');
  return { clock, far, module };
}
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: WincError) => error.code,
  );
const LINK_UP = '\r+WSTALU:1,"02:41:50:00:00:01",6\r\n';

describe('Wifi', () => {
  it('scans until the module says it is done', async () => {
    const { clock, far, module } = await open();
    far.replies.set(
      'AT+WSCN=1',
      'OK\r\n\r+WSCNIND:-38,3,11,"00:01:02:03:04:05","SSID #1"\r\n\r+WSCNIND:-40,0,1,"00:01:02:03:04:06",[C3A9]\r\n\r+WSCNDONE:2\r\n',
    );
    const found = module.wifi.scan();
    await settle(clock);
    expect(await found).to.deep.equal([
      { ssid: 'SSID #1', bssid: '00:01:02:03:04:05', channel: 11, rssi: -38, securityType: 3 },
      { ssid: 'é', bssid: '00:01:02:03:04:06', channel: 1, rssi: -40, securityType: 0 },
    ]);
    expect(clock.pending).to.equal(0);
  });

  it('joins, and takes a link-local address for none', async () => {
    const { clock, far, module } = await open();
    far.replies.set('AT+WSTA=1', `OK\r\n${LINK_UP}\r+WSTAAIP:1,"FE80::DF6A:DC30:93BF:60AE"\r\n`);
    let joined = false;
    const join = module.wifi.join({ ssid: 'lab', passphrase: 'secret123' });
    void join.then(() => {
      joined = true;
    });
    await settle(clock, 100);
    expect(joined).to.equal(false);
    far.print('\r+WSTAAIP:1,"192.168.1.42"\r\n');
    await settle(clock);
    expect(await join).to.deep.equal({
      assocId: 1,
      bssid: '02:41:50:00:00:01',
      channel: 6,
      addresses: ['fe80::df6a:dc30:93bf:60ae', '192.168.1.42'],
    });
    expect(far.heard).to.deep.equal([
      'AT+WSTA',
      'AT+WSTA=0',
      'AT+WSTAC=1,"lab"',
      'AT+WSTAC=2,3',
      'AT+WSTAC=4,0',
      'AT+WSTAC=3,"secret123"',
      'AT+WSTA=1',
    ]);
    expect(clock.pending).to.equal(0);
  });

  it('tells why it could not join, and stops the module trying', async () => {
    const { clock, far, module } = await open();
    far.replies.set('AT+WSTA=1', 'OK\r\n\r+WSTAERR:20.3,"STA Connection Failed"\r\n');
    const join = module.wifi.join({ ssid: 'lab', passphrase: 'wrong-one' }).catch((error) => error);
    await settle(clock);
    expect(await join).to.include({ code: 'WINC_JOIN_FAILED', statusName: 'STA_CONN_FAILED' });
    expect(far.heard.at(-1)).to.equal('AT+WSTA=0');
    expect(clock.pending).to.equal(0);
  });

  it('gives up in time', async () => {
    const { clock, far, module } = await open();
    const join = outcome(module.wifi.join({ ssid: 'lab', timeoutMs: 5000 }));
    await settle(clock, 5100);
    expect(await join).to.equal('WINC_JOIN_TIMEOUT');
    expect(far.heard.at(-1)).to.equal('AT+WSTA=0');
  });

  it('stops on abort and on a restart', async () => {
    const { clock, far, module } = await open();
    const abort = new AbortController();
    const first = outcome(module.wifi.join({ ssid: 'lab', signal: abort.signal }));
    await settle(clock, 100);
    abort.abort();
    expect(await first).to.equal('WINC_ABORTED');
    await settle(clock);
    const second = outcome(module.wifi.join({ ssid: 'lab' }));
    await settle(clock, 100);
    far.print(BANNER);
    await settle(clock, 100);
    expect(await second).to.equal('WINC_MODULE_RESET');
    expect(clock.pending).to.equal(0);
  });

  it('leaves an association before it joins another', async () => {
    const { clock, far, module } = await open();
    far.replies.set('AT+WSTA', '+WSTA:3,1\r\nOK\r\n');
    far.replies.set('AT+WSTA=0', 'OK\r\n\r+WSTALD:3\r\n');
    far.replies.set('AT+WSTA=1', `OK\r\n${LINK_UP}\r+WSTAAIP:1,"10.0.0.7"\r\n`);
    const join = outcome(module.wifi.join({ ssid: 'lab' }));
    await settle(clock, 100);
    expect(await join).to.equal('ok');
    expect(far.heard.indexOf('AT+WSTA=0')).to.be.lessThan(far.heard.indexOf('AT+WSTAC=1,"lab"'));
  });

  it('does not wait for a report when there is nothing to leave', async () => {
    const { clock, module } = await open();
    const left = outcome(module.wifi.leave());
    await settle(clock);
    expect(await left).to.equal('ok');
  });

  it('refuses names and passphrases no network can have, before anything is sent', async () => {
    const { far, module } = await open();
    for (const options of [
      { ssid: '' },
      { ssid: 'x'.repeat(33) },
      { ssid: 'é'.repeat(17) },
      { ssid: 'lab', passphrase: 'short' },
      { ssid: 'lab', passphrase: 'x'.repeat(64) },
      { ssid: 'lab', passphrase: 'secret123', security: 'open' as const },
      { ssid: 'lab', security: 'wpa3' as const },
      { ssid: 'lab', channel: 14 },
    ]) {
      expect(await outcome(module.wifi.join(options)), JSON.stringify(options)).to.equal('WINC_ARGUMENT');
    }
    expect(far.heard).to.deep.equal([]);
  });
});

describe('WincModule', () => {
  it('tells who the module is', async () => {
    const { clock, far, module } = await open();
    far.replies.set('AT+GMI', '+GMI:"Microchip"\r\nOK\r\n');
    far.replies.set('AT+GMR', '+GMR:"3.2.0 4 a1ac4a49 [13:57:36 Mar 19 2026]"\r\nOK\r\n');
    far.replies.set('AT+DI=1', '+DI:1,0x29C60053\r\nOK\r\n');
    const info = module.info();
    await settle(clock);
    expect(await info).to.deep.equal({
      manufacturer: 'Microchip',
      model: 'RNWF02',
      version: '3.2.0 4 a1ac4a49 [13:57:36 Mar 19 2026]',
      deviceId: 0x29c60053,
    });
  });

  it('pings, and passes the reason on when there is no reply', async () => {
    const { clock, far, module } = await open();
    far.replies.set('AT+PING="8.8.8.8"', 'OK\r\n\r+PING:"8.8.8.8",7\r\n');
    far.replies.set('AT+PING="10.9.9.9"', 'OK\r\n\r+PINGERR:11.0,"Ping Failed"\r\n');
    const good = module.ping('8.8.8.8');
    await settle(clock);
    expect(await good).to.deep.equal({ address: '8.8.8.8', rttMs: 7 });
    const bad = module.ping('10.9.9.9').catch((error) => error);
    await settle(clock);
    expect(await bad).to.include({ code: 'WINC_STATUS', statusName: 'PING_FAILED' });
  });

  it('looks names up one at a time', async () => {
    const { clock, far, module } = await open();
    far.replies.set('AT+DNSRESOLV=1,"a.test"', 'OK\r\n');
    far.replies.set('AT+DNSRESOLV=28,"b.test"', 'OK\r\n\r+DNSRESOLV:28,"b.test","2001:DB8::1"\r\n');
    const a = module.resolve('a.test');
    const b = module.resolve('b.test', { family: 6 });
    await settle(clock, 100);
    expect(far.heard).to.deep.equal(['AT+DNSRESOLV=1,"a.test"']);
    far.print('\r+DNSERR:5.4,"DNS Non-Existent Domain",1,"a.test"\r\n');
    const failure = await a.catch((error) => error);
    expect(failure).to.include({ code: 'WINC_STATUS', statusName: 'DNS_NON_EXISTENT_DOMAIN' });
    await settle(clock);
    expect(await b).to.equal('2001:db8::1');
  });

  it('restarts on request', async () => {
    const { clock, far, module } = await open();
    far.replies.set('AT+RST', `OK\r\n${BANNER}`);
    const reset = outcome(module.reset());
    await settle(clock, 100);
    expect(await reset).to.equal('ok');
    expect(clock.pending).to.equal(0);
  });

  it('closes as a disposable', async () => {
    const { clock, far, module } = await open();
    far.replies.set('AT+GMI', undefined);
    const pending = outcome(module.call('GMI'));
    await settle(clock);
    await module[Symbol.asyncDispose]();
    expect(await pending).to.equal('WINC_CLOSED');
    expect(await outcome(module.call('GMR'))).to.equal('WINC_CLOSED');
  });

  it('does not lose bytes over a listener that throws', async () => {
    const { clock, far, module } = await open();
    const uncaught: unknown[] = [];
    const handlers = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => uncaught.push(error));
    module.on('WSTALD', () => {
      throw new Error('listener');
    });
    let closed = 0;
    module.on('SOCKCL', () => closed++);
    far.print('\r+WSTALD:1\r\n\r+SOCKCL:5\r\n');
    await settle(clock, 1);
    await new Promise((resolve) => setImmediate(resolve));
    for (const handler of handlers) process.on('uncaughtException', handler);
    expect(closed).to.equal(1);
    expect(uncaught.map(String)).to.deep.equal(['Error: listener']);
  });
});
