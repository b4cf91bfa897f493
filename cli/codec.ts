/**
 * `wincs02 encode` and `wincs02 decode`: one message to bytes and back, on either wire. With `--batch`, newline-delimited
 * JSON both ways; a bad line answers `{"error":…}` and the batch goes on.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { WincError } from '../driver/protocol/errors.js';
import type { JsonObject } from '../driver/protocol/json.js';
import { decodeAtLine, encodeAtLine } from './codec-at.js';
import { decodeTlvMessage, encodeTlvMessage } from './codec-tlv.js';
import { annotateSpiLog, spiLogToPcapng } from './decode-spi.js';
import { CliError, Exit } from './exit.js';

interface Codec {
  /** The JSON key under which `encode` answers. */
  readonly key: 'line' | 'request';
  encode(json: JsonObject): string;
  /** Text as a person would paste it: a line, or hex. */
  fromText(text: string): JsonObject[];
  fromBytes(bytes: Uint8Array): JsonObject[];
}

const codecs: Readonly<Record<string, Codec>> = {
  at: {
    key: 'line',
    encode: encodeAtLine,
    fromText: (text) => decodeAtLine(Buffer.from(text, 'utf8')),
    fromBytes: decodeAtLine,
  },
  tlv: {
    key: 'request',
    encode: (json) => Buffer.from(encodeTlvMessage(json)).toString('hex'),
    fromText: (text) => decodeTlvMessage(hexBytes(text)),
    fromBytes: decodeTlvMessage,
  },
};

function hexBytes(text: unknown): Uint8Array {
  const digits = typeof text === 'string' ? text.replace(/[\s:]/g, '') : '';
  if (digits === '' || !/^(?:[0-9a-f]{2})+$/i.test(digits))
    throw new WincError('WINC_ARGUMENT', 'an even number of hex digits is expected');
  return Buffer.from(digits, 'hex');
}

const wireOption = (...others: string[]) =>
  new Option('--wire <wire>', 'which encoding')
    .choices([...Object.keys(codecs), ...others])
    .makeOptionMandatory();

export function encodeCommand(): Command {
  return new Command('encode')
    .description('a command to the bytes a host sends')
    .addOption(wireOption())
    .option('--batch', 'newline-delimited JSON from stdin')
    .argument('[name]', 'the command, such as SOCKO')
    .argument('[json]', 'its arguments', '{}')
    .action(async (name: string | undefined, json: string, options: { wire: string; batch?: boolean }) => {
      const codec = codecs[options.wire];
      if (options.batch === true) return batch((input) => [{ [codec.key]: codec.encode(input) }]);
      if (name === undefined) throw new CliError(Exit.USAGE, 'which command? Give its name, or --batch');
      console.log(codec.encode({ command: name.toUpperCase(), args: parseJson(json) }));
    });
}

export function decodeCommand(): Command {
  return new Command('decode')
    .description('bytes of either end to JSON; with --wire spi, a log of an SPI bus to annotated lines')
    .addOption(wireOption('spi'))
    .option('--batch', 'newline-delimited JSON from stdin')
    .option('--pcap <file>', 'spi: write the messages to a pcapng file instead')
    .argument('[message]', 'an AT line, hex, or the file of an SPI log; none: from stdin')
    .action(
      async (message: string | undefined, options: { wire: string; batch?: boolean; pcap?: string }) => {
        if (options.wire === 'spi') return decodeSpiLog(message, options.pcap);
        const codec = codecs[options.wire];
        if (options.batch === true) {
          return batch((input) =>
            typeof input.line === 'string'
              ? codec.fromText(input.line)
              : codec.fromBytes(hexBytes(input.message)),
          );
        }
        const lines = message === undefined ? createInterface({ input: process.stdin }) : [message];
        for await (const line of lines)
          for (const decoded of codec.fromText(line)) console.log(JSON.stringify(decoded));
      },
    );
}

/** Our own trace, sigrok's annotations or a Saleae export. */
function decodeSpiLog(file: string | undefined, pcap: string | undefined): void {
  const text = readFileSync(file ?? 0, 'utf8');
  if (pcap !== undefined) writeFileSync(pcap, spiLogToPcapng(text, Date.now()));
  else for (const line of annotateSpiLog(text)) console.log(line);
}

function parseJson(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WincError('WINC_ARGUMENT', `not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WincError('WINC_ARGUMENT', 'a JSON object is expected');
  return value as JsonObject;
}

async function batch(convert: (input: JsonObject) => readonly JsonObject[]): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    let answers: readonly object[];
    try {
      answers = convert(parseJson(line));
    } catch (error) {
      if (!(error instanceof WincError)) throw error;
      answers = [{ error: { code: error.code, message: error.message } }];
    }
    // One line in, one line out, so that a reader can pair them.
    console.log(JSON.stringify(answers.length === 1 ? answers[0] : answers));
  }
}
