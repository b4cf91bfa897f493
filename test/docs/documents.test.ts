import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '../..');
const documents = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe('documents', () => {
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');

    it(`${document}: every link inside the repository leads somewhere`, () => {
      for (const [, target] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#]+)/g))
        expect(existsSync(resolve(root, dirname(document), target)), target).to.equal(true);
    });
  }

  it('docs/architecture.md: every file it names exists', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const named = [...text.matchAll(/`((?:[\w-]+\/)+[\w.-]*)`/g)].map(([, path]) => path);
    expect(named).to.have.length.above(40);
    for (const path of named) expect(existsSync(join(root, path)), path).to.equal(true);
  });
});
