import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const here = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

/** docs/engine-apis.md names a test for every function: the names must be those of tests. */
describe('docs/engine-apis.md', () => {
  const sections = here('../../../../docs/engine-apis.md').split(/^## /m).slice(1);
  for (const section of sections) {
    const name = section.slice(0, section.indexOf('\n'));
    it(`names tests that exist: ${name}`, () => {
      const titles = [...here(`./${name}.test.ts`).matchAll(/it\('((?:[^'\\]|\\.)*)'/g)].map(
        ([, title]) => title,
      );
      const rows = section
        .split('\n')
        .filter((line) => line.startsWith('|') && !/^\|(---|\s*function)/.test(line));
      expect(rows.length).to.be.greaterThan(10);
      for (const row of rows) {
        const tests = row.split('|').at(-2)?.trim().split('; ') ?? [];
        for (const test of tests) {
          const found = test === 'all of them' || titles.some((title) => title.startsWith(test));
          expect(found, `"${test}" in ${row}`).to.equal(true);
        }
      }
    });
  }
});
