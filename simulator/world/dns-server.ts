/** The router's name server: the world's own records, then the host's names, then the host's name servers. */
import dnsPacket, { type Answer, type DecodedPacket, type Packet } from 'dns-packet';
import type { DnsZone } from './dns-zone.js';

export const DNS_PORT = 53;

/** RFC 1035 section 4.1.1. */
const Rcode = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
const QR = 0x8000;
const AA = 0x0400;
const TC = 0x0200;
const RD = 0x0100;
const RA = 0x0080;
const OPCODE = 0x7800;
const RCODE = 0x000f;
const HEADER_BYTES = 12;
/** What fits without EDNS (RFC 1035 section 2.3.4), and what we say we take with it. */
const PLAIN_UDP_BYTES = 512;
const EDNS_UDP_BYTES = 1232;

/** `answer`, or a fault: no answer at all, or that error for everything. */
export type DnsBehaviour = 'answer' | 'silent' | 'servfail' | 'refused' | 'nxdomain';

/** Asks a name server the host uses; `done` gets its answer as it came, or nothing when none did. */
export type AskUpstream = (query: Uint8Array, done: (answer: Uint8Array | undefined) => void) => void;

export interface DnsServerOptions {
  /** Asked in this order; the first that knows the name answers. */
  readonly zones: () => readonly DnsZone[];
  /** Whom to ask then; without it the name does not exist. */
  readonly upstream?: () => AskUpstream | undefined;
}

export class DnsServer {
  behaviour: DnsBehaviour = 'answer';
  readonly #options: DnsServerOptions;

  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  /** Answers one query, now or later, at most once. `query` is lent. What is no query gets no answer. */
  query(query: Uint8Array, over: 'udp' | 'tcp', reply: (answer: Uint8Array) => void): void {
    if (this.behaviour === 'silent' || query.length < HEADER_BYTES || (query[2] & 0x80) !== 0) return;
    const bytes = Buffer.from(query);
    const packet = this.#read(bytes);
    if (typeof packet === 'number') reply(emptyAnswer(bytes, packet));
    else this.#resolve(packet, bytes, over === 'tcp' ? 0xffff : udpLimit(packet), reply);
  }

  /** The query, or the code it is refused with. */
  #read(bytes: Buffer): DecodedPacket | number {
    switch (this.behaviour) {
      case 'servfail':
        return Rcode.SERVFAIL;
      case 'refused':
        return Rcode.REFUSED;
      case 'nxdomain':
        return Rcode.NXDOMAIN;
    }
    if ((bytes.readUInt16BE(2) & OPCODE) !== 0) return Rcode.NOTIMP;
    try {
      const packet = dnsPacket.decode(bytes);
      if (packet.questions?.length !== 1) return Rcode.FORMERR;
      const [{ class: questionClass }] = packet.questions;
      return questionClass === 'IN' || questionClass === 'ANY' ? packet : Rcode.REFUSED;
    } catch {
      return Rcode.FORMERR;
    }
  }

  #resolve(packet: DecodedPacket, bytes: Buffer, limit: number, reply: (answer: Uint8Array) => void): void {
    const { name, type } = packet.questions![0];
    for (const zone of this.#options.zones()) {
      const { exists, answers, onwards } = zone.find(name, type);
      if (!exists) continue;
      if (onwards !== undefined)
        this.#follow(packet, onwards, (rest) =>
          reply(fitted(encodeAnswer(packet, 0, [...answers, ...rest]), bytes, limit)),
        );
      else if (answers.length === 0) reply(emptyAnswer(bytes, AA));
      else reply(fitted(encodeAnswer(packet, AA, answers, zone.extras(answers)), bytes, limit));
      return;
    }
    const upstream = this.#options.upstream?.();
    if (upstream === undefined) {
      reply(emptyAnswer(bytes, Rcode.NXDOMAIN));
      return;
    }
    upstream(bytes, (answer) =>
      reply(
        answer === undefined ? emptyAnswer(bytes, Rcode.SERVFAIL) : fitted(Buffer.from(answer), bytes, limit),
      ),
    );
  }

  /** The rest of a chain of aliases that leads out of the zone that began it. */
  #follow(packet: DecodedPacket, name: string, done: (answers: readonly Answer[]) => void): void {
    const question = { ...packet.questions![0], name };
    for (const zone of this.#options.zones()) {
      const { exists, answers } = zone.find(name, question.type);
      if (!exists) continue;
      done(answers);
      return;
    }
    const upstream = this.#options.upstream?.();
    if (upstream === undefined) {
      done([]);
      return;
    }
    const query = dnsPacket.encode({ type: 'query', id: packet.id ?? 0, flags: RD, questions: [question] });
    upstream(query, (answer) => done(answer === undefined ? [] : answersOf(answer)));
  }
}

function answersOf(message: Uint8Array): readonly Answer[] {
  try {
    return dnsPacket.decode(Buffer.from(message)).answers ?? [];
  } catch {
    return [];
  }
}

/** What the client takes in one datagram (RFC 6891 section 6.2.3). */
function udpLimit(packet: DecodedPacket): number {
  const edns = packet.additionals?.find((record) => record.type === 'OPT');
  if (edns === undefined) return PLAIN_UDP_BYTES;
  return Math.min(Math.max(edns.udpPayloadSize, PLAIN_UDP_BYTES), EDNS_UDP_BYTES);
}

function encodeAnswer(
  query: DecodedPacket,
  flags: number,
  answers: readonly Answer[],
  extras: readonly Answer[] = [],
): Buffer {
  const packet: Packet = {
    type: 'response',
    id: query.id ?? 0,
    flags: ((query.flags ?? 0) & RD) | RA | flags,
    questions: query.questions ?? [],
    answers: [...answers],
    additionals: [...extras],
  };
  if (query.additionals?.some((record) => record.type === 'OPT'))
    packet.additionals?.push({
      type: 'OPT',
      name: '.',
      udpPayloadSize: EDNS_UDP_BYTES,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    });
  return dnsPacket.encode(packet);
}

/** `answer`, or the invitation to ask again over TCP when it is too long. */
function fitted(answer: Buffer, query: Buffer, limit: number): Uint8Array {
  if (answer.length <= limit) return answer;
  return emptyAnswer(query, (answer.readUInt16BE(2) & (AA | RCODE)) | TC);
}

/** Header and question only; the question byte for byte as it came, whatever its name is made of. */
function emptyAnswer(query: Buffer, flags: number): Uint8Array {
  const end = questionEnd(query);
  const answer = Buffer.alloc(end ?? HEADER_BYTES);
  query.copy(answer, 0, 0, answer.length);
  answer.writeUInt16BE(QR | (query.readUInt16BE(2) & (OPCODE | RD)) | RA | flags, 2);
  answer.writeUInt16BE(end === undefined ? 0 : 1, 4);
  answer.fill(0, 6, HEADER_BYTES);
  return answer;
}

function questionEnd(query: Buffer): number | undefined {
  if (query.readUInt16BE(4) !== 1) return undefined;
  let at = HEADER_BYTES;
  while (at < query.length && query[at] !== 0) {
    if (query[at] > 63) return undefined;
    at += 1 + query[at];
  }
  return at + 5 <= query.length ? at + 5 : undefined;
}
