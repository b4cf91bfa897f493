/**
 * The few header fields that devices on a link look at: Ethernet II with up to two VLAN tags (IEEE 802.1Q), the IPv4 and
 * IPv6 congestion bits (RFC 3168). Lenient: a frame that is too short answers "no".
 */

export const etherType = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd, qinq: 0x88a8 } as const;

const ethernetHeader = 14;
const vlanTag = 4;

/** Longest frame, bytes without FCS, that carries an IP packet of `mtu` bytes and one VLAN tag. */
export const maximumFrame = (mtu: number): number => mtu + ethernetHeader + vlanTag;

export const word = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];

export const longWord = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;

/** A MAC address as a number, at `at`. */
export const macNumber = (frame: Uint8Array, at: number): number =>
  word(frame, at) * 0x1_0000_0000 + longWord(frame, at + 2);

/** Where the payload starts, past VLAN tags; the EtherType is the two bytes before it. */
export function payloadOffset(frame: Uint8Array, length: number): number {
  let at = ethernetHeader;
  for (let tags = 0; tags < 2 && at + vlanTag <= length; tags++) {
    const type = word(frame, at - 2);
    if (type !== etherType.vlan && type !== etherType.qinq) break;
    at += vlanTag;
  }
  return at;
}

/** Sets Congestion Experienced on a packet whose ends declared themselves ECN-capable. `false`: it did not. */
export function markCongestion(frame: Uint8Array, length: number): boolean {
  const at = payloadOffset(frame, length);
  if (at + 20 > length) return false;
  const type = word(frame, at - 2);
  if (type === etherType.ipv4) {
    const before = word(frame, at);
    if ((before & 3) === 0) return false;
    frame[at + 1] |= 3;
    // RFC 1624: HC' = ~(~HC + ~m + m')
    let sum = (~word(frame, at + 10) & 0xffff) + (~before & 0xffff) + word(frame, at);
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = ~((sum & 0xffff) + (sum >>> 16));
    frame[at + 10] = sum >>> 8;
    frame[at + 11] = sum;
    return true;
  }
  if (type === etherType.ipv6) {
    if ((frame[at + 1] & 0x30) === 0) return false;
    frame[at + 1] |= 0x30;
    return true;
  }
  return false;
}
