import { expect } from 'chai';
import fc from 'fast-check';
import { impairDevice, parseByteImpairments } from '../../../driver/transport/impair.js';
import { memoryPair } from '../../../driver/transport/memory.js';
import { Secrets, StreamMask } from '../../../driver/transport/redact.js';
import { traceDevice } from '../../../driver/transport/trace.js';
import type { ByteTransport } from '../../../driver/transport/transport.js';
import { VirtualClock } from '../../../simulator/tcpip/clock.js';

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

describe('StreamMask', () => {
  it('masks a secret however the stream is cut, and changes nothing else', () => {
    const text = 'AT+WSTAC=3,"hunter22"\r\nhunter2 hunter22hunter22';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const secrets = new Secrets();
        secrets.hide(Buffer.from('hunter22'));
        const mask = new StreamMask(secrets);
        let shown = '';
        let from = 0;
        for (const cut of [...cuts, text.length].sort((a, b) => a - b)) {
          shown += latin1(mask.push(Buffer.from(text.slice(from, cut))));
          from = cut;
        }
        shown += latin1(mask.flush());
        expect(shown).to.equal('AT+WSTAC=3,"***"\r\nhunter2 ******');
      }),
    );
  });

  it('forgets the oldest beyond its limit', () => {
    const secrets = new Secrets(2);
    for (const each of ['aaaa', 'bbbb', 'cccc']) secrets.hide(Buffer.from(each));
    expect(latin1(new StreamMask(secrets).push(Buffer.from('aaaa bbbb cccc.')))).to.equal('aaaa *** ***.');
  });
});

describe('traceDevice', () => {
  it('records both directions with time, escapes, and without secrets', async () => {
    const clock = new VirtualClock(5000);
    const lines: string[] = [];
    const [near, far] = memoryPair('memory:x');
    const traced = traceDevice({ write: (line) => lines.push(line) })(near, clock) as ByteTransport;
    traced.start({ data: () => {}, closed: () => {} });
    far.start({ data: () => {}, closed: () => {} });
    traced.hide?.(Buffer.from('secret12'));
    await traced.write(Buffer.from('AT+WSTAC=3,"secret12"\r\n'));
    clock.advance(1500);
    await far.write(Buffer.from('AT+WSTAC=3,"sec'));
    await far.write(Buffer.from('ret12"\r\nOK\\\xff\r\n', 'latin1'));
    clock.advance(60);
    expect(lines.join('')).to.equal(
      [
        '    0.000000 - open memory:x',
        '    0.000000 > AT+WSTAC=3,"***"\\r\\n',
        '    1.500000 < AT+WSTAC=3,"',
        '    1.500000 < ***"\\r\\n',
        '    1.500000 < OK\\\\\\xff\\r\\n',
        '',
      ].join('\n'),
    );
  });

  it('prints hex on request', async () => {
    const lines: string[] = [];
    const [near, far] = memoryPair();
    const traced = traceDevice({ write: (line) => lines.push(line) }, { format: 'hex' })(
      near,
      new VirtualClock(),
    ) as ByteTransport;
    far.start({ data: () => {}, closed: () => {} });
    await traced.write(Buffer.from([0x00, 0xff, 0x41]));
    expect(lines[1]).to.match(/> 00 ff 41\n$/);
  });
});

describe('impairDevice', () => {
  async function through(faults: Parameters<typeof impairDevice>[0], bytes: Uint8Array) {
    const clock = new VirtualClock();
    const [near, far] = memoryPair();
    const impaired = impairDevice(faults)(near, clock) as ByteTransport;
    const got: { at: number; bytes: Uint8Array }[] = [];
    impaired.start({ data: () => {}, closed: () => {} });
    far.start({ data: (b) => got.push({ at: clock.now(), bytes: b.slice() }), closed: () => {} });
    let written = -1;
    void impaired.write(bytes).then(() => {
      written = clock.now();
    });
    await clock.advanceAsync(10_000);
    await clock.advanceAsync(0);
    return { bytes: Buffer.concat(got.map((each) => each.bytes)), first: got[0]?.at, written };
  }

  it('does the same damage again for the same seed, and other damage for another', async () => {
    const sent = Buffer.alloc(10_000, 0x55);
    const faults = { loss: 0.01, corrupt: 0.01 };
    const one = await through({ ...faults, seed: 7 }, sent);
    expect((await through({ ...faults, seed: 7 }, sent)).bytes.equals(one.bytes)).to.equal(true);
    expect((await through({ ...faults, seed: 8 }, sent)).bytes.equals(one.bytes)).to.equal(false);
    expect(10_000 - one.bytes.length).to.be.within(50, 160);
    expect(one.bytes.filter((byte) => byte !== 0x55).length).to.be.within(50, 160);
  });

  it('paces and delays', async () => {
    const { first, written } = await through({ rate: 1000, delay: 50 }, Buffer.alloc(500));
    expect(written).to.equal(500);
    expect(first).to.equal(550);
  });

  it('keeps the order whatever the jitter', async () => {
    const clock = new VirtualClock();
    const [near, far] = memoryPair();
    const impaired = impairDevice({ jitter: 40, seed: 3 })(near, clock) as ByteTransport;
    let text = '';
    impaired.start({
      data: (bytes) => {
        text += latin1(bytes);
      },
      closed: () => {},
    });
    for (const each of 'abcdefghij') {
      await far.write(Buffer.from(each));
      clock.advance(3);
    }
    await clock.advanceAsync(100);
    expect(text).to.equal('abcdefghij');
  });

  it('reads its own notation and refuses nonsense', () => {
    expect(parseByteImpairments('loss=0.5,rate=23040,seed=9')).to.deep.equal({
      loss: 0.5,
      rate: 23040,
      seed: 9,
    });
    for (const bad of ['loss=2', 'loss', 'loss=', 'x=1', 'delay=-1', '__proto__=1']) {
      expect(() => parseByteImpairments(bad), bad)
        .to.throw()
        .with.property('code', 'WINC_USAGE');
    }
  });
});
