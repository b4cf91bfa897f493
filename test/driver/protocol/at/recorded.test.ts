/**
 * Every exchange the references print and every line seen on real modules is understood. What is not is listed with
 * its reason; an entry that is understood after all fails, too.
 */
import { expect } from 'chai';
import { AtHostDecoder, decodeCommandLine, type ParsedLine } from '../../../../driver/protocol/at/index.js';
import type { CommandName } from '../../../../driver/protocol/catalogue/index.js';
import type { ModuleMessage, Scalar } from '../../../../driver/protocol/messages.js';
import { fixture } from '../fixtures.js';

interface Token {
  int?: number;
  frac?: [number, number];
  str?: string;
  bytes?: string;
  text?: string;
}
interface Step {
  dir: 'host' | 'module';
  kind: 'command' | 'response' | 'aec' | 'status' | 'data';
  name?: string;
  args?: Token[];
  text?: string;
}
interface Line {
  dir: '>' | '<' | '#';
  text: string;
}

const ascii = (text: string) => Buffer.from(text, 'latin1');

const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
function printed({ text, int, frac, str, bytes }: Token): string {
  if (text !== undefined) return text;
  if (int !== undefined) return String(int);
  if (frac) return frac.join('.');
  return str === undefined ? `[${bytes}]` : quoted(str);
}

function statusOf({ status, extended }: ParsedLine): number {
  return status ?? (extended && 'status' in extended ? extended.status : 0);
}

/** The command of a line, for the decoder of its answers. */
function commandOf({ extended }: ParsedLine): CommandName | undefined {
  return extended && 'request' in extended ? extended.request.command : extended?.command;
}

/** Long data is cut in print (`[0123...cdef]`): any byte stands for it. */
const filled = (line: string) => line.replace(/\[[0-9A-Fa-f]*(?:\.{2,3}|…)[0-9A-Fa-f]*\]/g, '[00]');
/** Not lines: the raw mode's `#` and bytes, and the frames of XMODEM. */
const isRaw = (text: string) => /^(?:#|\(raw\)|CC$|ACK$|SOH |EOT$|ab\+\+\+$)/.test(text);
/** Placeholders of whoever wrote it down. */
const isPlaceholder = (text: string) =>
  /<[\w .]+>|^\(nothing\)$|\+[A-Z]+:?\.\.\.|,\.\.\.$|=\.\.\. /.test(text);

/** A value as comparable text, whether token or decoded; addresses differ in case only. */
function comparable(value: Token | Scalar): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1').toLowerCase();
  if (typeof value !== 'object') return String(value).toLowerCase();
  if ('frac' in value && 'int' in value) return `${value.int}.${value.frac}`;
  const { int, frac, str, bytes = '' } = value as Token;
  if (frac) return frac.join('.');
  const hex = bytes.includes('.') ? '00' : bytes;
  return (int?.toString() ?? str ?? Buffer.from(hex, 'hex').toString('latin1')).toLowerCase();
}

const isNoise = (message: ModuleMessage) => message.kind === 'noise';

describe('AT examples of the reference', () => {
  /** Commands of the text that exist as examples only. */
  const fictional = new Set(['+CMD', '+SOMECFGCMD']);
  const notUnderstood: string[] = [];
  const understood = { host: 0, module: 0 };

  before(() => {
    const examples = fixture<{ source: string; title: string; steps: Step[] }[]>('examples.json');
    for (const { source, title, steps } of examples) {
      if (source !== 'at') continue;
      const decoder = new AtHostDecoder();
      for (const step of steps) {
        if (step.kind === 'data' || fictional.has(step.name ?? '')) continue;
        const args = (step.args ?? []).map(printed).join(',');
        if (step.kind === 'command') {
          const line = filled(`AT${step.name ?? ''}${args && `=${args}`}`);
          const parsed = decodeCommandLine(ascii(line));
          decoder.sent(line, commandOf(parsed));
          if (statusOf(parsed) !== 0) notUnderstood.push(`${title}: ${line}`);
          else understood.host++;
          continue;
        }
        const line = filled(step.kind === 'status' ? (step.text ?? '') : `${step.name}${args && `:${args}`}`);
        const messages = decoder.decode(ascii(step.kind === 'aec' ? `\r${line}` : line));
        const kind = step.kind === 'aec' ? 'event' : step.kind;
        const good = messages.length === 1 && messages[0].kind === kind;
        if (
          good &&
          'elements' in messages[0] &&
          !('errorCode' in messages[0].elements || 'otaState' in messages[0].elements)
        ) {
          const values = Object.values(messages[0].elements).flat() as Scalar[];
          expect(values.map(comparable), line).to.deep.equal((step.args ?? []).map(comparable));
        }
        if (good) understood.module++;
        else notUnderstood.push(`${title}: ${line}`);
      }
    }
  });

  it('are understood', () => {
    expect(notUnderstood).to.deep.equal([]);
    expect(understood).to.deep.equal({ host: 296, module: 565 });
  });
});

