/** The written exchanges, and what of them is wrong. */
import { readFileSync } from 'node:fs';
import type { Scenario } from './scenarios.js';

export interface Flow {
  readonly area: string;
  readonly name: string;
  readonly lines: readonly { readonly dir: '<' | '>' | '#'; readonly text: string }[];
}

export const { flows } = JSON.parse(
  readFileSync(new URL('../../../../firmware-fixtures/protocol/flows.json', import.meta.url), 'utf8'),
) as { flows: readonly Flow[] };

export const keyOf = ({ area, name }: Flow): string => `${area} | ${name}`;

/** The exchange as it should be: `> ` before what the host types. */
export function steps(flow: Flow, { corrected = {} }: Scenario): string[] {
  return flow.lines.flatMap(({ dir, text }, at) => {
    if (dir === '#') return [];
    const change = corrected[at];
    if (change === null) return [];
    if (typeof change === 'string') return [change];
    return change ?? [dir === '>' ? `> ${text}` : text];
  });
}
