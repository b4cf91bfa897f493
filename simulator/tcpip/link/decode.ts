/**
 * One line of text per frame, for traces: addresses, ports, flags, sequence numbers relative to the connection's start.
 * A decoder of its own, so that a trace does not share the engine's mistakes. Never throws: what is cut off or
 * malformed is said so in the line.
 */
import { etherType, longWord, payloadOffset, word } from './frame.js';

const maximumConversations = 1024;

/** Initial sequence number of one direction of a conversation. */
type Starts = Map<string, number>;

const hex = (value: number, digits = 1): string => value.toString(16).padStart(digits, '0');

const mac = (bytes: Uint8Array, at: number): string =>
  Array.from(bytes.subarray(at, at + 6), (byte) => hex(byte, 2)).join(':');

const ipv4 = (bytes: Uint8Array, at: number): string => bytes.subarray(at, at + 4).join('.');

/** RFC 5952. */
function ipv6(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => hex(word(bytes, at + 2 * i)));
  const runs = groups.join(':').match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return groups.join(':');
  const [before, ...after] = groups.join(':').split(new RegExp(`\\b${longest}\\b`));
  return `${before.replace(/:$/, '')}::${after.join(longest).replace(/^:/, '')}`;
}

const tcpFlagLetters = ['F', 'S', 'R', 'P', 'A', 'U', 'E', 'C'];

const icmpNames: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'unreachable',
  5: 'redirect',
  8: 'echo request',
  11: 'time exceeded',
  12: 'parameter problem',
};

const icmp6Names: Readonly<Record<number, string>> = {
  1: 'unreachable',
  2: 'packet too big',
  3: 'time exceeded',
  4: 'parameter problem',
  128: 'echo request',
  129: 'echo reply',
  130: 'multicast listener query',
  131: 'multicast listener report',
  132: 'multicast listener done',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbor solicitation',
  136: 'neighbor advertisement',
  137: 'redirect',
  143: 'multicast listener report v2',
};

const protocolNames: Readonly<Record<number, string>> = { 2: 'IGMP', 41: 'IPv6', 47: 'GRE', 132: 'SCTP' };
const ipv6Extensions = new Set([0, 43, 60]);
const fragmentHeader = 44;

function tcpOptions(bytes: Uint8Array, from: number, to: number, relative: (seq: number) => number): string {
  const texts: string[] = [];
  for (let at = from; at < to; ) {
    const kind = bytes[at];
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const size = at + 1 < to ? bytes[at + 1] : 0;
    if (size < 2 || at + size > to) {
      texts.push(`bad option ${kind}`);
      break;
    }
    if (kind === 2 && size === 4) texts.push(`mss ${word(bytes, at + 2)}`);
    else if (kind === 3 && size === 3) texts.push(`wscale ${bytes[at + 2]}`);
    else if (kind === 4) texts.push('sackOK');
    else if (kind === 5) {
      for (let block = at + 2; block + 8 <= at + size; block += 8) {
        texts.push(`sack ${relative(longWord(bytes, block))}-${relative(longWord(bytes, block + 4))}`);
      }
    } else if (kind === 8 && size === 10)
      texts.push(`ts ${longWord(bytes, at + 2)} ${longWord(bytes, at + 6)}`);
    else if (kind === 34)
      texts.push(
        size === 2 ? 'tfo request' : `tfo ${Buffer.from(bytes.subarray(at + 2, at + size)).toString('hex')}`,
      );
    else texts.push(`option ${kind}`);
    at += size;
  }
  return texts.length === 0 ? '' : ` <${texts.join(', ')}>`;
}

/** Keeps each conversation's first sequence numbers, for relative ones. */
export class FrameDecoder {
  readonly #starts: Starts = new Map();

  /** One line, without time. */
  line(frame: Uint8Array, length: number): string {
    if (length < 14) return `${length} bytes, shorter than an Ethernet header`;
    const at = payloadOffset(frame, length);
    const type = word(frame, at - 2);
    if (type === etherType.arp) return this.#arp(frame, at, length);
    if (type === etherType.ipv4) return this.#ipv4(frame, at, length);
    if (type === etherType.ipv6) return this.#ipv6(frame, at, length);
    return `${mac(frame, 6)} > ${mac(frame, 0)} type 0x${hex(type, 4)} len ${length - at}`;
  }

