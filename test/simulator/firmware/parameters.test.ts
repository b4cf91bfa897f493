import { expect } from 'chai';
import { type CommandName, commands } from '../../../driver/protocol/catalogue/index.js';
import type { ParamSpec } from '../../../driver/protocol/spec.js';
import { Bench } from './support/bench.js';

/** How a legal value of a parameter is written. */
function legal({ type, only }: ParamSpec): string {
  if (only !== undefined) return String(only[0]);
  switch (type.kind) {
    case 'int':
      return String(Math.min(type.max, Math.max(type.min, 1)));
    case 'configId':
      return '1';
    case 'bool':
      return '1';
    case 'variant':
      return '"10.0.0.1"';
    default:
      return '"x"';
  }
}

/** Illegal values: of another type, and out of range. */
function illegal({ type, only }: ParamSpec): string[] {
  if (only !== undefined) return [];
  switch (type.kind) {
    case 'int':
      return ['"text"', '1.5', String(type.max + 1), String(type.min - 1)].filter(
        (text) => Math.abs(Number(text)) <= 0x7fff_ffff || Number.isNaN(Number(text)),
      );
    case 'string':
      return ['7', ...(type.max === undefined ? [] : [`"${'y'.repeat(type.max + 1)}"`])];
    case 'configId':
      return ['"text"', '256'];
    default:
      return [];
  }
}

/** Values that make another form of the same command of it. */
const selects = (name: CommandName, param: ParamSpec, value: string): boolean =>
  (commands[name].forms.length > 1 && value === '"text"') ||
  commands[name].forms.some((form) => form.byName.get(param.name)?.only?.includes(Number(value)));

describe('parameters of every command', () => {
  for (const name of Object.keys(commands) as CommandName[]) {
    for (const form of commands[name].forms) {
      const required = form.params.filter(({ optional }) => !optional);
      const all = form.params;

      it(`${form.name}: one parameter too many is 0.5`, () => {
        const bench = Bench.booted();
        bench.command('ATE0');
        const longest = Math.max(...commands[name].forms.map(({ params }) => params.length));
        const args = Array.from({ length: longest + 1 }, (_, at) =>
          all[at] === undefined ? '1' : legal(all[at]),
        );
        expect(bench.command(`AT+${name}=${args}`)).to.equal(
          'ERROR:0.5,"Incorrect Number of Parameters"\r\n',
        );
      });

      if (required.length > 0 && commands[name].forms.length === 1) {
        it(`${form.name}: one parameter too few is 0.5`, () => {
          const bench = Bench.booted();
          bench.command('ATE0');
          // A payload may be left out: it follows raw.
          const counted = required.filter(({ type }) => !(type.kind === 'bytes' && type.raw));
          const args = counted.slice(0, -1).map(legal);
          expect(bench.command(`AT+${name}${args.length > 0 ? `=${args}` : ''}`)).to.equal(
            'ERROR:0.5,"Incorrect Number of Parameters"\r\n',
          );
        });
      }

      all.forEach((param, at) => {
        for (const wrong of illegal(param)) {
          if (selects(name, param, wrong)) continue;
          const shown = wrong.length > 20 ? `${wrong.length} characters` : wrong;
          it(`${form.name}: ${param.key} ${shown} is 0.4`, () => {
            const bench = Bench.booted();
            bench.command('ATE0');
            const end = Math.max(at + 1, all.findLastIndex(({ optional }) => !optional) + 1);
            const args = all.slice(0, end).map((each, i) => (i === at ? wrong : legal(each)));
            expect(bench.command(`AT+${name}=${args}`)).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
          });
        }
      });
    }
  }

  const malformed = ['"\\q"', '[ABC]', '[GG]', 'abc', '"a', '1 2', ',', '"é"', '99999999999'];
  for (const text of malformed) {
    it(`${text} is no parameter, and no later command suffers`, () => {
      const bench = Bench.booted();
      bench.command('ATE0');
      const answer = bench.command(`AT+SOCKO=${text}`);
      expect(answer).to.match(/^ERROR:0\.[45],"[^"]+"\r\n$/);
      expect(bench.command('AT')).to.equal('OK\r\n');
    });
  }
});
