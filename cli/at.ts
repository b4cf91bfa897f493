/**
 * `wincs02 at`: AT lines to a module's UART and what it prints, nothing in between. With lines in argv (or piped in) it
 * sends each when the one before is answered; on a terminal it is a small serial terminal.
 */
import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { type ByteTransport, openTransport } from '../driver/index.js';
import { addCommonOptions, type CommonOptions, interrupted, parseSeconds, traceTo } from './common.js';
import { CliError, Exit } from './exit.js';

interface Options extends CommonOptions {
  readonly wait: number;
}

/** A status line at any `ATV` level. */
const statusLine = /^(?:OK|ERROR(?::.*)?|0|1(?::.*)?)$/;
const failureLine = /^(?:ERROR|1)/;
/** What a module that never sends a line end may make us hold. */
const maxLine = 65_536;

export function atCommand(): Command {
  return addCommonOptions(new Command('at').description('send AT lines as they are, print what comes back'))
    .argument('[lines...]', 'AT commands; none: from stdin')
    .addOption(
      new Option('--wait <seconds>', 'listen so long after the last answer')
        .default(0, '0')
        .argParser(parseSeconds),
    )
    .action(async (lines: string[], options: Options) => {
      const transport = await openTransport(options.port, { devices: traceTo(options.trace) });
      if (transport.kind !== 'bytes')
        throw new CliError(Exit.USAGE, `${options.port} is an SPI port; AT text needs a UART`);
      const conversation = new Conversation(transport, options);
      try {
        if (lines.length === 0 && process.stdin.isTTY) await conversation.interactive();
        else await conversation.batch(lines.length > 0 ? lines : createInterface({ input: process.stdin }));
      } finally {
        await transport.close();
      }
    });
}

class Conversation {
  private tail = '';
  private answered: ((status: string) => void) | undefined;
  private readonly gone: Promise<never>;
  private show = (text: string): void => void process.stdout.write(text);

  constructor(
    private readonly transport: ByteTransport,
    private readonly options: Options,
  ) {
    this.gone = new Promise((_, reject) => {
      interrupted.signal.addEventListener('abort', () => reject(interrupted.signal.reason), { once: true });
      transport.start({
        data: (bytes) => this.receive(Buffer.from(bytes).toString('latin1')),
        closed: (error) => reject(error ?? new CliError(Exit.PORT, 'the port was closed')),
      });
    });
    this.gone.catch(() => {});
  }

  async batch(lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
    await this.handshake();
    let failures = 0;
    for await (const line of lines) {
      if (line.trim() === '') continue;
      if (failureLine.test(await this.ask(line))) failures++;
    }
    if (this.options.wait > 0) await this.elapse(this.options.wait);
    if (failures > 0) throw new CliError(Exit.FAILED, `the module refused ${failures} of the commands`);
  }

  /** Every key goes to the module, which echoes; Ctrl-] ends, as in telnet. */
  async interactive(): Promise<void> {
    process.stderr.write('Ctrl-] ends\r\n');
    process.stdin.setRawMode(true);
    try {
      await Promise.race([
        this.gone,
        new Promise<void>((resolve) => {
          process.stdin.on('data', (keys: Buffer) => {
            if (keys.includes(0x1d)) return resolve();
            void this.transport.write(
              Buffer.from(keys.toString('latin1').replaceAll('\r', '\r\n'), 'latin1'),
            );
          });
        }),
      ]);
    } finally {
      process.stdin.setRawMode(false);
      process.stdin.pause();
    }
  }

  /** Until it answers: a module that has just been opened may still be booting, or hold half a line. */
  private async handshake(): Promise<void> {
    const show = this.show;
    this.show = () => {};
    const deadline = performance.now() + this.options.timeout;
    for (;;) {
      const left = deadline - performance.now();
      if (left <= 0) throw new CliError(Exit.SILENT, `${this.options.port} does not answer`);
      if ((await this.send('ATE0', Math.min(1000, left))) !== undefined) break;
    }
    this.show = show;
  }

  private async ask(line: string): Promise<string> {
    const status = await this.send(line, this.options.timeout);
    if (status === undefined)
      throw new CliError(Exit.TIMEOUT, `no answer to the command within ${this.options.timeout / 1000} s`);
    return status;
  }

  private async send(line: string, timeoutMs: number): Promise<string | undefined> {
    const answer = new Promise<string>((resolve) => {
      this.answered = resolve;
    });
    await this.transport.write(Buffer.from(`${line}\r\n`, 'utf8'));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs);
    });
    try {
      return await Promise.race([answer, late, this.gone]);
    } finally {
      clearTimeout(timer);
      this.answered = undefined;
    }
  }

  private receive(text: string): void {
    this.show(text);
    this.tail += text;
    let end = this.tail.indexOf('\n');
    while (end >= 0) {
      const line = this.tail.slice(0, end).replace(/^[\r>]+|\r+$/g, '');
      this.tail = this.tail.slice(end + 1);
      if (statusLine.test(line)) this.answered?.(line);
      end = this.tail.indexOf('\n');
    }
    if (this.tail.length > maxLine) this.tail = '';
  }

  private elapse(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    return Promise.race([over, this.gone]).finally(() => clearTimeout(timer));
  }
}
