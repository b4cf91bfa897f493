import { expect } from 'chai';
import { AtHostDecoder, decodeCommandLine, encodeCommand } from '../../../driver/protocol/at/index.js';
import {
  type JsonObject,
  type JsonRequest,
  type JsonValue,
  messageToJson,
  requestFromJson,
  requestToJson,
} from '../../../driver/protocol/json.js';
import type { Request } from '../../../driver/protocol/messages.js';
import { fixture } from './fixtures.js';

interface Vector extends JsonRequest {
  case: string;
}

/** Over the AT wire and back, a raw payload included. */
function overAt(request: Request): Request {
  const { line, payload } = encodeCommand(request);
  const { extended } = decodeCommandLine(Buffer.from(line, 'latin1'));
  if (!extended || !('request' in extended)) throw new Error(`refused: ${line}`);
  const decoded = extended.request;
  return payload ? { ...decoded, args: { ...decoded.args, data: payload } } : decoded;
}

/** What the AT wire does not carry: the wire type of an argument, the case of a MAC, the sequence number. */
const exceptions: { reason: string; applies(vector: Vector, sent: JsonObject, back: JsonObject): boolean }[] =
  [
    {
      reason:
        'INTEGER and INTEGER_UNSIGNED look alike, and BOOL, STATUS, UTC_TIME; a known parameter is typed as declared',
      applies: (_, sent, back) => typeof sent.value === 'number' && sent.value === back.value,
    },
    {
      reason: 'a quoted address is an address, whatever the sender called it',
      applies: (_, sent, back) =>
        sent.type === 'STRING' && back.type === 'IPV4ADDR' && sent.value === back.value,
    },
    {
      reason: 'an address for a parameter declared otherwise is text',
      applies: (_, sent, back) =>
        /^IPV[46]ADDR$/.test(String(sent.type)) &&
        back.type === 'STRING' &&
        back.value === `${sent.value}${sent.mask ? `/${sent.mask}` : sent.scope ? `/${sent.scope}` : ''}`,
    },
    {
      reason: 'a MAC address for a parameter declared otherwise is text, and a LABEL always',
      applies: (_, sent, back) => /^(?:MACADDR|LABEL)$/.test(String(sent.type)) && back.value === sent.value,
    },
    {
      reason: 'bytes for a parameter that takes text or bytes read as text',
      applies: (_, sent, back) =>
        sent.type === 'BYTE_ARRAY' &&
        back.type === 'STRING' &&
        Buffer.from(String(back.value)).toString('hex') === sent.hex,
    },
  ];

