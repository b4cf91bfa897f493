import { expect } from 'chai';
import fc from 'fast-check';
import type { ModuleMessage } from '../../../../driver/protocol/messages.js';
import {
  decodeRequest,
  encodeEvent,
  encodeRequest,
  encodeResponse,
  TlvHostDecoder,
  TlvList,
} from '../../../../driver/protocol/tlv/index.js';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replace(/ /g, ''), 'hex'));

describe('TLV codec', () => {
  const decoder = new TlvHostDecoder();
  const list = new TlvList();
  const status = (hex: string) => {
    const decoded = decodeRequest(bytes(hex), list);
    return decoded === undefined || 'request' in decoded ? decoded : decoded.status;
  };

  it('answers every malformed request with its status, id and sequence number', () => {
    expect(decodeRequest(bytes('007e010007000000'), list)).to.deep.equal({ status: 3, id: 0x7e01, seq: 7 });
    expect(status('0002000002010008 0303000109000000'), 'a parameter too many').to.equal(5);
    expect(status('000e000003000000'), 'none of two').to.equal(5);
    expect(status('000e0000040100 0c 030300c802000000 00000000'), 'a length beyond the message').to.equal(2);
    expect(status('000e0000040300 08 0303000102000000'), 'fewer than announced').to.equal(2);
    expect(status('000e0000040100 f0 0303000102000000'), 'more than there is').to.equal(2);
    expect(status('000e000004010008 6303000102000000'), 'an unknown type').to.equal(2);
    expect(status('000e00000401000c 03000008 0000000000000002'), 'an integer of eight bytes').to.equal(4);
    expect(status('0014000004020010 0300000400000001 08000004c0a80101'), 'an address is no name').to.equal(4);
    expect(decodeRequest(bytes('00020000'), list)).to.equal(undefined);
    expect(decodeRequest(bytes('0202000000000000'), list)).to.equal(undefined);
  });

  it('takes integers of every width and type', () => {
    for (const tlv of [
      '03030001 01000000',
      '03020002 00010000',
      '03010003 00000100',
      '03000004 00000001',
      '02030001 01000000',
      '0a000004 00000001',
    ]) {
      const decoded = decodeRequest(bytes(`00140100 00 01 0008 ${tlv}`), list);
      expect(decoded, tlv).to.have.nested.property('request.args.state', 1);
    }
  });

  it('reads the exchanges of the recorded runs', () => {
    const read = (hex: string) => decoder.decode(bytes(hex));
    expect(read('020e0000000e000009010302000244c300000000')).to.deep.equal({
      kind: 'response',
      command: 'SOCKO',
      form: 'SOCKET_OPEN_RESPONSE',
      elements: { sockId: 17603 },
      seq: 0,
    });
    expect(
      read(
        '030e0000000e000029050302000244c3000008000 0047f00000103020002d73e0000080000047f000001030200021bc30000',
      ),
    ).to.deep.equal({
      kind: 'event',
      name: 'SOCKIND',
      form: 'TCP_CONNECTION_ESTABLISHED',
      elements: { sockId: 17603, lclAddr: '127.0.0.1', lclPort: 55102, rmtAddr: '127.0.0.1', rmtPort: 7107 },
    });
    expect(read('010e0b0001000000')).to.deep.equal({ kind: 'status', command: 'SOCKC', seq: 1, code: 0 });
  });

  it('reports what it cannot read, and never throws', () => {
    const reason = (hex: string) => (decoder.decode(bytes(hex)) as { reason?: string }).reason;
    expect(reason('')).to.equal('UNKNOWN_MESSAGE');
    expect(reason('0900')).to.equal('UNKNOWN_MESSAGE');
    expect(reason('010200')).to.equal('SHORT_MESSAGE');
    expect(reason('037e010000 7e01 0001 00')).to.equal('UNKNOWN_EVENT');
    expect(reason('027e010000 7e01 0001 00')).to.equal('UNKNOWN_COMMAND');
    expect(reason('020e000000 0e00 0001 02 0302000244c30000')).to.equal('BAD_ELEMENTS');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 3 }), (data, kind) => {
        if (data.length > 0) data[0] = kind;
        const message: ModuleMessage = decoder.decode(data);
        expect(message.kind).to.be.oneOf(['status', 'response', 'event', 'noise']);
        decodeRequest(data, list);
      }),
      { numRuns: 2000 },
    );
  });

  it('carries any bytes and any text through a request', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65535 }),
        fc.uint8Array({ maxLength: 1460 }),
        fc.integer({ min: 0, max: 65535 }),
        fc.option(fc.integer({ min: 0, max: 65535 }), { nil: undefined }),
        (sockId, data, seq, seqNum) => {
          const args = { sockId, length: data.length, ...(seqNum !== undefined && { seqNum }), data };
          const encoded = encodeRequest({ kind: 'request', command: 'SOCKWR', args, seq });
          expect(encoded.length % 4).to.equal(0);
          expect(decodeRequest(encoded, list)).to.deep.equal({
            request: { kind: 'request', command: 'SOCKWR', form: 'SOCKWR', args, seq },
          });
        },
      ),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (queryName) => {
        const request = {
          kind: 'request',
          command: 'DNSRESOLV',
          args: { type: 1, queryName },
          seq: 0,
        } as const;
        const decoded = decodeRequest(encodeRequest(request), list);
        expect(decoded).to.have.nested.property('request.args.queryName', queryName);
      }),
    );
  });

  it('carries any data through an event', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1460 }), fc.integer({ min: 0, max: 65535 }), (data, seqNum) => {
        const event = {
          name: 'SOCKRXT',
          form: 'TCP_RECEIVE_ASYNC_RELIABLE',
          elements: { sockId: 17603, length: data.length, seqNum, data },
        } as const;
        expect(decoder.decode(encodeEvent(event))).to.deep.equal({ kind: 'event', ...event });
      }),
    );
  });

  it('refuses more elements than any host has room for', () => {
    const elements = { id: 1, val: Array.from({ length: 12 }, (_, at) => at) };
    expect(() => encodeResponse({ command: 'CFG', form: 'READ_RESPONSE', elements }, 0))
      .to.throw()
      .with.property('code', 'WINC_ARGUMENT');
  });

  it('refuses a command the binary wire does not have', () => {
    const request = { kind: 'request', command: 'IPR', args: { baudRate: 115200 }, seq: 0 } as const;
    expect(() => encodeRequest(request))
      .to.throw()
      .with.property('code', 'WINC_UNKNOWN_COMMAND');
  });
});
