import type { Segment } from '../wire/tcp.js';
import { MAX_SACK_BLOCKS } from '../wire/tcp.js';
import type { Connection } from './connection.js';
import { after, before } from './sequence.js';

/**
 * The SACK option of the next segment (RFC 2018 4): a duplicate first (RFC 2883 4), then the range that grew last, then
 * the others. As many as the options hold, and none that would push out data of a full segment.
 */
export function fillSackBlocks(c: Connection, segment: Segment, dataLength: number): void {
  const { ranges } = c.receiveBuffer;
  const { sack } = segment;
  let room = c.timestampsOk ? MAX_SACK_BLOCKS - 1 : MAX_SACK_BLOCKS;
  if (dataLength > 0) {
    // A data segment was cut to fit without them.
    room = Math.min(room, (c.mss - dataLength - 4) >> 3);
    if (room <= 0) return;
  }
  let count = 0;
  if (c.duplicateSackStart !== c.duplicateSackEnd) {
    sack[0] = c.duplicateSackStart;
    sack[1] = c.duplicateSackEnd;
    c.duplicateSackStart = 0;
    c.duplicateSackEnd = 0;
    count = 1;
  }
  let latest = -1;
  for (let i = 0; i < ranges.length; i += 2) {
    if (!after(ranges[i], c.latestRangeStart) && before(c.latestRangeStart, ranges[i + 1])) latest = i;
  }
  if (latest >= 0 && count < room) {
    sack[2 * count] = ranges[latest];
    sack[2 * count + 1] = ranges[latest + 1];
    count++;
  }
  for (let i = 0; i < ranges.length && count < room; i += 2) {
    if (i === latest) continue;
    sack[2 * count] = ranges[i];
    sack[2 * count + 1] = ranges[i + 1];
    count++;
  }
  segment.sackCount = count;
}