describe('JSON form', () => {
  const vectors = fixture<Vector[]>('commands.json');

  it('reads and writes every request of the vendor encoder', () => {
    for (const vector of vectors) {
      const { command, commandId, function: fn, args, seq } = vector;
      const written = requestToJson(requestFromJson(vector));
      expect(written, `${command} ${vector.case}`).to.deep.equal({
        command,
        commandId,
        function: fn,
        args,
        seq,
      });
    }
  });

  it('carries every request over the AT wire', () => {
    const used = new Set<string>();
    const unexplained: string[] = [];
    const functions = new Set<string>();
    for (const vector of vectors) {
      const back = requestToJson(overAt(requestFromJson(vector)));
      expect(back.command).to.equal(vector.command);
      expect(Object.keys(back.args)).to.deep.equal(Object.keys(vector.args));
      for (const [name, value] of Object.entries(vector.args)) {
        const other = back.args[name];
        if (JSON.stringify(other) === JSON.stringify(value)) continue;
        const exception = exceptions.find(({ applies }) =>
          applies(vector, value as JsonObject, other as JsonObject),
        );
        if (exception) used.add(exception.reason);
        else
          unexplained.push(
            `${vector.command} ${vector.case} ${JSON.stringify(value)} ${JSON.stringify(other)}`,
          );
      }
      if (back.function !== vector.function) functions.add(`${vector.function} as ${back.function}`);
    }
    expect(unexplained).to.deep.equal([]);
    // The one AT line both host functions write: handle and block number alone.
    expect([...functions]).to.deep.equal(['WINC_CmdFSRECV as WINC_CmdFSTSFR']);
    expect([...used].sort()).to.deep.equal(exceptions.map(({ reason }) => reason).sort());
  });

  it('refuses what is no request', () => {
    const refuse = (json: JsonValue, message: string) =>
      expect(() => requestFromJson(json), message).to.throw(message);
    refuse(5, 'a request is an object');
    refuse([], 'a request is an object');
    refuse({}, 'needs a command');
    refuse({ command: 'NOPE' }, 'no command NOPE');
    refuse({ command: 'GMR', args: [] }, 'args is an object');
    refuse({ command: 'GMR', seq: 65536 }, 'seq must be');
    refuse({ command: 'GMR', function: 'WINC_CmdGMI' }, 'no function WINC_CmdGMI: WINC_CmdGMR');
    refuse({ command: 'CFG', args: { id: null } }, 'id is no value');
    refuse({ command: 'CFG', args: { id: {} } }, 'id needs int and frac');
    refuse({ command: 'CFG', args: { val: { hex: 'abc' } } }, 'val is no hex string');
    refuse({ command: 'CFG', args: { val: { type: 'toString', value: 1 } } }, 'val has no such type');
    refuse({ command: 'CFG', args: { val: { type: 'STRING' } } }, 'val has no value');
  });

  it('writes messages of a module as the vectors do', () => {
    const decoder = new AtHostDecoder();
    const written = (line: string) =>
      decoder.decode(Buffer.from(line, 'latin1')).map((message) => messageToJson(message));
    decoder.sent('AT+SOCKRD=6,1,3', 'SOCKRD');
    expect(written('+SOCKRD:6,3,[000102]')).to.deep.equal([
      {
        kind: 'response',
        name: 'SOCKRD',
        commandId: '0x0e07',
        rspId: '0x0e07',
        seq: 0,
        form: 'SOCKET_READ_RESPONSE',
        elements: [
          { name: 'SOCK_ID', type: 'INTEGER', value: 6 },
          { name: 'LENGTH', type: 'INTEGER', value: 3 },
          { name: 'DATA', type: 'BYTE_ARRAY', hex: '000102' },
        ],
      },
    ]);
    expect(written('OK')).to.deep.equal([
      { kind: 'status', name: 'SOCKRD', commandId: '0x0e07', seq: 0, status: '0x0000' },
    ]);
    expect(written('\r+SOCKERR:6,14.7,"Socket Connect Failed"')[0].elements).to.deep.equal([
      { name: 'SOCK_ID', type: 'INTEGER', value: 6 },
      { name: 'ERROR_CODE', type: 'STATUS', value: 0x0e07 },
    ]);
    expect(written('\r+WSTAAIP:1,"FE80::1"')[0].elements).to.deep.equal([
      { name: 'ASSOC_ID', type: 'INTEGER', value: 1 },
      { name: 'IP_ADDRESS', type: 'IPV6ADDR', value: 'fe80::1' },
    ]);
    expect(written('+NETIFC:40,"10.0.0.2/24"')[0].elements).to.deep.equal([
      { name: 'ID', type: 'INTEGER_UNSIGNED', value: 40 },
      { name: 'VAL', type: 'IPV4ADDR', value: '10.0.0.2', mask: '255.255.255.0' },
    ]);
    expect(written('+DI:15.1,0xFFFFFFE0,0x00020000,0x600F0000,3')[0].elements).to.deep.equal([
      { name: 'ID', type: 'INTEGER_FRAC', int: 15, frac: 1 },
      { name: 'SEQ_NUM', type: 'INTEGER', value: 0xffffffe0 },
      { name: 'VERSION', type: 'INTEGER', value: 0x00020000 },
      { name: 'SRC_ADDR', type: 'INTEGER', value: 0x600f0000 },
      { name: 'IMG_STATE', type: 'INTEGER', value: 3 },
    ]);
    expect(written('\r+DNSRESOLV:46,"a","b",1,2,3,4,5,6,7,[00]')[0].elements)
      .to.be.an('array')
      .with.nested.property('[3]')
      .that.deep.equals({ name: 'TYPE', type: 'INTEGER', value: 1 });
    expect(written('\r+SOCKBR:ERROR:14.7')).to.deep.equal([
      { kind: 'status', name: 'SOCKBR', commandId: '0x0e02', seq: 0, status: '0x0e07', asynchronous: true },
    ]);
    expect(written('ERROR')).to.deep.equal([{ kind: 'status', seq: 0, status: null }]);
    expect(written('???')).to.deep.equal([{ kind: 'noise', reason: 'UNKNOWN_LINE', hex: '3f3f3f' }]);
  });

  it('states what was on the wire where it is known', () => {
    const response = {
      kind: 'response',
      command: 'SOCKO',
      form: 'SOCKET_OPEN_RESPONSE',
      elements: { sockId: 5 },
    } as const;
    const seen = [
      { type: 'INTEGER', value: 5, length: 2 },
      { type: 'STRING', value: 'more' },
    ] as const;
    expect(messageToJson(response, seen).elements).to.deep.equal([
      { name: 'SOCK_ID', type: 'INTEGER', value: 5, length: 2 },
      { name: '#1', type: 'STRING', value: 'more' },
    ]);
  });
});
