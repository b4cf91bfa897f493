import { StackError } from '../errors.js';

/** Loss that comes in bursts: a chain of two states, each with its own loss (Gilbert 1960, Elliott 1963). Probabilities. */
export interface GilbertElliott {
  /** From good to bad, per frame. */
  readonly toBad: number;
  /** From bad to good, per frame. */
  readonly toGood: number;
  /** Loss while good; 0. */
  readonly lossGood?: number;
  /** Loss while bad; 1. */
  readonly lossBad?: number;
}

/** What happens to frames in one direction. All probabilities are per frame, 0..1. */
export interface Impairment {
  readonly loss?: number | GilbertElliott;
  readonly delayMs?: number;
  /** Uniform around the delay, ±; frames keep their order. */
  readonly jitterMs?: number;
  /** Held back behind one to three later frames. */
  readonly reorder?: number;
  readonly duplicate?: number;
  /** One bit inverted. */
  readonly corrupt?: number;
  readonly rateBitsPerSecond?: number;
  /** What waits for the rate; 100 frames if neither is given. */
  readonly queueFrames?: number;
  readonly queueBytes?: number;
  /**
   * Probability of a Congestion Experienced mark on packets of ECN-capable ends. `true`: a mark instead of each loss and
   * for what finds the queue half full.
   */
  readonly ecn?: boolean | number;
}

const refuse = (why: string): never => {
  throw new StackError('EINVAL', `impairment: ${why}`);
};

function probability(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(value >= 0 && value <= 1)) refuse(`${name}=${text} is no probability; write 1% or 0.01`);
  return value;
}

/** A number with one of `units`, scaled. */
function quantity(
  name: string,
  text: string,
  units: Readonly<Record<string, number>>,
  wanted: string,
): number {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text);
  const scale = match === null ? undefined : units[match[2].toLowerCase()];
  if (match === null || scale === undefined) return refuse(`${name}=${text}; write ${wanted}`);
  return Number(match[1]) * scale;
}

const timeUnits = { us: 0.001, ms: 1, s: 1000, '': 1 };
const rateUnits = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };
const sizeUnits = { b: 1, kb: 1e3, mb: 1e6, kib: 1024, mib: 1024 * 1024 };
const keys = 'loss, burst, delay, jitter, reorder, dup, corrupt, rate, queue, ecn';

/**
 * Reads `loss=1%,burst=4,delay=20ms,jitter=5ms,reorder=1%,dup=0.5%,corrupt=0.1%,rate=10mbit,queue=50,ecn`. `burst` is the
 * mean number of frames lost in a row; `queue` is frames, or bytes with a unit (`64kb`); `ecn` may have a probability.
 * @throws StackError `EINVAL` naming what is wrong
 */
export function parseImpairment(spec: string): Impairment {
  const values = new Map<string, string>();
  for (const item of spec.split(',')) {
    const [, key, value] =
      /^\s*([a-z]+)\s*(?:=\s*(\S+))?\s*$/i.exec(item) ?? refuse(`"${item}" is not key=value`);
    if (!keys.split(', ').includes(key)) refuse(`unknown "${key}"; there are ${keys}`);
    if (values.has(key)) refuse(`${key} twice`);
    if (value === undefined && key !== 'ecn') refuse(`${key} needs a value`);
    values.set(key, value ?? '');
  }
  const result: { -readonly [Key in keyof Impairment]: Impairment[Key] } = {};
  const read = <T>(key: string, convert: (name: string, text: string) => T): T | undefined => {
    const text = values.get(key);
    return text === undefined ? undefined : convert(key, text);
  };
  const time = (name: string, text: string): number => quantity(name, text, timeUnits, 'a time such as 20ms');

  const loss = read('loss', probability);
  if (loss !== undefined) result.loss = loss;
  const burst = read('burst', (name, text) => quantity(name, text, { '': 1 }, 'a mean number of frames'));
  if (burst !== undefined) result.loss = bursts(loss ?? refuse('burst without loss'), burst);
  const delay = read('delay', time);
  if (delay !== undefined) result.delayMs = delay;
  const jitter = read('jitter', time);
  if (jitter !== undefined) result.jitterMs = jitter;
  const reorder = read('reorder', probability);
  if (reorder !== undefined) result.reorder = reorder;
  const duplicate = read('dup', probability);
  if (duplicate !== undefined) result.duplicate = duplicate;
  const corrupt = read('corrupt', probability);
  if (corrupt !== undefined) result.corrupt = corrupt;
  const rate = read('rate', (name, text) => quantity(name, text, rateUnits, 'a rate such as 10mbit'));
  if (rate !== undefined) result.rateBitsPerSecond = rate > 0 ? rate : refuse('a rate of 0');
  const queue = values.get('queue');
  if (queue !== undefined) {
    if (rate === undefined) refuse('queue without rate');
    const bytes = !/^\d+$/.test(queue);
    const size = bytes ? quantity('queue', queue, sizeUnits, 'frames (50) or bytes (64kb)') : Number(queue);
    if (size < 1) refuse('a queue of nothing');
    result[bytes ? 'queueBytes' : 'queueFrames'] = size;
  }
  const ecn = values.get('ecn');
  if (ecn !== undefined) result.ecn = ecn === '' ? true : probability('ecn', ecn);
  return result;
}

/**
 * The Gilbert model that loses `loss` of all frames, `meanLength` at a time.
 * @throws StackError `EINVAL` if no such chain exists
 */
export function bursts(loss: number, meanLength: number): GilbertElliott {
  const toGood = 1 / meanLength;
  const toBad = (loss * toGood) / (1 - loss);
  if (!(meanLength >= 1) || !(toBad <= 1)) refuse(`no bursts of ${meanLength} frames lose ${loss * 100} %`);
  return { toBad, toGood };
}
