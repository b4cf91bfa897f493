/** The two ways to a simulator in another process; every system test of ours runs over both. */
export interface Port {
  readonly name: string;
  /** What `wincs02 sim` is told. */
  flags(path: string): string[];
  /** What `--port` is told. */
  url(path: string): string;
  /** Model name of the module there. */
  readonly model: string;
}

export const ports: readonly Port[] = [
  {
    name: 'AT on a pty through serialport',
    flags: (path) => ['--uart', `pty:${path}`],
    url: (path) => `serial:${path}`,
    model: 'RNWF02',
  },
  {
    name: 'TLV over the SPI bridge',
    flags: (path) => ['--spi-bridge', `unix:${path}`],
    url: (path) => `bridge:unix:${path}`,
    model: 'WINCS02',
  },
];
