// The layer rules of docs/architecture.md, held by the linter: which folder may import which, that no file
// is longer than a sitting, and that imports form no cycle between folders.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const maxLines = 600;

/** folder → folders it may import besides itself. The longest matching prefix names a file's layer. */
const layers = {
  'driver/protocol': [],
  driver: ['driver/protocol'],
  tls: ['driver', 'driver/protocol'],
  dns: ['driver', 'driver/protocol'],
  'bsd-sockets': ['driver', 'driver/protocol', 'tls', 'dns'],
  'simulator/tcpip': [],
  simulator: ['driver/protocol', 'simulator/tcpip'],
  cli: ['*'],
  'index.ts': ['driver', 'driver/protocol', 'simulator', 'bsd-sockets', 'tls', 'dns'],
  test: ['*'],
  bench: ['*'],
  examples: ['*'],
};

const layerOf = (path) =>
  Object.keys(layers)
    .filter((prefix) => path === prefix || path.startsWith(`${prefix}/`))
    .sort((a, b) => b.length - a.length)[0];

function* sources(directory) {
  for (const name of readdirSync(directory)) {
    if (['node_modules', 'dist', '.git', 'coverage', 'firmware-fixtures'].includes(name)) continue;
    const path = join(directory, name);
    if (statSync(path).isDirectory()) yield* sources(path);
    else if (/\.(ts|mts|mjs)$/.test(name)) yield path;
  }
}

const problems = [];
for (const file of sources(root)) {
  const path = relative(root, file).split(sep).join('/');
  const text = readFileSync(file, 'utf8');
  const lines = text.split('\n').length - 1;
  if (lines > maxLines) problems.push(`${path}: ${lines} lines, at most ${maxLines}`);
  const from = layerOf(path);
  if (from === undefined) continue;
  for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const resolved = relative(root, resolve(dirname(file), target))
      .split(sep)
      .join('/')
      .replace(/\.js$/, '.ts');
    const to = layerOf(resolved);
    if (to === undefined || to === from || layers[from].includes('*')) continue;
    if (!layers[from].includes(to)) problems.push(`${path}: ${from} may not import ${to} (${target})`);
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
