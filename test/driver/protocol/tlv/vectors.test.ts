import { expect } from 'chai';
import { type JsonObject, requestFromJson, requestToJson } from '../../../../driver/protocol/json.js';
import type { Event, Response } from '../../../../driver/protocol/messages.js';
import {
  decodeRequest,
  encodeEvent,
  encodeRequest,
  encodeResponse,
  encodeStatus,
  strictQuirks,
  TlvHostDecoder,
  TlvList,
  vendorQuirks,
  wireElements,
} from '../../../../driver/protocol/tlv/index.js';
import { fixture } from '../fixtures.js';

interface CommandVector extends JsonObject {
  function: string;
  case: string;
  request: string;
  args: JsonObject;
}
interface MessageVector {
  kind: 'status' | 'response' | 'aec';
  name: string;
  seq: number;
  case?: string;
  commandId: string;
  status?: string;
  elements?: {
    name: string;
    type: string;
    value?: string | number;
    hex?: string;
    int?: number;
    length?: number;
  }[];
  message: string;
}

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');
const label = (vector: CommandVector) => `${vector.function} ${vector.case}`;
/** The one thing two spellings of which are the same on the wire. */
const spelling = (args: JsonObject) =>
  JSON.stringify(args).replace(/"([0-9a-f]{2}:){5}[0-9a-f]{2}"/gi, (mac) => mac.toUpperCase());

describe('TLV vectors', () => {
  it('encodes all 997 requests byte for byte, strictly and as the vendor', () => {
    const vectors = fixture<CommandVector[]>('commands.json');
    expect(vectors).to.have.length(997);
    for (const vector of vectors) {
      const request = requestFromJson(vector);
      expect(hex(encodeRequest(request)), label(vector)).to.equal(vector.request);
      expect(hex(encodeRequest(request, vendorQuirks)), label(vector)).to.equal(vector.request);
    }
  });

  it('decodes all 997 requests back to their arguments', () => {
    const list = new TlvList();
    for (const vector of fixture<CommandVector[]>('commands.json')) {
      const decoded = decodeRequest(bytes(vector.request), list, { typed: true });
      if (decoded === undefined || !('request' in decoded)) expect.fail(`${label(vector)}: refused`);
      const json = requestToJson(decoded.request);
      // Without parameters FSRECV and FSTSFR are the same bytes.
      if (vector.function !== 'WINC_CmdFSRECV')
        expect(json.function, label(vector)).to.equal(vector.function);
      expect(spelling(json.args), label(vector)).to.equal(spelling(vector.args));
    }
  });

  it('reproduces all 83 quirks in vendor mode, and does better in strict mode', () => {
    const vectors = fixture<(CommandVector & { quirk: string })[]>('quirks.json');
    expect(vectors).to.have.length(83);
    const list = new TlvList();
    for (const vector of vectors) {
      const request = requestFromJson(vector);
      expect(hex(encodeRequest(request, vendorQuirks)), label(vector)).to.equal(vector.request);
      if (vector.quirk.startsWith('arguments after')) {
        // Quirk "gap": an argument would be lost without a word.
        expect(() => encodeRequest(request, strictQuirks), label(vector))
          .to.throw()
          .with.property('code', 'WINC_ARGUMENT');
      } else {
        // Quirk "config-id-1": as documented it is INTEGER_FRAC; read back, both are the same id.
        const strict = encodeRequest(request, strictQuirks);
        const [a, b] = [strict, bytes(vector.request)].map((message) => decodeRequest(message, list));
        expect(a, label(vector)).to.have.property('request');
        expect(a).to.deep.equal(b);
      }
    }
  });

  it('refuses the 210 rejected requests, but for those we know why to accept', () => {
    const vectors = fixture<CommandVector[]>('rejects.json');
    expect(vectors).to.have.length(210);
    // Quirk "si-filter": the references call it a bit mask, so combinations of bits are sent.
    const accepted = ['filter=3', 'filter=5', 'filter=7', 'filter=9'].map(
      (value) => `WINC_CmdSI reject:${value}`,
    );
    for (const vector of vectors) {
      const encode = () => encodeRequest(requestFromJson(vector), strictQuirks);
      if (accepted.includes(label(vector))) encode();
      else expect(encode, label(vector)).to.throw().with.property('code', 'WINC_ARGUMENT');
    }
  });

  it('encodes bursts', () => {
    interface Burst {
      commands: CommandVector[];
      messages: string[];
    }
    for (const { commands, messages } of fixture<Burst[]>('bursts.json')) {
      const encoded = commands.map((command, seq) =>
        hex(encodeRequest(requestFromJson({ ...command, seq }))),
      );
      expect(encoded).to.deep.equal(messages);
    }
  });

  describe('messages of a module', () => {
    const vectors = fixture<MessageVector[]>('responses.json');
    const decoder = new TlvHostDecoder();
    const name = ({ name, case: what, message }: MessageVector) => `${name} ${what ?? ''} ${message}`;

    it('decodes all 389, with every element', () => {
      expect(vectors).to.have.length(389);
      for (const vector of vectors) {
        const message = decoder.decode(bytes(vector.message));
        expect(message.kind, name(vector)).to.equal(vector.kind === 'aec' ? 'event' : vector.kind);
        if (message.kind === 'status') {
          expect(message).to.include({ command: vector.name, seq: vector.seq, code: Number(vector.status) });
          continue;
        }
        const seen = wireElements(bytes(vector.message));
        expect(seen.length, name(vector)).to.equal(vector.elements!.length);
        for (const [at, { type, value, length }] of seen.entries()) {
          const wanted = vector.elements![at];
          expect(type, name(vector)).to.equal(wanted.type);
          if (wanted.length !== undefined && typeof value === 'number')
            expect(length).to.equal(wanted.length);
          if (wanted.hex !== undefined) expect(hex(value as Uint8Array)).to.equal(wanted.hex);
          else if (typeof wanted.value === 'number') expect(value, name(vector)).to.equal(wanted.value);
        }
      }
    });

    it('finds the form each was made from', () => {
      // Shapes that several forms share, where these made-up values do not tell: any of them is right.
      const sameShape = /^(NETIFC|TLSC|HTTPC) LIST_RESPONSE|^DNSRESOLV (NS|CNAME|PTR|TXT|DNSKEY)_RESPONSE/;
      for (const vector of vectors) {
        const form = / #\d+$/.test(vector.case ?? '') ? vector.case!.replace(/ #\d+$/, '') : undefined;
        if (vector.kind === 'status' || form === undefined || sameShape.test(`${vector.name} ${form}`))
          continue;
        const message = decoder.decode(bytes(vector.message)) as Response | Event;
        expect(message.form, name(vector)).to.equal(form);
      }
    });

    it('encodes what it decoded to the same bytes, as far as widths are a module’s free choice', () => {
      let same = 0;
      for (const vector of vectors) {
        const message = decoder.decode(bytes(vector.message));
        const again =
          message.kind === 'status'
            ? encodeStatus(Number(vector.commandId), message.seq!, message.code)
            : message.kind === 'response'
              ? encodeResponse(message, message.seq!)
              : encodeEvent(message as Event);
        if (hex(again) === vector.message) same++;
        const back = decoder.decode(again);
        expect(back, name(vector)).to.deep.equal(message);
      }
      expect(same).to.be.at.least(330);
    });
  });
});
