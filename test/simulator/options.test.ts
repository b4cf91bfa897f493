import { expect } from 'chai';
import { parseAccessPoint, parseDns, parseForward, parseUart } from '../../simulator/options.js';
import { openSimTransport, parseSimUrl } from '../../simulator/sim-transport.js';

const refused = (action: () => unknown) => expect(action).to.throw().with.property('code', 'WINC_ARGUMENT');

describe('the options of the simulator as text', () => {
  it('takes an access point literally after its first colon', () => {
    expect(parseAccessPoint('lab')).to.deep.equal({ ssid: 'lab' });
    expect(parseAccessPoint('lab:se:cret "\\\r\n')).to.deep.equal({
      ssid: 'lab',
      passphrase: 'se:cret "\\\r\n',
    });
  });

  it('reads DNS records', () => {
    expect(parseDns('a.test=192.0.2.1')).to.deep.equal({ name: 'a.test', type: 'A', data: '192.0.2.1' });
    expect(parseDns('a.test=2001:db8::1')).to.deep.equal({
      name: 'a.test',
      type: 'AAAA',
      data: '2001:db8::1',
    });
    for (const bad of ['a.test', '=192.0.2.1', 'a.test=', 'a.test=300.1.1.1', 'a.test=17', 'a.test=b.test'])
      refused(() => parseDns(bad));
  });

  it('reads forwards', () => {
    expect(parseForward('8080:80')).to.deep.equal({ protocol: 'tcp', hostPort: 8080, modulePort: 80 });
    expect(parseForward('53:5353/udp')).to.deep.equal({ protocol: 'udp', hostPort: 53, modulePort: 5353 });
    for (const bad of ['8080', '8080:0', '8080:99999', 'x:80', '1:2/sctp', '1:2:3'])
      refused(() => parseForward(bad));
  });

  it('reads where a UART is', () => {
    expect(parseUart('pty')).to.deep.equal({ kind: 'pty' });
    expect(parseUart('pty:/tmp/a b:c')).to.deep.equal({ kind: 'pty', link: '/tmp/a b:c' });
    expect(parseUart('tcp:4000')).to.deep.equal({ kind: 'tcp', port: 4000 });
    expect(parseUart('tcp:localhost:4000')).to.deep.equal({ kind: 'tcp', host: 'localhost', port: 4000 });
    expect(parseUart('tcp:[::1]:0')).to.deep.equal({ kind: 'tcp', host: '::1', port: 0 });
    for (const bad of ['', 'pty:', 'tcp:', 'tcp:x', 'tcp:1:2:3', 'tcp:70000', 'serial:/dev/ttyS0'])
      refused(() => parseUart(bad));
  });

  it('reads a sim: URL', () => {
    expect(parseSimUrl('sim:')).to.deep.equal({});
    expect(
      parseSimUrl(
        'sim:?profile=wincs02&ap=lab:secret123&ap=open%20%22net%00&host-network=none&seed=7&dns=a.test=192.0.2.1' +
          '&forward=8080:80&boot-ms=100&realistic&impair=loss=1%25',
      ),
    ).to.deep.equal({
      profile: 'wincs02',
      accessPoints: [{ ssid: 'lab', passphrase: 'secret123' }, { ssid: 'open "net\0' }],
      hostNetwork: 'none',
      seed: 7,
      dns: [{ name: 'a.test', type: 'A', data: '192.0.2.1' }],
      forwards: [{ protocol: 'tcp', hostPort: 8080, modulePort: 80 }],
      bootMs: 100,
      realistic: true,
      impair: { loss: 0.01 },
    });
  });

  it('refuses what it does not know, and never repeats a passphrase', async () => {
    for (const bad of ['sim:x', 'sim:?nonsense=1', 'sim:?seed=1&seed=2', 'simulator:'])
      expect(() => parseSimUrl(bad))
        .to.throw()
        .with.property('code', 'WINC_URL');
    for (const bad of ['sim:?profile=esp32', 'sim:?seed=-1', 'sim:?host-network=all', 'sim:?impair=lots'])
      refused(() => parseSimUrl(bad));
    const clock = { now: () => 0, setTimer: () => ({ cancel() {} }) };
    const error = await openSimTransport('sim:?ap=lab:secret77&ap=:x', { clock }).catch(
      (caught: unknown) => caught,
    );
    expect(error).to.have.property('code', 'WINC_ARGUMENT');
    expect(String(error)).not.to.contain('secret77');
  });
});
