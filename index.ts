/**
 * `wincs02`: the driver, with the embedded simulator as one more transport (`sim:`). The simulator is loaded when a
 * `sim:` URL is first opened, so that a program on real hardware never pays for it.
 */
import { registerTransport } from './driver/index.js';

registerTransport('sim', async (url, options) => {
  const { openSimTransport } = await import('./simulator/index.js');
  return openSimTransport(url, options);
});

export * from './driver/index.js';
