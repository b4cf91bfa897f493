import { expect } from 'chai';
import fc from 'fast-check';
import { UartLink } from '../../../driver/link/uart/uart-link.js';
import type { ByteTransport, ByteTransportHandler } from '../../../driver/transport/transport.js';

/** A link fed by hand, and what it said, one entry per call. */
function harness(options: { maxLine?: number; onLine?: (link: UartLink, text: string) => void } = {}) {
  const log: string[] = [];
  let feedHandler!: ByteTransportHandler;
  const transport: ByteTransport = {
    kind: 'bytes',
    url: 'test:',
    start: (handler) => {
      feedHandler = handler;
    },
    write: async () => {},
    close: async () => {},
    setBaudRate: async () => {},
  };
  const link = new UartLink(
    transport,
    {
      line: (text, event) => {
        log.push(`${event ? 'event' : 'line'} ${text}`);
        options.onLine?.(link, text);
      },
      marker: () => log.push('marker'),
      raw: (bytes) => log.push(`raw ${Buffer.from(bytes).toString('latin1')}`),
      noise: (reason, _bytes, length) => log.push(`noise ${reason} ${length}`),
      closed: () => log.push('closed'),
    },
    options,
  );
  link.start();
  const feed = (text: string) => feedHandler.data(Buffer.from(text, 'latin1'));
  return { link, log, feed };
}

describe('UartLink', () => {
  it('cuts lines at CR LF and tells events by the carriage return before them', () => {
    const { log, feed } = harness();
    feed('+GMR:"3.2.0"\r\nOK\r\n\r+WSTALD:1\r\n+SOCKO:5\r\nOK\r\n');
    expect(log).to.deep.equal([
      'line +GMR:"3.2.0"',
      'line OK',
      'event +WSTALD:1',
      'line +SOCKO:5',
      'line OK',
    ]);
  });

  it('takes LF alone and CR alone as line ends', () => {
    const { log, feed } = harness();
    feed('OK\n+A:1\nERROR:0.5\r+B:2\r\n');
    expect(log).to.deep.equal(['line OK', 'line +A:1', 'line ERROR:0.5', 'event +B:2']);
  });

  it('strips prompts, NULs and empty lines, but not a > inside a line', () => {
    const { log, feed } = harness();
    feed('\r\n>\0OK\r\n>>\r+A:"x > y"\r\n>');
    expect(log).to.deep.equal(['line OK', 'event +A:"x > y"']);
  });

  it('finds an event between the characters of an echo', () => {
    const { log, feed } = harness();
    feed('AT+SO\r+SOCKRXT:5,4\r\nCKRD=5,2,4\r\n');
    expect(log).to.deep.equal(['line AT+SO', 'event +SOCKRXT:5,4', 'line CKRD=5,2,4']);
  });

  it('takes # for a marker only at the start of a line and only when one is expected', () => {
    const { link, log, feed } = harness();
    feed('#x\r\n\r+WSCNIND:-40,3,1,"AA:BB:CC:DD:EE:FF","a#b"\r\n');
    link.expectRaw(3);
    feed('\r+MQTTSUBRX:0,1,0,"t/#","#"\r\n#a\r#OK\r\n');
    expect(log).to.deep.equal([
      'line #x',
      'event +WSCNIND:-40,3,1,"AA:BB:CC:DD:EE:FF","a#b"',
      'event +MQTTSUBRX:0,1,0,"t/#","#"',
      'raw a\r#',
      'line OK',
    ]);
  });

  it('invites raw bytes at the marker, with and without a prompt before it', () => {
    const { link, log, feed } = harness();
    link.expectMarker();
    feed('#');
    link.expectMarker();
    feed('>#OK\r\n');
    expect(log).to.deep.equal(['marker', 'marker', 'line OK']);
  });

  it('keeps every byte value inside a raw block', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1');
    const { link, log, feed } = harness();
    link.expectRaw(256);
    feed(`#${all}OK\r\n`);
    expect(log).to.deep.equal([`raw ${all}`, 'line OK']);
  });

  it('hears the same whatever the chunks', () => {
    const stream =
      'AT+SOCKRD=5,2,8\r\n#ab\r\nOK\r\nOK\r\n>\r+SOCKRXT:5,3\r\n\r\n+SOCKRD:5,1,"\xff"\r\nERROR:14.0,"Socket"\r\n#q\r\n';
    const whole = harness();
    whole.link.expectRaw(8);
    whole.feed(stream);
    expect(whole.log[1]).to.equal('raw ab\r\nOK\r\n');
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const split = harness();
        split.link.expectRaw(8);
        let from = 0;
        for (const cut of [...cuts, stream.length].sort((a, b) => a - b)) {
          split.feed(stream.slice(from, cut));
          from = cut;
        }
        expect(split.log).to.deep.equal(whole.log);
      }),
    );
    const single = harness();
    single.link.expectRaw(8);
    for (const byte of stream) single.feed(byte);
    expect(single.log).to.deep.equal(whole.log);
  });

  it('skips a line that is too long, reports it once, and hears what follows', () => {
    const { log, feed } = harness({ maxLine: 100 });
    feed('x'.repeat(60));
    feed('x'.repeat(60));
    feed(`${'x'.repeat(500)}\r+SOCKCL:5\r\nOK\r\n`);
    expect(log).to.deep.equal(['noise LINE_TOO_LONG 620', 'event +SOCKCL:5', 'line OK']);
  });

  it('delivers many lines of one chunk before data returns', () => {
    const { log, feed } = harness();
    feed('+A:1\r\n'.repeat(500));
    expect(log).to.have.length(500);
  });

  it('obeys a handler that expects a block from within a line', () => {
    const { log, feed } = harness({
      onLine: (link, text) => {
        if (text === 'OK') link.expectRaw(2);
      },
    });
    feed('OK\r\n#ab');
    expect(log).to.deep.equal(['line OK', 'raw ab']);
  });

  it('takes a short block for what it is when it ends in OK', () => {
    const { link, log, feed } = harness();
    link.expectRaw(10);
    feed('#abc');
    expect(link.endRawShort()).to.equal(false);
    feed('OK\r\n');
    expect(link.rawReceived).to.have.length(7);
    expect(link.endRawShort()).to.equal(true);
    feed('+A:1\r\n');
    expect(log).to.deep.equal(['raw abc', 'line OK', 'line +A:1']);
  });

  it('reports what an abandoned block had collected', () => {
    const { link, log, feed } = harness();
    link.expectRaw(10);
    feed('#abc');
    expect(Buffer.from(link.expectNothing()).toString()).to.equal('abc');
    feed('OK\r\n');
    expect(log).to.deep.equal(['noise RAW_ABANDONED 3', 'line OK']);
  });
});