describe('AT flows', () => {
  const suspect: Record<string, string> = {
    '0K': 'a misprint of OK (DIFFERENCES.md)',
    OK: 'XMODEM: drawn as sent by the host (DIFFERENCES.md)',
  };

  for (const { name, lines } of fixture<{ flows: { name: string; lines: Line[] }[] }>('flows.json').flows) {
    it(name, () => {
      const decoder = new AtHostDecoder();
      const bad: string[] = [];
      lines.forEach(({ dir, text: source }, i) => {
        const text = filled(source);
        if (isRaw(text) || (text in suspect && (dir === '>' || text !== 'OK'))) return;
        if (dir === '>') {
          const parsed = decodeCommandLine(ascii(text));
          decoder.sent(text, commandOf(parsed));
          const answer = lines.slice(i + 1).find((line) => line.dir === '<')?.text;
          const status = statusOf(parsed);
          if (status !== 0 && !answer?.startsWith(`ERROR:${status >> 8}.${status & 255}`))
            bad.push(`> ${text} ${status}`);
        } else if (dir === '<' && decoder.decode(ascii(text)).some(isNoise)) bad.push(`< ${text}`);
      });
      expect(bad).to.deep.equal([]);
    });
  }
});

describe('AT transcripts of real modules', () => {
  /** Refused or not understood, with the reason. */
  const others: Record<string, string> = {
    '> AT+CFGCP=?': 'no such form; the module refused it, too',
    '> AT+CFGCP': 'no such form; the module refused it, too',
    '> AT+NOPE': 'no such command; the module refused it, too',
    '> at': 'lower case; the module refused it, too',
    '< at': 'its echo',
    '< +ECCRDSER:18,"01232943D301723001"': 'RNWF11 only',
    '< +WSTALU:"5C:76:95:1B:D9:2F",6': 'AnyCloud 0.3: no association id',
    '< +WSTAAIP:"10.0.0.156"': 'AnyCloud 0.3: no association id',
    '< +MQTTPUB:28,"$iothub/twin/res/200/?$rid=4",517,"{"desired":{...}}"':
      'AnyCloud 0.3: quotes not escaped',
    '< +BOOT: RNWF - AT Command Int 2.0.0 Microchip Tech Inc': 'abbreviated by the poster',
    '> AT+TEST=1, 3': 'a command of the test build only',
    '< +TEST:2,1,3': 'a command of the test build only',
    '> AT+EVT=100,8': 'a command of the test build only',
    '< >\r+EVT:8': 'a command of the test build only',
    '> AT+EVT=100,7': 'a command of the test build only',
    '< \r+EVT:7': 'a command of the test build only',
    '> AT+RAW=5': 'a command of the test build only',
  };

  it('are understood', () => {
    const found: string[] = [];
    for (const { lines } of fixture<{ lines: Line[] }[]>('real-transcripts.json')) {
      const decoder = new AtHostDecoder();
      for (const { dir, text } of lines) {
        if (isPlaceholder(filled(text))) continue;
        for (const line of filled(text)
          .split('\n')
          .map((part) => part.replace(/\r$/, ''))) {
          if (isRaw(line)) continue;
          if (dir === '<') {
            if (decoder.decode(ascii(line)).some(isNoise)) found.push(`< ${line}`);
            continue;
          }
          const parsed = decodeCommandLine(ascii(line));
          decoder.sent(line, commandOf(parsed));
          if (line && statusOf(parsed) !== 0) found.push(`> ${line}`);
        }
      }
    }
    expect([...new Set(found)].sort()).to.deep.equal(Object.keys(others).sort());
  });
});