  #arp(frame: Uint8Array, at: number, length: number): string {
    if (length < at + 28) return 'ARP cut off';
    const [sender, target] = [ipv4(frame, at + 14), ipv4(frame, at + 24)];
    const operation = word(frame, at + 6);
    if (operation === 1) return `ARP who has ${target} tell ${sender} (${mac(frame, at + 8)})`;
    if (operation === 2) return `ARP ${sender} is at ${mac(frame, at + 8)}`;
    return `ARP operation ${operation}`;
  }

  #ipv4(frame: Uint8Array, at: number, length: number): string {
    const header = (frame[at] & 15) * 4;
    const total = word(frame, at + 2);
    if (length < at + 20 || header < 20 || total < header) return 'IPv4 malformed';
    const end = Math.min(length, at + total);
    const fragment = word(frame, at + 6);
    const offset = (fragment & 0x1fff) * 8;
    const [source, destination] = [ipv4(frame, at + 12), ipv4(frame, at + 16)];
    const more = (fragment & 0x2000) !== 0;
    const note = offset > 0 || more ? ` frag ${word(frame, at + 4)}@${offset}${more ? '+' : ''}` : '';
    if (offset > 0)
      return `${source} > ${destination}${note} protocol ${frame[at + 9]} len ${end - at - header}`;
    return (
      this.#transport(frame, at + header, end, frame[at + 9], source, destination) +
      note +
      cut(at + total, length)
    );
  }

  #ipv6(frame: Uint8Array, at: number, length: number): string {
    if (length < at + 40) return 'IPv6 malformed';
    const total = 40 + word(frame, at + 4);
    const end = Math.min(length, at + total);
    const [source, destination] = [ipv6(frame, at + 8), ipv6(frame, at + 24)];
    let next = frame[at + 6];
    let here = at + 40;
    let note = '';
    while (here + 8 <= end && (ipv6Extensions.has(next) || next === fragmentHeader)) {
      if (next === fragmentHeader) {
        const offset = word(frame, here + 2) & 0xfff8;
        note = ` frag ${longWord(frame, here + 4)}@${offset}${frame[here + 3] & 1 ? '+' : ''}`;
        if (offset > 0)
          return `${source} > ${destination}${note} protocol ${frame[here]} len ${end - here - 8}`;
      }
      const size = next === fragmentHeader ? 8 : (frame[here + 1] + 1) * 8;
      next = frame[here];
      here += size;
    }
    return this.#transport(frame, here, end, next, source, destination) + note + cut(at + total, length);
  }

  #transport(
    frame: Uint8Array,
    at: number,
    end: number,
    protocol: number,
    source: string,
    destination: string,
  ): string {
    const size = end - at;
    const between = `${source} > ${destination}`;
    if (protocol === 6 && size >= 20) return this.#tcp(frame, at, end, source, destination);
    if (protocol === 17 && size >= 8) {
      return `${source}.${word(frame, at)} > ${destination}.${word(frame, at + 2)} UDP len ${size - 8}`;
    }
    if ((protocol === 1 || protocol === 58) && size >= 8) {
      const names = protocol === 1 ? icmpNames : icmp6Names;
      const echo = /echo/.test(names[frame[at]] ?? '');
      const detail = echo ? `id ${word(frame, at + 4)} seq ${word(frame, at + 6)}` : `code ${frame[at + 1]}`;
      return `${between} ICMP${protocol === 58 ? 'v6' : ''} ${names[frame[at]] ?? `type ${frame[at]}`} ${detail} len ${size - 8}`;
    }
    return `${between} ${protocolNames[protocol] ?? `protocol ${protocol}`} len ${size}`;
  }

  #tcp(frame: Uint8Array, at: number, end: number, source: string, destination: string): string {
    const [from, to] = [`${source}.${word(frame, at)}`, `${destination}.${word(frame, at + 2)}`];
    const header = (frame[at + 12] >> 4) * 4;
    if (header < 20 || at + header > end) return `${from} > ${to} TCP bad header length`;
    const flags = frame[at + 13];
    const [seq, ack] = [longWord(frame, at + 4), longWord(frame, at + 8)];
    const [ours, theirs] = [`${from}>${to}`, `${to}>${from}`];
    const syn = (flags & 2) !== 0;
    if (syn || !this.#starts.has(ours)) this.#remember(ours, seq);
    const acks = (flags & 16) !== 0;
    if (acks && !this.#starts.has(theirs)) this.#remember(theirs, ack);
    const relative = (value: number, key: string): number => (value - (this.#starts.get(key) ?? 0)) >>> 0;
    const letters = tcpFlagLetters.filter((_, bit) => (flags >> bit) & 1).join('');
    const acknowledged = acks ? ` ack ${relative(ack, theirs)}` : '';
    const urgent = flags & 32 ? ` urg ${word(frame, at + 18)}` : '';
    const options = tcpOptions(frame, at + 20, at + header, (value) => relative(value, theirs));
    const window = word(frame, at + 14);
    return `${from} > ${to} TCP ${letters || '-'} seq ${relative(seq, ours)}${acknowledged} win ${window}${urgent}${options} len ${end - at - header}`;
  }

  #remember(key: string, seq: number): void {
    if (this.#starts.size >= maximumConversations) this.#starts.clear();
    this.#starts.set(key, seq);
  }
}

const cut = (announced: number, length: number): string =>
  announced > length ? ` cut off, ${announced - length} bytes missing` : '';
