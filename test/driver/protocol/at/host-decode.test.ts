import { expect } from 'chai';
import fc from 'fast-check';
import '../seed.js';
import { AtHostDecoder, encodeCommand, rawReadResponse } from '../../../../driver/protocol/at/index.js';
import type { CommandName } from '../../../../driver/protocol/catalogue/index.js';
import type { ModuleMessage, Request, Values } from '../../../../driver/protocol/messages.js';

const ascii = (text: string) => Buffer.from(text, 'latin1');

/** What is left of a message when the obvious is dropped. */
function brief(message: ModuleMessage): string {
  switch (message.kind) {
    case 'status':
      return `${message.asynchronous ? 'late ' : ''}${message.command ?? '?'} ${message.code} ${message.text ?? ''}`.trim();
    case 'response':
      return `${message.command} ${message.form} ${JSON.stringify(message.elements)}`;
    case 'event':
      return `event ${message.name} ${message.form} ${JSON.stringify(message.elements)}`;
    default:
      return `noise ${message.reason}`;
  }
}

function conversation(sent: string, command: CommandName | undefined, ...lines: string[]): string[] {
  const decoder = new AtHostDecoder();
  decoder.sent(sent, command);
  return lines.flatMap((line) => decoder.decode(ascii(line))).map(brief);
}

