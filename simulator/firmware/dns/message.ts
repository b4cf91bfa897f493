/** DNS messages in the form the module needs them; the wire format is dns-packet's. */
import dnsPacket, { type DecodedPacket, type Answer as PacketAnswer, type RecordType } from 'dns-packet';
import recordTypes from 'dns-packet/types.js';

/** One resource record. `data` has the shape dns-packet gives that type; raw bytes for a type it does not know. */
export interface DnsRecord {
  readonly name: string;
  /** By number, RFC 1035 and IANA. */
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  readonly data: unknown;
}

export interface DnsReply {
  readonly rcode: number;
  readonly truncated: boolean;
  /** AA or AD: from the zone itself, or checked by the server. RFC 4035, section 3.2.3. */
  readonly authenticated: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
}

export interface QueryFlags {
  /** DO, RFC 3225. */
  readonly dnssec: boolean;
  /** CD, RFC 4035. */
  readonly checkingDisabled: boolean;
}

/** Largest UDP answer asked for with EDNS0. */
const UDP_PAYLOAD = 1232;

/** RFC 1035, section 2.3.4: labels of 1 to 63 bytes, 255 in all. */
export function isQueryName(name: string): boolean {
  const labels = name.replace(/\.$/, '').split('.');
  return labels.every((label) => isLabel(label)) && Buffer.byteLength(name) <= 253;
}
/** Bytes that are no UTF-8 have no place in a name. */
const isLabel = (label: string): boolean => {
  const bytes = Buffer.from(label);
  return bytes.length >= 1 && bytes.length <= 63 && bytes.toString() === label;
};

export function encodeQuery(id: number, { name, type }: DnsQuestion, flags: QueryFlags): Uint8Array {
  const edns = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP_PAYLOAD,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: dnsPacket.DNSSEC_OK,
    flag_do: true,
    options: [],
  } as const;
  return dnsPacket.encode({
    type: 'query',
    id,
    flags: dnsPacket.RECURSION_DESIRED | (flags.checkingDisabled ? dnsPacket.CHECKING_DISABLED : 0),
    questions: [{ name, type: recordTypes.toString(type) as RecordType }],
    ...(flags.dnssec && { additionals: [edns as unknown as PacketAnswer] }),
  });
}

const record = (answer: PacketAnswer): DnsRecord => ({
  name: answer.name,
  type: recordTypes.toType(answer.type),
  ttl: 'ttl' in answer ? (answer.ttl ?? 0) : 0,
  data: 'data' in answer ? answer.data : undefined,
});

const records = (answers: readonly PacketAnswer[] | undefined): DnsRecord[] =>
  (answers ?? []).filter(({ type }) => type !== 'OPT').map(record);

/** A part of dns-packet its types leave out. */
const codecs = dnsPacket as unknown as { record(type: string): { encode(data: unknown): Uint8Array } };

/** RDATA as it was on the wire. */
export function rawData(type: number, data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  // The codec puts the length before it.
  return codecs.record(recordTypes.toString(type)).encode(data).subarray(2);
}

const sameName = (a: string, b: string): boolean =>
  a.replace(/\.$/, '').toLowerCase() === b.replace(/\.$/, '').toLowerCase();

/** The reply to a query, or undefined if these bytes are none. */
export function decodeReply(bytes: Uint8Array, id: number, question: DnsQuestion): DnsReply | undefined {
  let packet: DecodedPacket & { readonly rcode?: string };
  try {
    packet = dnsPacket.decode(Buffer.from(bytes)) as DecodedPacket;
  } catch {
    return undefined;
  }
  const asked = packet.questions?.[0];
  if (packet.type !== 'response' || packet.id !== id) return undefined;
  if (asked === undefined || !sameName(asked.name, question.name)) return undefined;
  if (recordTypes.toType(asked.type) !== question.type) return undefined;
  return {
    rcode: (packet.flags ?? 0) & 0xf,
    truncated: packet.flag_tc,
    authenticated: packet.flag_aa || packet.flag_ad,
    answers: records(packet.answers),
    authorities: records(packet.authorities),
    additionals: records(packet.additionals),
  };
}
