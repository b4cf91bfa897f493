/** What a module printed, taken apart by the rules of the wire: a byte out of place is an error. */

export type Item =
  | { readonly kind: 'info' | 'status' | 'event'; readonly text: string }
  | { readonly kind: 'raw'; readonly text: string };

const STATUS = /^(OK|ERROR(:.*)?)$/;

/**
 * @param echoed the line just typed, with its CR LF, if it must be echoed first
 * @param prompt whether `>` follows every status and event
 * @param rawLength bytes that follow a `#`; undefined if no `#` is expected
 */
export function takeApart(output: string, echoed: string, prompt: boolean, rawLength?: number): Item[] {
  const items: Item[] = [];
  let rest = output;
  const eat = (expected: string): void => {
    if (!rest.startsWith(expected)) {
      throw new Error(
        `expected ${JSON.stringify(expected)} at ${JSON.stringify(rest.slice(0, 60))} in ${JSON.stringify(output)}`,
      );
    }
    rest = rest.slice(expected.length);
  };
  const line = (): string => {
    const end = rest.indexOf('\r\n');
    if (end < 0) throw new Error(`unfinished line ${JSON.stringify(rest)} in ${JSON.stringify(output)}`);
    const text = rest.slice(0, end);
    rest = rest.slice(end + 2);
    return text;
  };
  eat(echoed);
  while (rest.length > 0) {
    if (rawLength !== undefined && rest.startsWith('#')) {
      items.push({ kind: 'raw', text: rest.slice(0, 1 + rawLength) });
      rest = rest.slice(1 + rawLength);
    } else if (rest.startsWith('\r')) {
      eat('\r');
      items.push({ kind: 'event', text: line() });
      if (prompt) eat('>');
    } else {
      const text = line();
      const isStatus = STATUS.test(text);
      items.push({ kind: isStatus ? 'status' : 'info', text });
      if (isStatus && prompt) eat('>');
    }
  }
  return items;
}
