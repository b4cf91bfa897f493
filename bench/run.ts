/**
 * `npm run bench -- NAME [--json]`: runs one benchmark of this folder and prints its metrics, each next to a peer
 * measured in the same run, so that a ratio survives a slow or busy machine.
 */
export interface Metric {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, measured in the same run. */
  readonly peer?: string;
  /** value / peer's value. */
  readonly ratio?: number;
}

const [name, ...rest] = process.argv.slice(2);
const json = rest.includes('--json');
const known = ['engine', 'goodput', 'spi'];
if (name === undefined || !known.includes(name)) {
  console.error(`usage: npm run bench -- ${known.join('|')} [--json]`);
  process.exit(2);
}
const bench = (await import(`./${name}.js`)) as {
  run(arguments_: readonly string[]): Promise<readonly Metric[]>;
};
const metrics = await bench.run(rest);
if (json) for (const metric of metrics) console.log(JSON.stringify(metric));
else {
  const width = Math.max(...metrics.map((metric) => metric.name.length));
  for (const { name, value, unit, peer, ratio } of metrics) {
    const comparison = ratio === undefined ? '' : `  ${ratio.toPrecision(3)} x ${peer}`;
    console.log(`${name.padEnd(width)}  ${value.toPrecision(4).padStart(10)} ${unit}${comparison}`);
  }
}
process.exit(0);