describe('AT host decoder', () => {
  it('follows a command with echo and prompt', () => {
    expect(
      conversation('AT+GMM', 'GMM', 'AT+GMM\r', '+GMM:"RNWF02"\r', 'OK\r', '>\r+WSCNDONE:3\r', '>'),
    ).to.deep.equal([
      'GMM INFORMATION_RESPONSE {"modelId":"RNWF02"}',
      'GMM 0',
      'event WSCNDONE SCAN_COMPLETE {"numResults":3}',
    ]);
  });

  it('follows an echo that events break', () => {
    expect(
      conversation('AT+WSTA', 'WSTA', '>AT\r+WSCNDONE:0\r', '>+WS\r+SOCKCL:5\r', '>TA\r', '+WSTA:1', 'OK'),
    ).to.deep.equal([
      'event WSCNDONE SCAN_COMPLETE {"numResults":0}',
      'event SOCKCL SOCKET_CLOSE_RESPONSE {"sockId":5}',
      'WSTA STATE_ONLY {"state":1}',
      'WSTA 0',
    ]);
  });

  it('drops an echo it did not expect, secrets included', () => {
    expect(
      conversation('AT', undefined, 'AT+WSTAC=3,"secret"', 'ERROR:0.6,"Configuration Update Blocked"'),
    ).to.deep.equal(['? 1 Configuration Update Blocked'.replace('1', '6')]);
  });

  it('tells an event from an information line of the same name', () => {
    const lines = ['\r+SOCKCL:6', '+SOCKCL:5', 'OK', '+SOCKCL:7'];
    expect(conversation('AT+SOCKCL=5', 'SOCKCL', ...lines)).to.deep.equal([
      'event SOCKCL SOCKET_CLOSE_RESPONSE {"sockId":6}',
      'SOCKCL SOCKET_CLOSE_RESPONSE {"sockId":5}',
      'SOCKCL 0',
      'event SOCKCL SOCKET_CLOSE_RESPONSE {"sockId":7}',
    ]);
    expect(
      conversation('AT+MQTTPROPRX=34', 'MQTTPROPRX', '+MQTTPROPRX:34,10', '\r+MQTTPROPRX:34,11'),
    ).to.deep.equal([
      'MQTTPROPRX READ_RESPONSE {"id":34,"val":10}',
      'event MQTTPROPRX PROPERTY_ID_UPDATED_WITH_VALUE {"propId":34,"val":11}',
    ]);
  });

  it('tells a list from an id and a value by the request', () => {
    expect(conversation('AT+NETIFC', 'NETIFC', '+NETIFC:0,1')).to.deep.equal([
      'NETIFC LIST_RESPONSE {"intf":[0,1]}',
    ]);
    expect(conversation('AT+NETIFC=0,10', 'NETIFC', '+NETIFC:10,1')).to.deep.equal([
      'NETIFC READ_RESPONSE {"id":10,"val":1}',
    ]);
  });

  it('reads an empty string as the declared type', () => {
    expect(conversation('AT+WSTAC=1', 'WSTAC', '+WSTAC:1,[]', '+WSTAC:1,[C3A9]')).to.deep.equal([
      'WSTAC READ_RESPONSE {"id":1,"val":""}',
      'WSTAC READ_RESPONSE {"id":1,"val":"é"}',
    ]);
  });

  it('reads statuses in every spelling', () => {
    const status = (line: string) => conversation('AT', undefined, line)[0];
    expect(['OK', '0', 'ERROR', '1'].map(status)).to.deep.equal(['? 0', '? 0', '? -1', '? -1']);
    expect(status('ERROR:14.12')).to.equal('? 3596');
    expect(status('ERROR:14,12')).to.equal('? 3596');
    expect(status('ERROR:14,12,"Socket Not Ready"')).to.equal('? 3596 Socket Not Ready');
    expect(status('1:14.12')).to.equal('? 3596');
    expect(status('ERROR:4')).to.equal('? 4');
    expect(status('ERROR:2,"Invalid AT Command"')).to.equal('? 2 Invalid AT Command');
    expect(status('ERROR:"Socket Not Ready"')).to.equal('? 3596 Socket Not Ready');
    expect(status('ERROR:[536F636B6574204E6F74205265616479]')).to.equal('? 3596 Socket Not Ready');
    expect(status('ERROR:"Never Heard Of"')).to.equal('? -1 Never Heard Of');
    for (const line of ['OK:', 'OKAY', 'ERROR:', 'ERROR:x', 'ERROR:1,2,3', 'ERRORS', '2', '0K', '10']) {
      expect(status(line), line).to.equal('noise UNKNOWN_LINE');
    }
  });

  it('reads error elements at every verbosity', () => {
    const decode = (line: string) => conversation('AT', undefined, `\r${line}`)[0];
    const expected = 'event DNSERR RESOLVE_FAILURE {"errorCode":1284,"type":1,"queryName":"x"}';
    expect(decode('+DNSERR:5.4,"DNS Non-Existent Domain",1,"x"')).to.equal(expected);
    expect(decode('+DNSERR:5.4,1,"x"')).to.equal(expected);
    expect(decode('+DNSERR:"DNS Non-Existent Domain",1,"x"')).to.equal(expected);
    expect(decode('+SOCKERR:5,14.7')).to.equal('event SOCKERR TCP_BIND_FAILED {"sockId":5,"errorCode":3591}');
    expect(decode('+SOCKERR:5,14.7,"Socket Connect Failed"')).to.equal(decode('+SOCKERR:5,14.7'));
    expect(decode('+OTA:1,2')).to.equal('event OTA OTA_STATUS {"otaOpId":1,"otaState":2}');
  });

  it('reads a late failure without ending the command in progress', () => {
    expect(conversation('AT+GMR', 'GMR', '\r+SOCKBR:ERROR:14.7', '\r+PING:1:11.0', 'OK')).to.deep.equal([
      'late SOCKBR 3591',
      'late PING 2816',
      'GMR 0',
    ]);
  });

  it('reports what it does not know and goes on', () => {
    expect(
      conversation(
        'AT',
        'GMR',
        'garbage',
        '+NOPE:1',
        '+SOCKRXT:"x"',
        '+SOCKRXT:5,1,2,3,4,5',
        '+WSCNDONE:4,9',
        '\xff\xfe',
        'OK',
      ),
    ).to.deep.equal([
      'noise UNKNOWN_LINE',
      'noise UNKNOWN_NAME',
      'noise BAD_PARAMETER',
      'event SOCKRXT TCP_RECEIVE_POLLED {"sockId":5,"pendData":1}',
      'noise EXTRA_ELEMENTS',
      'event WSCNDONE SCAN_COMPLETE {"numResults":4}',
      'noise EXTRA_ELEMENTS',
      'noise UNKNOWN_LINE',
      'GMR 0',
    ]);
    const [noise] = new AtHostDecoder().decode(ascii('x'.repeat(10_000)));
    expect(noise).to.include({ kind: 'noise', reason: 'LINE_TOO_LONG' });
    expect(noise.kind === 'noise' && noise.bytes.length).to.be.at.most(256);
  });

  it('strips the NULs of a reset', () => {
    expect(conversation('AT', undefined, '\0\0\r+BOOT:"RNWF"\0')).to.deep.equal([
      'event BOOT SYSTEM_BOOT {"banner":"RNWF"}',
    ]);
  });

  it('keeps no reference to the line', () => {
    const line = ascii('\r+SOCKRXT:6,5,"hello"');
    const [message] = new AtHostDecoder().decode(line);
    line.fill(0);
    expect(message.kind === 'event' && Buffer.from(message.elements.data as Uint8Array).toString()).to.equal(
      'hello',
    );
  });

  it('never throws, and answers with bounded messages', () => {
    const decoder = new AtHostDecoder();
    const piece = fc.constantFrom(
      '+',
      'SOCKRXT',
      'DNSRESOLV',
      ':',
      ',',
      '"',
      '[',
      ']',
      '\\',
      '-',
      '5.4',
      '0x',
      'AT',
      '>',
      '\r',
      'ERROR',
      'OK',
      '\xff',
    );
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 30 })
        .map((parts) => Buffer.from(parts.join(''), 'latin1')),
    );
    fc.assert(
      fc.property(line, (bytes) => {
        const messages = decoder.decode(bytes);
        expect(messages.length).to.be.at.most(2 * (bytes.filter((byte) => byte === 13).length + 1));
        for (const message of messages) {
          if (message.kind === 'noise') expect(message.bytes.length).to.be.at.most(256);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('AT host encoder', () => {
  const request = (command: CommandName, args: Values): Request => ({
    kind: 'request',
    command,
    args,
    seq: 0,
  });
  const line = (command: CommandName, args: Values) => encodeCommand(request(command, args)).line;

  it('writes the lines of the reference', () => {
    expect(line('GMR', {})).to.equal('AT+GMR');
    expect(line('SOCKO', { protocol: 2, protocolVersion: 4 })).to.equal('AT+SOCKO=2,4');
    expect(line('SOCKBR', { sockId: 17600, rmtAddr: '192.168.0.195', rmtPort: 6666 })).to.equal(
      'AT+SOCKBR=17600,"192.168.0.195",6666',
    );
    expect(line('WSTAC', { id: 1, val: 'MyAP' })).to.equal('AT+WSTAC=1,"MyAP"');
    expect(line('NETIFC', { intf: 0, id: 10, val: true })).to.equal('AT+NETIFC=0,10,1');
    expect(line('DNSC', { id: { int: 1, frac: 2 }, val: '8.8.8.8' })).to.equal('AT+DNSC=1.2,"8.8.8.8"');
    expect(line('FS', { op: 1, filetype: 1, filename: 'ExampleCert', filelength: 891 })).to.equal(
      'AT+FS=1,1,5,"ExampleCert",891',
    );
    expect(line('NVMWR', { offset: 0, length: 4, data: Uint8Array.of(0x4d, 0, 0x48, 0x50) })).to.equal(
      'AT+NVMWR=0,4,[4D004850]',
    );
    expect(
      line('MQTTPUB', { dup: 0, qos: 0, retain: 0, topicNameId: 't', topicPayload: '{"v":1}' }),
    ).to.equal(String.raw`AT+MQTTPUB=0,0,0,"t","{\"v\":1}"`);
  });

  it('lets nothing in an argument end the line', () => {
    for (const text of ['a"\r\nAT+RST', '",1\r\n', '\\', '"', '\n', '\0', 'é']) {
      expect(line('WSTAC', { id: 1, val: text })).to.match(
        /^AT\+WSTAC=1,(?:"(?:[ -!#-[\]-~]|\\["\\])*"|\[[0-9A-F]*\])$/,
      );
    }
  });

  it('sends a payload raw where the wire can', () => {
    const data = Uint8Array.of(1, 2, 3);
    const write = (args: Values, inlineUpTo?: number) =>
      encodeCommand(
        request('SOCKWR', { sockId: 6, length: 3, data, ...args }),
        inlineUpTo === undefined ? {} : { inlineUpTo },
      );
    expect(write({})).to.deep.include({ line: 'AT+SOCKWR=6,3', payload: data });
    expect(write({}, 3)).to.deep.equal({ command: 'SOCKWR', line: 'AT+SOCKWR=6,3,[010203]' });
    expect(write({ seqNum: 7 }).line).to.equal('AT+SOCKWR=6,3,7,[010203]');
    expect(write({ length: 5 }).line).to.equal('AT+SOCKWR=6,5,[010203]');
    expect(write({ length: 0, data: '' }).line).to.equal('AT+SOCKWR=6,0,""');
  });

  it('announces a raw answer', () => {
    const read = request('SOCKRD', { sockId: 6, outputMode: 2, length: 5 });
    expect(encodeCommand(read)).to.deep.equal({ command: 'SOCKRD', line: 'AT+SOCKRD=6,2,5', rawRead: 5 });
    expect(encodeCommand(request('SOCKRD', { sockId: 6, outputMode: 1, length: 5 }))).to.not.have.property(
      'rawRead',
    );
    expect(rawReadResponse(read, Uint8Array.of(1))).to.deep.equal({
      kind: 'response',
      command: 'SOCKRD',
      form: 'SOCKET_READ_RESPONSE',
      elements: { sockId: 6, length: 1, data: Uint8Array.of(1) },
    });
  });
});
