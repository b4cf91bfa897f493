/** Whether a printed line is the documented one, up to what differs from run to run: ids, ports, addresses, levels. */
import { isIpv4, isIpv6, isMac } from '../../../../driver/protocol/address.js';
import { defaultFormat } from '../../../../driver/protocol/at/format.js';
import { lexParameters, type Token } from '../../../../driver/protocol/at/lexer.js';

/** Ids of the document → ids of this run. */
export type Ids = Map<number, number>;

/** Where an id of this run's own stands: of a socket, or of a file transfer. */
function idAt({ name, tokens }: Parsed): number {
  if (name === 'FS') return tokens.length === 2 ? 1 : -1;
  return name.startsWith('SOCK') || name === 'FSTSFR' ? 0 : -1;
}

/** Elements whose value is this run's own, by position. */
const ownNumbers: Readonly<Record<string, readonly number[]>> = {
  SOCKIND: [0, 2, 4],
  WSCNIND: [0],
  WSTALU: [0, 2],
  WSTALD: [0],
  WSTAAIP: [0],
  WSTAROAM: [0],
  TIME: [0],
};

interface Parsed {
  readonly name: string;
  readonly tokens: readonly Token[];
}

function parse(line: string): Parsed | undefined {
  // Two examples print `=` where the syntax has `:`.
  const match = /^\+(\w+)(?:[:=](.*))?$/s.exec(line);
  if (match === null) return undefined;
  const { tokens, error } = lexParameters(Buffer.from(match[2] ?? '', 'latin1'), 0, defaultFormat);
  return error === undefined ? { name: match[1], tokens } : undefined;
}

const isAddress = (text: string): boolean => isIpv4(text) || isIpv6(text) || isMac(text);

function sameToken(wanted: Token, found: Token): boolean {
  if ('bytes' in wanted && 'bytes' in found) {
    const a = Buffer.from(wanted.bytes).toString('latin1');
    const b = Buffer.from(found.bytes).toString('latin1');
    return a === b || (isAddress(a) && isAddress(b) && a.includes(':') === b.includes(':'));
  }
  if (wanted.kind === 'frac' && found.kind === 'frac')
    return wanted.int === found.int && wanted.frac === found.frac;
  return wanted.kind === 'int' && found.kind === 'int' && wanted.value === found.value;
}

export function matches(wanted: string, found: string, ids: Ids): boolean {
  if (wanted === found) return true;
  const a = parse(wanted);
  const b = parse(found);
  if (a === undefined || b === undefined || a.name !== b.name || a.tokens.length !== b.tokens.length)
    return false;
  return a.tokens.every((token, at) => {
    const other = b.tokens[at];
    if (token.kind === 'int' && other.kind === 'int') {
      if (at === idAt(a)) {
        const known = ids.get(token.value);
        if (known === undefined) ids.set(token.value, other.value);
        return known === undefined || known === other.value;
      }
      if (ownNumbers[a.name]?.includes(at)) return Math.sign(token.value) === Math.sign(other.value);
    }
    return sameToken(token, other);
  });
}
