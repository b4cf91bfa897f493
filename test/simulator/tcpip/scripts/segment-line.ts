/** How a segment is written in a script: `F. 1:1(0) ack 9 win 100 <opt, …>`. */
import * as wire from '../../../../simulator/tcpip/wire/tcp.js';

const flagBits: Readonly<Record<string, number>> = {
  F: wire.FIN,
  S: wire.SYN,
  R: wire.RST,
  P: wire.PSH,
  '.': wire.ACK,
  U: wire.URG,
  E: wire.ECE,
  W: wire.CWR,
};

export const flagText = (flags: number): string =>
  Object.entries(flagBits)
    .filter(([, bit]) => flags & bit)
    .map(([letter]) => letter)
    .join('') || '-';

export interface SegmentLine {
  readonly flags: number;
  readonly start: number;
  readonly length: number;
  readonly ack: number | undefined;
  readonly win: number | undefined;
  readonly urg: number | undefined;
  readonly options: readonly string[] | undefined;
  readonly rest: string;
}

const shape = /^(\S+) (-?\d+):(-?\d+)\((\d+)\)(.*)$/;

export function parseSegmentLine(text: string): SegmentLine {
  const match = shape.exec(text);
  if (match === null) throw new Error(`not a segment: ${text}`);
  const [, letters, start, end, length, tail] = match;
  let flags = 0;
  for (const letter of letters === '-' ? '' : letters) {
    if (!(letter in flagBits)) throw new Error(`no such flag: ${letter} in ${text}`);
    flags |= flagBits[letter];
  }
  if (Number(end) - Number(start) !== Number(length)) throw new Error(`lengths differ in ${text}`);
  const options = /<(.*)>/.exec(tail)?.[1];
  const rest = tail.replace(/<.*>/, '');
  const number = (name: string): number | undefined => {
    const found = new RegExp(`\\b${name} (-?\\d+)`).exec(rest);
    return found === null ? undefined : Number(found[1]);
  };
  return {
    flags,
    start: Number(start),
    length: Number(length),
    ack: number('ack'),
    win: number('win'),
    urg: number('urg'),
    options: options?.split(',').map((option) => option.trim()),
    rest,
  };
}
