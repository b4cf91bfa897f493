/** decode(encode(x)) = x over the AT wire, for every form of the catalogue and every setting of the module. */
import { expect } from 'chai';
import fc from 'fast-check';
import '../seed.js';
import {
  type AtFormat,
  AtHostDecoder,
  decodeCommandLine,
  defaultFormat,
  encodeCommand,
  encodeEvent,
  encodeResponse,
  encodeStatus,
  withFormatBits,
} from '../../../../driver/protocol/at/index.js';
import {
  type CommandName,
  commandByName,
  commands,
  events,
} from '../../../../driver/protocol/catalogue/index.js';
import { statuses } from '../../../../driver/protocol/catalogue/statuses.js';
import type { ModuleMessage, Request, Values } from '../../../../driver/protocol/messages.js';
import { encodeText } from '../../../../driver/protocol/text.js';
import { validateArgs } from '../../../../driver/protocol/validate.js';
import { isTyped } from '../../../../driver/protocol/wiretype.js';
import { argsFor, elementsFor } from '../arbitrary.js';

const ascii = (line: string) => Buffer.from(line, 'latin1');

const formats: fc.Arbitrary<AtFormat> = fc
  .record({ bits: fc.nat({ max: 15 }), verbosity: fc.constantFrom(0, 1, 2, 3, 4, 5), numeric: fc.boolean() })
  .map(({ bits, verbosity, numeric }) => ({
    ...withFormatBits(defaultFormat, bits),
    verbosity: verbosity as AtFormat['verbosity'],
    numeric,
  }));

/**
 * Buffers and byte arrays compare alike; `undefined` and absent do, too, and a STRING and a BYTE_ARRAY of the same bytes
 * where both are possible (quirk string-or-bytes).
 */
function plain(value: unknown): unknown {
  if (isTyped(value) && (value.type === 'STRING' || value.type === 'BYTE_ARRAY')) {
    return plain(typeof value.value === 'string' ? encodeText(value.value) : value.value);
  }
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, plain(item)]),
  );
}

/** The same request after it went over the wire, raw payload included. */
function overTheWire(request: Request, format: AtFormat, inlineUpTo: number): Values {
  const sent = encodeCommand(request, { format, inlineUpTo });
  expect(sent.line).to.match(/^AT\+[\x20-\x7e]*$/);
  const parsed = decodeCommandLine(ascii(sent.line), format);
  if (!parsed.extended || !('request' in parsed.extended)) throw new Error(`refused: ${sent.line}`);
  expect(parsed.basics).to.deep.equal([]);
  expect(parsed.extended.raw === 'write').to.equal(sent.payload !== undefined);
  const { args } = parsed.extended.request;
  return sent.payload ? { ...args, data: sent.payload } : args;
}

function decodeOne(line: string, format: AtFormat, pending?: CommandName, sent = 'AT+X=1'): ModuleMessage {
  const decoder = new AtHostDecoder();
  decoder.format = format;
  if (pending) decoder.sent(sent, pending);
  const messages = decoder.decode(ascii(line));
  expect(messages, line).to.have.length(1);
  return messages[0];
}

describe('AT round trip', () => {
  for (const spec of Object.values(commands)) {
    for (const form of spec.forms) {
      it(`request ${spec.name} as ${form.name}`, () => {
        fc.assert(
          fc.property(argsFor(spec, form), formats, fc.nat({ max: 100 }), (args, format, inlineUpTo) => {
            // Lists without a raw payload stand for what follows the line; a length tells how much.
            const length = args.data instanceof Uint8Array ? { length: args.data.length } : {};
            const complete = form.params.some(({ type }) => type.kind === 'bytes' && type.raw)
              ? { ...args, data: args.data ?? new Uint8Array(3), ...(args.data ? length : { length: 3 }) }
              : args;
            const request: Request = {
              kind: 'request',
              command: spec.name,
              form: form.name,
              args: complete,
              seq: 0,
            };
            const answered = overTheWire(request, format, inlineUpTo);
            const expected = validateArgs(spec.name, complete, { form: form.name }).values;
            expect(plain(validateArgs(spec.name, answered, { form: form.name }).values)).to.deep.equal(
              plain(expected),
            );
          }),
        );
      });
    }
    for (const form of spec.responses) {
      it(`response ${spec.name} ${form.form}`, () => {
        fc.assert(
          fc.property(elementsFor(form, spec), formats, (elements, format) => {
            const line = encodeResponse({ command: spec.name, form: form.form, elements }, format);
            expect(line).to.match(/^\+[\x20-\x7e]*$/);
            const sent = form.form === 'LIST_RESPONSE' ? 'AT+X' : 'AT+X=1';
            expect(plain(decodeOne(line, format, spec.name, sent))).to.deep.equal(
              plain({ kind: 'response', command: spec.name, form: form.form, elements }),
            );
          }),
        );
      });
    }
  }

  for (const spec of Object.values(events)) {
    for (const form of spec.forms) {
      it(`event ${spec.name} ${form.form}`, () => {
        const config = commandByName(spec.name)?.config;
        fc.assert(
          fc.property(elementsFor(form, { config }), formats, (random, format) => {
            // The form for record types no other form is for.
            const elements = form.form === 'OTHER_RESPONSE' ? { ...random, type: 50 } : random;
            const line = encodeEvent({ name: spec.name, form: form.form, elements }, format);
            expect(line).to.match(/^\+[\x20-\x7e]*$/);
            // Even while a command of the same name is in progress: the CR in front tells.
            const message = decodeOne(`\r${line}`, format, commandByName(spec.name)?.name);
            expect(plain(message)).to.deep.equal(
              plain({ kind: 'event', name: spec.name, form: form.form, elements }),
            );
          }),
        );
      });
    }
  }

  it('status at every verbosity', () => {
    for (const { code, text } of statuses.values()) {
      for (const verbosity of [0, 1, 2, 3, 4, 5] as const) {
        const format = { ...defaultFormat, verbosity };
        const line = encodeStatus({ code }, format);
        const hidden = code !== 0 && (verbosity === 0 || verbosity === 2);
        const expected = {
          kind: 'status',
          command: 'GMR',
          code: hidden ? -1 : code,
          ...(verbosity > 3 && code !== 0 && { text }),
        };
        expect(decodeOne(line, format, 'GMR'), line).to.deep.equal(expected);
      }
    }
  });

  it('failure after OK, at verbosities that say ERROR', () => {
    for (const verbosity of [3, 5] as const) {
      const format = { ...defaultFormat, verbosity };
      const line = encodeStatus({ code: 0x0e07, command: 'SOCKBR', asynchronous: true }, format);
      expect(decodeOne(`\r${line}`, format, 'GMR')).to.deep.include({
        kind: 'status',
        command: 'SOCKBR',
        code: 0x0e07,
        asynchronous: true,
      });
    }
  });
});
