/** The live table of `wincs02 stack --stats`. */
import type { TcpConnection } from '../simulator/tcpip/contract.js';

const columns = [
  'local',
  'remote',
  'state',
  'cwnd',
  'srtt ms',
  'rto ms',
  'resent',
  'in flight',
  'send q',
  'recv q',
];
const longestTable = 40;

/** A line per connection, at most 40, with a heading. */
export function connectionTable(connections: Iterable<TcpConnection>): string {
  const rows: string[][] = [];
  let more = 0;
  for (const connection of connections) {
    if (rows.length === longestTable) {
      more++;
      continue;
    }
    const info = connection.info();
    const end = ({ address, port }: TcpConnection['local']): string =>
      address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    rows.push([
      end(connection.local),
      end(connection.remote),
      info.state,
      String(info.cwnd),
      info.srtt.toFixed(2),
      info.rto.toFixed(0),
      String(info.retransmits),
      String(info.inFlight),
      String(info.sendQueue),
      String(info.receiveQueue),
    ]);
  }
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return [line(columns), ...rows.map(line), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/**
 * Writes `table()` every second: over the last one on a terminal, below it elsewhere. Answers what ends it.
 */
export function showTable(out: NodeJS.WriteStream, table: () => string): () => void {
  let height = 0;
  const timer = setInterval(() => {
    const text = table();
    const back = out.isTTY && height > 0 ? `\x1b[${height}A\x1b[J` : '';
    height = text.split('\n').length + 1;
    out.write(`${back}${text}\n\n`);
  }, 1000);
  return () => clearInterval(timer);
}
