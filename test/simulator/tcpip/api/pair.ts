import { VirtualClock } from '../../../../simulator/tcpip/clock.js';
import type { Link } from '../../../../simulator/tcpip/contract.js';
import { memoryPipe, onClock } from '../../../../simulator/tcpip/link/index.js';
import { seededRandom } from '../../../../simulator/tcpip/random.js';
import { createStack, type EngineStack, type StackOptions } from '../../../../simulator/tcpip/stack.js';

export interface Pair {
  readonly clock: VirtualClock;
  /** 10.0.0.1 */
  readonly a: EngineStack;
  /** 10.0.0.2 */
  readonly b: EngineStack;
  /** While set, frames from a to b that it answers `true` for are lost. */
  lose: ((frame: Uint8Array, length: number) => boolean) | undefined;
  advance(ms: number): Promise<void>;
  close(): void;
}

export const addressOf = { a: '10.0.0.1', b: '10.0.0.2' };

/** Two stacks on a cable, on virtual time. */
export function pair(tcp: NonNullable<StackOptions['tcp']> = {}): Pair {
  const clock = new VirtualClock();
  const [left, right] = memoryPipe({ dispatch: onClock(clock), queue: 4096 });
  const state: { lose: Pair['lose'] } = { lose: undefined };
  const lossy: Link = {
    mtu: left.mtu,
    transmit: (frame, length) => state.lose?.(frame, length) === true || left.transmit(frame, length),
    receive: () => {},
  };
  left.receive = (frame, length) => lossy.receive(frame, length);
  const a = createStack({ link: lossy, clock, random: seededRandom(1), tcp });
  const b = createStack({ link: right, clock, random: seededRandom(2), tcp });
  a.addAddress(addressOf.a, 24);
  b.addAddress(addressOf.b, 24);
  return {
    clock,
    a,
    b,
    get lose() {
      return state.lose;
    },
    set lose(value) {
      state.lose = value;
    },
    advance: (ms) => clock.advanceAsync(ms),
    close: () => {
      a.close();
      b.close();
    },
  };
}

/** `length` bytes that tell where they belong. */
export const pattern = (length: number, from = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => ((from + i) * 31 + ((from + i) >> 8)) & 255);
